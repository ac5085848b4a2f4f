"use strict";
{
  const {
    strings,
    dom: { find, on, element, button, say, redraw },
  } = Papo;

  const [panel, toggle] = [find("painel-pessoas"), find("ver-pessoas")];
  const hooks = {};

  function open(isOpen) {
    panel.classList.toggle("open", isOpen);
    toggle.ariaExpanded = isOpen;
  }

  function person(who, me) {
    const { name, tag, host } = who;
    const mark = host
      ? [element("span", { role: "img", ariaLabel: strings.host }, " ★")]
      : [];
    const className = `person ${Papo.names.colour(name)}`;
    if (tag === me.tag)
      return element(
        "li",
        "",
        element("span", className, strings.you(name), ...mark),
      );
    const node = button(className, name, () => {
      open(false);
      hooks.onPerson(who, node);
    });
    node.append(...mark);
    node.dataset.key = tag;
    node.title = strings.whisperTo(name);
    return element("li", "", node);
  }

  function showPeople(room, me) {
    say(find("titulo-pessoas"), strings.people(room.online));
    say(find("quantas"), String(room.online));
    redraw(
      find("pessoas"),
      room.crowded
        ? [element("li", "hint", strings.crowd)]
        : room.people.map((each) => person(each, me)),
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
    redraw(
      find("salas"),
      rooms.map((room) => roomItem(room, room === current)),
    );
  }

  on(toggle, "click", () => open(!panel.classList.contains("open")));

  Papo.sidebar = { hooks, showPeople, showRooms, close: () => open(false) };
}
