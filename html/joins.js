"use strict";
{
  const {
    rooms,
    session,
    connection,
    protocol: { boundedWait },
    names: { fold },
    storage: { newId },
  } = Papo;
  const RETRY_MS = { base: 1_000, max: 10_000 };
  const MAX_SENDS = 5;

  // Joins without a final answer, by room.
  const pending = new Map();

  function answered(room) {
    clearTimeout(pending.get(fold(room))?.timer);
    pending.delete(fold(room));
  }

  function send(join, sends = 0) {
    const id = newId();
    if (!session.send("join", { ...session.withPassword(join), id }))
      return false;
    answered(join.room);
    pending.set(fold(join.room), { id, join, sends: sends + 1, timer: null });
    return true;
  }

  function clear() {
    for (const { timer } of pending.values()) clearTimeout(timer);
    pending.clear();
  }

  function repeat(item, wait) {
    const { join, sends } = item;
    const backoff = Math.min(RETRY_MS.base * 2 ** (sends - 1), RETRY_MS.max);
    const delay = Math.max(backoff, wait ? boundedWait(wait) : 0);
    item.timer = setTimeout(send, delay, join, sends);
    return { room: join.room, delay, isFirst: sends === 1 };
  }

  const itemOf = (id) =>
    [...pending.values()].find((item) => id !== undefined && item.id === id);

  // Returns the room that was refused, and the delay if its join is sent again.
  function refused({ id, code, retry_after_ms: wait }) {
    const item = itemOf(id);
    if (!item) return {};
    const { join, sends } = item;
    const isKnown = Boolean(rooms.find(join.room));
    if (connection.isTemporary(code) && (isKnown || sends < MAX_SENDS))
      return repeat(item, wait);
    pending.delete(fold(join.room));
    return { room: join.room };
  }

  Papo.joins = {
    send,
    clear,
    refused,
    isOf: (refusal) => itemOf(refusal.id) !== undefined,
    isPending: (room) => pending.has(fold(room)),
    answered,
  };
}
