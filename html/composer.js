"use strict";
{
  const {
    strings,
    clock,
    protocol: { LIMITS, lengthOf, wellFormed },
    storage,
    dom: { find, on, setText },
  } = Papo;
  const COUNT_FROM = 200;
  const NARROW_PX = 720;

  const form = find("escrever");
  const box = find("mensagem");
  const counter = find("restam");
  let limit = LIMITS.text;
  let draft = "";
  let lastSent = "";
  let warnUntil = 0;
  let warnTimer = 0;

  const hooks = {};

  const remaining = () => limit - lengthOf(box.value.trim());

  function refresh() {
    const rest = remaining();
    if (clock.now() >= warnUntil)
      setText(counter, rest <= COUNT_FROM ? strings.charactersLeft(rest) : "");
    counter.classList.toggle("over", rest < 0);
    box.ariaInvalid = rest < 0;
    box.placeholder =
      innerWidth < NARROW_PX ? strings.messageShort : box.ariaLabel;
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight + 2}px`;
    Papo.scroll.update();
  }

  function endWarning() {
    warnUntil = 0;
    refresh();
  }

  function changed() {
    storage.session[box.value ? "set" : "remove"](draft, box.value);
    refresh();
  }

  function write(text) {
    box.value = text;
    box.focus();
    changed();
  }

  // Brings back the last message as an edit; a command, or a message that was not taken, as it was typed.
  function recall() {
    const last = hooks.lastOwnText();
    write(
      last && (!lastSent || lastSent === last) ? `/editar ${last}` : lastSent,
    );
  }

  function submit(event) {
    event.preventDefault();
    const text = box.value.trim();
    const room = draft;
    if (text === "" || remaining() < 0 || hooks.onSend(text) === false) return;
    lastSent = wellFormed(text);
    storage.session.remove(room);
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

  on(window, "resize", refresh);

  Papo.composer = {
    box,
    hooks,
    write,
    // Puts a text before what is being written.
    takeBack: (text) => write([text, box.value].filter(Boolean).join("\n")),
    open(roomKey) {
      draft = `draft.${roomKey}`;
      box.value = storage.session.get(draft) ?? "";
      refresh();
    },
    warn(text, ms) {
      warnUntil = clock.now() + ms;
      setText(counter, text);
      clearTimeout(warnTimer);
      warnTimer = setTimeout(endWarning, ms);
    },
    setLimit(characters) {
      limit = characters;
      refresh();
    },
  };
}
