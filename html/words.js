// Every sentence that the page says to people, in Brazilian Portuguese: "você", never gendered.
// Knows grammar (plurals, lists of names, dates); must never know where on the page a sentence stands.
"use strict";

(() => {
  const number = new Intl.NumberFormat("pt-BR");
  const clock = new Intl.DateTimeFormat("pt-BR", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat("pt-BR", { weekday: "long", day: "numeric", month: "long" });
  const dayOfYear = new Intl.DateTimeFormat("pt-BR", {
    weekday: "long", day: "numeric", month: "long", year: "numeric",
  });
  const instant = new Intl.DateTimeFormat("pt-BR", { dateStyle: "full", timeStyle: "medium" });

  const counted = (count, one, many) => `${number.format(count)} ${count === 1 ? one : many}`;

  // "João", "João e Célia", "João e mais 2 pessoas".
  function someNames(names) {
    if (names.length <= 2) return names.join(" e ");
    return `${names[0]} e mais ${counted(names.length - 1, "pessoa", "pessoas")}`;
  }

  // "João", "João e Célia", "João, Célia e Rita".
  function allNames(names) {
    if (names.length <= 2) return names.join(" e ");
    return `${names.slice(0, -1).join(", ")} e ${names.at(-1)}`;
  }

  function dayName(at, now = Date.now()) {
    const [then, today] = [new Date(at), new Date(now)];
    const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
    if (then.toDateString() === today.toDateString()) return "hoje";
    if (then.toDateString() === yesterday.toDateString()) return "ontem";
    return (then.getFullYear() === today.getFullYear() ? day : dayOfYear).format(then);
  }

  function typing(names) {
    if (names.length === 0) return "";
    if (names.length === 1) return `${names[0]} está digitando…`;
    if (names.length === 2) return `${names[0]} e ${names[1]} estão digitando…`;
    return "Várias pessoas estão digitando…";
  }

  function charactersLeft(left) {
    if (left < 0) return `A mensagem passou ${counted(-left, "caractere", "caracteres")} do limite.`;
    return left === 1 ? "Resta 1 caractere" : `Restam ${number.format(left)} caracteres`;
  }

  Papo.words = Object.freeze({
    title: "Papo",
    titleWithUnread: (count) => `(${number.format(count)}) Papo`,

    connect: "Conectar",
    connecting: "Conectando…",
    nameMissing: "Escreva um nome para entrar.",
    nameInvalid: "Este nome não serve: use até 24 letras, números, espaços, ponto, hífen ou sublinhado.",
    addressInvalid: "Este endereço não parece certo. Escreva assim: 192.168.0.10:9000",
    unreachable: (address) =>
      `Não encontrei o servidor em ${address}. ` +
      "Confira se ele está ligado e se os dois aparelhos estão na mesma rede.",
    otherVersion: "Esta página é de outra versão do servidor. Recarregue a página.",
    cutOff: "O servidor encerrou esta conexão.",

    stateConnecting: "conectando…",
    stateOnline: "conectado",
    stateOffline: "sem conexão",
    restored: "Conexão restabelecida.",
    offline: "Sem conexão.",
    serverStopped: "O servidor foi desligado.",
    nextTry: (seconds) => `Nova tentativa em ${number.format(seconds)} s.`,

    sending: "enviando…",
    waiting: "aguardando conexão",
    notSent: "não enviada",
    sentTooLongAgo: "A conexão não voltou a tempo.",
    whisperCut: "A conexão caiu antes da confirmação.",
    retry: "Tentar de novo",
    discard: "Descartar",
    newMessages: (count) => `↓ ${counted(count, "nova mensagem", "novas mensagens")}`,
    noMessages: "Ainda não há mensagens. Que tal começar?",
    messageOf: (name, at) => `Mensagem de ${name} às ${clock.format(at)}`,
    missing: (count) => (count === 1
      ? "Falta 1 mensagem: ela já não está guardada no servidor."
      : `Faltam ${count.toLocaleString("pt-BR")} mensagens: elas já não estão guardadas no servidor.`),

    time: (at) => clock.format(at),
    instant: (at) => instant.format(at),
    dayName,

    came: (names) => `${someNames(names)} ${names.length === 1 ? "entrou" : "entraram"}`,
    went: (names) => `${someNames(names)} ${names.length === 1 ? "saiu" : "saíram"}`,
    nowCalled: (from, to) => `${from} agora é ${to}`,
    youAreNow: (name) => `Você agora é ${name}.`,
    people: (count) => `Pessoas (${number.format(count)})`,
    openPeople: (count) => `Abrir lista de pessoas (${number.format(count)})`,
    you: (name) => `${name} (você)`,
    whisperTo: (name) => `Enviar mensagem particular a ${name}`,
    crowd: "Há gente demais nesta sala para mostrar os nomes.",
    typing,
    charactersLeft,

    whisperIn: (from) => `${from} → você:`,
    whisperOut: (to) => `você → ${to}:`,
    whisperHint: "só vocês dois veem; não fica guardado",

    room: (name) => `#${name}`,
    unreadIn: (count) => counted(count, "mensagem não lida", "mensagens não lidas"),
    roomLeft: (name) => `Você saiu da sala #${name}.`,
    lastRoom: "Esta é a sua única sala. Para sair da conversa, use /sair.",
    roomsOpen: (rooms) => `Salas abertas:\n${rooms
      .map(({ room, online }) => `#${room} · ${counted(online, "pessoa", "pessoas")}`)
      .join("\n")}`,
    whoIsHere: (names) => `${counted(names.length, "pessoa", "pessoas")} nesta sala: ${allNames(names)}.`,
    howMany: (online) => `${counted(online, "pessoa", "pessoas")} nesta sala.`,

    unknownCommand: (word) => `Não conheço o comando /${word}. Veja a lista com /ajuda.`,
    usage: (usage) => `Use assim: ${usage}`,
    nobodyToAnswer: "Ninguém enviou mensagem particular a você ainda.",
    offlineCommand: "Sem conexão agora. Tente de novo quando ela voltar.",
    noFiles: "Ainda não dá para enviar arquivos por aqui.",
  });
})();
