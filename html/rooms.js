"use strict";
{
  const {
    strings,
    Room,
    scroll,
    sidebar,
    composer,
    dom: { find, on, say, perFrame },
    names: { fold },
  } = Papo;
  const AHEAD = "600px 0px 0px";
  const MIDNIGHT_MS = 15_000;

  const byKey = new Map();
  const hooks = {};
  const rooms = { hooks, me: {}, current: null };
  const ends = new IntersectionObserver(
    (seen) =>
      rooms.current &&
      seen.some((each) => each.isIntersecting) &&
      hooks.earlier(rooms.current),
    { root: scroll.box, rootMargin: AHEAD },
  );

  const all = () => [...byKey.values()];
  const isSeen = (room) =>
    room === rooms.current && !document.hidden && scroll.isFollowing();
  const drawTyping = () =>
    say(
      find("digitando"),
      (rooms.current && strings.typing(rooms.current.typing)) || "",
    );

  const refresh = perFrame(() => {
    if (rooms.current) sidebar.showPeople(rooms.current, rooms.me);
    drawTyping();
    count();
  });

  const count = perFrame(() => {
    sidebar.showRooms(all(), rooms.current);
    Papo.alerts.showUnread(all().reduce((sum, room) => sum + room.unread, 0));
  });

  function seen() {
    if (!rooms.current?.unread || !isSeen(rooms.current)) return;
    Object.assign(rooms.current, { unread: 0, mentions: 0 });
    count();
  }

  function watch({ list, oldest }) {
    list.showEarlier(list.first > oldest);
    ends.unobserve(list.top);
    ends.observe(list.top);
  }

  function show(room) {
    if (room === rooms.current) return;
    scroll.box.ariaBusy = true;
    if (rooms.current) {
      rooms.current.place = scroll.save();
      rooms.current.list.element.hidden = true;
    }
    rooms.current = room;
    room.list.element.hidden = false;
    room.list.flush();
    scroll.restore(room.place);
    composer.open(room.key);
    hooks.onShow(room);
    seen();
    refresh();
    setTimeout(() => (scroll.box.ariaBusy = false));
  }

  on(document, "visibilitychange", seen);
  setInterval(() => all().forEach(({ list }) => list.nameDays()), MIDNIGHT_MS);
  Object.assign(scroll.hooks, {
    onEnd: seen,
    isLive: () => rooms.current?.isLive ?? true,
    unreadLine: () => rooms.current?.list.unread,
    onLater: () => hooks.later(rooms.current),
    onLatest: () => hooks.latest(rooms.current),
  });

  new ResizeObserver(scroll.settle).observe(scroll.box);

  Papo.rooms = Object.assign(rooms, {
    all,
    show,
    refresh,
    watch,
    drawTyping,
    find: (name) => byKey.get(fold(name)),
    follows: (room) =>
      room === rooms.current
        ? scroll.isFollowing()
        : (room.place?.following ?? true),
    ensure(name) {
      if (rooms.find(name)) return rooms.find(name);
      const room = new Room(name);
      room.list = Papo.timeline({
        ...hooks,
        onEarlier: () => hooks.earlier(room),
        onQuote: (seq) => hooks.around(room, seq),
        follows: () => rooms.follows(room),
        onDrawn: () => room === rooms.current && scroll.settle(),
        keepPlace: (change) =>
          room === rooms.current ? scroll.keepPlace(change) : change(),
      });
      room.list.element.hidden = true;
      scroll.box.append(room.list.element);
      byKey.set(room.key, room);
      watch(room);
      if (rooms.current === null) show(room);
      return room;
    },
    step(by) {
      const open = all();
      if (open.length > 1)
        show(open.at((open.indexOf(rooms.current) + by) % open.length));
    },
    close(room) {
      room.list.element.remove();
      byKey.delete(room.key);
      if (room === rooms.current) rooms.current = null;
      if (rooms.current === null && byKey.size > 0) show(all()[0]);
      refresh();
    },
    clear() {
      rooms.current = null;
      for (const room of all()) room.list.element.remove();
      byKey.clear();
      scroll.restore();
      refresh();
    },
    arrived(room, { seq, news = 1, forMe = false }) {
      if (room === rooms.current) scroll.count(news);
      if (isSeen(room)) return;
      if (seq) room.list.markUnread(seq);
      room.unread += news;
      room.mentions += forMe ? 1 : 0;
      count();
    },
    note: (text) => rooms.current?.list.note(text),
  });
}
