// The invitation: the address to send to somebody, a button that copies it, and its QR code.
// Knows one address; never who comes.
"use strict";

(() => {
	const { words, address, qr } = Papo;
	const { find, say, copy } = Papo.dom;
	const SVG = "http://www.w3.org/2000/svg";
	// The light border that readers need.
	const QUIET = 4;

	const [code, toggle] = [find("qr"), find("mostrar-qr")];
	let link = "";

	function drawing(rows) {
		const size = rows.length + 2 * QUIET;
		const squares = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET},${y + QUIET}h1v1h-1z` : "")));
		const [svg, path] = [document.createElementNS(SVG, "svg"), document.createElementNS(SVG, "path")];
		svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
		path.setAttribute("d", squares.join(""));
		svg.append(path);
		return svg;
	}

	function showCode(shown) {
		const rows = shown ? qr.encode(link) : null;
		code.hidden = !rows;
		if (rows) code.replaceChildren(drawing(rows));
		toggle.setAttribute("aria-expanded", String(Boolean(rows)));
	}

	// The address of this server and of the room on the screen.
	function show(host, room) {
		link = address.invitation(host, room);
		say(find("link"), link.replace(/^https?:\/\/|\/$/gu, ""));
		say(find("so-aqui"), address.isLoopback(host) ? words.onlyHere : "");
		if (!code.hidden) showCode(true);
	}

	toggle.addEventListener("click", () => showCode(code.hidden));
	find("copiar-link").addEventListener("click", ({ target }) => copy(link, target));

	Papo.invite = { show };
})();
