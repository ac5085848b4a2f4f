// What may be typed after a slash, as one table; the help is made from it.
// Knows the words of commands; must never know how they are carried out: that is asked of the conversation.
"use strict";

(() => {
  const { words } = Papo;
  const { splitName, clean, isName } = Papo.names;

  // A command without its argument is answered with its usage; `wants` says that there must be one.
  const COMMANDS = [
    { names: ["ajuda", "help"], usage: "/ajuda", does: "mostra esta lista", run: (talk) => talk.note(help()) },
    {
      names: ["nome", "nick"], usage: "/nome Novo Nome", does: "troca o seu nome", wants: true,
      run: (talk, rest) => (isName(clean(rest)) ? talk.rename(clean(rest)) : talk.note(words.nameInvalid)),
    },
    { names: ["quem", "who"], usage: "/quem", does: "mostra quem está na sala", run: (talk) => talk.who() },
    {
      names: ["entrar", "join"], usage: "/entrar sala", does: "entra em outra sala, ou a cria", wants: true,
      run: (talk, rest) => talk.join(rest.replace(/^#/u, "")),
    },
    { names: ["deixar", "part"], usage: "/deixar", does: "sai desta sala", run: (talk) => talk.part() },
    { names: ["salas", "rooms"], usage: "/salas", does: "mostra as salas abertas", run: (talk) => talk.listRooms() },
    {
      names: ["msg", "w"], usage: "/msg Ana texto", does: "fala só com uma pessoa", wants: true, run: whisper,
    },
    {
      names: ["r", "reply"], usage: "/r texto", does: "responde à última mensagem particular", wants: true,
      run: (talk, rest) => talk.answerWhisper(rest),
    },
    {
      names: ["eu", "me"], usage: "/eu texto", does: "diz o que você faz: /eu acena", wants: true,
      run: (talk, rest) => talk.say(rest, true),
    },
    { names: ["sair", "quit"], usage: "/sair", does: "sai da conversa", run: (talk) => talk.leave() },
  ];

  function help() {
    const lines = COMMANDS.map(({ usage, does }) => `${usage} — ${does}`);
    return [...lines, "//texto — envia um texto que começa com barra"].join("\n");
  }

  function whisper(talk, rest) {
    const { name, rest: text } = splitName(rest, talk.presentNames());
    if (text === "") return false;
    talk.whisper(name, text);
    return true;
  }

  // Carries out what was typed: says it, or does what the command asks. Returns false if it should stay in the box.
  function perform(typed, talk) {
    if (!typed.startsWith("/")) return talk.say(typed, false);
    if (typed.startsWith("//")) return talk.say(typed.slice(1), false);
    const [, word, rest] = /^\/(\S*)\s*([^]*)$/u.exec(typed);
    const command = COMMANDS.find(({ names }) => names.includes(word.toLowerCase()));
    if (!command) {
      talk.note(words.unknownCommand(word));
      return false;
    }
    const done = command.wants && rest.trim() === "" ? false : command.run(talk, rest.trim());
    if (done === false) talk.note(words.usage(command.usage));
    return done !== false;
  }

  Papo.commands = Object.freeze({ COMMANDS, perform });
})();
