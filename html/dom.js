// Helpers for nodes of the page: strings only ever become text nodes. Never knows what the nodes mean.
"use strict";

(() => {
	const COPIED_MS = 1_500;
	// A hidden page has no frames, so there a timer serves.
	const HIDDEN_FRAME_MS = 250;

	const find = (id) => document.getElementById(id);

	function element(tag, className, ...children) {
		const node = document.createElement(tag);
		if (className) node.className = className;
		node.append(...children);
		return node;
	}

	function button(className, label, onClick) {
		const node = element("button", className, label);
		node.type = "button";
		node.addEventListener("click", onClick);
		return node;
	}

	// Setting the same words again would make a screen reader repeat them.
	function say(node, text) {
		if (node.textContent !== text) node.textContent = text;
	}

	// A list may be drawn anew under somebody's fingers: the focus stays on the item of the same words.
	function redraw(list, items) {
		const focused = list.contains(document.activeElement) && document.activeElement.dataset.key;
		list.replaceChildren(...items);
		if (focused) [...list.querySelectorAll("[data-key]")].find((node) => node.dataset.key === focused)?.focus();
	}

	// A function that does the work once in the next frame, however often it is called before.
	function perFrame(work) {
		let planned = false;
		return () => {
			if (planned) return;
			planned = true;
			const run = () => {
				planned = false;
				work();
			};
			if (document.hidden) setTimeout(run, HIDDEN_FRAME_MS);
			else requestAnimationFrame(run);
		};
	}

	// On plain http there is no `navigator.clipboard`; a field that is selected and copied works everywhere.
	function copyByHand(text) {
		const focused = document.activeElement;
		const field = element("textarea", "offscreen", text);
		document.body.append(field);
		field.select();
		const done = document.execCommand("copy");
		field.remove();
		focused?.focus({ preventScroll: true });
		return done;
	}

	// Copies, and says so on the button for a moment.
	async function copy(text, node) {
		try {
			await navigator.clipboard.writeText(text);
		} catch {
			if (!copyByHand(text)) return;
		}
		const label = node.textContent;
		say(node, Papo.words.copied);
		setTimeout(() => label !== Papo.words.copied && say(node, label), COPIED_MS);
	}

	Papo.dom = { find, element, button, say, redraw, perFrame, copy };
})();
