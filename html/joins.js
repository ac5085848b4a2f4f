"use strict";
{
  const {
    rooms,
    session,
    connection,
    protocol: { boundedWait },
    names: { fold },
  } = Papo;
  const RETRY_MS = { base: 1_000, max: 10_000 };
  const MAX_SENDS = 5;
  const REFUSALS = [
    "history_unavailable",
    "too_fast",
    "room_invalid",
    "too_many_rooms",
    "password_required",
    "password_wrong",
  ];

  // Joins without an answer, by room, in the order in which the server answers them.
  const pending = new Map();

  function send(join, sends = 0) {
    if (!session.send("join", session.withPassword(join))) return false;
    const key = fold(join.room);
    pending.delete(key);
    pending.set(key, { join, sends: sends + 1, timer: null });
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

  // The refusal of a join has no id: it names the room, or is of the first one without an answer.
  function refusedItem({ code, room }) {
    if (room) return pending.get(fold(room));
    return REFUSALS.includes(code)
      ? [...pending.values()].find(({ timer }) => timer === null)
      : undefined;
  }

  // Returns the room that was refused, and the delay if it is asked for again.
  function refused(refusal) {
    const { code, retry_after_ms: wait } = refusal;
    const item = refusedItem(refusal);
    if (!item) return {};
    const { join, sends } = item;
    const isKnown = Boolean(rooms.find(join.room));
    if (connection.isPassing(code) && (isKnown || sends < MAX_SENDS))
      return repeat(item, wait);
    pending.delete(fold(join.room));
    return { room: join.room };
  }

  Papo.joins = {
    send,
    clear,
    refused,
    isPending: (room) => pending.has(fold(room)),
    answered(room) {
      clearTimeout(pending.get(fold(room))?.timer);
      pending.delete(fold(room));
    },
  };
}
