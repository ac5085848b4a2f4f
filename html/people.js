// Who is here and which rooms are open: the two columns beside the conversation, and the line that says who is typing.
// Knows lists of names; must never know sockets or messages.
"use strict";

(() => {
  const { words } = Papo;
  const { element } = Papo.line;
  const { colour } = Papo.names;

  class PeopleView {
    #list;
    #title;
    #toggle;
    #panel;
    #onChoose;

    // `onChoose(name)`: somebody wants to write to this person alone.
    constructor({ list, title, toggle, panel, onChoose }) {
      this.#panel = panel;
      this.#list = list;
      this.#title = title;
      this.#toggle = toggle;
      this.#onChoose = onChoose;
      toggle.addEventListener("click", () => this.#open(!panel.classList.contains("open")));
    }

    // Only on a narrow screen does the list cover the conversation.
    close() {
      this.#open(false);
    }

    show(room, me) {
      this.#title.textContent = words.people(room.online);
      this.#toggle.textContent = `${room.online} ☰`;
      this.#toggle.setAttribute("aria-label", words.openPeople(room.online));
      const items = room.crowded
        ? [element("li", "hint", words.crowd)]
        : room.people.map((person) => this.#item(person, person.tag === me.tag));
      this.#list.replaceChildren(...items);
    }

    #open(open) {
      this.#panel.classList.toggle("open", open);
      this.#toggle.setAttribute("aria-expanded", String(open));
    }

    #item({ name }, isMe) {
      const className = `colour-${colour(name)}`;
      if (isMe) return element("li", "", element("span", `person ${className}`, words.you(name)));
      const button = element("button", `person ${className}`, name);
      button.type = "button";
      button.title = words.whisperTo(name);
      button.addEventListener("click", () => {
        this.close();
        this.#onChoose(name);
      });
      return element("li", "", button);
    }
  }

  class RoomsView {
    #panel;
    #list;
    #onChoose;

    constructor({ panel, list, onChoose }) {
      this.#panel = panel;
      this.#list = list;
      this.#onChoose = onChoose;
    }

    // Most groups need one room only, and then see nothing of rooms.
    show(rooms, current) {
      this.#panel.hidden = rooms.length < 2;
      if (this.#panel.hidden) return;
      this.#list.replaceChildren(...rooms.map((room) => this.#item(room, room === current)));
    }

    #item(room, isCurrent) {
      const button = element("button", "room", element("span", "", words.room(room.name)));
      button.type = "button";
      if (isCurrent) button.setAttribute("aria-current", "true");
      if (room.unread > 0) {
        const count = element("span", "unread", String(room.unread));
        count.setAttribute("aria-label", words.unreadIn(room.unread));
        button.append(count);
      }
      button.addEventListener("click", () => this.#onChoose(room));
      return element("li", "", button);
    }
  }

  Object.assign(Papo, { PeopleView, RoomsView });
})();
