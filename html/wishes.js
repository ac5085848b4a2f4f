// What the person wants: each wish becomes words to the server, or an answer from what the page already knows.
// Knows the session, the rooms and what is unsent; never commands or keys.
"use strict";

(() => {
	const { words, desk, session, unsent, search } = Papo;
	// The server passes on no more than this; the others' pages forget it two seconds later.
	const TYPING_EVERY_MS = 3_000;
	const MOST_FOUND = 50;
	let typedAt = 0;

	function ask(type, fields) {
		const sent = session.send(type, fields);
		if (!sent) desk.note(words.offlineCommand);
		return sent;
	}

	// One's own message is where one wants to look, and what was unread is read.
	function add(item) {
		unsent.add({ ...item, home: desk.current.key });
		desk.timeline(desk.current).forgetUnread();
		Papo.follow.toEnd();
	}

	const whisper = (to, text) => add({ to, text });

	const wishes = {
		// Whom /r answers, and whether somebody asked to see the rooms.
		whisperedBy: null,
		wantsRooms: false,

		say(text, action) {
			typedAt = 0;
			add({ room: desk.current.name, text, action: action || undefined });
		},
		// "Ana Maria oi". Returns false if there is nothing to say.
		whisperTo(typed) {
			const present = new Set(desk.rooms().flatMap((room) => [...room.folded]));
			const { name, rest } = Papo.names.splitName(typed, present);
			return rest !== "" && whisper(name, rest);
		},
		answerWhisper(text) {
			if (wishes.whisperedBy === null) desk.note(words.nobodyToAnswer);
			else whisper(wishes.whisperedBy, text);
		},
		typing() {
			if (Date.now() - typedAt < TYPING_EVERY_MS || !desk.current?.open) return;
			typedAt = Date.now();
			session.send("typing", { room: desk.current.name });
		},
		join(name) {
			if (desk.find(name)) desk.show(desk.find(name));
			else if (ask("join", { room: name })) session.wanted = name;
		},
		part() {
			if (desk.rooms().length < 2) desk.note(words.lastRoom);
			else ask("leave", { room: desk.current.name });
		},
		who() {
			const { crowded, online, people } = desk.current;
			desk.note(crowded ? words.howMany(online) : words.whoIsHere(people.map(({ name }) => name)));
		},
		find(query) {
			if (!ask("search", { room: desk.current.name, query, limit: MOST_FOUND })) search.close();
		},
		leave() {
			unsent.end();
			session.leave();
		},
		rename: (name) => ask("rename", { name }),
		listRooms: () => (wishes.wantsRooms = ask("rooms")),
		search: (query) => search.open(query),
		earlier: () => Papo.pages.earlier(desk.current),
		alerts: (answer) => Papo.menu.setNotices(answer),
		wipe: () => desk.timeline(desk.current).wipe(),
		note: desk.note,
	};
	// Only the table of commands wants `false` for "not done".
	Papo.wishes = wishes;
})();
