"use strict";
{
  const {
    rooms,
    connection,
    storage: { kept, tab, token },
    names: { fold },
  } = Papo;

  let [name, key, password] = ["", undefined, ""];
  const ignored = new Set(kept.read("ignored"));
  const roomPasswords = tab.read("passwords") ?? {};

  const withPassword = (join) => ({
    ...join,
    room_password: roomPasswords[fold(join.room)],
  });

  function roomsToOpen() {
    const open = rooms
      .all()
      .map((room) => withPassword({ room: room.name, ...room.position }));
    if (open.length > 0) return open;
    const names = tab.read("rooms") ?? [Papo.protocol.LOBBY];
    const { wanted } = session;
    if (wanted && !names.some((each) => fold(each) === fold(wanted)))
      names.push(wanted);
    return names.map((room) => withPassword({ room }));
  }

  connection.hooks.greeting = () => ({
    name,
    token: token(),
    key,
    password,
    host_key: Papo.address.hostKey,
    ...roomsToOpen()[0],
  });

  const session = {
    me: { name: "" },
    host: "",
    entered: false,
    wanted: "",
    whisperedBy: "",
    wantsRooms: false,
    changes: new Map(),
    ignores: (who) => ignored.has(fold(who)),
    ignore(who) {
      const now = !ignored.delete(fold(who));
      if (now) ignored.add(fold(who));
      kept.set("ignored", JSON.stringify([...ignored]));
      return now;
    },

    enter(who, fileKey) {
      if (who.host !== session.host || fold(who.name) !== fold(name))
        rooms.clear();
      [name, key, session.host, session.wanted] = [
        who.name,
        fileKey,
        who.host,
        Papo.address.room(),
      ];
      password = who.password || tab.get(`password.${who.host}`);
      connection.open(who.url);
    },
    leave() {
      connection.leave();
      rooms.clear();
      tab.remove("rooms");
    },
    refused({ code, room }) {
      if (room) tab.remove("rooms");
      if (room) rooms.clear();
      if (code === "forbidden") Papo.address.hostKey = undefined;
      if (code === "password_wrong") tab.remove(`password.${session.host}`);
    },
    knowPassword(room, word) {
      roomPasswords[fold(room)] = word;
      tab.set("passwords", JSON.stringify(roomPasswords));
    },
    withPassword,
    out() {
      session.entered = false;
      for (const room of rooms.all()) room.open = false;
    },
    send: (type, fields) => session.entered && connection.send(type, fields),
    owner: () => `${session.host} ${fold(name)}`,
    welcomed(welcome) {
      ({ name } = welcome);
      session.me = { name, tag: welcome.tag, host: welcome.host };
      kept.set("name", name);
      if (password) tab.set(`password.${session.host}`, password);
      kept.set("token", welcome.token);
      if (session.entered) return false;
      session.entered = true;
      const [first, ...others] = roomsToOpen();
      rooms.ensure(first.room);
      for (const room of others) session.send("join", room);
      return true;
    },
    rememberRooms: () =>
      tab.set("rooms", JSON.stringify(rooms.all().map((room) => room.name))),
  };
  Papo.session = session;
}
