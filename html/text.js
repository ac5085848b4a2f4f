// What people write, as nodes of the page. Text only ever becomes text nodes, and links only lead to http and https and
// show their whole address, so they can't lie. Knows texts; must never know who wrote them, nor make HTML from strings.
"use strict";

(() => {
  const LINK = /\bhttps?:\/\/[^\s<>"“”]+/giu;
  // What usually belongs to the sentence around a link and not to the link.
  const SENTENCE_END = /[.,;:!?'’…*_~]+$/u;
  const BRACKETS = { ")": "(", "]": "[", "}": "{" };

  // Takes off the point that ends the sentence and the bracket that was opened before the link.
  function trimLink(raw) {
    let link = raw.replace(SENTENCE_END, "");
    for (let last = link.at(-1); last in BRACKETS; last = link.at(-1)) {
      const opened = link.split(BRACKETS[last]).length;
      const closed = link.split(last).length;
      if (closed <= opened) break;
      link = link.slice(0, -1).replace(SENTENCE_END, "");
    }
    return link;
  }

  function isWebAddress(link) {
    try {
      const { protocol, hostname } = new URL(link);
      return (protocol === "http:" || protocol === "https:") && hostname !== "";
    } catch {
      return false;
    }
  }

  function anchor(link) {
    const node = document.createElement("a");
    node.href = link;
    node.target = "_blank";
    node.rel = "noopener noreferrer";
    node.textContent = link;
    return node;
  }

  // The text as a fragment of text nodes and links. Line breaks stay characters: the style sheet shows them.
  function toNodes(text) {
    const fragment = document.createDocumentFragment();
    let done = 0;
    for (const match of text.matchAll(LINK)) {
      const link = trimLink(match[0]);
      if (!isWebAddress(link)) continue;
      fragment.append(text.slice(done, match.index), anchor(link));
      done = match.index + link.length;
    }
    fragment.append(text.slice(done));
    return fragment;
  }

  Papo.text = Object.freeze({ toNodes });
})();
