"use strict";
{
  const {
    strings,
    commands,
    composer,
    scroll: { box, articles },
    message: { entryOf },
    dom: { find, on, copy },
  } = Papo;

  // Free space above the text of a line, which the toolbar may cover.
  const OVERLAP_PX = 3;

  const toolbar = find("gestos");
  const copyButton = find("copiar");
  const editButton = find("editar");
  const eraseButton = find("apagar");
  let target = null;

  function showFor(node) {
    target = node;
    toolbar.hidden = !node?.isConnected;
    if (toolbar.hidden) return;
    const { seq, mine, erased } = entryOf.get(node);
    eraseButton.hidden = !seq || !mine || erased;
    editButton.hidden = eraseButton.hidden || seq !== commands.lastOwn()?.seq;
    const text = node.querySelector(".text").getBoundingClientRect();
    const frame = box.getBoundingClientRect();
    const outer = box.parentNode.getBoundingClientRect();
    toolbar.style.top = `${Math.max(text.top + OVERLAP_PX - toolbar.offsetHeight, frame.top) - outer.top}px`;
    toolbar.style.right = `${outer.right - text.right}px`;
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
      nodes.map((node) => strings.copiedLine(entryOf.get(node))).join("\n"),
    );
  }

  function moveFocus(event) {
    const offset = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!offset || event.altKey || event.target.closest("pre")) return;
    const all = articles();
    const index = all.indexOf(event.target.closest("article"));
    const next = index < 0 ? all.at(-1) : all[index + offset];
    if (!next) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
    showFor(next);
  }

  const article = ({ target }) => target.closest("article");
  on(box, "pointerover", (event) => showFor(article(event) ?? target));
  on(box, "focusin", (event) => showFor(article(event)));
  on(box, "scroll", () => showFor(null));
  on(box.parentNode, "pointerleave", () => showFor(null));
  on(box, "keydown", moveFocus);
  on(copyButton, "click", () => copy(entryOf.get(target).text, copyButton));
  on(editButton, "click", () =>
    composer.write(`/editar ${entryOf.get(target).text}`),
  );
  on(eraseButton, "click", () => {
    commands.eraseOwn(entryOf.get(target).seq);
    showFor(null);
  });
  on(document, "copy", copySelection);
}
