"use strict";
{
const { address, qr, dom: { find, on, say, copy } } = Papo;
const SVG = "http://www.w3.org/2000/svg";
const QUIET = 4;

let link = "";

function draw(rows) {
	const size = rows.length + 2 * QUIET;
	const squares = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET},${y + QUIET}h1v1h-1z` : "")));
	const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS(SVG, tag));
	svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
	path.setAttribute("d", squares.join(""));
	svg.append(path);
	find("qr").replaceChildren(svg);
}

Papo.showInvitation = (host, room) => {
	link = address.invitation(host, room);
	say(find("link"), link.replace(/^https?:\/\/|\/$/gu, ""));
	draw(qr(link) ?? qr(link.replace(/#.*/u, "")) ?? []);
};

on(find("copiar-link"), "click", ({ target }) => copy(link, target));
}
