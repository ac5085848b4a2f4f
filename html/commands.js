"use strict";
{
  const {
    strings,
    rooms,
    session,
    sendQueue,
    search,
    names,
    storage: { newId },
  } = Papo;
  const TYPING_EVERY_MS = 3_000;
  const MOST_FOUND = 50;
  const SECONDS = { s: 1, m: 60, h: 3600 };
  let typedAt = 0;

  function ask(type, fields) {
    const sent = session.send(type, fields);
    if (!sent) rooms.note(strings.offlineCommand);
    return sent;
  }

  function add(item) {
    sendQueue.add({ ...item, home: rooms.current.key });
    rooms.current.list.forgetUnread();
    Papo.scroll.toEnd();
  }

  function say(text, action) {
    typedAt = 0;
    add({ room: rooms.current.name, text, action: action || undefined });
  }

  function who() {
    const { crowded, online, people } = rooms.current;
    rooms.note(
      strings.whoIsHere(online, crowded ? [] : people.map(({ name }) => name)),
    );
  }

  function join(typed) {
    const [name, password] = typed.replace(/^#/u, "").split(/\s+(.*)/su);
    if (password) session.knowPassword(name, password);
    if (rooms.find(name)) rooms.show(rooms.find(name));
    else if (ask("join", session.withPassword({ room: name })))
      session.wanted = name;
  }

  function part() {
    if (rooms.all().length < 2) rooms.note(strings.lastRoom);
    else ask("leave", { room: rooms.current.name });
  }

  function whisper(typed) {
    const present = new Set(rooms.all().flatMap((room) => [...room.folded]));
    const to = names.nameAt(typed, 0, present) || typed.split(/\s/u, 1)[0];
    const text = typed.slice(to.length).trim();
    return text !== "" && add({ to, text });
  }

  function reply(text) {
    if (session.whisperedBy) add({ to: session.whisperedBy, text });
    else rooms.note(strings.nobodyToAnswer);
  }

  function change(type, fields, entry) {
    const id = newId();
    session.changes.set(id, entry);
    ask(type, { room: rooms.current.name, id, ...fields });
  }

  const lastOwn = () =>
    rooms.current.isLive ? rooms.current.list.lastOwn() : undefined;

  const eraseOwn = (seq) =>
    change("erase", { seq }, { erases: [seq], text: "" });

  function withLast(act) {
    const last = lastOwn();
    if (last) act(last.seq);
    else rooms.note(strings.nothingSaid);
  }

  const edit = (text) =>
    withLast((seq) => change("edit", { seq, text }, { edits: seq, text }));

  // "Ana 10m", "Ana 10" (minutes), "Ana", "10s"; "Ana 10" may also be a name.
  function timed(typed) {
    const whole = rooms.current.folded.has(names.fold(typed))
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

  const act = (kind) => (typed) =>
    ask("host", { act: kind, room: rooms.current.name, ...timed(typed) });

  const turn = (kind) => (typed) =>
    ask("host", {
      act: kind,
      room: rooms.current.name,
      on: typed ? !/^n/iu.test(typed) : undefined,
    });

  function erase(typed) {
    if (typed)
      change(
        "host",
        { act: "erase", ...timed(typed) },
        { erases: [0], text: "" },
      );
    else withLast(eraseOwn);
  }

  function setPassword(password) {
    session.knowPassword(rooms.current.name, password);
    ask("room_password", { room: rooms.current.name, password });
  }

  function leave() {
    sendQueue.end();
    session.leave();
  }

  function listRooms() {
    session.wantsRooms = ask("rooms");
  }

  // What is typed, what follows it, what the help says of it, what a host's button for it says, and what it does.
  const COMMANDS = [
    ["ajuda help", "", "mostra esta lista", "", () => rooms.note(help())],
    [
      "nome nick",
      "Novo Nome",
      "troca o seu nome",
      "",
      (name) =>
        sendQueue.renames(() => ask("rename", { name: names.clean(name) })),
    ],
    ["quem who", "", "mostra quem está aqui", "", who],
    ["entrar join", "sala [senha]", "entra em outra sala, ou a cria", "", join],
    ["deixar part", "", "sai desta sala", "", part],
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
      (text) => say(text, true),
    ],
    ["buscar search", "[texto]", "procura na sala", "", search.open],
    [
      "antes before",
      "",
      "mostra as anteriores",
      "",
      () => Papo.history.earlier(rooms.current),
    ],
    [
      "avisos alerts",
      "",
      "escolhe os avisos",
      "",
      () => Papo.dom.find("menu").showPopover(),
    ],
    ["limpar clear", "", "limpa a tela", "", () => rooms.current.list.wipe()],
    ["sair quit", "", "sai da conversa", "", leave],
    [
      "apagar erase",
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
      (name) => rooms.note(strings.ignored(name, session.ignore(name))),
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
      "silenciar-todos mute-all",
      "[sim|não]",
      "★ só quem organiza fala",
      "Só quem organiza fala",
      turn("mute_all"),
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
      turn("lock"),
    ],
    ["expulsar kick", "Ana", "★ tira da conversa", "Expulsar"],
    ["banir ban", "Ana [1h]", "★ expulsa por um tempo", "Banir"],
    ["perdoar unban", "Ana", "★ deixa voltar", ""],
    [
      "avisar notify",
      "texto",
      "★ avisa todo mundo",
      "Avisar todo mundo",
      (text) => ask("host", { act: "notify", text }),
    ],
    ["promover promote", "Ana", "★ também organiza", "Promover"],
    ["rebaixar demote", "Ana", "★ não organiza mais", "Rebaixar"],
  ].map(([all, argument, does, label, run = act(all.split(" ")[1])]) => ({
    all: all.split(" "),
    argument,
    does,
    label,
    run,
  }));

  const usage = ({ all, argument }) => `/${all[0]} ${argument}`.trim();

  function help() {
    const lines = COMMANDS.map(
      (command) => `${usage(command)} — ${command.does}`,
    );
    return [...lines, "//texto — envia “/texto”"].join("\n");
  }

  function perform(typed) {
    const [, word, rest] = /^\/(?!\/)(\S*)\s*([^]*)$/u.exec(typed) ?? [];
    if (word === undefined) return say(typed.replace(/^\/\//u, "/"));
    const command = COMMANDS.find(({ all }) =>
      all.includes(word.toLowerCase()),
    );
    const lacks =
      command && /^[^[]/u.test(command.argument) && rest.trim() === "";
    if (command && !lacks && command.run(rest.trim()) !== false) return true;
    rooms.note(
      command ? strings.usage(usage(command)) : strings.unknownCommand(word),
    );
    return false;
  }

  Papo.commands = {
    table: COMMANDS,
    perform,
    leave,
    join,
    lastOwn,
    eraseOwn,
    typing() {
      if (Date.now() - typedAt < TYPING_EVERY_MS || !rooms.current?.open)
        return;
      typedAt = Date.now();
      session.send("typing", { room: rooms.current.name });
    },
    search: (query) =>
      ask("search", { room: rooms.current.name, query, limit: MOST_FOUND }) ||
      search.close(),
  };
}
