"use strict";
{
const { words, follow: { box }, line: { shownBy }, dom: { find, on, say, copy } } = Papo;

const button = find("copiar");
let pointed = null;

function point(node) {
	pointed = node;
	button.hidden = !node;
	if (!node) return;
	say(button, words.copy);
	const [inner, frame, outer] = [node, box, box.parentNode].map((each) => each.getBoundingClientRect());
	button.style.top = `${Math.max(inner.top, frame.top) - outer.top}px`;
	button.style.right = `${outer.right - inner.right}px`;
}

function copySelection(event) {
	const selection = getSelection();
	const nodes = [...box.querySelectorAll("article")].filter((node) => selection.containsNode(node, true));
	if (selection.isCollapsed || nodes.length < 2) return;
	event.preventDefault();
	event.clipboardData.setData("text/plain", nodes.map((node) => words.copiedLine(shownBy.get(node))).join("\n"));
}

function step(event) {
	const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
	if (!by || event.altKey || event.target.closest("pre")) return;
	const all = [...box.querySelectorAll(".timeline:not([hidden]) article")];
	const index = all.indexOf(event.target.closest("article"));
	const next = index < 0 ? all.at(-1) : all[index + by];
	if (!next) return;
	event.preventDefault();
	next.focus({ preventScroll: true });
	next.scrollIntoView({ block: "nearest" });
	point(next);
}

const article = ({ target }) => target.closest("article");
on(box, "pointerover", (event) => point(article(event) ?? pointed));
on(box, "focusin", (event) => point(article(event)));
on(box, "scroll", () => point(null));
on(box.parentNode, "pointerleave", () => point(null));
on(box, "keydown", step);
on(button, "click", () => copy(shownBy.get(pointed).text, button));
on(document, "copy", copySelection);
}
