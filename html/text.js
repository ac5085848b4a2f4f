// What people write, as nodes of the page: `code`, blocks, **bold**, *italic*, ~~struck~~, links, #rooms, @people.
// One pass over the text, whatever it holds; text only ever becomes text nodes. Never knows who wrote it.
"use strict";

(() => {
	const { element, button, copy } = Papo.dom;
	const { nameAt } = Papo.names;
	// Everything that may mean more than itself. A block's language, one word, belongs to its opening fence.
	const TOKEN = new RegExp([
		"```(?:[\\w+#-]*\\n)?", "`", "\\*\\*?", "~~", "\\n", "https?:\\/\\/[^\\s<>\"“”`]+", "@", "#(?=\\p{L})[\\p{L}\\p{M}\\p{N}_-]{1,32}",
		"[\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069]",
	].join("|"), "giu");
	const TAGS = { "**": "strong", "*": "em", "~~": "s" };
	const WORD_END = /[\p{L}\p{N}_]$/u;
	const WORD_START = /^[\p{L}\p{N}_]/u;
	const ONLY_EMOJI = /^(?:\s*\p{RGI_Emoji}){1,3}\s*$/v;
	// What usually belongs to the sentence around a link and not to the link.
	const SENTENCE_END = /[.,;:!?'’…*_~]$/u;
	const BRACKETS = { ")": "(", "]": "[", "}": "{" };
	// Nested at most once, and nobody means fifty people: both bound the work.
	const DEEPEST = 2;
	const MOST_MENTIONS = 50;

	// Takes off the point that ends the sentence and the bracket that was opened before the link.
	function trimLink(raw) {
		const count = (sign) => raw.split(sign).length - 1;
		const surplus = Object.fromEntries(Object.entries(BRACKETS).map(([close, open]) => [close, count(close) - count(open)]));
		let end = raw.length;
		for (let last = raw[end - 1]; SENTENCE_END.test(last) || surplus[last] > 0; last = raw[end - 1]) {
			if (last in surplus) surplus[last] -= 1;
			end -= 1;
		}
		return raw.slice(0, end);
	}

	// A link shows its whole address, so it can't lie.
	function anchor(link) {
		if (!URL.canParse(link) || !/^https?:$/u.test(new URL(link).protocol)) return link;
		const node = element("a", "", link);
		Object.assign(node, { href: link, target: "_blank", rel: "noopener noreferrer" });
		return node;
	}

	function roomLink(token) {
		const node = element("a", "room-link", token);
		node.href = `#${encodeURIComponent(token.slice(1))}`;
		return node;
	}

	// Signs that turn the direction of reading are shown instead of obeyed.
	function control(sign) {
		return element("span", "control", `U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`);
	}

	function block(code) {
		const text = code.replace(/\n$/u, "");
		const pre = element("pre", "", element("code", "", text));
		// Long lines are reached by scrolling, also from the keyboard.
		pre.tabIndex = 0;
		return element("div", "block", pre, button("copy-code", Papo.words.copy, ({ target }) => copy(text, target)));
	}

	// One text on its way to nodes. `#out` holds strings and nodes; a mark stands there as a string until its twin comes.
	class Writer {
		#out = [];
		#open = [];
		#mentions = 0;
		#unclosed = new Set();

		constructor(text, people, me) {
			Object.assign(this, { text, people, me });
		}

		write() {
			const { text } = this;
			let done = 0;
			TOKEN.lastIndex = 0;
			for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
				this.#out.push(text.slice(done, match.index));
				done = match.index + this.#token(match[0], match.index);
				TOKEN.lastIndex = done;
			}
			this.#out.push(text.slice(done));
			return this.#out;
		}

		// Writes what stands here and returns how much of the text that was.
		#token(token, at) {
			if (token in TAGS) return this.#mark(token, at);
			if (token.startsWith("`")) return this.#code(token, at);
			if (token === "@") return this.#mention(at);
			const inWord = WORD_END.test(this.text.slice(Math.max(0, at - 2), at));
			const link = /^h/iu.test(token) && !inWord ? trimLink(token) : token;
			if (token === "\n") this.#open = [];
			if (token === "\n" || inWord) this.#out.push(token);
			else if (/^h/iu.test(token)) this.#out.push(anchor(link));
			else if (token[0] === "#") this.#out.push(roomLink(token));
			else this.#out.push(control(token));
			return link.length;
		}

		#code(fence, at) {
			const [sign, start] = [fence.length > 1 ? "```" : "`", at + fence.length];
			// A sign without its twin: there is none further on either.
			const end = this.#unclosed.has(sign) ? -1 : this.text.indexOf(sign, start);
			const code = this.text.slice(start, end);
			if (end < 0) this.#unclosed.add(sign);
			if (end <= start || (sign === "`" && code.includes("\n"))) {
				this.#out.push(sign);
				return sign.length;
			}
			this.#out.push(sign === "`" ? element("code", "", code) : block(code));
			// The line break after a block is the block's own.
			const after = sign !== "`" && this.text[end + sign.length] === "\n" ? 1 : 0;
			return end + sign.length + after - at;
		}

		#mark(mark, at) {
			const [before, after] = [this.text.slice(Math.max(0, at - 2), at), this.text.slice(at + mark.length, at + mark.length + 2)];
			const depth = this.#open.findLastIndex((open) => open.mark === mark);
			const closes = depth >= 0 && /\S$/u.test(before) && !WORD_START.test(after) && this.#open[depth].at + mark.length < at;
			if (closes) {
				const { place } = this.#open[depth];
				const children = this.#out.splice(place).slice(1);
				this.#open.length = depth;
				this.#out.push(element(TAGS[mark], "", ...children));
				return mark.length;
			}
			const opens = depth < 0 && this.#open.length < DEEPEST && /^\S/u.test(after) && !WORD_END.test(before);
			if (opens) this.#open.push({ mark, at, place: this.#out.length });
			this.#out.push(mark);
			return mark.length;
		}

		#mention(at) {
			const possible = !WORD_END.test(this.text.slice(Math.max(0, at - 2), at)) && WORD_START.test(this.text.slice(at + 1, at + 3));
			const name = possible && (this.#mentions += 1) <= MOST_MENTIONS ? nameAt(this.text, at + 1, this.people) : "";
			const me = name !== "" && Papo.names.fold(name) === this.me;
			this.#out.push(name ? element("span", me ? "mention me" : "mention", `@${name}`) : "@");
			return 1 + name.length;
		}
	}

	// `people` are folded names that an @ may mean, and `me` is one of them.
	function toNodes(text, people = new Set(), me = null) {
		return new Writer(text, people, me).write();
	}

	Papo.text = { toNodes, isOnlyEmoji: (text) => text.length < 100 && ONLY_EMOJI.test(text) };
})();
