// Completion in the box: people after @ and /msg, rooms after #, commands after /.
// The box keeps the focus; the list says which of its items is meant (ARIA's list autocomplete). Never knows the rooms.
"use strict";

(() => {
	const { composer } = Papo;
	const { find, element } = Papo.dom;
	const { fold } = Papo.names;
	const MOST = 8;

	// The part before the caret that may be completed: what it may become, and how that is written.
	const quoted = (name) => (/\s/u.test(name) ? `"${name}" ` : `${name} `);
	const KINDS = [
		{ part: /^\/([\p{L}]*)$/u, of: "commands", write: (word) => `/${word} ` },
		{ part: /^\/(?:msg|w) "?([^"\n]*)$/u, of: "people", write: quoted, keep: /^\/\S+ / },
		{ part: /^\/(?:entrar|join) #?(\S*)$/u, of: "rooms", write: (room) => room, keep: /^\/\S+ / },
		{ part: /(?<![\p{L}\p{N}_])@([^@\n]{0,24})$/u, of: "people", write: (name) => `@${name} ` },
		{ part: /(?<![\p{L}\p{N}_&/])#([\p{L}\p{N}_-]*)$/u, of: "rooms", write: (room) => `#${room} ` },
	];

	const { box } = composer;
	const list = find("sugestoes");
	// Where the items come from: {people, rooms, commands}, each a function that returns [{value, hint?}].
	const sources = {};
	let [items, active, replaces] = [[], -1, 0];

	function close() {
		items = [];
		list.hidden = true;
		box.removeAttribute("aria-activedescendant");
	}

	function mark(index) {
		active = (index + items.length) % items.length;
		[...list.children].forEach((node, i) => node.setAttribute("aria-selected", String(i === active)));
		list.children[active].scrollIntoView({ block: "nearest" });
		box.setAttribute("aria-activedescendant", list.children[active].id);
	}

	function pick(index) {
		const caret = box.selectionStart;
		box.setRangeText(items[index].text, caret - replaces, caret, "end");
		close();
		box.dispatchEvent(new Event("input"));
	}

	// What the first kind that fits offers. Something written in full needs no list: Enter shall send it.
	function suggest() {
		const before = box.value.slice(0, box.selectionStart);
		for (const { part, of, write, keep } of KINDS) {
			const match = part.exec(before);
			if (!match) continue;
			const start = fold(match[1]);
			const fits = sources[of]().filter(({ value }) => fold(value).startsWith(start)).slice(0, MOST);
			if (fits.some(({ value }) => fold(value) === start)) return [];
			replaces = match[0].length - (keep?.exec(match[0])[0].length ?? 0);
			if (fits.length > 0) return fits.map(({ value, hint }) => ({ value, hint, text: write(value) }));
		}
		return [];
	}

	function option({ value, hint }, index) {
		const node = element("li", "", value, hint ? element("span", "hint", ` ${hint}`) : "");
		node.id = `sugestao-${index}`;
		node.setAttribute("role", "option");
		// Not `click`: the box must not lose the focus.
		node.addEventListener("mousedown", (event) => {
			event.preventDefault();
			pick(index);
		});
		return node;
	}

	function update() {
		items = suggest();
		if (items.length === 0) return close();
		list.replaceChildren(...items.map(option));
		list.hidden = false;
		mark(0);
	}

	// Takes the keys that move in an open list. Returns whether this was one.
	function key(event) {
		if (items.length === 0) return false;
		if (event.key === "ArrowDown") mark(active + 1);
		else if (event.key === "ArrowUp") mark(active - 1);
		else if (event.key === "Escape") close();
		else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey) pick(active);
		else return false;
		event.preventDefault();
		event.stopPropagation();
		return true;
	}

	box.addEventListener("input", update);
	box.addEventListener("blur", close);

	Papo.complete = { key, sources };
})();
