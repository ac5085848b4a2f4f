"use strict";
{
  const PREFIX = "papo.";
  const TOKEN_BYTES = 24;
  const ID_BYTES = 12;

  function safeStorage(area) {
    const memory = {};
    function attempt(operation) {
      try {
        return operation(window[area]);
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
      keys(prefix) {
        const stored =
          attempt((store) =>
            Object.keys(store).map((key) => key.slice(PREFIX.length)),
          ) ?? [];
        return [...Object.keys(memory), ...stored].filter((key) =>
          key.startsWith(prefix),
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

  const local = safeStorage("localStorage");
  const session = safeStorage("sessionStorage");

  function token() {
    if (!local.get("token")) local.set("token", randomHex(TOKEN_BYTES));
    return local.get("token");
  }

  Papo.storage = { local, session, token, newId: () => randomHex(ID_BYTES) };
}
