// Whether the page is connected, in one word and, when that lasts, in a banner that counts down to the next try.
// Knows states and seconds; must never know sockets.
"use strict";

(() => {
  const { words } = Papo;
  // Shorter cuts heal by themselves and need not worry anybody.
  const PATIENCE_MS = 2_000;
  // How long the good news stays.
  const RESTORED_MS = 3_000;
  const TICK_MS = 500;

  class StatusView {
    #word;
    #root;
    #banner;
    #text;
    #state = { name: "idle" };
    #visible = false;
    #patience = null;
    #tick = null;

    // `root` carries the state for the style sheet.
    constructor({ word, root, banner, text, button, onRetry }) {
      this.#word = word;
      this.#root = root;
      this.#banner = banner;
      this.#text = text;
      button.addEventListener("click", onRetry);
    }

    show(state) {
      const wasOnline = this.#state.name === "online";
      // The server's own goodbye stays the reason until we are back.
      const stopped = state.name !== "online" && (state.stopped || this.#state.stopped);
      this.#state = { ...state, stopped };
      if (state.name === "online") this.#online();
      else if (state.name === "idle" || state.name === "ended") this.#forget();
      else if (wasOnline) this.#patience = setTimeout(() => this.#reveal(), PATIENCE_MS);
      if (this.#visible) this.#draw();
    }

    // Internal

    #online() {
      const restored = this.#visible;
      this.#forget();
      this.#say(restored ? words.restored : words.stateOnline, "online");
      if (restored) this.#patience = setTimeout(() => this.#say(words.stateOnline, "online"), RESTORED_MS);
    }

    #forget() {
      clearTimeout(this.#patience);
      clearInterval(this.#tick);
      this.#visible = false;
      this.#banner.hidden = true;
    }

    #reveal() {
      this.#visible = true;
      this.#banner.hidden = false;
      this.#tick = setInterval(() => this.#draw(), TICK_MS);
      this.#draw();
    }

    #draw() {
      const { name, until, stopped } = this.#state;
      const waiting = name === "waiting";
      const seconds = Math.max(1, Math.ceil((until - Date.now()) / 1000));
      const reason = stopped ? words.serverStopped : words.offline;
      this.#text.textContent = `${reason} ${waiting ? words.nextTry(seconds) : words.connecting}`;
      this.#say(waiting ? words.stateOffline : words.stateConnecting, waiting ? "offline" : "connecting");
    }

    // Setting the same words again would make a screen reader repeat them.
    #say(text, state) {
      if (this.#word.textContent !== text) this.#word.textContent = text;
      this.#root.dataset.state = state;
    }
  }

  Papo.StatusView = StatusView;
})();
