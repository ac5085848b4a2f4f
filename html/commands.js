"use strict";
{
  const {
    strings,
    clock,
    rooms,
    session,
    sendQueue,
    search,
    names,
    protocol: { wellFormed },
    storage: { newId },
  } = Papo;
  const TYPING_EVERY_MS = 3_000;
  const MAX_RESULTS = 50;
  const SECONDS = { s: 1, m: 60, h: 3600 };
  let typedAt = -Infinity;

  function request(type, fields) {
    const sent = session.send(type, fields);
    if (!sent) rooms.notify(strings.offlineCommand);
    return sent;
  }

  function enqueue(item) {
    sendQueue.add({ ...item, originRoom: rooms.current.key });
    rooms.current.list.forgetUnread();
    Papo.scroll.toEnd();
  }

  function sendMessage(text, action) {
    typedAt = -Infinity;
    enqueue({ room: rooms.current.name, text, action: action || undefined });
  }

  // What a queued message was typed as.
  function typedForm({ to, text, action }) {
    if (to) return `/msg ${to} ${text}`;
    if (action) return `/eu ${text}`;
    return text.startsWith("/") ? `/${text}` : text;
  }

  function listPeople() {
    const { isTooCrowded, online, people } = rooms.current;
    rooms.notify(
      strings.peopleHere(
        online,
        isTooCrowded ? [] : people.map(({ name }) => name),
      ),
    );
  }

  function join(typed) {
    const [name, password] = typed.replace(/^#/u, "").split(/\s+(.*)/su);
    if (password) session.rememberPassword(name, password);
    if (rooms.find(name)) rooms.show(rooms.find(name));
    else if (Papo.joins.send({ room: name })) session.roomToShow = name;
    else rooms.notify(strings.offlineCommand);
  }

  function leaveRoom() {
    if (rooms.all().length < 2) rooms.notify(strings.lastRoom);
    else request("leave", { room: rooms.current.name });
  }

  function whisper(typed) {
    const present = new Set(rooms.all().flatMap((room) => [...room.nameKeys]));
    const to = names.nameAt(typed, 0, present) || typed.split(/\s/u, 1)[0];
    const text = typed.slice(to.length).trim();
    return text !== "" && enqueue({ to, text });
  }

  function reply(text) {
    if (session.lastWhisperFrom) enqueue({ to: session.lastWhisperFrom, text });
    else rooms.notify(strings.nobodyToReplyTo);
  }

  function change(type, fields, entry) {
    const id = newId();
    session.pendingChanges.set(id, entry);
    request(type, { room: rooms.current.name, id, ...fields });
  }

  const lastOwn = () =>
    rooms.current.isLive ? rooms.current.list.lastOwn() : undefined;

  const eraseOwn = (seq) =>
    change("erase", { seq }, { erases: [seq], text: "" });

  function withLastOwn(action) {
    const last = lastOwn();
    if (last) action(last.seq);
    else rooms.notify(strings.noOwnMessage);
  }

  const edit = (text) =>
    withLastOwn((seq) => change("edit", { seq, text }, { edits: seq, text }));

  // "Ana 10m", "Ana 10" (minutes), "Ana", "10s"; "Ana 10" may also be a name.
  function parseTimed(typed) {
    const whole = rooms.current.nameKeys.has(names.fold(typed))
      ? `${typed} `
      : typed;
    const [, name, count, unit] = /^(.*?)(?:(?:^|\s+)(\d+)([smh]?))?$/su.exec(
      whole,
    );
    return {
      name: name.trim().replace(/^@/u, ""),
      seconds: count && count * SECONDS[unit || "m"],
    };
  }

  const moderate = (action) => (typed) =>
    request("moderate", {
      act: action,
      room: rooms.current.name,
      ...parseTimed(typed),
    });

  const moderateSwitch = (action) => (typed) =>
    request("moderate", {
      act: action,
      room: rooms.current.name,
      on: typed ? !/^n/iu.test(typed) : undefined,
    });

  function erase(typed) {
    if (typed)
      change(
        "moderate",
        { act: "erase", ...parseTimed(typed) },
        { erases: [0], text: "" },
      );
    else withLastOwn(eraseOwn);
  }

  function setPassword(password) {
    session.rememberPassword(rooms.current.name, password);
    request("room_password", { room: rooms.current.name, password });
  }

  function leave() {
    sendQueue.clear();
    session.leave();
  }

  function listRooms() {
    session.roomListRequested = request("rooms");
  }

  // Names, argument, description in the help, label of the moderator's button, action.
  const COMMANDS = [
    ["ajuda help", "", "mostra esta lista", "", () => rooms.notify(help())],
    [
      "nome nick",
      "Novo Nome",
      "troca o seu nome",
      "",
      (name) =>
        sendQueue.requestRename(() =>
          request("rename", { name: names.clean(name) }),
        ),
    ],
    ["quem who", "", "mostra quem está aqui", "", listPeople],
    ["entrar join", "sala [senha]", "entra em outra sala, ou a cria", "", join],
    ["deixar part", "", "sai desta sala", "", leaveRoom],
    ["salas rooms", "", "mostra as salas abertas", "", listRooms],
    [
      "msg w whisper",
      "Ana texto",
      "fala só com uma pessoa",
      "Mensagem particular",
      whisper,
    ],
    ["r reply", "texto", "responde em particular", "", reply],
    [
      "eu me",
      "texto",
      "diz o que você faz: /eu acena",
      "",
      (text) => sendMessage(text, true),
    ],
    ["buscar search", "[texto]", "procura na sala", "", search.open],
    [
      "antes before",
      "",
      "mostra as anteriores",
      "",
      () => Papo.history.loadEarlier(rooms.current),
    ],
    [
      "avisos alerts",
      "",
      "escolhe os avisos",
      "",
      () => Papo.dom.find("menu").showPopover(),
    ],
    ["limpar clear", "", "limpa a tela", "", () => rooms.current.list.clear()],
    ["sair quit exit", "", "sai da conversa", "", leave],
    [
      "apagar erase delete",
      "[Ana 10m]",
      "apaga sua última mensagem; ★ as de Ana",
      "Apagar mensagens",
      erase,
    ],
    ["editar edit", "texto", "muda sua última mensagem", "", edit],
    [
      "ignorar ignore",
      "Ana",
      "esconde o que Ana disser, ou mostra",
      "",
      (name) => rooms.notify(strings.ignored(name, session.ignore(name))),
    ],
    [
      "senha password",
      "[palavra]",
      "põe ou tira a senha da sala",
      "",
      setPassword,
    ],
    ["silenciar mute", "Ana [10m]", "★ tira a palavra", "Silenciar"],
    ["ouvir unmute", "Ana", "★ devolve a palavra", "Devolver a palavra"],
    [
      "silenciar-todos moderators-only mute-all",
      "[sim|não]",
      "★ só quem organiza fala",
      "Só quem organiza fala",
      moderateSwitch("moderators_only"),
    ],
    [
      "lento slow",
      "10s",
      "★ uma mensagem a cada 10 s; 0 desliga",
      "Modo lento",
    ],
    [
      "trancar lock",
      "[sim|não]",
      "★ ninguém novo entra",
      "Trancar",
      moderateSwitch("lock"),
    ],
    ["expulsar kick", "Ana", "★ tira da conversa", "Expulsar"],
    ["banir ban", "Ana [1h]", "★ expulsa por um tempo", "Banir"],
    ["perdoar unban", "Ana", "★ deixa voltar", ""],
    [
      "avisar announce notify",
      "texto",
      "★ avisa todo mundo",
      "Avisar todo mundo",
      (text) => request("moderate", { act: "announce", text }),
    ],
    ["promover promote", "Ana", "★ também organiza", "Promover"],
    ["rebaixar demote", "Ana", "★ não organiza mais", "Rebaixar"],
  ].map(
    ([
      all,
      argument,
      description,
      label,
      run = moderate(all.split(" ")[1]),
    ]) => ({
      all: all.split(" "),
      argument,
      description,
      label,
      run,
    }),
  );

  const usage = ({ all, argument }) => `/${all[0]} ${argument}`.trim();

  function help() {
    const lines = COMMANDS.map(
      (command) => `${usage(command)} — ${command.description}`,
    );
    return [...lines, "//texto — envia “/texto”"].join("\n");
  }

  function perform(raw) {
    const typed = wellFormed(raw);
    const [, word, rest] = /^\/(?!\/)(\S*)\s*([^]*)$/u.exec(typed) ?? [];
    if (word === undefined) return sendMessage(typed.replace(/^\/\//u, "/"));
    const command = COMMANDS.find(({ all }) =>
      all.includes(word.toLowerCase()),
    );
    const isIncomplete =
      command && /^[^[]/u.test(command.argument) && rest.trim() === "";
    if (command && !isIncomplete && command.run(rest.trim()) !== false)
      return true;
    rooms.notify(
      command ? strings.usage(usage(command)) : strings.unknownCommand(word),
    );
    return false;
  }

  Papo.commands = {
    table: COMMANDS,
    perform,
    typedForm,
    leave,
    join,
    lastOwn,
    eraseOwn,
    typing() {
      if (clock.now() - typedAt < TYPING_EVERY_MS || !rooms.current?.open)
        return;
      typedAt = clock.now();
      session.send("typing", { room: rooms.current.name });
    },
    search: (query) =>
      request("search", {
        room: rooms.current.name,
        query,
        limit: MAX_RESULTS,
      }) || search.close(),
  };
}
