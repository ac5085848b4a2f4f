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
  const DEEPEST = 2;
  const MOST_MENTIONS = 50;

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

  function single(token) {
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
    const [out, open, unclosed] = [[], [], new Set()];
    let [done, mentions] = [0, 0];
    const before = (at) => text.slice(Math.max(0, at - 2), at);
    const after = (at) => text.slice(at, at + 2);

    function code(fence, at) {
      const [sign, start] = [fence.length > 1 ? "```" : "`", at + fence.length];
      const end = unclosed.has(sign) ? -1 : text.indexOf(sign, start);
      if (end < 0) unclosed.add(sign);
      const inside = text.slice(start, Math.max(start, end));
      const isCode = inside !== "" && (sign !== "`" || !inside.includes("\n"));
      out.push(
        !isCode
          ? sign
          : sign === "`"
            ? element("code", "", inside)
            : block(inside),
      );
      if (!isCode) return sign.length;
      return (
        end +
        sign.length -
        at +
        (sign !== "`" && text[end + 3] === "\n" ? 1 : 0)
      );
    }

    function mark(sign, at) {
      const [left, right] = [before(at), after(at + sign.length)];
      const depth = open.findLastIndex((each) => each.sign === sign);
      if (
        depth >= 0 &&
        /\S$/u.test(left) &&
        !WORD.test(right) &&
        open[depth].at + sign.length < at
      ) {
        const children = out.splice(open[depth].place).slice(1);
        open.length = depth;
        out.push(element(TAGS[sign], "", ...children));
        return sign.length;
      }
      if (
        depth < 0 &&
        open.length < DEEPEST &&
        /^\S/u.test(right) &&
        !WORD_END.test(left)
      )
        open.push({ sign, at, place: out.length });
      out.push(sign);
      return sign.length;
    }

    function mention(at) {
      const possible = !WORD_END.test(before(at)) && WORD.test(after(at + 1));
      const name =
        possible && (mentions += 1) <= MOST_MENTIONS
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

    function write(token, at) {
      if (token in TAGS) return mark(token, at);
      if (token[0] === "`") return code(token, at);
      if (token === "@") return mention(at);
      if (token === "\n") open.length = 0;
      out.push(
        token === "\n" || WORD_END.test(before(at)) ? token : single(token),
      );
      return token.length;
    }

    TOKEN.lastIndex = 0;
    for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
      out.push(text.slice(done, match.index));
      done = TOKEN.lastIndex = match.index + write(match[0], match.index);
    }
    out.push(text.slice(done));
    return out;
  }

  Papo.text = {
    toNodes,
    isOnlyEmoji: (text) => text.length < 100 && ONLY_EMOJI.test(text),
  };
}
