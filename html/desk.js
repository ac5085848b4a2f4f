// Which rooms are open and which of them is on the screen: each with its list, its place in it and its draft.
// Knows rooms and the views that show them; must never know sockets or what the server says.
"use strict";

(() => {
  const { words, Room, Timeline } = Papo;
  const { fold } = Papo.names;

  class Desk {
    #host;
    #follower;
    #composer;
    #peopleView;
    #roomsView;
    #typingLine;
    #choices;
    // By the folded name: {room, timeline, place}.
    #places = new Map();
    #current = null;
    #me = { name: "", tag: "" };

    constructor({ host, newButton, composer, peopleView, roomsView, typingLine, choices }) {
      this.#host = host;
      this.#composer = composer;
      this.#peopleView = peopleView;
      this.#roomsView = roomsView;
      this.#typingLine = typingLine;
      this.#choices = choices;
      this.#follower = new Papo.Follower(host, newButton, {
        onEnd: () => this.#seen(),
        beforeSettle: () => this.#current && this.timeline(this.#current).trim(),
      });
      document.addEventListener("visibilitychange", () => this.#seen());
    }

    // Rooms

    get rooms() {
      return Array.from(this.#places.values(), ({ room }) => room);
    }

    get current() {
      return this.#current;
    }

    find(name) {
      return this.#places.get(fold(name))?.room;
    }

    timeline(room) {
      return this.#places.get(room.key).timeline;
    }

    // The room of this name; a new one stands ready, but unseen.
    ensure(name) {
      const known = this.find(name);
      if (known) return known;
      const room = new Room(name);
      const timeline = new Timeline(this.#choices);
      timeline.element.hidden = true;
      this.#host.append(timeline.element);
      this.#places.set(room.key, { room, timeline });
      if (this.#current === null) this.show(room);
      return room;
    }

    show(room) {
      if (room === this.#current) return;
      // Changing lists is not news: a screen reader shall not read all of it.
      this.#host.setAttribute("aria-busy", "true");
      if (this.#current) {
        const left = this.#places.get(this.#current.key);
        left.place = this.#follower.save();
        left.timeline.element.hidden = true;
      }
      this.#current = room;
      const { timeline, place } = this.#places.get(room.key);
      timeline.element.hidden = false;
      this.#follower.restore(place);
      this.#composer.open(room.key);
      this.#seen();
      this.refresh();
      requestAnimationFrame(() => this.#host.setAttribute("aria-busy", "false"));
    }

    // The room before or after the one on the screen.
    step(by) {
      const rooms = this.rooms;
      if (rooms.length < 2) return;
      this.show(rooms.at((rooms.indexOf(this.#current) + by) % rooms.length));
    }

    close(room) {
      this.timeline(room).element.remove();
      const next = this.rooms.find((other) => other !== room);
      if (room === this.#current) this.#current = null;
      this.#places.delete(room.key);
      if (this.#current === null && next) this.show(next);
      this.refresh();
    }

    clear() {
      for (const { timeline } of this.#places.values()) timeline.element.remove();
      this.#places.clear();
      this.#current = null;
      this.#follower.restore();
      this.#drawTitle();
    }

    // What happened in them

    set me(me) {
      this.#me = me;
      this.refresh();
    }

    // Lines came into a room's list, so many of them messages of others.
    grew(room, messages = 0) {
      if (room === this.#current) this.#follower.grew(messages);
      if (messages === 0) return;
      if (room === this.#current && !document.hidden && this.#follower.following) return;
      room.unread += messages;
      this.#drawRooms();
    }

    toEnd() {
      this.#follower.toEnd();
    }

    // An answer of the page itself, where somebody is looking.
    note(text) {
      if (!this.#current) return;
      this.timeline(this.#current).note(text);
      this.#follower.grew();
    }

    refresh() {
      if (this.#current) this.#peopleView.show(this.#current, this.#me);
      this.#drawRooms();
      this.drawTyping();
    }

    drawTyping() {
      this.#typingLine.textContent = this.#current ? words.typing(this.#current.typing) : "";
    }

    refreshDays() {
      for (const { timeline } of this.#places.values()) timeline.refreshDays();
    }

    // Internal

    #seen() {
      if (this.#current && !document.hidden && this.#follower.following) this.#current.unread = 0;
      this.#drawRooms();
    }

    #drawRooms() {
      this.#roomsView.show(this.rooms, this.#current);
      this.#drawTitle();
    }

    #drawTitle() {
      const unread = this.rooms.reduce((sum, room) => sum + room.unread, 0);
      document.title = document.hidden && unread > 0 ? words.titleWithUnread(unread) : words.title;
    }
  }

  Papo.Desk = Desk;
})();
