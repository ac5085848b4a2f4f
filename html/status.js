// Whether the page is connected, in one word and, when that lasts, in a banner that counts down to the next try.
// Knows states and seconds; never sockets.
"use strict";

{
const { words } = Papo;
const { find, say } = Papo.dom;
// Shorter cuts heal by themselves and need not worry anybody.
const PATIENCE_MS = 2_000;
const RESTORED_MS = 3_000;
const TICK_MS = 500;

const banner = find("aviso");
let state = { name: "idle" };
let timer, tick;

function word(text, name) {
	say(find("estado"), text);
	find("papo").dataset.state = name;
}

function draw() {
	const waiting = state.name === "waiting";
	word(waiting ? words.stateOffline : words.stateConnecting, waiting ? "offline" : "connecting");
	const seconds = Math.max(1, Math.ceil((state.until - Date.now()) / 1000));
	const next = waiting ? words.nextTry(seconds) : words.stateConnecting;
	say(find("aviso-texto"), `${state.stopped ? words.serverStopped : words.offline} ${next}`);
}

function reveal() {
	banner.hidden = false;
	tick = setInterval(draw, TICK_MS);
	draw();
}

Papo.showStatus = (next) => {
	const [wasOnline, wasShown] = [state.name === "online", !banner.hidden];
	state = { ...next, stopped: next.name !== "online" && (next.stopped || state.stopped) };
	if (next.name === "waiting" || next.name === "connecting") {
		if (wasOnline) timer = setTimeout(reveal, PATIENCE_MS);
		if (wasShown) draw();
		return;
	}
	clearTimeout(timer);
	clearInterval(tick);
	banner.hidden = true;
	if (next.name !== "online") return;
	word(wasShown ? words.restored : words.stateOnline, "online");
	if (wasShown) timer = setTimeout(() => word(words.stateOnline, "online"), RESTORED_MS);
};
}
