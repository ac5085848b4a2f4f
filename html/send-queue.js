"use strict";
{
  const {
    strings,
    clock,
    protocol: { wellFormed, boundedWait },
    names: { fold },
    storage: { local, newId },
  } = Papo;
  const KEY = "unsent.";
  const TOO_OLD_MS = 10 * 60_000;
  const ANSWER_MS = 30_000;
  const ANSWER_AFTER_REFUSAL_MS = 5_000;
  const MAX_SENDS = 3;

  const hooks = {};
  const items = new Map();
  let owner = null;
  let lastOrder = 0;
  let pausedUntil = 0;
  // Rooms in slow mode: what waits there must not hold back what goes elsewhere.
  const slowRooms = new Set();
  let resumeTimer = 0;
  let answerTimer = 0;
  let rename = null;

  const inFlight = () =>
    [...items.values()].find(({ state }) => state === "sent");

  const roomKey = ({ room }) => fold(room ?? "");

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

  // The order of adding, not of `at`: the wall clock may have been turned in between.
  const byOrder = (a, b) => (a.order ?? 0) - (b.order ?? 0) || a.at - b.at;

  function storeNew(item) {
    lastOrder += 1;
    store({
      ...item,
      order: lastOrder,
      at: Date.now(),
      expiresAt: clock.now() + TOO_OLD_MS,
      state: "waiting",
      sends: 0,
    });
    sendNext();
  }

  // While the page was closed only the wall clock ran.
  function restore(item) {
    const age = Math.max(0, Date.now() - item.at);
    lastOrder = Math.max(lastOrder, item.order ?? 0);
    store({
      ...item,
      text: wellFormed(item.text),
      expiresAt: clock.now() + TOO_OLD_MS - age,
      state: item.state === "failed" ? "failed" : "waiting",
      sends: 0,
    });
  }

  // Ids are unique per person, so another person must not send these messages.
  function loadFor(person) {
    if (owner !== person) {
      owner = person;
      items.clear();
      local
        .keys(KEY)
        .map((key) => local.read(key))
        .filter((item) => item?.owner === owner)
        .sort(byOrder)
        .forEach(restore);
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

  const add = (fields) => storeNew({ ...fields, id: newId() });

  function retry(id) {
    const item = discard(id);
    if (item) storeNew({ ...item, id: item.needsNewId ? newId() : id });
  }

  function discard(id) {
    const item = items.get(id);
    if (!item) return undefined;
    remove(item);
    hooks.onChange({ ...item, state: "gone" });
    return item;
  }

  function acknowledged(id) {
    const item = items.get(id);
    if (item) remove(item);
    sendNext();
    return item;
  }

  function refused({ id, code, text, retry_after_ms: wait = 1000 }) {
    const item = items.get(id);
    if (item && code === "too_fast") pause(item, boundedWait(wait));
    else if (item && code === "slow_mode") pauseRoom(item, boundedWait(wait));
    else if (item) fail(item, text, code === "id_reused");
    sendNext();
  }

  // It may concern the message in flight, or anything else that was asked: only an answer with its id decides.
  function refusedWithoutId() {
    const item = inFlight();
    if (item && !item.to) awaitAnswer(item, ANSWER_AFTER_REFUSAL_MS);
  }

  // What waits for a room that can't be opened again.
  function roomRefused(room, reason) {
    for (const item of items.values())
      if (item.state === "waiting" && roomKey(item) === fold(room))
        fail(item, reason);
    sendNext();
  }

  function pause(item, wait) {
    item.state = "waiting";
    item.sends = 0;
    pausedUntil = Math.max(pausedUntil, clock.now() + wait);
    const left = pausedUntil - clock.now();
    clearTimeout(resumeTimer);
    resumeTimer = setTimeout(resume, left);
    hooks.onPause(left, "too_fast");
  }

  function pauseRoom(item, wait) {
    item.state = "waiting";
    item.sends = 0;
    slowRooms.add(roomKey(item));
    setTimeout(resumeRoom, wait, roomKey(item));
    hooks.onPause(wait, "slow_mode");
  }

  function resumeRoom(key) {
    slowRooms.delete(key);
    sendNext();
  }

  function resume() {
    pausedUntil = 0;
    sendNext();
  }

  const fail = (item, reason, needsNewId) =>
    store(Object.assign(item, { state: "failed", reason, needsNewId }));

  function awaitAnswer(item, ms) {
    clearTimeout(answerTimer);
    answerTimer = setTimeout(unanswered, ms, item);
  }

  // The same id can't be stored twice; a whisper is not stored, so a resend could arrive twice.
  function unanswered(item) {
    if (items.get(item.id) !== item || item.state !== "sent") return;
    if (item.to || item.sends >= MAX_SENDS)
      fail(item, strings.unconfirmed, Boolean(item.to));
    else item.state = "waiting";
    sendNext();
  }

  function connectionLost() {
    rename = null;
    clearTimeout(answerTimer);
    for (const item of items.values()) {
      item.sends = 0;
      if (item.state !== "sent") continue;
      item.state = "waiting";
      if (item.to) fail(item, strings.whisperUnconfirmed, true);
    }
  }

  // One at a time: if the first of two were refused and the second taken, they would swap places.
  function sendNext() {
    if (clock.now() < pausedUntil || rename?.asked || inFlight()) return;
    if (rename) rename = rename.ask() && { asked: true };
    if (rename) return;
    for (const item of items.values()) {
      if (item.state !== "waiting") continue;
      if (clock.now() >= item.expiresAt) {
        fail(item, strings.expired);
        continue;
      }
      if (slowRooms.has(roomKey(item)) || !hooks.transmit(item)) continue;
      item.state = "sent";
      item.sends += 1;
      awaitAnswer(item, ANSWER_MS);
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
    refusedWithoutId,
    roomRefused,
    connectionLost,
    sendNext,
  };
}
