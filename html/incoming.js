"use strict";
{
  const {
    strings,
    alerts,
    rooms,
    session,
    joins,
    sendQueue,
    history,
    menus,
    message: { isChange },
    names: { fold, isMentioned },
  } = Papo;

  const MAX_TIMER_MS = 2 ** 31 - 1;

  const isMine = ({ tag }) => tag === session.me.tag;

  function decorate(room, entry) {
    const people = room.nameKeys;
    const me = fold(session.me.name);
    const mine = isMine(entry);
    const hidden = isChange(entry) || session.ignores(entry.from);
    return {
      ...entry,
      people,
      me,
      mine,
      hidden,
      mentionsMe: !mine && !hidden && isMentioned(entry.text, people, me),
    };
  }

  function ownEntry(room, { to, text, action, at, seq }) {
    const { name, tag } = session.me;
    return to
      ? { label: strings.whisperOut(to), at, text }
      : decorate(room, { from: name, tag, at, seq, text, action });
  }

  const roomOf = (item) => rooms.getOrCreate(item.room ?? item.originRoom);

  sendQueue.hooks.onChange = (item) => {
    const room = roomOf(item);
    if (item.state === "gone") room.list.dropPending(item.id);
    else room.list.showPending(item, ownEntry(room, item));
  };
  // A message for a room that could not be opened asks for it again; its answer decides.
  function say(item) {
    const { name, open, resumePoint } = roomOf(item);
    if (open) return session.send("say", item);
    if (Papo.connection.isOnline() && !joins.isPending(name))
      joins.send({ room: name, ...resumePoint });
    return false;
  }

  sendQueue.hooks.transmit = (item) =>
    item.to ? session.send("whisper", item) : say(item);

  function append(room, entry) {
    if (entry.seq <= room.last) return false;
    const live = room.isLive;
    room.last = entry.seq;
    if (live) room.list.append(entry);
    else room.list.applyChanges([entry]);
    return true;
  }

  function applyOwnChange(room, change) {
    if (!room) return;
    append(
      room,
      decorate(room, { from: session.me.name, tag: session.me.tag, ...change }),
    );
    if (change.erases?.[0] === 0) history.loadChange(room, change.seq);
  }

  function countMissed(room, entries, last) {
    const others = entries.filter(({ mine, hidden }) => !mine && !hidden);
    const count = others.length + room.last - (entries.at(-1)?.seq ?? last);
    if (count <= 0) return;
    const seq = others[0]?.seq ?? last + 1;
    room.list.markUnread(seq);
    rooms.countUnread(room, {
      seq,
      count,
      mentionsMe: others.some(({ mentionsMe }) => mentionsMe),
    });
  }

  // A mute ends without a word of the server.
  function applyState(room, state) {
    room.setState(state);
    if (room.mutedFor > 0)
      setTimeout(rooms.refresh, Math.min(room.mutedFor, MAX_TIMER_MS));
    rooms.refresh();
  }

  function onJoinRefused(refusal) {
    const { room, delay, isFirst } = joins.refused(refusal);
    if (isFirst) rooms.notify(strings.joinAgain(refusal.text, delay));
    if (delay) return;
    sendQueue.roomRefused(room, refusal.text);
    session.roomToShow = "";
    rooms.notify(refusal.text);
  }

  // Of a request without an id, or of a frame that the server could not read.
  function onUnnamedRefusal({ text }) {
    sendQueue.refusedWithoutId();
    sendQueue.renameResolved();
    history.cancelAll();
    Papo.search.fail(text);
    rooms.notify(text);
  }

  const handlers = {
    welcome(message) {
      const others = session.welcomed(message);
      rooms.me = session.me;
      menus.refresh();
      Papo.composer.setLimit(message.limits.text);
      if (others) {
        others.forEach((room) => joins.send(room));
        sendQueue.loadFor(session.queueOwner());
        session.send("rooms");
      } else {
        sendQueue.renameResolved(session.queueOwner());
        rooms.notify(strings.selfRenamed(message.name));
      }
      rooms.refresh();
    },

    joined(message) {
      joins.answered(message.room);
      const room = rooms.getOrCreate(message.room);
      const { list, isLive: wasLive, last } = room;
      const { isNewLog, missed } = room.joined(message);
      applyState(room, room.state);
      const entries = message.entries.map((entry) => decorate(room, entry));
      if (isNewLog) {
        list.resetLog(
          entries,
          entries[0]?.seq ?? message.seq + 1,
          entries.at(-1)?.seq ?? message.seq,
        );
      } else if (wasLive) {
        if (missed > 0) list.notify(strings.missing(missed), entries[0]?.at);
        list.end = last + missed;
        entries.forEach((entry) => list.append(entry));
      }
      if (!isNewLog && !wasLive) list.applyChanges(entries);
      if (!isNewLog) countMissed(room, entries, last + missed);
      if (rooms.isFollowing(room)) history.catchUp(room);
      if (session.roomToShow && fold(session.roomToShow) === room.key) {
        session.roomToShow = "";
        rooms.show(room);
      }
      if (session.takeKeyExpired() && !session.me.moderator)
        rooms.notify(strings.keyExpired);
      session.rememberRooms();
      rooms.observeTop(room);
      rooms.refresh();
      sendQueue.sendNext();
    },

    left({ room: name }) {
      const room = rooms.find(name);
      if (!room) return;
      rooms.remove(room);
      session.rememberRooms();
      rooms.notify(strings.roomLeft(name));
    },

    message(message) {
      const room = rooms.find(message.room);
      if (!room) return;
      if (room.stoppedTyping(message.from)) rooms.drawTyping();
      const entry = decorate(room, message);
      if (!append(room, entry) || entry.mine || entry.hidden) return;
      rooms.countUnread(room, entry);
      if (entry.mentionsMe) alerts.mention(entry.from, entry.text);
    },

    ack({ id, room: roomName, seq, at, text: stored }) {
      const change = session.pendingChanges.get(id);
      if (change)
        applyOwnChange(rooms.find(roomName), {
          ...change,
          text: stored ?? change.text,
          at,
          seq,
        });
      session.pendingChanges.delete(id);
      const item = sendQueue.acknowledged(id);
      if (!item) return;
      const room = roomOf(item);
      const entry = ownEntry(room, {
        ...item,
        text: stored ?? item.text,
        at,
        seq,
      });
      room.list.dropPending(id);
      if (item.to) room.list.addWhisper(entry, room.last);
      else append(room, entry);
    },

    presence(message) {
      const room = rooms.find(message.room);
      if (!room) return;
      room.presence(message);
      const isMe = ({ name, from, to, tag }) =>
        tag === session.me.tag || [name, from, to].includes(session.me.name);
      const others = (people) => people.filter((person) => !isMe(person));
      const joined = others(message.joined).map(({ name }) => name);
      const left = others(message.left).map(({ name }) => name);
      const renamed = others(message.renamed);
      if (joined.length + left.length + renamed.length > 0)
        room.list.addPresence({ joined, left, renamed });
      rooms.refresh();
    },

    whisper({ from, tag, to, at, text }) {
      const mine = isMine({ tag });
      const room = rooms.current;
      if (!mine && session.ignores(from)) return;
      if (!mine) session.lastWhisperFrom = from;
      if (room === null || (mine && to === from)) return;
      room.list.addWhisper(
        {
          label: mine ? strings.whisperOut(to) : strings.whisperIn(from),
          at,
          text,
        },
        room.last,
      );
      if (mine) return;
      rooms.countUnread(room, { mentionsMe: true });
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
      if (session.roomListRequested) rooms.notify(strings.openRooms(open));
      session.roomListRequested = false;
    },

    error(refusal) {
      if (refusal.id === undefined) onUnnamedRefusal(refusal);
      else if (joins.isOf(refusal)) onJoinRefused(refusal);
      else if (session.pendingChanges.delete(refusal.id))
        rooms.notify(refusal.text);
      else sendQueue.refused(refusal);
    },

    role({ tag, moderator }) {
      if (tag === session.me.tag) session.me.moderator = moderator;
      menus.refresh();
      for (const room of rooms.all()) room.setModerator(tag, moderator);
      rooms.refresh();
    },

    room_state(state) {
      const room = rooms.find(state.room);
      if (room) applyState(room, state);
    },

    notice({ text, room, from }) {
      (room ? rooms.find(room) : rooms.current)?.list.notify(
        from ? strings.announcementFrom(from, text) : text,
      );
    },

    history: history.receive,
    found: Papo.search.show,
  };

  history.hooks.decorate = decorate;
  Papo.connection.hooks.onMessage = (message) =>
    handlers[message.type]?.(message);
}
