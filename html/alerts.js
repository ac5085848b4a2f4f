// What reaches somebody who looks elsewhere: the count in the title, a dot on the icon, a sound, a notice.
// Knows what the browser allows here; never what a message is.
"use strict";

(() => {
	const { words } = Papo;
	const { find } = Papo.dom;
	const { kept } = Papo.storage;
	const DOT = "%3Ccircle cx='25' cy='7' r='7' fill='%23e0302a'/%3E%3C/svg%3E";
	// Two short notes, quiet enough for a library.
	const NOTES_HZ = [660, 880];
	const NOTE_S = 0.12;
	const VOLUME = 0.08;
	const MOST_CHARACTERS = 120;

	const icon = find("icone");
	const plain = icon.href;
	let audio = null;

	const isOn = (kind) => kept.get(kind) === "1";
	const isPossible = () => "Notification" in window && window.isSecureContext;

	function showUnread(count) {
		document.title = words.title(count);
		const href = count > 0 ? plain.replace("%3C/svg%3E", DOT) : plain;
		if (icon.href !== href) icon.href = href;
	}

	// Browsers let a page sound only after somebody did something on it.
	function wake() {
		if (isOn("sound") && window.AudioContext) audio ??= new AudioContext();
		audio?.resume();
	}

	function beep() {
		wake();
		if (!audio) return;
		NOTES_HZ.forEach((hertz, i) => {
			const [note, loudness, start] = [audio.createOscillator(), audio.createGain(), audio.currentTime + i * NOTE_S];
			note.frequency.value = hertz;
			loudness.gain.setValueAtTime(VOLUME, start);
			loudness.gain.exponentialRampToValueAtTime(0.001, start + NOTE_S);
			note.connect(loudness).connect(audio.destination);
			note.start(start);
			note.stop(start + NOTE_S);
		});
	}

	// Somebody speaks to us. Who has the page before their eyes needs no notice.
	function mention(from, text) {
		if (document.hasFocus() && !document.hidden) return;
		if (isOn("sound")) beep();
		if (!isOn("notices") || !isPossible() || Notification.permission !== "granted") return;
		try {
			const notice = new Notification(words.mentionedYou(from), { body: text.slice(0, MOST_CHARACTERS), tag: "papo" });
			notice.onclick = () => window.focus();
		} catch {
			// Some phones allow notices only to installed pages.
		}
	}

	// Turns one of them on or off. Returns why it can't be turned on, or "".
	async function turn(kind, on) {
		kept.set(kind, on ? "1" : "0");
		if (kind === "sound" && on) beep();
		if (kind === "sound" || !on) return "";
		if (!isPossible()) return words.noticesImpossible;
		const answer = await Notification.requestPermission();
		if (answer === "granted") return "";
		kept.set(kind, "0");
		return words.noticesBlocked;
	}

	for (const type of ["click", "keydown"]) document.addEventListener(type, wake, { once: true });

	Papo.alerts = { showUnread, mention, turn, isOn, isPossible };
})();
