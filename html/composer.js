// The box where a message is written: its keys, its height, the count of what is left, and its draft.
// Knows one text box; never where the text goes.
"use strict";

(() => {
	const { words } = Papo;
	const { LIMITS, lengthOf } = Papo.protocol;
	const { tab } = Papo.storage;
	const { find, say } = Papo.dom;
	const DRAFT = "draft.";
	// The count appears when the end is near: before, it would only distract.
	const COUNT_FROM = 200;

	const [form, box, counter] = [find("escrever"), find("mensagem"), find("restam")];
	let [limit, draftKey, lastSent, warnUntil] = [LIMITS.text, null, "", 0];

	// `onSend(text)` returns false if the text should stay; `onTyping` is told of each change of a message; `onKey(event)`
	// may take a key for itself.
	const hooks = { onSend() {}, onTyping() {}, onKey: () => false };

	const left = () => limit - lengthOf(box.value.trim());

	function measure() {
		const rest = left();
		if (Date.now() >= warnUntil) say(counter, rest <= COUNT_FROM ? words.charactersLeft(rest) : "");
		counter.classList.toggle("over", rest < 0);
		box.setAttribute("aria-invalid", String(rest < 0));
		// The style sheet bounds the height; it must shrink first, or it would never become smaller.
		box.style.height = "auto";
		box.style.height = `${box.scrollHeight + 2}px`;
	}

	function changed() {
		if (box.value === "") tab.remove(DRAFT + draftKey);
		else tab.set(DRAFT + draftKey, box.value);
		measure();
	}

	function write(text) {
		box.value = text;
		box.focus();
		changed();
	}

	// Each room keeps its own draft, also over a reload.
	function open(roomKey) {
		draftKey = roomKey;
		box.value = tab.get(DRAFT + roomKey) ?? "";
		measure();
	}

	// Says something in the place of the count for a while.
	function warn(text, ms) {
		warnUntil = Date.now() + ms;
		say(counter, text);
		setTimeout(measure, ms);
	}

	function submit(event) {
		event.preventDefault();
		const text = box.value.trim();
		const room = draftKey;
		if (text === "" || left() < 0 || hooks.onSend(text) === false) return;
		lastSent = text;
		// A command may have put another room's draft in the box, or a text of its own.
		tab.remove(DRAFT + room);
		if (box.value.trim() === text) write("");
	}

	function key(event) {
		// While "~" waits for its "a", Enter belongs to the keyboard's composition.
		if (event.isComposing || hooks.onKey(event)) return;
		// The Enter of a touch keyboard is the only way to a new line there.
		const touch = matchMedia("(pointer: coarse)").matches;
		if (event.key === "Enter" && !event.shiftKey && !touch) form.requestSubmit();
		else if (event.key === "ArrowUp" && !event.altKey && box.value === "" && lastSent !== "") write(lastSent);
		else return;
		event.preventDefault();
	}

	form.addEventListener("submit", submit);
	box.addEventListener("keydown", key);
	box.addEventListener("input", () => {
		changed();
		if (box.value.trim() !== "" && !/^\/(?!\/)/u.test(box.value)) hooks.onTyping();
	});

	Papo.composer = {
		box, hooks, open, write, warn,
		setLimit: (characters) => {
			limit = characters;
			measure();
		},
	};
})();
