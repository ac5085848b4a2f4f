// The search: a field over the conversation, and what was found as a list that leads to each place.
// Knows entries of the log; never how they are found or where they stand.
"use strict";

(() => {
	const { words } = Papo;
	const { find, element, button, say } = Papo.dom;
	const { colour } = Papo.names;

	const [panel, field, list, status] = [find("busca"), find("buscado"), find("resultados"), find("achados")];
	const hooks = { onSearch() {}, onChoose() {}, onClose() {} };

	function open(query = "") {
		panel.hidden = false;
		if (query) field.value = query;
		field.select();
		field.focus();
		if (query) ask();
	}

	function close() {
		if (panel.hidden) return false;
		panel.hidden = true;
		list.replaceChildren();
		say(status, "");
		hooks.onClose();
		return true;
	}

	function ask() {
		const query = field.value.trim();
		if (query === "") return;
		say(status, words.loading);
		hooks.onSearch(query);
	}

	function result({ seq, from, at, text }) {
		const when = element("span", "time", ` ${words.dayName(at)}, ${words.time(at)}`);
		const node = button("result", element("span", `author ${colour(from)}`, from), () => {
			close();
			hooks.onChoose(seq);
		});
		node.append(when, element("span", "excerpt", text));
		return element("li", "", node);
	}

	function show({ query, entries, more }) {
		if (panel.hidden) return;
		say(status, words.found(query, entries.length, more));
		list.replaceChildren(...entries.map(result));
	}

	find("buscar-form").addEventListener("submit", (event) => {
		event.preventDefault();
		ask();
	});
	find("voltar").addEventListener("click", close);

	Papo.search = { hooks, open, close, show, fail: (reason) => panel.hidden || say(status, reason) };
})();
