// One room as this page holds it: how far its log is known, who is in it, what is unread.
// Knows numbers and names; never sockets or how anything is drawn.
"use strict";

(() => {
	const { LIMITS } = Papo.protocol;
	const { fold } = Papo.names;
	const TYPING_MS = 5_000;

	class Room {
		// Whether the server has let this connection in.
		open = false;
		unread = 0;
		// How many of the unread ones speak to us.
		mentions = 0;
		online = 0;
		epoch;
		// The last entry that came, and the first one that the server still holds.
		last = 0;
		oldest = 1;
		#members = new Map();
		#folded = null;
		#typing = new Map();

		constructor(name) {
			this.name = name;
			this.key = fold(name);
		}

		// What to tell the server so that nothing comes twice and nothing is missing.
		get position() {
			return this.epoch === undefined ? {} : { epoch: this.epoch, after: this.last };
		}

		// Takes what `joined` says. Returns whether this log is new to us, and how many entries are lost for good (the
		// server had let go of them).
		joined({ room, epoch, seq, oldest, online, members, reset }) {
			const fresh = reset || epoch !== this.epoch;
			const lost = fresh ? 0 : Math.max(0, oldest - this.last - 1);
			Object.assign(this, { name: room, open: true, epoch, online, oldest, last: seq });
			this.#members = new Map(members.map(({ name, tag }) => [tag, name]));
			this.#folded = null;
			this.#typing.clear();
			return { fresh, lost };
		}

		// People

		presence({ online, joined, left, renamed }) {
			this.online = online;
			this.#folded = null;
			// In this order: gathered changes of a large room add up to who is there only so.
			for (const { from, to, tag } of renamed) {
				for (const [oldTag, name] of this.#members) if (name === from) this.#members.delete(oldTag);
				this.#members.set(tag, to);
				this.stoppedTyping(from);
			}
			for (const { name, tag } of left) {
				this.#members.delete(tag);
				this.stoppedTyping(name);
			}
			for (const { name, tag } of joined) this.#members.set(tag, name);
		}

		// Above this many, the server tells how many people there are, but not who.
		get crowded() {
			return this.online > LIMITS.members;
		}

		// [{name, tag}], in the order of the alphabet.
		get people() {
			const people = Array.from(this.#members, ([tag, name]) => ({ tag, name }));
			return people.sort((a, b) => a.name.localeCompare(b.name, "pt-BR"));
		}

		// Their folded names.
		get folded() {
			return (this.#folded ??= new Set(Array.from(this.#members.values(), fold)));
		}

		// Typing

		startedTyping(name) {
			this.#typing.set(name, Date.now() + TYPING_MS);
			return TYPING_MS;
		}

		stoppedTyping(name) {
			return this.#typing.delete(name);
		}

		get typing() {
			for (const [name, until] of this.#typing) if (until <= Date.now()) this.#typing.delete(name);
			return [...this.#typing.keys()];
		}
	}

	Papo.Room = Room;
})();
