"use strict";
{
  const {
    strings,
    dom: { find, on, element, button, setText, replaceItems },
  } = Papo;

  const panel = find("painel-pessoas");
  const toggle = find("ver-pessoas");
  const hooks = {};

  function setOpen(isOpen) {
    panel.classList.toggle("open", isOpen);
    toggle.ariaExpanded = isOpen;
  }

  function personItem(person, me) {
    const { name, tag, moderator } = person;
    const mark = moderator
      ? [element("span", { role: "img", ariaLabel: strings.moderator }, " ★")]
      : [];
    const className = `person ${Papo.names.colour(name)}`;
    if (tag === me.tag)
      return element(
        "li",
        "",
        element("span", className, strings.you(name), ...mark),
      );
    const node = button(className, name, () => {
      setOpen(false);
      hooks.onPerson(person, node);
    });
    node.append(...mark);
    node.dataset.key = tag;
    node.title = strings.whisperTo(name);
    return element("li", "", node);
  }

  // A person who has not changed keeps the same node: the menu stands beside it.
  let shown = new Map();
  function personItems(people, me) {
    const entries = people.map((person) => {
      const { name, tag, moderator } = person;
      const key = JSON.stringify([name, tag, moderator, tag === me.tag]);
      return [key, shown.get(key) ?? personItem(person, me)];
    });
    shown = new Map(entries);
    return [...shown.values()];
  }

  function showPeople(room, me) {
    setText(find("titulo-pessoas"), strings.people(room.online));
    setText(find("quantas"), String(room.online));
    replaceItems(
      find("pessoas"),
      room.isTooCrowded
        ? [element("li", "hint", strings.tooManyPeople)]
        : personItems(room.people, me),
    );
  }

  function roomItem(room, isCurrent) {
    const node = button("room", element("span", "", `#${room.name}`), () =>
      hooks.onRoom(room),
    );
    node.dataset.key = room.key;
    if (isCurrent) node.ariaCurrent = true;
    const meaning = element(
      "span",
      "offscreen",
      ` ${strings.unreadIn(room.unread)}`,
    );
    if (room.unread > 0)
      node.append(
        element(
          "span",
          room.mentions > 0 ? "unread mentioned" : "unread",
          String(room.unread),
          meaning,
        ),
      );
    return element("li", "", node);
  }

  function showRooms(rooms, current) {
    find("painel-salas").hidden = rooms.length < 2;
    replaceItems(
      find("salas"),
      rooms.map((room) => roomItem(room, room === current)),
    );
  }

  on(toggle, "click", () => setOpen(!panel.classList.contains("open")));

  Papo.sidebar = { hooks, showPeople, showRooms, close: () => setOpen(false) };
}
