// Who we are and where: the name, the server, which rooms to open, and whether we are in.
// Knows how to enter and to come back as the same person; must never know what is said.
"use strict";

(() => {
  const { storage } = Papo;
  const { LOBBY } = Papo.protocol;
  const { fold } = Papo.names;

  class Session {
    me = { name: "", tag: "" };
    entered = false;
    // The room that somebody asked to see; it is shown when the server has opened it.
    wanted = null;
    #desk;
    #connection;
    #onOut;
    #host = "";
    #name = "";
    #key;

    // `onState` is told of each state of the connection, `onOut` when we are not in any more.
    constructor({ desk, onMessage, onState, onOut }) {
      this.#desk = desk;
      this.#onOut = onOut;
      this.#connection = new Papo.Connection({
        greeting: () => this.#greeting(),
        onMessage,
        onState: (state) => {
          if (state.name !== "online" && state.name !== "connecting") this.#out();
          onState(state);
        },
      });
    }

    // Coming and going

    // Another person, or another server, is another conversation.
    enter({ name, host, url }, key) {
      if (host !== this.#host || fold(name) !== fold(this.#name)) this.#desk.clear();
      this.#host = host;
      this.#name = name;
      this.#key = key;
      this.wanted = Papo.address.room() || null;
      this.#connection.open(url);
    }

    leave() {
      this.#connection.leave();
      this.#desk.clear();
      storage.tab.remove("rooms");
    }

    retryNow() {
      this.#connection.retryNow();
    }

    // Whether it could be sent: only somebody who has entered may say anything.
    send(type, fields) {
      return this.entered && this.#connection.send(type, fields);
    }

    // One string for who we are and where; what is unsent belongs to it.
    get owner() {
      return `${this.#host} ${fold(this.#name)}`;
    }

    // Takes what `welcome` says. Returns whether we have just entered, and not only changed our name.
    welcomed({ name, tag, token }) {
      this.#name = name;
      this.me = { name, tag };
      storage.kept.set("name", name);
      storage.kept.set("token", token);
      if (this.entered) return false;
      this.entered = true;
      // `enter` opens the first room only. It stands ready at once: somebody may write before it is filled.
      const [first, ...others] = this.#roomsToOpen();
      this.#desk.ensure(first.room);
      for (const room of others) this.send("join", room);
      return true;
    }

    // For a reload of the page.
    rememberRooms() {
      storage.tab.set("rooms", JSON.stringify(this.#desk.rooms.map(({ name }) => name)));
    }

    // Internal

    #greeting() {
      const [first] = this.#roomsToOpen();
      return { name: this.#name, token: storage.token(), key: this.#key, ...first };
    }

    // The rooms of before a cut, or of before a reload, or just the one where everybody lands.
    #roomsToOpen() {
      const open = this.#desk.rooms.map(({ name, position }) => ({ room: name, ...position }));
      if (open.length > 0) return open;
      const names = JSON.parse(storage.tab.get("rooms") ?? "null") ?? [LOBBY];
      const wanted = this.wanted !== null && !names.some((name) => fold(name) === fold(this.wanted));
      return [...names, ...(wanted ? [this.wanted] : [])].map((room) => ({ room }));
    }

    #out() {
      this.entered = false;
      for (const room of this.#desk.rooms) room.open = false;
      this.#onOut();
    }
  }

  Papo.Session = Session;
})();
