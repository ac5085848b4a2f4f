// Taking messages elsewhere: a selection over several is copied as `Ana (14:05): texto` lines, and each message has a
// button while it is pointed at or holds the focus. Never knows the rooms.
"use strict";

(() => {
	const { words, follow } = Papo;
	const { find, copy } = Papo.dom;
	const { shownBy } = Papo.line;

	const { box } = follow;
	// One button for all messages, outside of the list: there it would be read out each time it moves.
	const button = find("copiar");
	let pointed = null;

	const asLine = (node) => {
		const { from, at, text } = shownBy.get(node);
		return words.copiedLine(from, at, text);
	};

	function point(node) {
		pointed = node;
		button.hidden = !node;
		if (!node) return;
		Papo.dom.say(button, words.copy);
		const [inner, outer] = [node.getBoundingClientRect(), box.parentNode.getBoundingClientRect()];
		button.style.top = `${Math.max(inner.top, box.getBoundingClientRect().top) - outer.top}px`;
		button.style.right = `${outer.right - inner.right}px`;
	}

	// Inside one message the browser's own way is right.
	function copySelection(event) {
		const selection = getSelection();
		const nodes = [...box.querySelectorAll("article")].filter((node) => selection.containsNode(node, true));
		if (selection.isCollapsed || nodes.length < 2) return;
		event.preventDefault();
		event.clipboardData.setData("text/plain", nodes.map(asLine).join("\n"));
	}

	// With the focus in the list, the arrows go from message to message.
	function step(event) {
		const way = { ArrowUp: "previous", ArrowDown: "next" }[event.key];
		if (!way || event.altKey || event.target.closest("pre")) return;
		const all = [...box.querySelectorAll(".timeline:not([hidden]) article")];
		const index = all.indexOf(event.target.closest("article"));
		const next = index < 0 ? all.at(-1) : all[index + (way === "next" ? 1 : -1)];
		if (!next) return;
		event.preventDefault();
		next.focus({ preventScroll: true });
		next.scrollIntoView({ block: "nearest" });
		point(next);
	}

	const article = ({ target }) => target.closest?.("article");
	box.addEventListener("pointerover", (event) => point(article(event) ?? pointed));
	box.addEventListener("focusin", (event) => point(article(event)));
	box.addEventListener("scroll", () => point(null), { passive: true });
	box.parentNode.addEventListener("pointerleave", () => point(null));
	box.addEventListener("keydown", step);
	button.addEventListener("click", () => copy(shownBy.get(pointed).text, button));
	document.addEventListener("copy", copySelection);
})();
