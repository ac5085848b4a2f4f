// One room as this page holds it: how far its log is known, who is in it, what is unread.
// Knows numbers and names; must never know sockets or how anything is drawn.
"use strict";

(() => {
  const { LIMITS } = Papo.protocol;
  const { fold } = Papo.names;
  const TYPING_MS = 5_000;

  class Room {
    name;
    key;
    // Whether the server has let this connection in.
    open = false;
    unread = 0;
    online = 0;
    #epoch;
    // Every entry up to this one is held …
    #last;
    // … and these after it, which came while a gap was being filled.
    #beyond = new Set();
    #members = new Map();
    #typing = new Map();

    constructor(name) {
      this.name = name;
      this.key = fold(name);
    }

    // The log

    // What to tell the server so that nothing comes twice and nothing is missing.
    get position() {
      return this.#epoch === undefined ? {} : { epoch: this.#epoch, after: this.#last };
    }

    // Takes what `joined` says about the log and the people. Returns whether what is shown must be forgotten, and
    // how many entries are lost for good (the server had let go of them).
    joined({ room, epoch, seq, oldest, online, members, entries, reset }) {
      const fresh = this.#epoch === undefined || reset || epoch !== this.#epoch;
      const startAfresh = fresh && this.#epoch !== undefined;
      const lost = fresh ? 0 : Math.max(0, oldest - this.#last - 1);
      if (fresh) this.#beyond.clear();
      if (fresh) this.#last = entries.length > 0 ? entries[0].seq - 1 : seq;
      this.#last += lost;
      Object.assign(this, { name: room, open: true, online });
      this.#epoch = epoch;
      this.#members = new Map(members.map(({ name, tag }) => [tag, name]));
      this.#typing.clear();
      return { startAfresh, lost };
    }

    // Whether this entry is new here; it counts as held from now on.
    take(seq) {
      if (seq <= this.#last || this.#beyond.has(seq)) return false;
      this.#beyond.add(seq);
      this.#advance();
      return true;
    }

    // The server has nothing more up to this one.
    complete(seq) {
      if (seq <= this.#last) return;
      this.#last = seq;
      for (const held of this.#beyond) if (held <= seq) this.#beyond.delete(held);
      this.#advance();
    }

    #advance() {
      while (this.#beyond.delete(this.#last + 1)) this.#last += 1;
    }

    // People

    presence({ online, joined, left, renamed }) {
      this.online = online;
      // In this order: gathered changes of a large room add up to who is there only so.
      for (const { from, to, tag } of renamed) this.#rename(from, to, tag);
      for (const { name, tag } of left) {
        this.#members.delete(tag);
        this.stoppedTyping(name);
      }
      for (const { name, tag } of joined) this.#members.set(tag, name);
    }

    #rename(from, to, tag) {
      for (const [oldTag, name] of this.#members) if (name === from) this.#members.delete(oldTag);
      this.#members.set(tag, to);
      this.stoppedTyping(from);
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

    // Typing

    startedTyping(name) {
      this.#typing.set(name, Date.now() + TYPING_MS);
      return TYPING_MS;
    }

    stoppedTyping(name) {
      return this.#typing.delete(name);
    }

    get typing() {
      const now = Date.now();
      for (const [name, until] of this.#typing) if (until <= now) this.#typing.delete(name);
      return [...this.#typing.keys()];
    }
  }

  Papo.Room = Room;
})();
