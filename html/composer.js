// The box where a message is written: its keys, its height, the count of what is left, and its draft.
// Knows one text box; must never know where the text goes.
"use strict";

(() => {
  const { words } = Papo;
  const { LIMITS, lengthOf } = Papo.protocol;
  const { tab } = Papo.storage;
  const DRAFT = "draft.";
  // The count appears when the end is near: before, it would only distract.
  const COUNT_FROM = 200;

  class Composer {
    #box;
    #counter;
    #onSend;
    #onTyping;
    #limit = LIMITS.text;
    #draftKey = null;
    #lastSent = "";

    // `onSend(text)` returns false if the text should stay; `onTyping` is told of each change of a message.
    constructor({ form, box, counter, onSend, onTyping }) {
      this.#box = box;
      this.#counter = counter;
      this.#onSend = onSend;
      this.#onTyping = onTyping;
      form.addEventListener("submit", (event) => this.#submit(event));
      box.addEventListener("keydown", (event) => this.#key(event, form));
      box.addEventListener("input", () => this.#changed());
    }

    // Actions

    set limit(characters) {
      this.#limit = characters;
      this.#measure();
    }

    // Each room keeps its own draft, also over a reload.
    open(roomKey) {
      this.#draftKey = DRAFT + roomKey;
      this.#box.value = tab.get(this.#draftKey) ?? "";
      this.#measure();
    }

    write(text) {
      this.#box.value = text;
      this.#keepDraft();
      this.#measure();
      this.focus();
    }

    focus() {
      this.#box.focus();
    }

    // Internal

    #submit(event) {
      event.preventDefault();
      const text = this.#box.value.trim();
      if (text === "" || this.#left() < 0) return;
      if (this.#onSend(text) === false) return;
      this.#lastSent = text;
      this.#box.value = "";
      this.#keepDraft();
      this.#measure();
      this.focus();
    }

    #key(event, form) {
      // While "~" waits for its "a", Enter belongs to the keyboard's composition.
      if (event.isComposing) return;
      // The Enter of a touch keyboard is the only way to a new line there.
      const touch = window.matchMedia("(pointer: coarse)").matches;
      if (event.key === "Enter" && !event.shiftKey && !touch) {
        event.preventDefault();
        form.requestSubmit();
      } else if (event.key === "ArrowUp" && this.#box.value === "" && this.#lastSent !== "") {
        event.preventDefault();
        this.write(this.#lastSent);
      }
    }

    #changed() {
      this.#keepDraft();
      this.#measure();
      const text = this.#box.value;
      if (text.trim() !== "" && !/^\/(?!\/)/u.test(text)) this.#onTyping();
    }

    #left() {
      return this.#limit - lengthOf(this.#box.value.trim());
    }

    #measure() {
      const left = this.#left();
      this.#counter.textContent = left <= COUNT_FROM ? words.charactersLeft(left) : "";
      this.#counter.classList.toggle("over", left < 0);
      this.#box.setAttribute("aria-invalid", String(left < 0));
      // The style sheet bounds the height; it must shrink first, or it would never become smaller.
      this.#box.style.height = "auto";
      this.#box.style.height = `${this.#box.scrollHeight}px`;
    }

    #keepDraft() {
      if (this.#draftKey === null) return;
      if (this.#box.value === "") tab.remove(this.#draftKey);
      else tab.set(this.#draftKey, this.#box.value);
    }
  }

  Papo.Composer = Composer;
})();
