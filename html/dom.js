"use strict";
{
  const COPIED_MS = 1_500;
  const HIDDEN_FRAME_MS = 250;

  const find = (id) => document.getElementById(id);

  function on(target, types, handler) {
    for (const type of types.split(" ")) target.addEventListener(type, handler);
  }

  function element(tag, properties, ...children) {
    const node = document.createElement(tag);
    Object.assign(
      node,
      typeof properties === "string" ? { className: properties } : properties,
    );
    node.append(...children);
    return node;
  }

  function button(className, label, handler) {
    const node = element("button", className, label);
    node.type = "button";
    on(node, "click", handler);
    return node;
  }

  function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function replaceItems(list, items) {
    const key =
      list.contains(document.activeElement) &&
      document.activeElement.dataset.key;
    list.replaceChildren(...items);
    if (key) list.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  function oncePerFrame(work) {
    let scheduled = false;
    const run = () => {
      scheduled = false;
      work();
    };
    return () => {
      if (!scheduled)
        document.hidden
          ? setTimeout(run, HIDDEN_FRAME_MS)
          : requestAnimationFrame(run);
      scheduled = true;
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
    setText(node, copied);
    setTimeout(() => label !== copied && setText(node, label), COPIED_MS);
  }

  Papo.dom = {
    find,
    on,
    element,
    button,
    setText,
    replaceItems,
    oncePerFrame,
    copy,
  };
}
