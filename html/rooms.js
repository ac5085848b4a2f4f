"use strict";
{
  const {
    strings,
    Room,
    scroll,
    sidebar,
    composer,
    dom: { find, on, setText, oncePerFrame },
    names: { fold },
  } = Papo;
  const PRELOAD_MARGIN = "600px 0px 0px";
  const DAY_CHECK_MS = 15_000;

  const byKey = new Map();
  const hooks = {};
  const rooms = { hooks, me: {}, current: null };
  const topObserver = new IntersectionObserver(
    (observed) =>
      rooms.current &&
      observed.some(({ isIntersecting }) => isIntersecting) &&
      hooks.loadEarlier(rooms.current),
    { root: scroll.box, rootMargin: PRELOAD_MARGIN },
  );

  const all = () => [...byKey.values()];
  const isBeingRead = (room) =>
    room === rooms.current && !document.hidden && scroll.isFollowing();
  const drawTyping = () =>
    setText(
      find("digitando"),
      (rooms.current && strings.typing(rooms.current.typing)) || "",
    );

  const drawRules = () => setText(find("regras"), rooms.current?.rules ?? "");

  const refresh = oncePerFrame(() => {
    drawRules();
    if (rooms.current) sidebar.showPeople(rooms.current, rooms.me);
    drawTyping();
    drawUnread();
  });

  const drawUnread = oncePerFrame(() => {
    sidebar.showRooms(all(), rooms.current);
    Papo.alerts.showUnread(all().reduce((sum, room) => sum + room.unread, 0));
  });

  function markRead() {
    if (!rooms.current?.unread || !isBeingRead(rooms.current)) return;
    Object.assign(rooms.current, { unread: 0, mentions: 0 });
    drawUnread();
  }

  function observeTop({ list, oldest }) {
    list.showEarlier(list.first > oldest);
    topObserver.unobserve(list.top);
    topObserver.observe(list.top);
  }

  function show(room) {
    if (room === rooms.current) return;
    scroll.box.ariaBusy = true;
    if (rooms.current) {
      rooms.current.scrollPosition = scroll.save();
      rooms.current.list.element.hidden = true;
    }
    rooms.current = room;
    room.list.element.hidden = false;
    room.list.flush();
    scroll.restore(room.scrollPosition);
    composer.open(room.key);
    hooks.onShow(room);
    markRead();
    refresh();
    setTimeout(() => (scroll.box.ariaBusy = false));
  }

  on(document, "visibilitychange", markRead);
  setInterval(
    () => all().forEach(({ list }) => list.updateDayNames()),
    DAY_CHECK_MS,
  );
  Object.assign(scroll.hooks, {
    onEnd: markRead,
    isLive: () => rooms.current?.isLive ?? true,
    unreadLine: () => rooms.current?.list.unread,
    onLater: () => hooks.loadLater(rooms.current),
    onLatest: () => hooks.loadLatest(rooms.current),
  });

  new ResizeObserver(scroll.update).observe(scroll.box);

  Papo.rooms = Object.assign(rooms, {
    all,
    show,
    refresh,
    observeTop,
    drawTyping,
    find: (name) => byKey.get(fold(name)),
    isFollowing: (room) =>
      room === rooms.current
        ? scroll.isFollowing()
        : (room.scrollPosition?.following ?? true),
    getOrCreate(name) {
      if (rooms.find(name)) return rooms.find(name);
      const room = new Room(name);
      room.list = Papo.timeline({
        ...hooks,
        onEarlier: () => hooks.loadEarlier(room),
        onQuote: (seq) => hooks.loadAround(room, seq),
        isFollowing: () => rooms.isFollowing(room),
        onDrawn: () => room === rooms.current && scroll.update(),
        keepPosition: (change) =>
          room === rooms.current ? scroll.keepPosition(change) : change(),
      });
      room.list.element.hidden = true;
      scroll.box.append(room.list.element);
      byKey.set(room.key, room);
      observeTop(room);
      if (rooms.current === null) show(room);
      return room;
    },
    switchBy(offset) {
      const open = all();
      if (open.length > 1)
        show(open.at((open.indexOf(rooms.current) + offset) % open.length));
    },
    remove(room) {
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
    countUnread(room, { seq, count = 1, mentionsMe = false }) {
      if (room === rooms.current) scroll.countUnseen(count);
      if (isBeingRead(room)) return;
      if (seq) room.list.markUnread(seq);
      room.unread += count;
      room.mentions += mentionsMe ? 1 : 0;
      drawUnread();
    },
    notify: (text) => rooms.current?.list.notify(text),
  });
}
