"use strict";
{
  const {
    strings,
    storage: { kept, newId },
  } = Papo;
  const KEY = "unsent.";
  const TOO_OLD_MS = 10 * 60_000;

  const hooks = {};
  const items = new Map();
  let [owner, heldUntil, holdTimer, rename] = [null, 0, 0, null];

  function keep(item) {
    if (!item.to) kept.set(KEY + item.id, JSON.stringify({ ...item, owner }));
  }

  function put(item) {
    items.set(item.id, item);
    keep(item);
    hooks.onChange(item);
  }

  function remove({ id }) {
    items.delete(id);
    kept.remove(KEY + id);
  }

  // Whose messages these are: an id is unique per person, so another person must not send them again.
  function begin(person) {
    if (owner !== person) {
      owner = person;
      items.clear();
      const found = kept
        .keys(KEY)
        .map((key) => kept.read(key))
        .filter((item) => item?.owner === owner);
      for (const item of found.sort((a, b) => a.at - b.at)) {
        put({ ...item, state: item.state === "failed" ? "failed" : "waiting" });
      }
    }
    pump();
  }

  function end() {
    owner = null;
    items.clear();
  }

  // Said again under another name, a message would be another one: the name waits for its ack.
  function renames(ask) {
    rename = { ask };
    pump();
  }

  function settled(person = owner) {
    [owner, rename] = [person, null];
    items.forEach(keep);
    pump();
  }

  function add(fields) {
    put({ ...fields, id: newId(), at: Date.now(), state: "waiting" });
    pump();
  }

  function retry(id) {
    const item = items.get(id);
    discard(id);
    if (item)
      put({
        ...item,
        id: item.fresh ? newId() : id,
        at: Date.now(),
        state: "waiting",
      });
    pump();
  }

  function discard(id) {
    const item = items.get(id);
    if (!item) return;
    remove(item);
    hooks.onChange({ ...item, state: "gone" });
  }

  function acknowledged(id) {
    const item = items.get(id);
    if (item) remove(item);
    pump();
    return item;
  }

  function refused({ id, code, text, retry_after_ms: wait = 1000 }) {
    const item = items.get(id);
    if (item && code === "too_fast") hold(item, wait);
    else if (item) fail(item, text, code === "id_reused");
    pump();
  }

  function hold(item, wait) {
    item.state = "waiting";
    heldUntil = Math.max(heldUntil, Date.now() + wait);
    clearTimeout(holdTimer);
    holdTimer = setTimeout(pump, heldUntil - Date.now());
    hooks.onHold(heldUntil - Date.now());
  }

  const fail = (item, reason, fresh) =>
    put(Object.assign(item, { state: "failed", reason, fresh }));

  function connectionLost() {
    rename = null;
    for (const item of items.values()) {
      if (item.state !== "sent") continue;
      item.state = "waiting";
      if (item.to) fail(item, strings.whisperCut, true);
    }
  }

  // One at a time: were the first of two refused as too fast and the second taken, they would change places.
  function pump() {
    if (
      Date.now() < heldUntil ||
      rename?.asked ||
      [...items.values()].some(({ state }) => state === "sent")
    )
      return;
    if (rename) rename = rename.ask() && { asked: true };
    if (rename) return;
    for (const item of items.values()) {
      if (item.state !== "waiting") continue;
      if (Date.now() - item.at > TOO_OLD_MS) {
        fail(item, strings.sentTooLongAgo);
        continue;
      }
      if (!hooks.transmit(item)) continue;
      item.state = "sent";
      return;
    }
  }

  Papo.sendQueue = {
    hooks,
    begin,
    end,
    renames,
    settled,
    add,
    retry,
    discard,
    acknowledged,
    refused,
    connectionLost,
    pump,
  };
}
