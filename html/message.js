"use strict";
{
  const {
    strings,
    dom: { element, button },
    text: { toNodes, isOnlyEmoji },
  } = Papo;
  const MOST_ROWS = 15;
  const ROW_CHARACTERS = 80;

  const shownBy = new WeakMap();

  function time(at) {
    const [dateTime, title] = [new Date(at).toISOString(), strings.instant(at)];
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
      .map((line) => Math.max(1, Math.ceil(line.length / ROW_CHARACTERS)));
    return rows.reduce((sum, each) => sum + each) > MOST_ROWS;
  }

  function body(text, children) {
    return element(
      "div",
      { className: isOnlyEmoji(text) ? "text emoji" : "text", dir: "auto" },
      ...children,
    );
  }

  function article(shown, className, label, ...children) {
    const node = element(
      "article",
      { className: `message ${className}`, ariaLabel: label, tabIndex: -1 },
      ...children,
    );
    shownBy.set(node, shown);
    if (!isLong(shown.text)) return node;
    node.classList.add("folded");
    const more = button("link", strings.showAll, () => {
      more.textContent = node.classList.toggle("folded")
        ? strings.showAll
        : strings.showLess;
    });
    node.querySelector(".text").after(more);
    return node;
  }

  function message(shown, quote = []) {
    const { from, at, text, action, people, me, mine, forMe, edited, erased } =
      shown;
    const [nodes, label] = [
      toNodes(text, people, me),
      strings.messageOf(from, at),
    ];
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
        shown,
        "action",
        label,
        ...quote,
        body("", [author(from), " ", ...nodes, " ", time(at)]),
      );
    const className = mine ? "mine" : forMe ? "for-me" : "";
    return article(
      shown,
      className,
      label,
      heading(author(from), at),
      ...quote,
      body(text, nodes),
    );
  }

  function whisper({ label, at, text }) {
    const shown = { from: label.replace(/:$/u, ""), at, text };
    const top = heading(element("span", "author colour-6", label), at);
    return article(
      shown,
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

  function fate({ state, reason, id }, { onRetry, onDiscard }) {
    if (state !== "failed") {
      return element(
        "p",
        "fate",
        element("span", "sending", strings.sending),
        element("span", "waiting", strings.waiting),
      );
    }
    const [retry, discard] = [
      button("link", strings.retry, () => onRetry(id)),
      button("link", strings.discard, () => onDiscard(id)),
    ];
    return element(
      "p",
      { className: "fate failed", role: "alert" },
      `${strings.notSent} · ${reason} `,
      retry,
      " · ",
      discard,
    );
  }

  const isChange = ({ edits, erases }) => Boolean(edits || erases?.length);

  function changedBy(entry, { seq, edits, erases, text, people, forMe }) {
    if (entry.seq >= seq || isChange(entry) || entry.erased) return entry;
    if (erases?.includes(entry.seq))
      return { ...entry, text: "", forMe: false, erased: true };
    return edits === entry.seq && text
      ? { ...entry, text, people, forMe, edited: true }
      : entry;
  }

  Papo.message = {
    message,
    whisper,
    notice,
    separator,
    fate,
    isChange,
    changedBy,
    shownBy,
  };
}
