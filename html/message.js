"use strict";
{
  const {
    strings,
    dom: { element, button },
    text: { toNodes, isOnlyEmoji },
  } = Papo;
  const MAX_ROWS = 15;
  const CHARACTERS_PER_ROW = 80;

  const entryOf = new WeakMap();

  function time(at) {
    const dateTime = new Date(at).toISOString();
    const title = strings.instant(at);
    return element(
      "time",
      { className: "time", dateTime, title },
      strings.time(at),
    );
  }

  const author = (name) =>
    element("span", `author ${Papo.names.colour(name)}`, name);
  const heading = (who, at) => element("h3", "heading", who, " ", time(at));
  const separator = (className, text) =>
    element("h2", `separator ${className}`, element("span", "", text));

  function isLong(text) {
    const rows = text
      .split("\n")
      .map((line) => Math.max(1, Math.ceil(line.length / CHARACTERS_PER_ROW)));
    return rows.reduce((sum, each) => sum + each) > MAX_ROWS;
  }

  function body(text, children) {
    return element(
      "div",
      { className: isOnlyEmoji(text) ? "text emoji" : "text", dir: "auto" },
      ...children,
    );
  }

  function article(entry, className, label, ...children) {
    const node = element(
      "article",
      { className: `message ${className}`, ariaLabel: label, tabIndex: -1 },
      ...children,
    );
    entryOf.set(node, entry);
    if (!isLong(entry.text)) return node;
    node.classList.add("folded");
    const more = button("link", strings.showAll, () => {
      more.textContent = node.classList.toggle("folded")
        ? strings.showAll
        : strings.showLess;
    });
    node.querySelector(".text").after(more);
    return node;
  }

  function message(entry, quote = []) {
    const {
      from,
      at,
      text,
      action,
      people,
      me,
      mine,
      mentionsMe,
      edited,
      erased,
    } = entry;
    const nodes = toNodes(text, people, me);
    const label = strings.messageOf(from, at);
    if (edited || erased)
      nodes.push(
        element(
          "small",
          "hint",
          erased ? strings.erased : ` ${strings.edited}`,
        ),
      );
    if (action)
      return article(
        entry,
        "action",
        label,
        ...quote,
        body("", [author(from), " ", ...nodes, " ", time(at)]),
      );
    const className = mine ? "mine" : mentionsMe ? "mentions-me" : "";
    return article(
      entry,
      className,
      label,
      heading(author(from), at),
      ...quote,
      body(text, nodes),
    );
  }

  function whisper({ label, at, text }) {
    const entry = { from: label.replace(/:$/u, ""), at, text };
    const top = heading(element("span", "author colour-6", label), at);
    return article(
      entry,
      "whisper",
      `${label} ${strings.time(at)}`,
      top,
      body(text, toNodes(text)),
      element("p", "hint", strings.whisperHint),
    );
  }

  const notice = (text, at) =>
    at
      ? element("p", "notice presence", text, " · ", time(at))
      : element("p", "notice note", text);

  function deliveryState(
    { state, reason, id },
    { onRetry, onTakeBack, onDiscard },
  ) {
    if (state !== "failed") {
      return element(
        "p",
        "delivery",
        element("span", "sending", strings.sending),
        element("span", "waiting", strings.waiting),
      );
    }
    const retry = button("link", strings.retry, () => onRetry(id));
    const takeBack = button("link", strings.takeBack, () => onTakeBack(id));
    const discard = button("link", strings.discard, () => onDiscard(id));
    return element(
      "p",
      { className: "delivery failed", role: "alert" },
      `${strings.notSent} · ${reason} `,
      retry,
      " · ",
      takeBack,
      " · ",
      discard,
    );
  }

  const isChange = ({ edits, erases }) => Boolean(edits || erases?.length);

  function applyChange(
    entry,
    { seq, edits, erases, text, people, mentionsMe },
  ) {
    if (entry.seq >= seq || isChange(entry) || entry.erased) return entry;
    if (erases?.includes(entry.seq))
      return { ...entry, text: "", mentionsMe: false, erased: true };
    return edits === entry.seq && text
      ? { ...entry, text, people, mentionsMe, edited: true }
      : entry;
  }

  Papo.message = {
    message,
    whisper,
    notice,
    separator,
    deliveryState,
    isChange,
    applyChange,
    entryOf,
  };
}
