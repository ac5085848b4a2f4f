"use strict";
{
  const { format: number } = new Intl.NumberFormat("pt-BR");
  const dateFormat = (options) =>
    new Intl.DateTimeFormat("pt-BR", options).format;
  const clock = dateFormat({
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const instant = dateFormat({ dateStyle: "full", timeStyle: "medium" });
  const longDay = { weekday: "long", day: "numeric", month: "long" };
  const shortDay = dateFormat({ day: "2-digit", month: "2-digit" });
  const dayAndMonth = dateFormat(longDay);
  const dayOfYear = dateFormat({ ...longDay, year: "numeric" });

  const plural = (count, one, many) =>
    `${number(count)} ${count === 1 ? one : many}`;
  const people = (count) => plural(count, "pessoa", "pessoas");

  const erased = "(mensagem apagada)";

  const someNames = (names) =>
    names.length < 3
      ? names.join(" e ")
      : `${names[0]} e mais ${people(names.length - 1)}`;
  const allNames = (names) => names.join(", ").replace(/, ([^,]*)$/u, " e $1");

  function dayName(at, today = new Date()) {
    const then = new Date(at);
    const yesterday = new Date(
      today.getFullYear(),
      today.getMonth(),
      today.getDate() - 1,
    );
    if (then.toDateString() === today.toDateString()) return "hoje";
    if (then.toDateString() === yesterday.toDateString()) return "ontem";
    return (
      then.getFullYear() === today.getFullYear() ? dayAndMonth : dayOfYear
    )(then);
  }

  const duration = (seconds) =>
    [
      [Math.floor(seconds / 3600), "h"],
      [Math.floor((seconds % 3600) / 60), "min"],
      [seconds % 60, "s"],
    ]
      .filter(([count]) => count > 0)
      .map(([count, unit]) => `${count} ${unit}`)
      .join(" ");

  function whenToSpeak(at, today = new Date()) {
    const isToday = new Date(at).toDateString() === today.toDateString();
    const day = isToday ? "" : `em ${shortDay(at)} `;
    return `Você pode falar de novo ${day}às ${clock(at)}`;
  }

  // The restrictions in force in a room; empty without any.
  function restrictions(state, isMuted) {
    const { moderators_only: silence, slow_ms: slow, password, locked } = state;
    return [
      isMuted && whenToSpeak(state.muted_until),
      silence && "Só quem organiza fala",
      slow > 0 && `Modo lento: ${duration(Math.ceil(slow / 1000))}`,
      password && "Sala com senha",
      locked && "Conversa trancada",
    ]
      .filter(Boolean)
      .join(" · ");
  }

  function typing(names) {
    if (names.length > 2) return "Várias pessoas estão digitando…";
    return (
      names.length &&
      `${someNames(names)} ${names.length > 1 ? "estão" : "está"} digitando…`
    );
  }

  function charactersLeft(left) {
    if (left < 0)
      return `A mensagem passou ${plural(-left, "caractere", "caracteres")} do limite.`;
    return left === 1
      ? "Resta 1 caractere"
      : `Restam ${number(left)} caracteres`;
  }

  Papo.strings = {
    title: (unread) => `${unread ? `(${number(unread)}) ` : ""}Bate-papo`,

    enter: "Entrar",
    entering: "Entrando…",
    nameMissing: "Escreva um nome para entrar.",
    nameInvalid:
      "Este nome não serve: use até 24 letras, números, espaços, ponto, hífen ou sublinhado.",
    addressInvalid:
      "Este endereço não parece certo. Escreva assim: 192.168.0.10:9000",
    unreachable: (address) =>
      `Não encontrei o servidor em ${address}. Confira se ele está ligado e se os dois aparelhos estão na mesma rede.`,
    silent: (address) =>
      `O servidor em ${address} não respondeu a tempo. Tente de novo daqui a pouco.`,
    keyExpired: "O servidor foi religado: para organizar, use a chave nova.",
    otherVersion:
      "Esta página é de outra versão do servidor. Recarregue a página.",
    disconnected: "O servidor encerrou esta conexão.",

    stateConnecting: "conectando…",
    stateOnline: "conectado",
    stateOffline: "sem conexão",
    restored: "Conexão restabelecida.",
    offline: "Sem conexão.",
    serverStopped: "O servidor foi desligado.",
    joinAgain: (reason, ms) =>
      `${reason} ${Papo.strings.nextTry(Math.ceil(ms / 1000))}`,
    nextTry: (seconds) => `Nova tentativa em ${number(seconds)} s.`,

    messageShort: "Mensagem",
    sending: "enviando…",
    waiting: "aguardando conexão",
    notSent: "não enviada",
    expired: "A conexão não voltou a tempo.",
    unconfirmed: "O servidor não confirmou esta mensagem.",
    whisperUnconfirmed: "A conexão caiu antes da confirmação.",
    tooFast: (seconds) =>
      `Você está escrevendo rápido demais. Espere ${number(seconds)} s.`,
    slowMode: (seconds) =>
      `Esta sala está em modo lento. Espere ${number(seconds)} s.`,
    retry: "Tentar de novo",
    takeBack: "Editar",
    discard: "Descartar",
    copy: "Copiar",
    copied: "Copiado",
    showAll: "Mostrar tudo",
    showLess: "Mostrar menos",
    newMessages: (count) =>
      `↓ ${plural(count, "nova mensagem", "novas mensagens")}`,
    newMessagesLine: "novas mensagens",
    quote: (seq, entry) =>
      `↪ ${entry ? `${entry.from}: ${entry.text || erased}` : `mensagem ${seq}`}`,
    backToConversation: "Voltar à conversa",
    earlier: "Carregar mensagens anteriores",
    loading: "Carregando…",
    edited: "(editada)",
    erased,
    beginning: "Início da conversa",
    noMessages: "Ainda não há mensagens. Que tal começar?",
    messageOf: (name, at) => `Mensagem de ${name} às ${clock(at)}`,
    copiedLine: ({ from, at, text }) => `${from} (${clock(at)}): ${text}`,
    missing: (count) =>
      `O servidor já não guarda ${plural(count, "mensagem que falta", "mensagens que faltam")} aqui.`,

    time: clock,
    instant,
    dayName,

    joined: (names) =>
      names.length &&
      `${someNames(names)} ${names.length > 1 ? "entraram" : "entrou"}`,
    left: (names) =>
      names.length &&
      `${someNames(names)} ${names.length > 1 ? "saíram" : "saiu"}`,
    renamed: ({ from, to }) => `${from} agora é ${to}`,
    selfRenamed: (name) => `Você agora é ${name}.`,
    peopleCount: people,
    people: (count) => `Pessoas (${number(count)})`,
    you: (name) => `${name} (você)`,
    moderator: "organiza",
    whisperTo: (name) => `Enviar mensagem particular a ${name}`,
    tooManyPeople: "Há gente demais nesta sala para mostrar os nomes.",
    typing,
    restrictions,
    charactersLeft,

    whisperIn: (from) => `${from} → você:`,
    whisperOut: (to) => `você → ${to}:`,
    whisperHint: "só vocês dois veem; não fica guardado",

    unreadIn: (count) =>
      plural(count, "mensagem não lida", "mensagens não lidas"),
    announcementFrom: (name, text) => `Aviso de ${name}: ${text}`,
    noOwnMessage: "Não há mensagem sua aqui para mudar.",
    ignored: (name, now) =>
      `Você ${now ? "não vê mais" : "volta a ver"} o que ${name} disser.`,
    roomLeft: (name) => `Você saiu da sala #${name}.`,
    lastRoom: "Esta é a sua única sala. Para sair da conversa: /sair",
    openRooms: (rooms) =>
      `Salas abertas:\n${rooms.map(({ room, online }) => `#${room} · ${people(online)}`).join("\n")}`,
    peopleHere: (count, names) =>
      `${people(count)} nesta sala${names.length ? `: ${allNames(names)}` : ""}.`,

    found: (query, count, more) =>
      count
        ? plural(count, "resultado", "resultados") + (more ? ", e há mais" : "")
        : `Nada encontrado para “${query}”.`,
    unknownCommand: (word) =>
      `Não conheço o comando /${word}. Veja a lista com /ajuda.`,
    usage: (usage) => `Use assim: ${usage}`,
    nobodyToReplyTo: "Ninguém enviou mensagem particular a você ainda.",
    offlineCommand: "Sem conexão agora. Tente de novo quando ela voltar.",
    noFiles: "Ainda não dá para enviar arquivos por aqui.",

    mentionedYou: (name) => `${name} mencionou você`,
    notificationsBlocked:
      "O navegador bloqueou os avisos. Libere-os nas configurações deste site.",
    notificationsUnsupported:
      "Neste endereço o navegador não permite avisos; o título da aba mostra as mensagens novas.",
  };
}
