// The conversation: what each word of the server changes on the desk, and how what is unsent looks there.
// Knows the protocol, the rooms and the session; must never know sockets, nor nodes of the page.
"use strict";

(() => {
  const { words } = Papo;
  const { LIMITS } = Papo.protocol;
  const { fold } = Papo.names;

  class Conversation {
    #desk;
    #session;
    #unsent;
    #wishes;
    #onLimits;
    // By room: the number up to which `history` is being asked for.
    #catchingUp = new Map();

    // `onState` and `onLimits` tell the page about the connection and about what one may write.
    constructor({ desk, onState, onLimits }) {
      this.#desk = desk;
      this.#onLimits = onLimits;
      this.#unsent = new Papo.Unsent({
        transmit: (item) => this.#transmit(item),
        onChange: (item) => this.#showUnsent(item),
      });
      this.#session = new Papo.Session({
        desk,
        onMessage: (message) => this.#answers[message.type]?.(message),
        onState,
        onOut: () => {
          this.#catchingUp.clear();
          this.#unsent.connectionLost();
        },
      });
      this.#wishes = new Papo.Wishes({ session: this.#session, desk, unsent: this.#unsent });
    }

    get wishes() {
      return this.#wishes;
    }

    enter(values, key) {
      this.#session.enter(values, key);
    }

    retryNow() {
      this.#session.retryNow();
    }

    // Unsent messages

    #transmit(item) {
      if (item.to) return this.#session.send("whisper", item);
      return Boolean(this.#desk.find(item.room)?.open) && this.#session.send("say", item);
    }

    #showUnsent(item) {
      const room = this.#desk.ensure(item.room ?? item.home);
      const timeline = this.#desk.timeline(room);
      if (item.state === "gone") {
        timeline.drop(item.id);
        return;
      }
      timeline.pend(item, this.#shown(item));
      this.#desk.grew(room);
    }

    // An unsent message in the form in which a sent one is shown.
    #shown({ to, text, action, at }) {
      if (to) return { label: words.whisperOut(to), at, text };
      return { from: this.#session.me.name, tag: this.#session.me.tag, at, text, action };
    }

    // What the server says, by its type

    #answers = {
      welcome: (message) => this.#welcomed(message),
      joined: (message) => this.#joined(message),
      left: ({ room }) => this.#left(room),
      message: (entry) => this.#said(entry),
      ack: (message) => this.#acknowledged(message),
      presence: (message) => this.#presence(message),
      whisper: (message) => this.#whispered(message),
      typing: ({ room, name }) => this.#typed(room, name),
      history: (message) => this.#history(message),
      rooms: ({ rooms }) => this.#desk.note(words.roomsOpen(rooms)),
      error: (refusal) => this.#refused(refusal),
    };

    #welcomed(message) {
      const justEntered = this.#session.welcomed(message);
      this.#desk.me = this.#session.me;
      this.#onLimits(message.limits);
      if (justEntered) {
        this.#unsent.begin(this.#session.owner, message.limits);
      } else {
        this.#unsent.renamed(this.#session.owner);
        this.#desk.note(words.youAreNow(message.name));
      }
    }

    #joined(message) {
      const room = this.#desk.ensure(message.room);
      const returning = room.position.epoch !== undefined;
      const timeline = this.#desk.timeline(room);
      const { startAfresh, lost } = room.joined(message);
      if (startAfresh) timeline.clear();
      if (lost > 0) timeline.note(words.missing(lost));
      this.#catchingUp.delete(room);
      this.#catchUp(room, message, message.seq, returning);
      if (this.#session.wanted !== null && fold(this.#session.wanted) === room.key) {
        this.#session.wanted = null;
        this.#desk.show(room);
      }
      this.#session.rememberRooms();
      this.#desk.refresh();
      this.#unsent.pump();
    }

    #history(message) {
      const room = this.#desk.find(message.room);
      if (room && this.#catchingUp.has(room)) this.#catchUp(room, message, this.#catchingUp.get(room), true);
    }

    // Shows a part of the log and asks for the next one until nothing is missing.
    #catchUp(room, { entries, more }, upTo, news) {
      let messages = 0;
      for (const entry of entries) messages += this.#show(room, entry) ? 1 : 0;
      this.#desk.grew(room, news ? messages : 0);
      const { after } = room.position;
      // After a long absence `joined` brings nothing by itself; a page of `history` without entries would come for ever.
      const goesOn = entries.length > 0 || !this.#catchingUp.has(room);
      if (more && goesOn && after < upTo) {
        this.#catchingUp.set(room, upTo);
        this.#session.send("history", { room: room.name, after, limit: LIMITS.page });
      } else {
        this.#catchingUp.delete(room);
        room.complete(upTo);
      }
    }

    // Shows an entry that isn't shown yet. Returns whether it is news to the reader.
    #show(room, entry) {
      if (!room.take(entry.seq)) return false;
      const mine = entry.tag === this.#session.me.tag;
      this.#desk.timeline(room).add(entry, mine);
      return !mine;
    }

    #left(name) {
      const room = this.#desk.find(name);
      if (!room) return;
      this.#desk.close(room);
      this.#session.rememberRooms();
      this.#desk.note(words.roomLeft(name));
    }

    #said(entry) {
      const room = this.#desk.find(entry.room);
      if (!room) return;
      if (room.stoppedTyping(entry.from)) this.#desk.drawTyping();
      const news = this.#show(room, entry);
      this.#desk.grew(room, news ? 1 : 0);
    }

    // From here on our message stands where the server has put it.
    #acknowledged({ id, seq, at }) {
      const item = this.#unsent.acknowledged(id);
      if (!item) return;
      const room = this.#desk.ensure(item.room ?? item.home);
      const timeline = this.#desk.timeline(room);
      timeline.drop(id);
      const shown = { ...this.#shown(item), at };
      if (item.to) timeline.whisper(shown);
      else if (room.take(seq)) timeline.add({ ...shown, seq }, true);
      this.#desk.grew(room);
    }

    #presence(message) {
      const room = this.#desk.find(message.room);
      if (!room) return;
      room.presence(message);
      const { name: myName, tag: myTag } = this.#session.me;
      const others = (people) => people.filter(({ name, tag }) => tag !== myTag && name !== myName);
      const change = {
        joined: others(message.joined).map(({ name }) => name),
        left: others(message.left).map(({ name }) => name),
        renamed: message.renamed.filter(({ from, to, tag }) => tag !== myTag && from !== myName && to !== myName),
      };
      if (change.joined.length + change.left.length + change.renamed.length > 0) {
        this.#desk.timeline(room).presence(change);
        this.#desk.grew(room);
      }
      this.#desk.refresh();
    }

    // A whisper belongs to no room: it is shown where the person is looking. Our own comes from another tab of ours.
    #whispered({ from, tag, to, at, text }) {
      const mine = tag === this.#session.me.tag;
      if (!mine) this.#wishes.whisperedBy(from);
      const room = this.#desk.current;
      // A note to oneself is already shown, as sent.
      if (room === null || (mine && to === from)) return;
      this.#desk.timeline(room).whisper({ label: mine ? words.whisperOut(to) : words.whisperIn(from), at, text });
      this.#desk.grew(room, mine ? 0 : 1);
    }

    #typed(roomName, name) {
      const room = this.#desk.find(roomName);
      if (!room || name === this.#session.me.name) return;
      const forgotten = room.startedTyping(name);
      this.#desk.drawTyping();
      setTimeout(() => this.#desk.drawTyping(), forgotten);
    }

    #refused(refusal) {
      if (refusal.id !== undefined) {
        this.#unsent.refused(refusal);
        return;
      }
      // It may have been the history; what is still missing will be asked for after the next connection.
      this.#catchingUp.clear();
      this.#session.wanted = null;
      this.#desk.note(refusal.text);
    }
  }

  Papo.Conversation = Conversation;
})();
