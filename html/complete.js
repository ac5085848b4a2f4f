"use strict";
{
  const {
    composer: { box },
    dom: { find, on, element },
    names: { fold },
  } = Papo;
  const MAX_SUGGESTIONS = 6;

  const spaced = (word) => `${word} `;
  const KINDS = [
    [/^(\/)([\p{L}-]*)$/u, "commands", spaced],
    [
      /^(\/(?:msg|w|apagar|ignorar|silenciar|ouvir|expulsar|banir|perdoar|promover|rebaixar) )(.*)$/u,
      "people",
      spaced,
    ],
    [/^(\/(?:entrar|join) )#?(\S*)$/u, "rooms", String],
    [/(?<![\p{L}\p{N}_])(@)([^@\n]{0,24})$/u, "people", spaced],
    [/(?<![\p{L}\p{N}_&/])(#)([\p{L}\p{N}_-]*)$/u, "rooms", spaced],
  ];

  const list = find("sugestoes");
  const sources = { rooms: () => [] };
  let items = [];
  let active = 0;
  let typedLength = 0;

  function close() {
    items = [];
    list.hidden = true;
    box.removeAttribute("aria-activedescendant");
  }

  function highlight(index) {
    active = (index + items.length) % items.length;
    [...list.children].forEach((node, i) => (node.ariaSelected = i === active));
    list.children[active].scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", list.children[active].id);
  }

  function pick(index) {
    const caret = box.selectionStart;
    box.setRangeText(items[index].text, caret - typedLength, caret, "end");
    close();
    box.dispatchEvent(new Event("input"));
  }

  function suggest() {
    const before = box.value.slice(0, box.selectionStart);
    for (const [part, source, format] of KINDS) {
      const match = part.exec(before);
      if (!match) continue;
      const typed = fold(match[2]);
      const matching = sources[source]().filter(({ value }) =>
        fold(value).startsWith(typed),
      );
      if (matching.some(({ value }) => fold(value) === typed)) return [];
      typedLength = match[0].length - match[1].length;
      if (matching.length > 0)
        return matching
          .slice(0, MAX_SUGGESTIONS)
          .map((item) => ({ ...item, text: format(item.value) }));
    }
    return [];
  }

  function option({ value, hint }, index) {
    const hintNode = element("span", "hint", hint ? ` ${hint}` : "");
    const node = element(
      "li",
      { id: `sugestao-${index}`, role: "option" },
      value,
      hintNode,
    );
    on(node, "mousedown", (event) => {
      event.preventDefault();
      pick(index);
    });
    return node;
  }

  function key(event) {
    if (items.length === 0) return false;
    if (event.key === "ArrowDown") highlight(active + 1);
    else if (event.key === "ArrowUp") highlight(active - 1);
    else if (event.key === "Escape") close();
    else if (/^(Enter|Tab)$/u.test(event.key) && !event.shiftKey) pick(active);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  on(box, "input", () => {
    items = suggest();
    if (items.length === 0) return close();
    list.replaceChildren(...items.map(option));
    list.hidden = false;
    highlight(0);
  });
  on(box, "blur", close);

  Papo.complete = { key, sources };
}
