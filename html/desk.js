"use strict";
{
  const {
    words,
    Room,
    follow,
    panels,
    composer,
    dom: { find, on, say, perFrame },
    names: { fold },
  } = Papo;
  const AHEAD = "600px 0px 0px";
  const MIDNIGHT_MS = 15_000;

  const byKey = new Map();
  const hooks = {};
  const desk = { hooks, me: {}, current: null };
  const ends = new IntersectionObserver(
    (seen) =>
      desk.current &&
      seen.some((each) => each.isIntersecting) &&
      hooks.earlier(desk.current),
    { root: follow.box, rootMargin: AHEAD },
  );

  const rooms = () => [...byKey.values()];
  const isSeen = (room) =>
    room === desk.current && !document.hidden && follow.isFollowing();
  const drawTyping = () =>
    say(
      find("digitando"),
      (desk.current && words.typing(desk.current.typing)) || "",
    );

  const refresh = perFrame(() => {
    if (desk.current) panels.showPeople(desk.current, desk.me);
    drawTyping();
    count();
  });

  const count = perFrame(() => {
    panels.showRooms(rooms(), desk.current);
    Papo.alerts.showUnread(rooms().reduce((sum, room) => sum + room.unread, 0));
  });

  function seen() {
    if (!desk.current?.unread || !isSeen(desk.current)) return;
    Object.assign(desk.current, { unread: 0, mentions: 0 });
    count();
  }

  function watch({ list, oldest }) {
    list.showEarlier(list.first > oldest);
    ends.unobserve(list.top);
    ends.observe(list.top);
  }

  function show(room) {
    if (room === desk.current) return;
    follow.box.ariaBusy = true;
    if (desk.current) {
      desk.current.place = follow.save();
      desk.current.list.element.hidden = true;
    }
    desk.current = room;
    room.list.element.hidden = false;
    room.list.flush();
    follow.restore(room.place);
    composer.open(room.key);
    hooks.onShow(room);
    seen();
    refresh();
    setTimeout(() => (follow.box.ariaBusy = false));
  }

  on(document, "visibilitychange", seen);
  setInterval(
    () => rooms().forEach(({ list }) => list.nameDays()),
    MIDNIGHT_MS,
  );
  Object.assign(follow.hooks, {
    onEnd: seen,
    isLive: () => desk.current?.isLive ?? true,
    unreadLine: () => desk.current?.list.unread,
    onLater: () => hooks.later(desk.current),
    onLatest: () => hooks.latest(desk.current),
  });

  new ResizeObserver(follow.settle).observe(follow.box);

  Papo.desk = Object.assign(desk, {
    rooms,
    show,
    refresh,
    watch,
    drawTyping,
    find: (name) => byKey.get(fold(name)),
    follows: (room) =>
      room === desk.current
        ? follow.isFollowing()
        : (room.place?.following ?? true),
    ensure(name) {
      if (desk.find(name)) return desk.find(name);
      const room = new Room(name);
      room.list = Papo.timeline({
        ...hooks,
        onEarlier: () => hooks.earlier(room),
        onQuote: (seq) => hooks.around(room, seq),
        follows: () => desk.follows(room),
        onDrawn: () => room === desk.current && follow.settle(),
        keepPlace: (change) =>
          room === desk.current ? follow.keepPlace(change) : change(),
      });
      room.list.element.hidden = true;
      follow.box.append(room.list.element);
      byKey.set(room.key, room);
      watch(room);
      if (desk.current === null) show(room);
      return room;
    },
    step(by) {
      const all = rooms();
      if (all.length > 1)
        show(all.at((all.indexOf(desk.current) + by) % all.length));
    },
    close(room) {
      room.list.element.remove();
      byKey.delete(room.key);
      if (room === desk.current) desk.current = null;
      if (desk.current === null && byKey.size > 0) show(rooms()[0]);
      refresh();
    },
    clear() {
      desk.current = null;
      for (const room of rooms()) room.list.element.remove();
      byKey.clear();
      follow.restore();
      refresh();
    },
    arrived(room, { seq, news = 1, forMe = false }) {
      if (room === desk.current) follow.count(news);
      if (isSeen(room)) return;
      if (seq) room.list.markUnread(seq);
      room.unread += news;
      room.mentions += forMe ? 1 : 0;
      count();
    },
    note: (text) => desk.current?.list.note(text),
  });
}
