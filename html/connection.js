// The life of the WebSocket: connecting, entering, noticing silence, coming back.
// Gives every message of the server to `onMessage` and every change of its own state to `onState`.
// Knows sockets and timers; must never know the page, the rooms or what a message means to people.
//
// States: `idle` · `connecting` · `online` · `waiting` {until, stopped} · `ended` {code, text}: no more tries.
"use strict";

(() => {
  const { encode, decode, PROTOCOL, CLOSE_CODES } = Papo.protocol;

  // A machine that is off doesn't answer at all, and the browser would wait for two minutes.
  const CONNECT_MS = 10_000;
  // Browsers send no pings and may not notice a dead link: after this much silence we ask.
  const SILENCE_MS = 20_000;
  const PONG_MS = 10_000;
  // Browsers run timers of hidden pages once a second at most, so a finer one would be pointless.
  const PULSE_MS = 1_000;
  // Full jitter: any moment up to a limit that doubles, so that many pages don't come back all at once.
  const RETRY_FIRST_MS = 500;
  const RETRY_MOST_MS = 20_000;
  // A connection that lasted this long was a good one; a shorter one doesn't shorten the next wait.
  const STEADY_MS = 5_000;
  // Goodbyes after which trying again would be rude or useless.
  const FINAL_BYES = ["kicked", "banned", "full", "protocol"];

  class Connection {
    #greeting;
    #onMessage;
    #onState;
    #url = null;
    #socket = null;
    #state = { name: "idle" };
    #everOnline = false;
    #onlineSince = 0;
    #tries = 0;
    #bye = null;
    #timer = null;
    #pulse = null;
    #heardAt = 0;
    #askedAt = 0;

    // `greeting` makes the fields of `enter`, anew for each connection: what we hold may have grown.
    constructor({ greeting, onMessage, onState }) {
      this.#greeting = greeting;
      this.#onMessage = onMessage;
      this.#onState = onState;
      const wake = () => this.#wake();
      window.addEventListener("online", wake);
      window.addEventListener("pageshow", wake);
      document.addEventListener("visibilitychange", () => document.hidden || wake());
    }

    // Actions

    get state() {
      return this.#state;
    }

    open(url) {
      this.#url = url;
      this.#everOnline = false;
      this.#tries = 0;
      this.#dial();
    }

    // Whether it could be sent; while offline nothing is.
    send(type, fields) {
      if (this.#socket?.readyState !== WebSocket.OPEN) return false;
      this.#socket.send(encode(type, fields));
      return true;
    }

    // Also when a try is under way: it may be one that nobody answers.
    retryNow() {
      if (this.#state.name === "waiting" || this.#state.name === "connecting") this.#dial();
    }

    // Says goodbye properly, so that the name is free at once.
    leave() {
      this.#letGo(CLOSE_CODES.leave);
      this.#change({ name: "idle" });
    }

    // The way in

    #dial() {
      this.#letGo();
      this.#bye = null;
      this.#change({ name: "connecting" });
      this.#timer = setTimeout(() => this.#lost(), CONNECT_MS);
      try {
        this.#socket = new WebSocket(this.#url);
      } catch {
        this.#lost();
        return;
      }
      this.#socket.onopen = () => this.send("enter", this.#greeting());
      this.#socket.onmessage = (event) => this.#heard(event.data);
      this.#socket.onclose = (event) => this.#closed(event.code);
    }

    #heard(frame) {
      this.#heardAt = Date.now();
      const message = decode(frame);
      if (message === null) return;
      const entering = this.#state.name === "connecting";
      if (message.type === "bye") {
        this.#bye = message;
        if (FINAL_BYES.includes(message.code)) this.#end(message);
      } else if (entering && message.type === "error") {
        this.#end(message);
      } else if (entering && message.type === "welcome") {
        this.#welcomed(message);
      } else {
        this.#onMessage(message);
      }
    }

    #welcomed(message) {
      if (message.protocol !== PROTOCOL) {
        this.#end({ code: "version", text: Papo.words.otherVersion });
        return;
      }
      clearTimeout(this.#timer);
      this.#everOnline = true;
      this.#onlineSince = Date.now();
      this.#askedAt = 0;
      this.#pulse = setInterval(() => this.#checkPulse(), PULSE_MS);
      this.#onMessage(message);
      this.#change({ name: "online" });
    }

    // Silence

    #checkPulse() {
      const now = Date.now();
      const asked = this.#askedAt > this.#heardAt;
      if (asked && now - this.#askedAt >= PONG_MS) this.#lost();
      else if (!asked && now - this.#heardAt >= SILENCE_MS) this.#ask(now);
    }

    #ask(now) {
      this.#askedAt = now;
      this.send("ping");
    }

    // The network is back, or somebody looks at the page again: no reason to wait any longer.
    #wake() {
      if (this.#state.name === "waiting") this.#dial();
      else if (this.#state.name === "online") this.#checkPulse();
    }

    // The way out

    #closed(code) {
      if (code === CLOSE_CODES.policy) this.#end({ code: "policy", text: this.#bye?.text ?? Papo.words.cutOff });
      else this.#lost();
    }

    #lost() {
      const lasted = this.#onlineSince && Date.now() - this.#onlineSince;
      this.#letGo();
      if (!this.#everOnline) {
        this.#end(this.#bye ?? { code: "unreachable" });
        return;
      }
      if (lasted >= STEADY_MS) this.#tries = 0;
      const delay = this.#nextDelay();
      this.#timer = setTimeout(() => this.#dial(), delay);
      this.#change({ name: "waiting", until: Date.now() + delay, stopped: this.#bye?.code === "shutdown" });
    }

    #nextDelay() {
      const most = this.#bye?.retry_after_ms ?? Math.min(RETRY_FIRST_MS * 2 ** this.#tries, RETRY_MOST_MS);
      this.#tries += 1;
      return Math.random() * most;
    }

    #end({ code, text }) {
      this.#letGo();
      this.#change({ name: "ended", code, text });
    }

    // Forgets the socket at once: a dead one may take minutes to admit that it is closed.
    #letGo(closeCode) {
      clearTimeout(this.#timer);
      clearInterval(this.#pulse);
      this.#onlineSince = 0;
      const socket = this.#socket;
      this.#socket = null;
      if (socket === null) return;
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(closeCode);
    }

    #change(state) {
      this.#state = state;
      this.#onState(state);
    }
  }

  Papo.Connection = Connection;
})();
