// The server's address: what people type, what is filled in for them, and the WebSocket address that comes of it.
// Never knows connections.
"use strict";

(() => {
	const DEFAULT_PORT = "9000";
	// "host", "host:port", "[::1]:9000"; spaces, paths and signs that end a host are no part of an address.
	const ADDRESS = /^(\[[0-9a-f:.]+\]|[^\s/?#@:[\]]+)(?::(\d{1,5}))?$/iu;
	const BARE_IPV6 = /^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f.]*$/iu;
	const LOOPBACK = /^(localhost|127\.[\d.]+|\[::1\])(:\d+)?$/iu;

	const isFile = location.protocol === "file:";
	const isSecure = location.protocol === "https:";

	// What stands after "#": as a file the server's address, served the room to open.
	function hash() {
		try {
			return decodeURIComponent(location.hash.slice(1));
		} catch {
			return "";
		}
	}

	// The served page knows its server; a file takes the one in its own address, or the one used last.
	function suggested(remembered) {
		return isFile ? hash() || remembered || `localhost:${DEFAULT_PORT}` : location.host;
	}

	// {host, url}, or null if this can't be an address. People paste what they see, so "http://…/" is taken too.
	function parse(typed) {
		let host = typed.trim().replace(/^(?:https?|wss?):\/\//iu, "").replace(/[/#].*$/u, "");
		if (BARE_IPV6.test(host)) host = `[${host}]`;
		const parts = ADDRESS.exec(host);
		if (!parts) return null;
		// The page's own host without a port, or anything beyond a secure proxy, is on the scheme's own port.
		if (!parts[2] && !isSecure && host !== location.host) host = `${host}:${DEFAULT_PORT}`;
		try {
			return { host, url: new URL(`${isSecure ? "wss" : "ws"}://${host}/`).href };
		} catch {
			return null;
		}
	}

	// What to send to somebody who shall come too; everybody lands in the lobby by themselves.
	function invitation(host, room) {
		const place = room === Papo.protocol.LOBBY ? "" : `#${encodeURIComponent(room)}`;
		return `${isSecure ? "https" : "http"}://${host}/${place}`;
	}

	Papo.address = {
		isFile, suggested, parse, invitation,
		isLoopback: (host) => LOOPBACK.test(host),
		room: () => (isFile ? "" : hash()),
	};
})();
