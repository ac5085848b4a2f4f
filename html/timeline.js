// The list of one room: a window into its log, with notices where they happened and unsent messages at the end.
// Knows the order of lines, groups and days; never sockets, rooms or what the server says.
"use strict";

(() => {
	const { words, line: draw } = Papo;
	const { element, button, perFrame } = Papo.dom;

	// Messages of one person within this time share one heading; comings and goings within it share one line.
	const GROUP_MS = 5 * 60_000;
	// More lines make the page slow, and nobody looks at so many.
	const MOST_LINES = 400;

	const dayOf = (line) => line && new Date(line.at).toDateString();
	const continues = (line, before) =>
		Boolean(line.author) && before?.author === line.author && line.at - before.at < GROUP_MS;

	class Timeline {
		// The numbers of the first and the last entry in the window.
		first = 1;
		end = 0;
		element = element("div", "timeline");
		top = element("div", "top");
		bottom = element("div", "bottom");
		#list = element("div", "lines");
		#tail = element("div", "pending");
		#beginning = element("p", "notice", words.beginning);
		#empty = element("p", "notice empty", words.noMessages);
		#unread = draw.separator("unread-line", words.newLine);
		#unreadFrom = null;
		// {kind, node, at, seq?, author?, heading?: its day's h2}; in the order in which they stand.
		#lines = [];
		// Lines that wait for the next frame: measuring and painting for each one would make the page crawl.
		#queue = [];
		#whispers = [];
		#pending = new Map();
		#hooks;
		#flushSoon = perFrame(() => this.flush());

		// `hooks`: {onRetry, onDiscard} for refused messages; `onEarlier`; `follows(timeline)` whether its end is followed;
		// `onDrawn(timeline)`; `keepPlace(change)` makes a change without moving what is read.
		constructor(hooks) {
			this.#hooks = hooks;
			this.top.append(button("link", words.earlier, () => hooks.onEarlier(this)));
			this.element.append(this.top, this.#beginning, this.#empty, this.#list, this.bottom, this.#tail);
			this.showEarlier(false);
		}

		// Lines at the end

		// An entry of the log. Somebody who reads above must not see lines vanish there: then the window stays behind.
		append(entry) {
			const full = this.#lines.length + this.#queue.length >= MOST_LINES;
			if (full && !this.#hooks.follows(this)) return;
			this.end = entry.seq;
			this.#enqueue(this.#lineOf(entry));
		}

		whisper(shown) {
			const line = { kind: "whisper", at: shown.at, make: () => draw.whisper(shown) };
			this.#whispers.push(line);
			this.#enqueue(line);
		}

		note(text) {
			this.#enqueue({ kind: "note", at: Date.now(), make: () => draw.notice(text) });
		}

		presence(change) {
			this.#enqueue({ kind: "presence", at: Date.now(), ...change });
		}

		flush() {
			const queue = this.#queue.splice(0).slice(-MOST_LINES);
			if (queue.length === 0) return;
			const start = this.#lines.length;
			for (const line of queue) if (line.kind !== "presence" || !this.#merge(line)) this.#lines.push(line);
			this.#build(start, null);
			if (this.#hooks.follows(this)) this.#trimTop();
			this.#settle();
		}

		// The window

		// Another part of the log, or a new one, takes the place of what is shown.
		reset(entries, first, end, live = true) {
			this.#queue = [];
			this.#list.replaceChildren();
			Object.assign(this, { first, end });
			const lines = entries.map((entry) => this.#lineOf(entry));
			// Whispers are nowhere else: where their time is in sight, they stay.
			const [oldest, latest] = [lines[0]?.at ?? 0, lines.at(-1)?.at ?? Infinity];
			const whispers = this.#whispers.filter(({ at }) => at >= oldest && (live || at <= latest));
			this.#lines = [...lines, ...whispers].sort((a, b) => a.at - b.at);
			for (const line of this.#lines) delete line.heading;
			this.#build(0, null);
			this.#settle();
		}

		// An earlier part of the log; what is then too much goes at the other end.
		prepend(entries, first) {
			this.flush();
			this.#hooks.keepPlace(() => {
				this.first = first;
				const next = this.#lines[0];
				const lines = entries.map((entry) => this.#lineOf(entry));
				this.#lines.unshift(...lines);
				this.#build(0, next ? (next.heading ?? next.node) : null, lines.length);
				this.#regroup(lines.length);
				this.#trimBottom();
				this.#settle();
			});
		}

		// A later part of the log.
		extend(entries, end) {
			this.flush();
			this.#hooks.keepPlace(() => {
				this.end = end;
				const start = this.#lines.length;
				this.#lines.push(...entries.map((entry) => this.#lineOf(entry)));
				this.#build(start, null);
				this.#trimTop();
				this.#settle();
			});
		}

		nodeOf(seq) {
			return this.#lines.find((line) => line.seq === seq)?.node;
		}

		showEarlier(there) {
			this.top.hidden = !there;
			this.#settle();
		}

		set loading(loading) {
			this.element.setAttribute("aria-busy", String(loading));
			this.top.firstChild.textContent = loading ? words.loading : words.earlier;
		}

		// Takes away what is on the screen; the log stays.
		wipe() {
			this.#queue = [];
			this.#whispers = [];
			this.reset([], this.end + 1, this.end);
		}

		// At midnight "hoje" becomes "ontem".
		refreshDays() {
			for (const line of this.#lines) if (line.heading) line.heading.firstChild.textContent = words.dayName(line.at);
		}

		// Where reading stopped: before the first entry that isn't older than this one. It stays until it is forgotten.
		markUnread(seq) {
			this.#unreadFrom ??= seq;
		}

		forgetUnread() {
			this.#unreadFrom = null;
			this.#placeUnread();
		}

		// Own messages on their way: shown at once, after everything else.
		pend(item, shown) {
			this.drop(item.id);
			const node = item.to ? draw.whisper(shown) : draw.message(shown);
			node.classList.add(item.state === "failed" ? "refused" : "unconfirmed");
			node.querySelector(".text").after(draw.fate(item, this.#hooks));
			this.#pending.set(item.id, { node, author: item.to || item.action ? null : shown.tag, at: shown.at });
			this.#tail.append(node);
			this.#settle();
		}

		drop(id) {
			this.#pending.get(id)?.node.remove();
			this.#pending.delete(id);
			this.#settle();
		}

		// Internal

		#lineOf(entry) {
			const author = entry.action ? null : entry.tag;
			return { kind: "message", at: entry.at, seq: entry.seq, author, make: () => draw.message(entry) };
		}

		#enqueue(line) {
			this.#queue.push(line);
			if (this.#queue.length > MOST_LINES) this.#queue.shift();
			this.#flushSoon();
		}

		// Makes the nodes of the lines from `start` on and puts them before this one.
		#build(start, before, end = this.#lines.length) {
			const fragment = document.createDocumentFragment();
			for (let i = start; i < end; i += 1) {
				this.#lines[i].node ??= this.#lines[i].make();
				fragment.append(this.#lines[i].node);
				this.#regroup(i);
			}
			this.#list.insertBefore(fragment, before);
		}

		// Joins who came and went to the line before. Somebody who went and came back, or only looked in, is no news.
		#merge(line) {
			const last = this.#lines.at(-1);
			const joins = last?.kind === "presence" && line.at - last.at < GROUP_MS;
			const into = joins ? last : Object.assign(line, { came: [], went: [], renames: [] });
			const meet = (name, one, other) => {
				const [known, back] = [into[one].includes(name), into[other].includes(name)];
				into[other] = into[other].filter((each) => each !== name);
				if (!known && !back) into[one].push(name);
			};
			for (const name of line.joined) meet(name, "came", "went");
			for (const name of line.left) meet(name, "went", "came");
			into.renames.push(...line.renamed);
			into.at = line.at;
			const { came, went, renames } = into;
			const parts = [came.length && words.came(came), ...renames.map(words.nowCalled), went.length && words.went(went)];
			const node = draw.notice(parts.filter(Boolean).join(" · "), line.at);
			node.hidden = !parts.some(Boolean);
			into.node?.replaceWith(node);
			into.node = node;
			return joins;
		}

		#remove(lines) {
			for (const line of lines) {
				line.heading?.remove();
				line.node.remove();
			}
		}

		#trimTop() {
			const excess = this.#lines.length - MOST_LINES;
			if (excess <= 0) return;
			this.#remove(this.#lines.splice(0, excess));
			this.first = this.#lines.find((line) => line.seq)?.seq ?? this.end + 1;
			this.#regroup(0);
			this.showEarlier(true);
		}

		#trimBottom() {
			if (this.#lines.length <= MOST_LINES) return;
			this.#remove(this.#lines.splice(MOST_LINES));
			this.end = this.#lines.findLast((line) => line.seq).seq;
		}

		// Gives a line its day's heading if it is the first of the day, and takes away its own if it continues a group.
		#regroup(index) {
			const line = this.#lines[index];
			if (!line) return;
			const before = this.#lines[index - 1];
			const newDay = dayOf(line) !== dayOf(before);
			if (newDay && !line.heading) {
				line.heading = draw.separator("day", words.dayName(line.at));
				line.node.before(line.heading);
			} else if (!newDay) {
				line.heading?.remove();
				delete line.heading;
			}
			line.node.classList.toggle("continued", !newDay && continues(line, before));
		}

		#placeUnread() {
			const line = this.#unreadFrom === null ? undefined : this.#lines.find(({ seq }) => seq >= this.#unreadFrom);
			const next = line && (line.heading ?? line.node);
			if (!line) this.#unread.remove();
			else if (this.#unread.nextSibling !== next) next.before(this.#unread);
			line?.node.classList.remove("continued");
		}

		#settle() {
			this.#placeUnread();
			let before = this.#lines.at(-1);
			for (const pending of this.#pending.values()) {
				pending.node.classList.toggle("continued", continues(pending, before));
				before = pending;
			}
			this.#beginning.hidden = !this.top.hidden || this.#lines.length === 0;
			this.#empty.hidden = this.#lines.length + this.#pending.size > 0 || !this.top.hidden;
			this.#hooks.onDrawn(this);
		}
	}

	Papo.Timeline = Timeline;
})();
