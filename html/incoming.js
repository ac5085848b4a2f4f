"use strict";
{
  const {
    strings,
    alerts,
    rooms,
    session,
    sendQueue,
    history,
    menus,
    message: { isChange },
    names: { fold, speaksTo },
  } = Papo;

  const isMine = ({ tag }) => tag === session.me.tag;

  function shown(room, entry) {
    const [people, me, mine] = [
      room.folded,
      fold(session.me.name),
      isMine(entry),
    ];
    const quiet = isChange(entry) || session.ignores(entry.from);
    return {
      ...entry,
      people,
      me,
      mine,
      quiet,
      forMe: !mine && !quiet && speaksTo(entry.text, people, me),
    };
  }

  function own(room, { to, text, action, at, seq }) {
    const { name, tag } = session.me;
    return to
      ? { label: strings.whisperOut(to), at, text }
      : shown(room, { from: name, tag, at, seq, text, action });
  }

  const homeOf = (item) => rooms.ensure(item.room ?? item.home);

  sendQueue.hooks.onChange = (item) => {
    const room = homeOf(item);
    if (item.state === "gone") room.list.drop(item.id);
    else room.list.pend(item, own(room, item));
  };
  sendQueue.hooks.transmit = (item) =>
    item.to
      ? session.send("whisper", item)
      : Boolean(rooms.find(item.room)?.open) && session.send("say", item);

  function append(room, entry) {
    if (entry.seq <= room.last) return false;
    const live = room.isLive;
    room.last = entry.seq;
    if (live) room.list.append(entry);
    else room.list.change([entry]);
    return true;
  }

  function changed(room, change) {
    if (!room) return;
    append(
      room,
      shown(room, { from: session.me.name, tag: session.me.tag, ...change }),
    );
    if (change.erases?.[0] === 0) history.changes(room, change.seq);
  }

  function missed(room, entries, last) {
    const others = entries.filter(({ mine, quiet }) => !mine && !quiet);
    const count = others.length + room.last - (entries.at(-1)?.seq ?? last);
    if (count <= 0) return;
    const seq = others[0]?.seq ?? last + 1;
    room.list.markUnread(seq);
    rooms.arrived(room, {
      seq,
      news: count,
      forMe: others.some(({ forMe }) => forMe),
    });
  }

  const answers = {
    welcome(message) {
      const justEntered = session.welcomed(message);
      rooms.me = session.me;
      menus.refresh();
      Papo.composer.setLimit(message.limits.text);
      if (justEntered) {
        sendQueue.begin(session.owner());
        session.send("rooms");
      } else {
        sendQueue.settled(session.owner());
        rooms.note(strings.youAreNow(message.name));
      }
      rooms.refresh();
    },

    joined(message) {
      const room = rooms.ensure(message.room);
      const { list, isLive: wasLive, last } = room;
      const { fresh, lost } = room.joined(message);
      const entries = message.entries.map((entry) => shown(room, entry));
      if (fresh) {
        list.reset(
          entries,
          entries[0]?.seq ?? message.seq + 1,
          entries.at(-1)?.seq ?? message.seq,
        );
      } else if (wasLive) {
        if (lost > 0) list.note(strings.missing(lost), entries[0]?.at);
        list.end = last + lost;
        entries.forEach((entry) => list.append(entry));
      }
      if (!fresh && !wasLive) list.change(entries);
      if (!fresh) missed(room, entries, last + lost);
      if (rooms.follows(room)) history.catchUp(room);
      if (session.wanted && fold(session.wanted) === room.key) {
        session.wanted = "";
        rooms.show(room);
      }
      session.rememberRooms();
      rooms.watch(room);
      rooms.refresh();
      sendQueue.pump();
    },

    left({ room: name }) {
      const room = rooms.find(name);
      if (!room) return;
      rooms.close(room);
      session.rememberRooms();
      rooms.note(strings.roomLeft(name));
    },

    message(message) {
      const room = rooms.find(message.room);
      if (!room) return;
      if (room.stoppedTyping(message.from)) rooms.drawTyping();
      const entry = shown(room, message);
      if (!append(room, entry) || entry.mine || entry.quiet) return;
      rooms.arrived(room, entry);
      if (entry.forMe) alerts.mention(entry.from, entry.text);
    },

    ack({ id, room: roomName, seq, at }) {
      const change = session.changes.get(id);
      if (change) changed(rooms.find(roomName), { ...change, at, seq });
      session.changes.delete(id);
      const item = sendQueue.acknowledged(id);
      if (!item) return;
      const room = homeOf(item);
      const entry = own(room, { ...item, at, seq });
      room.list.drop(id);
      if (item.to) room.list.whisper(entry);
      else append(room, entry);
    },

    presence(message) {
      const room = rooms.find(message.room);
      if (!room) return;
      room.presence(message);
      const isMe = ({ name, from, to, tag }) =>
        tag === session.me.tag || [name, from, to].includes(session.me.name);
      const others = (people) => people.filter((person) => !isMe(person));
      const [joined, left] = [message.joined, message.left].map((people) =>
        others(people).map(({ name }) => name),
      );
      const renamed = others(message.renamed);
      if (joined.length + left.length + renamed.length > 0)
        room.list.presence({ joined, left, renamed });
      rooms.refresh();
    },

    whisper({ from, tag, to, at, text }) {
      const [mine, room] = [isMine({ tag }), rooms.current];
      if (!mine && session.ignores(from)) return;
      if (!mine) session.whisperedBy = from;
      if (room === null || (mine && to === from)) return;
      room.list.whisper({
        label: mine ? strings.whisperOut(to) : strings.whisperIn(from),
        at,
        text,
      });
      if (mine) return;
      rooms.arrived(room, { forMe: true });
      alerts.mention(from, text);
    },

    typing({ room: roomName, name }) {
      const room = rooms.find(roomName);
      if (!room || name === session.me.name) return;
      setTimeout(rooms.drawTyping, room.startedTyping(name));
      rooms.drawTyping();
    },

    rooms({ rooms: open }) {
      Papo.complete.sources.rooms = () =>
        open.map(({ room, online }) => ({
          value: room,
          hint: strings.peopleCount(online),
        }));
      if (session.wantsRooms) rooms.note(strings.roomsOpen(open));
      session.wantsRooms = false;
    },

    error(refusal) {
      if (refusal.id !== undefined && !session.changes.delete(refusal.id))
        return sendQueue.refused(refusal);
      sendQueue.settled();
      history.forget();
      Papo.search.fail(refusal.text);
      session.wanted = "";
      rooms.note(refusal.text);
    },

    host({ tag, host }) {
      if (tag === session.me.tag) session.me.host = host;
      menus.refresh();
      for (const room of rooms.all()) room.setHost(tag, host);
      rooms.refresh();
    },

    notice({ text, room, from }) {
      (room ? rooms.find(room) : rooms.current)?.list.note(
        from ? strings.noticeFrom(from, text) : text,
      );
    },

    history: history.answer,
    found: Papo.search.show,
  };

  history.hooks.shown = shown;
  Papo.connection.hooks.onMessage = (message) =>
    answers[message.type]?.(message);
}
