// What may be typed after a slash, as one table; the help is made from it.
// Knows the words of commands; never how they are carried out: that is asked of the wishes.
"use strict";

(() => {
	const { words } = Papo;
	const { clean, isName } = Papo.names;

	const rename = (wishes, rest) => (isName(clean(rest)) ? wishes.rename(clean(rest)) : wishes.note(words.nameInvalid));

	// [names, argument, what it does, how]; an argument without brackets must be there.
	const COMMANDS = [
		["ajuda help", "", "mostra esta lista", (wishes) => wishes.note(help())],
		["nome nick", "Novo Nome", "troca o seu nome", rename],
		["quem who", "", "mostra quem está na sala", (wishes) => wishes.who()],
		["entrar join", "sala", "entra em outra sala, ou a cria", (wishes, rest) => wishes.join(rest.replace(/^#/u, ""))],
		["deixar part", "", "sai desta sala", (wishes) => wishes.part()],
		["salas rooms", "", "mostra as salas abertas", (wishes) => wishes.listRooms()],
		["msg w whisper", "Ana texto", "fala só com uma pessoa", (wishes, rest) => wishes.whisperTo(rest)],
		["r reply", "texto", "responde à última mensagem particular", (wishes, rest) => wishes.answerWhisper(rest)],
		["eu me", "texto", "diz o que você faz: /eu acena", (wishes, rest) => wishes.say(rest, true)],
		["buscar search", "[texto]", "procura no que foi dito na sala", (wishes, rest) => wishes.search(rest)],
		["antes before", "", "mostra mensagens anteriores", (wishes) => wishes.earlier()],
		["avisos alerts", "[sim|não]", "avisa quando alguém menciona você", (wishes, rest) => wishes.alerts(rest)],
		["limpar clear", "", "limpa a tela; nada se perde no servidor", (wishes) => wishes.wipe()],
		["sair quit", "", "sai da conversa", (wishes) => wishes.leave()],
	].map(([names, argument, does, run]) => {
		const all = names.split(" ");
		return { names: all, argument, does, run, usage: `/${all[0]} ${argument}`.trim() };
	});

	function help() {
		const lines = COMMANDS.map(({ usage, does }) => `${usage} — ${does}`);
		return [...lines, "//texto — envia um texto que começa com barra"].join("\n");
	}

	// Carries out what was typed: says it, or does what the command asks. Returns false if it should stay in the box.
	function perform(typed, wishes) {
		if (!typed.startsWith("/")) return wishes.say(typed, false);
		if (typed.startsWith("//")) return wishes.say(typed.slice(1), false);
		const [, word, rest] = /^\/(\S*)\s*([^]*)$/u.exec(typed);
		const command = COMMANDS.find(({ names }) => names.includes(word.toLowerCase()));
		if (!command) wishes.note(words.unknownCommand(word));
		if (!command) return false;
		const { argument, run, usage } = command;
		const lacks = /^[^[]/u.test(argument) && rest.trim() === "";
		const done = !lacks && run(wishes, rest.trim()) !== false;
		if (!done) wishes.note(words.usage(usage));
		return done;
	}

	Papo.commands = { perform, names: COMMANDS.map(({ names, does }) => ({ value: names[0], hint: does })) };
})();
