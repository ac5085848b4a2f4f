"use strict";
{
  const PREFIX = "papo.";
  const TOKEN_BYTES = 24;
  const ID_BYTES = 12;

  function shelf(area) {
    const memory = {};
    function attempt(act) {
      try {
        return act(window[area]);
      } catch {
        return undefined;
      }
    }
    const get = (key) => memory[key] ?? attempt((store) => store[PREFIX + key]);
    return {
      get,
      read: (key) => attempt(() => JSON.parse(get(key))),
      set(key, value) {
        memory[key] = value;
        attempt((store) => (store[PREFIX + key] = value) && delete memory[key]);
      },
      remove(key) {
        delete memory[key];
        attempt((store) => delete store[PREFIX + key]);
      },
      keys(start) {
        const stored =
          attempt((store) =>
            Object.keys(store).map((key) => key.slice(PREFIX.length)),
          ) ?? [];
        return [...Object.keys(memory), ...stored].filter((key) =>
          key.startsWith(start),
        );
      },
    };
  }

  function randomHex(bytes) {
    const random = crypto.getRandomValues(new Uint8Array(bytes));
    return Array.from(random, (byte) =>
      byte.toString(16).padStart(2, "0"),
    ).join("");
  }

  const [kept, tab] = [shelf("localStorage"), shelf("sessionStorage")];

  function token() {
    if (!kept.get("token")) kept.set("token", randomHex(TOKEN_BYTES));
    return kept.get("token");
  }

  Papo.storage = { kept, tab, token, newId: () => randomHex(ID_BYTES) };
}
