// Whether the page is connected, in one word and, when that lasts, in a banner that counts down to the next try.
// Knows states and seconds; never sockets.
"use strict";

(() => {
	const { words } = Papo;
	const { find, say } = Papo.dom;
	// Shorter cuts heal by themselves and need not worry anybody.
	const PATIENCE_MS = 2_000;
	// How long the good news stays.
	const RESTORED_MS = 3_000;
	const TICK_MS = 500;

	const banner = find("aviso");
	let state = { name: "idle" };
	let [timer, tick] = [null, null];

	// The style sheet shows the rest by `data-state`.
	function word(text, name) {
		say(find("estado"), text);
		find("papo").dataset.state = name;
	}

	function draw() {
		if (state.name === "waiting") word(words.stateOffline, "offline");
		else word(words.stateConnecting, "connecting");
		const seconds = Math.max(1, Math.ceil((state.until - Date.now()) / 1000));
		const next = state.name === "waiting" ? words.nextTry(seconds) : words.stateConnecting;
		say(find("aviso-texto"), `${state.stopped ? words.serverStopped : words.offline} ${next}`);
	}

	function reveal() {
		banner.hidden = false;
		tick = setInterval(draw, TICK_MS);
		draw();
	}

	function forget() {
		clearTimeout(timer);
		clearInterval(tick);
		banner.hidden = true;
	}

	function show(next) {
		const [wasOnline, wasShown] = [state.name === "online", !banner.hidden];
		// The server's own goodbye stays the reason until we are back.
		state = { ...next, stopped: next.name !== "online" && (next.stopped || state.stopped) };
		if (next.name === "waiting" || next.name === "connecting") {
			if (wasOnline) timer = setTimeout(reveal, PATIENCE_MS);
			if (wasShown) draw();
			return;
		}
		forget();
		if (next.name !== "online") return;
		word(wasShown ? words.restored : words.stateOnline, "online");
		if (wasShown) timer = setTimeout(() => word(words.stateOnline, "online"), RESTORED_MS);
	}

	Papo.status = { show };
})();
