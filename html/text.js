"use strict";
{
  const {
    dom: { element, button, copy },
    names: { nameAt, fold, WORD },
  } = Papo;
  const IN_LINK = '[^\\s<>"“”`()]';
  const LINK = `https?:\\/\\/(?:${IN_LINK}|\\(${IN_LINK}*\\))*(?:[^\\s<>"“”\`()\\]}.,;:!?'’…*_~]|\\(${IN_LINK}*\\))`;
  const TOKEN = new RegExp(
    [
      "```(?:[\\w+#-]*\\n)?|`|\\*\\*?|~~|\\n|@",
      LINK,
      "#(?=\\p{L})[\\p{L}\\p{M}\\p{N}_-]{1,32}",
      "[\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069]",
    ].join("|"),
    "giu",
  );
  const TAGS = { "**": "strong", "*": "em", "~~": "s" };
  const WORD_END = /[\p{L}\p{N}_]$/u;
  const ONLY_EMOJI = /^(?:\s*\p{RGI_Emoji}){1,3}\s*$/v;
  const MAX_DEPTH = 2;
  const MAX_MENTIONS = 50;

  function anchor(link) {
    if (!URL.canParse(link)) return link;
    return element(
      "a",
      { href: link, target: "_blank", rel: "noopener noreferrer" },
      link,
    );
  }

  function block(code) {
    const text = code.replace(/\n$/u, "");
    const pre = element("pre", { tabIndex: 0 }, element("code", "", text));
    return element(
      "div",
      "block",
      pre,
      button("copy-code small", Papo.strings.copy, ({ target }) =>
        copy(text, target),
      ),
    );
  }

  function plainToken(token) {
    if (/^h/iu.test(token)) return anchor(token);
    if (token[0] !== "#")
      return element(
        "span",
        "control",
        `U+${token.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
      );
    return element(
      "a",
      { href: `#${encodeURIComponent(token.slice(1))}` },
      token,
    );
  }

  function toNodes(text, people = new Set(), me = null) {
    const out = [];
    const open = [];
    const unclosed = new Set();
    let emitted = 0;
    let mentions = 0;
    const before = (at) => text.slice(Math.max(0, at - 2), at);
    const after = (at) => text.slice(at, at + 2);

    function code(fence, at) {
      const marker = fence.length > 1 ? "```" : "`";
      const start = at + fence.length;
      const end = unclosed.has(marker) ? -1 : text.indexOf(marker, start);
      if (end < 0) unclosed.add(marker);
      const inside = text.slice(start, Math.max(start, end));
      const isCode =
        inside !== "" && (marker !== "`" || !inside.includes("\n"));
      out.push(
        !isCode
          ? marker
          : marker === "`"
            ? element("code", "", inside)
            : block(inside),
      );
      if (!isCode) return marker.length;
      return (
        end +
        marker.length -
        at +
        (marker !== "`" && text[end + 3] === "\n" ? 1 : 0)
      );
    }

    function mark(marker, at) {
      const left = before(at);
      const right = after(at + marker.length);
      const depth = open.findLastIndex((each) => each.marker === marker);
      if (
        depth >= 0 &&
        /\S$/u.test(left) &&
        !WORD.test(right) &&
        open[depth].at + marker.length < at
      ) {
        const children = out.splice(open[depth].index).slice(1);
        open.length = depth;
        out.push(element(TAGS[marker], "", ...children));
        return marker.length;
      }
      if (
        depth < 0 &&
        open.length < MAX_DEPTH &&
        /^\S/u.test(right) &&
        !WORD_END.test(left)
      )
        open.push({ marker, at, index: out.length });
      out.push(marker);
      return marker.length;
    }

    function mention(at) {
      const mayBeName = !WORD_END.test(before(at)) && WORD.test(after(at + 1));
      const name =
        mayBeName && (mentions += 1) <= MAX_MENTIONS
          ? nameAt(text, at + 1, people)
          : "";
      out.push(
        name
          ? element(
              "span",
              fold(name) === me ? "mention me" : "mention",
              `@${name}`,
            )
          : "@",
      );
      return 1 + name.length;
    }

    function emit(token, at) {
      if (token in TAGS) return mark(token, at);
      if (token[0] === "`") return code(token, at);
      if (token === "@") return mention(at);
      if (token === "\n") open.length = 0;
      out.push(
        token === "\n" || WORD_END.test(before(at)) ? token : plainToken(token),
      );
      return token.length;
    }

    TOKEN.lastIndex = 0;
    for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
      out.push(text.slice(emitted, match.index));
      emitted = TOKEN.lastIndex = match.index + emit(match[0], match.index);
    }
    out.push(text.slice(emitted));
    return out;
  }

  Papo.text = {
    toNodes,
    isOnlyEmoji: (text) => text.length < 100 && ONLY_EMOJI.test(text),
  };
}
