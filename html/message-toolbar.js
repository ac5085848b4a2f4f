"use strict";
{
  const {
    strings,
    commands,
    composer,
    scroll: { box, articles },
    message: { shownBy },
    dom: { find, on, copy },
  } = Papo;

  // What a line leaves free above its letters.
  const OVERLAP_PX = 3;

  const [strip, copyIt, editIt, eraseIt] = [
    "gestos",
    "copiar",
    "editar",
    "apagar",
  ].map(find);
  let pointed = null;

  function point(node) {
    pointed = node;
    strip.hidden = !node?.isConnected;
    if (strip.hidden) return;
    const { seq, mine, erased } = shownBy.get(node);
    eraseIt.hidden = !seq || !mine || erased;
    editIt.hidden = eraseIt.hidden || seq !== commands.lastOwn()?.seq;
    const [text, frame, outer] = [
      node.querySelector(".text"),
      box,
      box.parentNode,
    ].map((each) => each.getBoundingClientRect());
    strip.style.top = `${Math.max(text.top + OVERLAP_PX - strip.offsetHeight, frame.top) - outer.top}px`;
    strip.style.right = `${outer.right - text.right}px`;
  }

  function copySelection(event) {
    const selection = getSelection();
    const nodes = articles().filter((node) =>
      selection.containsNode(node, true),
    );
    if (selection.isCollapsed || nodes.length < 2) return;
    event.preventDefault();
    event.clipboardData.setData(
      "text/plain",
      nodes.map((node) => strings.copiedLine(shownBy.get(node))).join("\n"),
    );
  }

  function step(event) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by || event.altKey || event.target.closest("pre")) return;
    const all = articles();
    const index = all.indexOf(event.target.closest("article"));
    const next = index < 0 ? all.at(-1) : all[index + by];
    if (!next) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
    point(next);
  }

  const article = ({ target }) => target.closest("article");
  on(box, "pointerover", (event) => point(article(event) ?? pointed));
  on(box, "focusin", (event) => point(article(event)));
  on(box, "scroll", () => point(null));
  on(box.parentNode, "pointerleave", () => point(null));
  on(box, "keydown", step);
  on(copyIt, "click", () => copy(shownBy.get(pointed).text, copyIt));
  on(editIt, "click", () =>
    composer.write(`/editar ${shownBy.get(pointed).text}`),
  );
  on(eraseIt, "click", () => {
    commands.eraseOwn(shownBy.get(pointed).seq);
    point(null);
  });
  on(document, "copy", copySelection);
}
