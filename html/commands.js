"use strict";
{
const { words, desk, session, unsent, search, names } = Papo;
const TYPING_EVERY_MS = 3_000;
const MOST_FOUND = 50;
let typedAt = 0;

function ask(type, fields) {
	const sent = session.send(type, fields);
	if (!sent) desk.note(words.offlineCommand);
	return sent;
}

function add(item) {
	unsent.add({ ...item, home: desk.current.key });
	desk.current.list.forgetUnread();
	Papo.follow.toEnd();
}

function say(text, action) {
	typedAt = 0;
	add({ room: desk.current.name, text, action: action || undefined });
}

function who() {
	const { crowded, online, people } = desk.current;
	desk.note(words.whoIsHere(online, crowded ? [] : people.map(({ name }) => name)));
}

function join(typed) {
	const [name, password] = typed.replace(/^#/u, "").split(/\s+(.*)/su);
	if (password) session.knowPassword(name, password);
	if (desk.find(name)) desk.show(desk.find(name));
	else if (ask("join", session.withPassword({ room: name }))) session.wanted = name;
}

function part() {
	if (desk.rooms().length < 2) desk.note(words.lastRoom);
	else ask("leave", { room: desk.current.name });
}

function whisper(typed) {
	const present = new Set(desk.rooms().flatMap((room) => [...room.folded]));
	const to = names.nameAt(typed, 0, present) || typed.split(/\s/u, 1)[0];
	const text = typed.slice(to.length).trim();
	return text !== "" && add({ to, text });
}

function reply(text) {
	if (session.whisperedBy) add({ to: session.whisperedBy, text });
	else desk.note(words.nobodyToAnswer);
}

function leave() {
	unsent.end();
	session.leave();
}

function listRooms() {
	session.wantsRooms = ask("rooms");
}

// Names, argument (without brackets it must be there), what it does, how.
const COMMANDS = [
	["ajuda help", "", "mostra esta lista", () => desk.note(help())],
	["nome nick", "Novo Nome", "troca o seu nome", (name) => ask("rename", { name: names.clean(name) })],
	["quem who", "", "mostra quem está na sala", who],
	["entrar join", "sala [senha]", "entra em outra sala, ou a cria", join],
	["deixar part", "", "sai desta sala", part],
	["salas rooms", "", "mostra as salas abertas", listRooms],
	["msg w whisper", "Ana texto", "fala só com uma pessoa", whisper],
	["r reply", "texto", "responde à última mensagem particular", reply],
	["eu me", "texto", "diz o que você faz: /eu acena", (text) => say(text, true)],
	["buscar search", "[texto]", "procura no que foi dito na sala", search.open],
	["antes before", "", "mostra mensagens anteriores", () => Papo.pages.earlier(desk.current)],
	["avisos alerts", "", "escolhe como avisar você", () => Papo.dom.find("menu").showPopover()],
	["limpar clear", "", "limpa a tela; nada se perde no servidor", () => desk.current.list.wipe()],
	["sair quit", "", "sai da conversa", leave],
].map(([all, argument, does, run]) => ({ all: all.split(" "), argument, does, run }));

const usage = ({ all, argument }) => `/${all[0]} ${argument}`.trim();

function help() {
	const lines = COMMANDS.map((command) => `${usage(command)} — ${command.does}`);
	return [...lines, "//texto — envia um texto que começa com barra"].join("\n");
}

function perform(typed) {
	const [, word, rest] = /^\/(?!\/)(\S*)\s*([^]*)$/u.exec(typed) ?? [];
	if (word === undefined) return say(typed.replace(/^\/\//u, "/"));
	const command = COMMANDS.find(({ all }) => all.includes(word.toLowerCase()));
	const lacks = command && /^[^[]/u.test(command.argument) && rest.trim() === "";
	if (command && !lacks && command.run(rest.trim()) !== false) return true;
	desk.note(command ? words.usage(usage(command)) : words.unknownCommand(word));
	return false;
}

Papo.commands = {
	perform, leave, join,
	names: COMMANDS.map(({ all, does }) => ({ value: all[0], hint: does })),
	typing() {
		if (Date.now() - typedAt < TYPING_EVERY_MS || !desk.current?.open) return;
		typedAt = Date.now();
		session.send("typing", { room: desk.current.name });
	},
	search: (query) => ask("search", { room: desk.current.name, query, limit: MOST_FOUND }) || search.close(),
};
}
