// Who is here and which rooms are open: the two columns beside the conversation.
// Knows lists of names; never sockets or messages.
"use strict";

(() => {
	const { words } = Papo;
	const { find, element, button, say, redraw } = Papo.dom;
	const { colour } = Papo.names;

	const [panel, toggle] = [find("painel-pessoas"), find("ver-pessoas")];
	// What choosing a person or a room does.
	const hooks = { onPerson() {}, onRoom() {} };

	// Only on a narrow screen does the list cover the conversation.
	function open(isOpen) {
		panel.classList.toggle("open", isOpen);
		toggle.setAttribute("aria-expanded", String(isOpen));
	}

	function person({ name, tag }, me) {
		const className = `person ${colour(name)}`;
		if (tag === me.tag) return element("li", "", element("span", className, words.you(name)));
		const node = button(className, name, () => {
			open(false);
			hooks.onPerson(name);
		});
		node.dataset.key = tag;
		node.title = words.whisperTo(name);
		return element("li", "", node);
	}

	function showPeople(room, me) {
		say(find("titulo-pessoas"), words.people(room.online));
		say(toggle, `${room.online} ☰`);
		toggle.setAttribute("aria-label", words.openPeople(room.online));
		const crowd = room.crowded ? [element("li", "hint", words.crowd)] : room.people.map((each) => person(each, me));
		redraw(find("pessoas"), crowd);
	}

	function roomItem(room, isCurrent) {
		const node = button("room", element("span", "", `#${room.name}`), () => hooks.onRoom(room));
		node.dataset.key = room.key;
		if (isCurrent) node.setAttribute("aria-current", "true");
		if (room.unread > 0) {
			const count = element("span", room.mentions > 0 ? "unread mentioned" : "unread", String(room.unread));
			count.append(element("span", "offscreen", ` ${words.unreadIn(room.unread)}`));
			node.append(count);
		}
		return element("li", "", node);
	}

	// Most groups need one room only, and then see nothing of rooms.
	function showRooms(rooms, current) {
		find("painel-salas").hidden = rooms.length < 2;
		redraw(find("salas"), rooms.map((room) => roomItem(room, room === current)));
	}

	toggle.addEventListener("click", () => open(!panel.classList.contains("open")));

	Papo.panels = { hooks, showPeople, showRooms, close: () => open(false) };
})();
