"use strict";
{
  const {
    strings,
    protocol: { LIMITS, lengthOf },
    storage: { tab },
    dom: { find, on, say },
  } = Papo;
  const COUNT_FROM = 200;
  const NARROW_PX = 720;

  const [form, box, counter] = [
    find("escrever"),
    find("mensagem"),
    find("restam"),
  ];
  let [limit, draft, lastSent, warnUntil] = [LIMITS.text, "", "", 0];

  const hooks = {};

  const left = () => limit - lengthOf(box.value.trim());

  function measure() {
    const rest = left();
    if (Date.now() >= warnUntil)
      say(counter, rest <= COUNT_FROM ? strings.charactersLeft(rest) : "");
    counter.classList.toggle("over", rest < 0);
    box.ariaInvalid = rest < 0;
    box.placeholder =
      innerWidth < NARROW_PX ? strings.messageBriefly : box.ariaLabel;
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight + 2}px`;
    Papo.scroll.settle();
  }

  function changed() {
    tab[box.value ? "set" : "remove"](draft, box.value);
    measure();
  }

  function write(text) {
    box.value = text;
    box.focus();
    changed();
  }

  // What was said last comes back to be changed; what was not said, or is a command, to be said again.
  function recall() {
    const said = hooks.lastSaid();
    write(
      said && (!lastSent || lastSent === said) ? `/editar ${said}` : lastSent,
    );
  }

  function submit(event) {
    event.preventDefault();
    const [text, room] = [box.value.trim(), draft];
    if (text === "" || left() < 0 || hooks.onSend(text) === false) return;
    lastSent = text;
    tab.remove(room);
    if (box.value.trim() === text) write("");
  }

  function key(event) {
    if (event.isComposing || hooks.onKey(event)) return;
    const touch = matchMedia("(pointer: coarse)").matches;
    if (event.key === "Enter" && !event.shiftKey && !touch)
      form.requestSubmit();
    else if (event.key === "ArrowUp" && !event.altKey && !box.value) recall();
    else return;
    event.preventDefault();
  }

  on(form, "submit", submit);
  on(box, "keydown", key);
  on(box, "input", () => {
    changed();
    if (/^(?!\/[^/])\s*\S/u.test(box.value)) hooks.onTyping();
  });

  on(window, "resize", measure);

  Papo.composer = {
    box,
    hooks,
    write,
    open(roomKey) {
      draft = `draft.${roomKey}`;
      box.value = tab.get(draft) ?? "";
      measure();
    },
    warn(text, ms) {
      warnUntil = Date.now() + ms;
      say(counter, text);
      setTimeout(measure, ms);
    },
    setLimit(characters) {
      limit = characters;
      measure();
    },
  };
}
