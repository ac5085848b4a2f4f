"use strict";
{
  const { rooms, session, scroll } = Papo;
  const PAGE_SIZE = 50;
  const MAX_CATCH_UP = 200;
  const CONTEXT_SIZE = 30;

  const hooks = {};
  const pending = [];

  function request(room, range, apply) {
    if (
      !session.send("history", { room: room.name, limit: PAGE_SIZE, ...range })
    )
      return;
    room.list.setLoading(true);
    pending.push({ room, apply });
  }

  function finish({ room }) {
    room.list.setLoading(false);
    rooms.observeTop(room);
  }

  function loadEarlier(room) {
    const { first } = room.list;
    if (pending.length > 0 || first <= room.oldest) return;
    request(room, { before: first }, (entries) => {
      if (room.list.first === first)
        room.list.prepend(entries, entries[0]?.seq ?? room.oldest);
    });
  }

  function loadLater(room) {
    const { end } = room.list;
    if (pending.length > 0 || end >= room.last) return;
    request(room, { after: end, limit: MAX_CATCH_UP }, (entries) => {
      if (room.list.end === end)
        room.list.extend(entries, entries.at(-1)?.seq ?? room.last);
    });
  }

  function replace(room, range, seq) {
    request(room, range, (entries) => {
      const end = entries.at(-1)?.seq ?? room.last;
      room.list.reset(
        entries,
        entries[0]?.seq ?? room.last + 1,
        end,
        end >= room.last,
      );
      const node = seq && room.list.nodeOf(seq);
      if (node && room === rooms.current) scroll.scrollTo(node);
    });
  }

  const loadLatest = (room) => replace(room, { limit: 2 * PAGE_SIZE });

  function catchUp(room) {
    const missing = room.last - room.list.end;
    if (missing > MAX_CATCH_UP) loadLatest(room);
    else if (missing > 0) loadLater(room);
  }

  function loadAround(room, seq) {
    const known = room.list.nodeOf(seq);
    if (known) scroll.scrollTo(known);
    else
      replace(
        room,
        { before: seq + CONTEXT_SIZE, limit: 2 * CONTEXT_SIZE },
        seq,
      );
  }

  const loadChange = (room, seq) =>
    request(room, { after: seq - 1, limit: 1 }, (entries) =>
      room.list.applyChanges(entries),
    );

  function receive({ epoch, oldest, entries }) {
    const answered = pending.shift();
    if (!answered || rooms.find(answered.room.name) !== answered.room) return;
    const { room, apply } = answered;
    // An answer from before the log was reset is of no use any more.
    if (epoch !== room.epoch) return finish(answered);
    room.oldest = oldest;
    apply(entries.map((entry) => hooks.decorate(room, entry)));
    finish(answered);
    if (rooms.isFollowing(room)) catchUp(room);
  }

  const cancelAll = () =>
    pending
      .splice(0)
      .filter(({ room }) => rooms.find(room.name) === room)
      .forEach(finish);

  Papo.history = {
    hooks,
    loadEarlier,
    loadLater,
    loadLatest,
    catchUp,
    loadAround,
    loadChange,
    receive,
    cancelAll,
  };
}
