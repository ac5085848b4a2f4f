// The pieces that the conversation is made of, as nodes of the page: one function for each kind of line.
// Knows how a line looks; must never know where it stands or what came before it.
"use strict";

(() => {
  const { words } = Papo;
  const { toNodes } = Papo.text;
  const { colour } = Papo.names;

  // An element with a class and children; strings become text nodes.
  function element(tag, className, ...children) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children);
    return node;
  }

  function time(at) {
    const node = element("time", "time", words.time(at));
    node.dateTime = new Date(at).toISOString();
    node.title = words.instant(at);
    return node;
  }

  function author(name) {
    return element("span", `author colour-${colour(name)}`, name);
  }

  function body(className, ...children) {
    const node = element("p", className, ...children);
    // Arabic or Hebrew in a message must not turn its neighbours around.
    node.dir = "auto";
    return node;
  }

  // A message that the server holds, or our own on its way there.
  function message({ from, at, text, action }, mine) {
    const node = element("article", mine ? "message mine" : "message");
    node.setAttribute("aria-label", words.messageOf(from, at));
    node.title = words.instant(at);
    if (action) {
      node.classList.add("action");
      node.append(body("text", author(from), " ", toNodes(text)), time(at));
    } else {
      node.append(element("h3", "heading", author(from), " ", time(at)), body("text", toNodes(text)));
    }
    return node;
  }

  // Seen by two people only, and by nobody later.
  function whisper({ label, at, text }) {
    const node = element("article", "message whisper");
    const heading = element("h3", "heading", element("span", "author", label), " ", time(at));
    node.append(heading, body("text", toNodes(text)), element("p", "hint", words.whisperHint));
    return node;
  }

  // A grey line: who came and went, or an answer of the page itself.
  function notice(text, at) {
    const node = element("p", "notice", text);
    if (at !== undefined) node.append(" · ", time(at));
    return node;
  }

  function day(at) {
    const node = element("h2", "day", element("span", "", words.dayName(at)));
    return node;
  }

  function button(label, onClick) {
    const node = element("button", "link", label);
    node.type = "button";
    node.addEventListener("click", onClick);
    return node;
  }

  // Beside an own message: on its way, waiting for a connection (the style sheet chooses which of the two), or refused.
  function fate(item, { onRetry, onDiscard }) {
    if (item.state !== "failed") {
      const sending = element("span", "sending", words.sending);
      const waiting = element("span", "waiting", words.waiting);
      return element("p", "fate", sending, waiting);
    }
    const node = element("p", "fate failed", words.notSent, " · ", item.reason, " ");
    node.setAttribute("role", "alert");
    node.append(button(words.retry, () => onRetry(item.id)), " · ", button(words.discard, () => onDiscard(item.id)));
    return node;
  }

  Papo.line = Object.freeze({ element, message, whisper, notice, day, fate, button });
})();
