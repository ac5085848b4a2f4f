"use strict";
{
const { words, dom: { find, say } } = Papo;
const PATIENCE_MS = 2_000;
const RESTORED_MS = 3_000;
const TICK_MS = 500;

const banner = find("aviso");
let [state, timer, tick] = [{}, 0, 0];

function word(text, name) {
	say(find("estado"), text);
	find("papo").dataset.state = name;
}

function draw() {
	const { name, until, stopped } = state;
	const waits = name === "waiting";
	word(waits ? words.stateOffline : words.stateConnecting, waits ? "offline" : name);
	const next = waits ? words.nextTry(Math.max(1, Math.ceil((until - Date.now()) / 1000))) : words.stateConnecting;
	say(find("aviso-texto"), `${stopped ? words.serverStopped : words.offline} ${next}`);
}

function reveal() {
	banner.hidden = false;
	tick = setInterval(draw, TICK_MS);
	draw();
}

Papo.showStatus = (next) => {
	const [before, wasShown] = [state, !banner.hidden];
	state = { ...next, stopped: next.stopped ?? before.stopped };
	if (next.name === "waiting" || next.name === "connecting") {
		if (before.name === "online") timer = setTimeout(reveal, PATIENCE_MS);
		if (wasShown) draw();
		return;
	}
	clearTimeout(timer);
	clearInterval(tick);
	banner.hidden = true;
	state.stopped = false;
	if (next.name !== "online") return;
	word(wasShown ? words.restored : words.stateOnline, "online");
	if (wasShown) timer = setTimeout(() => word(words.stateOnline, "online"), RESTORED_MS);
};
}
