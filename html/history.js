"use strict";
{
  const { rooms, session, scroll } = Papo;
  const PAGE = 50;
  const LATER = 200;
  const AROUND = 30;

  const hooks = {};
  const asked = [];

  function ask(room, span, use) {
    if (!session.send("history", { room: room.name, limit: PAGE, ...span }))
      return;
    room.list.setLoading(true);
    asked.push({ room, use });
  }

  function done({ room }) {
    room.list.setLoading(false);
    rooms.watch(room);
  }

  function earlier(room) {
    const { first } = room.list;
    if (asked.length > 0 || first <= room.oldest) return;
    ask(room, { before: first }, (entries) => {
      if (room.list.first === first)
        room.list.prepend(entries, entries[0]?.seq ?? room.oldest);
    });
  }

  function later(room) {
    const { end } = room.list;
    if (asked.length > 0 || end >= room.last) return;
    ask(room, { after: end, limit: LATER }, (entries) => {
      if (room.list.end === end)
        room.list.extend(entries, entries.at(-1)?.seq ?? room.last);
    });
  }

  function replace(room, span, seq) {
    ask(room, span, (entries) => {
      const end = entries.at(-1)?.seq ?? room.last;
      room.list.reset(
        entries,
        entries[0]?.seq ?? room.last + 1,
        end,
        end >= room.last,
      );
      const node = seq && room.list.nodeOf(seq);
      if (node && room === rooms.current) scroll.lead(node);
    });
  }

  const latest = (room) => replace(room, { limit: 2 * PAGE });

  function catchUp(room) {
    const missing = room.last - room.list.end;
    if (missing > LATER) latest(room);
    else if (missing > 0) later(room);
  }

  function around(room, seq) {
    const known = room.list.nodeOf(seq);
    if (known) scroll.lead(known);
    else replace(room, { before: seq + AROUND, limit: 2 * AROUND }, seq);
  }

  const changes = (room, seq) =>
    ask(room, { after: seq - 1, limit: 1 }, (entries) =>
      room.list.change(entries),
    );

  function answer({ oldest, entries }) {
    const question = asked.shift();
    if (!question || rooms.find(question.room.name) !== question.room) return;
    const { room, use } = question;
    room.oldest = oldest;
    use(entries.map((entry) => hooks.shown(room, entry)));
    done(question);
    if (rooms.follows(room)) catchUp(room);
  }

  const forget = () =>
    asked
      .splice(0)
      .filter(({ room }) => rooms.find(room.name) === room)
      .forEach(done);

  Papo.history = {
    hooks,
    earlier,
    later,
    latest,
    catchUp,
    around,
    changes,
    answer,
    forget,
  };
}
