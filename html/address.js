"use strict";
{
const DEFAULT_PORT = ":9000";
const ADDRESS = /^(\[[0-9a-f:.]+\]|[^\s/?#@:[\]]+)(:\d{1,5})?$/iu;

const isFile = location.protocol === "file:";
const secure = location.protocol === "https:" ? "s" : "";

function hash() {
	try {
		return decodeURIComponent(location.hash.slice(1));
	} catch {
		return "";
	}
}

function parse(typed) {
	let host = typed.trim().replace(/^(?:https?|wss?):\/\//iu, "").replace(/[/#].*$/u, "");
	const parts = ADDRESS.exec(host);
	if (parts && !parts[2] && !secure && host !== location.host) host += DEFAULT_PORT;
	const url = `ws${secure}://${host}/`;
	return parts && URL.canParse(url) ? { host, url } : null;
}

Papo.address = {
	isFile, parse,
	room: () => (isFile ? "" : hash()),
	suggested: (last) => (isFile ? hash() || last || `localhost${DEFAULT_PORT}` : location.host),
	invitation: (host, room) =>
		`http${secure}://${host}/${room === Papo.protocol.LOBBY ? "" : `#${encodeURIComponent(room)}`}`,
};
}
