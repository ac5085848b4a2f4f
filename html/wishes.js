// What the person wants: each wish becomes words to the server, or an answer from what the page already knows.
// Knows the session, the rooms and what is unsent; must never know commands or keys, nor nodes of the page.
"use strict";

(() => {
  const { words } = Papo;
  // The server passes on no more than this; the others' pages forget it two seconds later.
  const TYPING_EVERY_MS = 3_000;

  class Wishes {
    #session;
    #desk;
    #unsent;
    #typingAt = 0;
    // Whom /r answers.
    #whisperedBy = null;

    constructor({ session, desk, unsent }) {
      this.#session = session;
      this.#desk = desk;
      this.#unsent = unsent;
    }

    say(text, action) {
      const room = this.#desk.current;
      this.#typingAt = 0;
      this.#unsent.add({ room: room.name, home: room.key, text, action: action || undefined });
      this.#desk.toEnd();
    }

    whisper(to, text) {
      this.#unsent.add({ to, home: this.#desk.current.key, text });
      this.#desk.toEnd();
    }

    whisperedBy(name) {
      this.#whisperedBy = name;
    }

    answerWhisper(text) {
      if (this.#whisperedBy === null) this.note(words.nobodyToAnswer);
      else this.whisper(this.#whisperedBy, text);
    }

    retry(id) {
      this.#unsent.retry(id);
      this.#desk.toEnd();
    }

    discard(id) {
      this.#unsent.discard(id);
    }

    typing() {
      const now = Date.now();
      if (now - this.#typingAt < TYPING_EVERY_MS || !this.#desk.current?.open) return;
      this.#typingAt = now;
      this.#session.send("typing", { room: this.#desk.current.name });
    }

    rename(name) {
      this.#ask("rename", { name });
    }

    join(name) {
      const known = this.#desk.find(name);
      if (known) this.#desk.show(known);
      else if (this.#ask("join", { room: name })) this.#session.wanted = name;
    }

    part() {
      if (this.#desk.rooms.length < 2) this.note(words.lastRoom);
      else this.#ask("leave", { room: this.#desk.current.name });
    }

    listRooms() {
      this.#ask("rooms");
    }

    who() {
      const { crowded, online, people } = this.#desk.current;
      this.note(crowded ? words.howMany(online) : words.whoIsHere(people.map(({ name }) => name)));
    }

    leave() {
      this.#unsent.end();
      this.#session.leave();
    }

    presentNames() {
      return this.#desk.rooms.flatMap((room) => room.people.map(({ name }) => name));
    }

    note(text) {
      this.#desk.note(text);
    }

    #ask(type, fields) {
      const sent = this.#session.send(type, fields);
      if (!sent) this.note(words.offlineCommand);
      return sent;
    }
  }

  Papo.Wishes = Wishes;
})();
