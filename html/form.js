// The first screen: a name, a server, one button; and what went wrong with them.
// Knows two fields; must never know what happens after somebody is in.
"use strict";

(() => {
  const { words, address } = Papo;
  const { clean, isName } = Papo.names;
  const { kept } = Papo.storage;
  // Refusals that another name would cure.
  const ABOUT_NAME = ["name_taken", "name_invalid"];

  class EntryForm {
    #form;
    #name;
    #server;
    #button;
    #error;

    // `onEnter({name, host, url})` is called with values that look right.
    constructor({ form, name, server, button, error, onEnter }) {
      this.#form = form;
      this.#name = name;
      this.#server = server;
      this.#button = button;
      this.#error = error;
      name.value = kept.get("name") ?? "";
      server.value = address.suggested(kept.get("server"));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const values = this.#read();
        if (values) onEnter(values);
      });
      form.addEventListener("input", () => this.#complain("", null));
    }

    focus() {
      (this.#name.value === "" ? this.#name : this.#button).focus();
    }

    set busy(busy) {
      this.#button.disabled = busy;
      this.#button.textContent = busy ? words.connecting : words.connect;
      this.#form.setAttribute("aria-busy", String(busy));
    }

    // Why we are not in, or not any more.
    refused({ code, text }) {
      const unreachable = words.unreachable(this.#server.value.trim());
      const field = ABOUT_NAME.includes(code) ? this.#name : code === "unreachable" ? this.#server : null;
      this.#complain(text ?? unreachable, field);
    }

    // Internal

    #read() {
      const name = clean(this.#name.value);
      if (name === "") return this.#complain(words.nameMissing, this.#name);
      if (!isName(name)) return this.#complain(words.nameInvalid, this.#name);
      const server = address.parse(this.#server.value);
      if (server === null) return this.#complain(words.addressInvalid, this.#server);
      this.#complain("", null);
      kept.set("name", name);
      kept.set("server", server.host);
      return { name, ...server };
    }

    #complain(text, field) {
      this.#error.textContent = text;
      for (const input of [this.#name, this.#server]) input.setAttribute("aria-invalid", String(input === field));
      field?.focus();
      return null;
    }
  }

  Papo.EntryForm = EntryForm;
})();
