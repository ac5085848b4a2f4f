"use strict";
{
  const COPIED_MS = 1_500;
  const HIDDEN_FRAME_MS = 250;

  const find = (id) => document.getElementById(id);

  function on(target, types, act) {
    for (const type of types.split(" ")) target.addEventListener(type, act);
  }

  function element(tag, its, ...children) {
    const node = document.createElement(tag);
    Object.assign(node, typeof its === "string" ? { className: its } : its);
    node.append(...children);
    return node;
  }

  function button(className, label, act) {
    const node = element("button", className, label);
    node.type = "button";
    on(node, "click", act);
    return node;
  }

  function say(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function redraw(list, items) {
    const key =
      list.contains(document.activeElement) &&
      document.activeElement.dataset.key;
    list.replaceChildren(...items);
    if (key) list.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  function perFrame(work) {
    let planned = false;
    const run = () => {
      planned = false;
      work();
    };
    return () => {
      if (!planned)
        document.hidden
          ? setTimeout(run, HIDDEN_FRAME_MS)
          : requestAnimationFrame(run);
      planned = true;
    };
  }

  async function copy(text, node) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = element("textarea", "offscreen", text);
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      node.focus({ preventScroll: true });
    }
    const { copied } = Papo.strings;
    const label = node.textContent;
    say(node, copied);
    setTimeout(() => label !== copied && say(node, label), COPIED_MS);
  }

  Papo.dom = { find, on, element, button, say, redraw, perFrame, copy };
}
