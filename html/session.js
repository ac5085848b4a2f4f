"use strict";
{
  const {
    rooms,
    connection,
    storage,
    names: { fold },
  } = Papo;

  let name = "";
  let localKey = undefined;
  let password = "";
  let keyExpired = false;
  const ignored = new Set(storage.local.read("ignored"));
  const roomPasswords = storage.session.read("passwords") ?? {};

  const withPassword = (join) => ({
    ...join,
    room_password: roomPasswords[fold(join.room)],
  });

  function roomsToOpen() {
    const open = rooms
      .all()
      .map((room) => withPassword({ room: room.name, ...room.resumePoint }));
    if (open.length > 0) return open;
    const names = storage.session.read("rooms") ?? [Papo.protocol.LOBBY];
    const { roomToShow } = session;
    if (roomToShow && !names.some((each) => fold(each) === fold(roomToShow)))
      names.push(roomToShow);
    return names.map((room) => withPassword({ room }));
  }

  // A restart makes a new key: without it the person comes back as a guest, and the queue stays.
  connection.hooks.onKeyExpired = () => {
    keyExpired = Papo.address.moderatorKey !== undefined;
    Papo.address.moderatorKey = undefined;
    return keyExpired;
  };

  connection.hooks.enterFields = () => ({
    name,
    token: storage.token(),
    local_key: localKey,
    password,
    moderator_key: Papo.address.moderatorKey,
    ...roomsToOpen()[0],
  });

  const session = {
    me: { name: "" },
    server: "",
    entered: false,
    roomToShow: "",
    lastWhisperFrom: "",
    roomListRequested: false,
    pendingChanges: new Map(),
    ignores: (author) => ignored.has(fold(author)),
    ignore(author) {
      const now = !ignored.delete(fold(author));
      if (now) ignored.add(fold(author));
      storage.local.set("ignored", JSON.stringify([...ignored]));
      return now;
    },

    enter(values, keyOfFile) {
      if (values.server !== session.server || fold(values.name) !== fold(name))
        rooms.clear();
      name = values.name;
      localKey = keyOfFile;
      session.server = values.server;
      session.roomToShow = Papo.address.room();
      password =
        values.password || storage.session.get(`password.${values.server}`);
      connection.open(values.url);
    },
    leave() {
      connection.leave();
      rooms.clear();
      storage.session.remove("rooms");
    },
    refused({ code, room }) {
      if (room) storage.session.remove("rooms");
      if (room) rooms.clear();
      if (code === "moderator_key_wrong") Papo.address.moderatorKey = undefined;
      if (code === "password_wrong")
        storage.session.remove(`password.${session.server}`);
    },
    rememberPassword(room, secret) {
      roomPasswords[fold(room)] = secret;
      storage.session.set("passwords", JSON.stringify(roomPasswords));
    },
    withPassword,
    disconnected() {
      session.entered = false;
      for (const room of rooms.all()) room.open = false;
    },
    send: (type, fields) => session.entered && connection.send(type, fields),
    queueOwner: () => `${session.server} ${fold(name)}`,
    // Whether the moderator key was dropped since the last call.
    takeKeyExpired() {
      const expired = keyExpired;
      keyExpired = false;
      return expired;
    },
    // Returns the further joins that entering needs; nothing after a rename.
    welcomed(welcome) {
      ({ name } = welcome);
      session.me = { name, tag: welcome.tag, moderator: welcome.moderator };
      storage.local.set("name", name);
      if (password) storage.session.set(`password.${session.server}`, password);
      storage.local.set("token", welcome.token);
      if (session.entered) return null;
      session.entered = true;
      const [first, ...others] = roomsToOpen();
      rooms.getOrCreate(first.room);
      return others;
    },
    rememberRooms: () =>
      storage.session.set(
        "rooms",
        JSON.stringify(rooms.all().map((room) => room.name)),
      ),
  };
  Papo.session = session;
}
