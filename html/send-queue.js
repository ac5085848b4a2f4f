"use strict";
{
  const {
    strings,
    storage: { local, newId },
  } = Papo;
  const KEY = "unsent.";
  const TOO_OLD_MS = 10 * 60_000;

  const hooks = {};
  const items = new Map();
  let owner = null;
  let pausedUntil = 0;
  let resumeTimer = 0;
  let rename = null;

  function persist(item) {
    if (!item.to) local.set(KEY + item.id, JSON.stringify({ ...item, owner }));
  }

  function store(item) {
    items.set(item.id, item);
    persist(item);
    hooks.onChange(item);
  }

  function remove({ id }) {
    items.delete(id);
    local.remove(KEY + id);
  }

  // Ids are unique per person, so another person must not send these messages.
  function loadFor(person) {
    if (owner !== person) {
      owner = person;
      items.clear();
      const stored = local
        .keys(KEY)
        .map((key) => local.read(key))
        .filter((item) => item?.owner === owner);
      for (const item of stored.sort((a, b) => a.at - b.at)) {
        store({
          ...item,
          state: item.state === "failed" ? "failed" : "waiting",
        });
      }
    }
    sendNext();
  }

  function clear() {
    owner = null;
    items.clear();
  }

  // A resend under another name would be another message, so the rename waits for the ack.
  function requestRename(ask) {
    rename = { ask };
    sendNext();
  }

  function renameResolved(person = owner) {
    owner = person;
    rename = null;
    items.forEach(persist);
    sendNext();
  }

  function add(fields) {
    store({ ...fields, id: newId(), at: Date.now(), state: "waiting" });
    sendNext();
  }

  function retry(id) {
    const item = items.get(id);
    discard(id);
    if (item)
      store({
        ...item,
        id: item.needsNewId ? newId() : id,
        at: Date.now(),
        state: "waiting",
      });
    sendNext();
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
    sendNext();
    return item;
  }

  function refused({ id, code, text, retry_after_ms: wait = 1000 }) {
    const item = items.get(id);
    const isTooSoon = code === "too_fast" || code === "slow_mode";
    if (item && isTooSoon) pause(item, wait);
    else if (item) fail(item, text, code === "id_reused");
    sendNext();
  }

  function pause(item, wait) {
    item.state = "waiting";
    pausedUntil = Math.max(pausedUntil, Date.now() + wait);
    clearTimeout(resumeTimer);
    resumeTimer = setTimeout(sendNext, pausedUntil - Date.now());
    hooks.onPause(pausedUntil - Date.now());
  }

  const fail = (item, reason, needsNewId) =>
    store(Object.assign(item, { state: "failed", reason, needsNewId }));

  function connectionLost() {
    rename = null;
    for (const item of items.values()) {
      if (item.state !== "sent") continue;
      item.state = "waiting";
      if (item.to) fail(item, strings.whisperUnconfirmed, true);
    }
  }

  // One at a time: if the first of two were refused and the second taken, they would swap places.
  function sendNext() {
    if (
      Date.now() < pausedUntil ||
      rename?.asked ||
      [...items.values()].some(({ state }) => state === "sent")
    )
      return;
    if (rename) rename = rename.ask() && { asked: true };
    if (rename) return;
    for (const item of items.values()) {
      if (item.state !== "waiting") continue;
      if (Date.now() - item.at > TOO_OLD_MS) {
        fail(item, strings.expired);
        continue;
      }
      if (!hooks.transmit(item)) continue;
      item.state = "sent";
      return;
    }
  }

  Papo.sendQueue = {
    hooks,
    loadFor,
    clear,
    requestRename,
    renameResolved,
    add,
    retry,
    discard,
    acknowledged,
    refused,
    connectionLost,
    sendNext,
  };
}
