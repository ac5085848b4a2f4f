// What the browser remembers for a person: names, drafts, unsent messages, and the secret that makes a name theirs.
// A page opened as a file, or in a strict browser, may be denied storage: then memory serves until the page closes.
// Knows keys and values; must never know what they mean to the conversation.
"use strict";

(() => {
  const PREFIX = "papo.";
  // 192 random bits, above the 128 that the protocol asks for; as hex, 48 characters.
  const TOKEN_BYTES = 24;
  // 96 random bits: unique among all messages that one person will ever write.
  const ID_BYTES = 12;

  // One of the browser's two storages, or a stand-in in memory. Every access may throw, not only the first.
  class Shelf {
    #area;
    #memory = new Map();

    constructor(areaName) {
      try {
        this.#area = window[areaName];
      } catch {
        this.#area = null;
      }
    }

    get(key) {
      if (this.#memory.has(key)) return this.#memory.get(key);
      try {
        return this.#area?.getItem(PREFIX + key) ?? null;
      } catch {
        return null;
      }
    }

    set(key, value) {
      try {
        this.#area.setItem(PREFIX + key, value);
        this.#memory.delete(key);
      } catch {
        this.#memory.set(key, value);
      }
    }

    remove(key) {
      this.#memory.delete(key);
      try {
        this.#area?.removeItem(PREFIX + key);
      } catch {
        // Nothing was stored then.
      }
    }

    // The keys that begin with this, without our prefix.
    keys(start) {
      const found = [...this.#memory.keys()];
      try {
        for (let i = 0; i < (this.#area?.length ?? 0); i += 1) found.push(this.#area.key(i).slice(PREFIX.length));
      } catch {
        // Only what is in memory then.
      }
      return found.filter((key) => key.startsWith(start));
    }
  }

  // `crypto.randomUUID` is missing on plain http; this is everywhere.
  function randomHex(bytes) {
    const random = crypto.getRandomValues(new Uint8Array(bytes));
    return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // `kept` outlives the browser and is shared by all tabs; `tab` outlives a reload of this tab only.
  const kept = new Shelf("localStorage");
  const tab = new Shelf("sessionStorage");

  function token() {
    const known = kept.get("token");
    if (known) return known;
    const made = randomHex(TOKEN_BYTES);
    kept.set("token", made);
    return made;
  }

  Papo.storage = Object.freeze({ kept, tab, token, newId: () => randomHex(ID_BYTES) });
})();
