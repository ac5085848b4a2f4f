"use strict";
{
const { address, qr } = Papo;
const { find, on, say, copy } = Papo.dom;
const SVG = "http://www.w3.org/2000/svg";
const QUIET = 4;

const [code, toggle] = [find("qr"), find("mostrar-qr")];
let link = "";

function draw(shown) {
	const rows = qr(link) ?? qr(link.replace(/#.*/u, ""));
	const size = rows.length + 2 * QUIET;
	const squares = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET},${y + QUIET}h1v1h-1z` : "")));
	const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS(SVG, tag));
	svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
	path.setAttribute("d", squares.join(""));
	svg.append(path);
	code.replaceChildren(svg);
	code.hidden = !shown;
	toggle.setAttribute("aria-expanded", shown);
}

Papo.showInvitation = (host, room) => {
	link = address.invitation(host, room);
	say(find("link"), link.replace(/^https?:\/\/|\/$/gu, ""));
	draw(!code.hidden);
};

on(toggle, "click", () => draw(code.hidden));
on(find("copiar-link"), "click", ({ target }) => copy(link, target));
}
