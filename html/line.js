// The pieces that the conversation is made of, as nodes: one function for each kind of line.
// Knows how a line looks; never where it stands or what came before it.
"use strict";

(() => {
	const { words } = Papo;
	const { element, button } = Papo.dom;
	const { toNodes, isOnlyEmoji } = Papo.text;
	const { colour } = Papo.names;
	// Longer texts are folded, so that one person can't push all others off the screen.
	const MOST_ROWS = 15;
	const ROW_CHARACTERS = 80;

	// What a message node shows, for those who copy it.
	const shownBy = new WeakMap();

	function time(at) {
		const node = element("time", "time", words.time(at));
		node.dateTime = new Date(at).toISOString();
		node.title = words.instant(at);
		return node;
	}

	const author = (name) => element("span", `author ${colour(name)}`, name);

	function isLong(text) {
		return text.split("\n").reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / ROW_CHARACTERS)), 0) > MOST_ROWS;
	}

	// A paragraph may not hold blocks of code, hence a div.
	function body(text, children) {
		const node = element("div", isOnlyEmoji(text) ? "text emoji" : "text", ...children);
		// Arabic or Hebrew in a message must not turn its neighbours around.
		node.dir = "auto";
		return node;
	}

	function fold(node) {
		node.classList.add("folded");
		const more = button("link", words.showAll, () => {
			const folded = node.classList.toggle("folded");
			more.textContent = folded ? words.showAll : words.showLess;
		});
		node.querySelector(".text").after(more);
	}

	function article(shown, className, label) {
		const node = element("article", `message ${className}`);
		node.setAttribute("aria-label", label);
		// Reached with the arrow keys, not with Tab: there may be hundreds.
		node.tabIndex = -1;
		shownBy.set(node, shown);
		return node;
	}

	// {from, at, text, action?, mine, forMe, quote?, people, me}: `quote` is what it answers, `people` whom an @ may mean.
	function message(shown) {
		const { from, at, text, action, people, me } = shown;
		const node = article(shown, shown.mine ? "mine" : shown.forMe ? "for-me" : "", words.messageOf(from, at));
		const nodes = toNodes(text, people, me);
		if (action) node.classList.add("action");
		if (action) node.append(body("", [author(from), " ", ...nodes, " ", time(at)]));
		else node.append(element("h3", "heading", author(from), " ", time(at)), body(text, nodes));
		if (shown.quote) node.querySelector(".text").before(shown.quote);
		if (isLong(text)) fold(node);
		return node;
	}

	// Seen by two people only, and by nobody later.
	function whisper(shown) {
		const { label, at, text } = shown;
		const node = article({ ...shown, from: label.replace(/:$/u, "") }, "whisper", `${label} ${words.time(at)}`);
		const heading = element("h3", "heading", element("span", "author", label), " ", time(at));
		node.append(heading, body(text, toNodes(text)), element("p", "hint", words.whisperHint));
		return node;
	}

	// A grey line: who came and went, or an answer of the page itself.
	function notice(text, at) {
		const node = element("p", at ? "notice presence" : "notice note", text);
		if (at) node.append(" · ", time(at));
		return node;
	}

	const separator = (className, text) => element("h2", `separator ${className}`, element("span", "", text));

	// Beside an own message: on its way, waiting for a connection (the style sheet chooses which of the two), or refused.
	function fate(item, { onRetry, onDiscard }) {
		if (item.state !== "failed") {
			return element("p", "fate", element("span", "sending", words.sending), element("span", "waiting", words.waiting));
		}
		const [retry, discard] = [() => onRetry(item.id), () => onDiscard(item.id)];
		const node = element("p", "fate failed", `${words.notSent} · ${item.reason} `);
		node.setAttribute("role", "alert");
		node.append(button("link", words.retry, retry), " · ", button("link", words.discard, discard));
		return node;
	}

	Papo.line = { message, whisper, notice, separator, fate, shownBy };
})();
