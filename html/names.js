// Names of people and rooms, as far as the page must judge them: the server has the last word.
// Knows Unicode; must never know who is present.
"use strict";

(() => {
  const { LIMITS } = Papo.protocol;
  const NAME = /^[\p{L}\p{M}\p{N}.\-_' ]+$/u;
  const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;
  // The accents of scripts that have upper and lower case. Vowel signs of other scripts are marks too, but are letters
  // to those who read them.
  const ACCENTS = /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]/g;
  // As many as the style sheet has.
  const COLOURS = 8;

  // The form under which two spellings count as the same: `José`, `JOSE` and `jose`.
  function fold(name) {
    return name.normalize("NFKD").replace(ACCENTS, "").toUpperCase().toLowerCase();
  }

  function clean(name) {
    return name.normalize("NFC").trim().replace(/\s+/gu, " ");
  }

  function isName(name) {
    return NAME.test(name) && LETTER_OR_DIGIT.test(name) && [...name].length <= LIMITS.name;
  }

  // The same person has the same colour on every screen: FNV-1a (32 bits) of the folded name's UTF-8 bytes.
  function colour(name) {
    let hash = 0x811c9dc5;
    for (const byte of new TextEncoder().encode(fold(name))) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    return hash % COLOURS;
  }

  // Splits "Ana Maria oi" into a name and the rest. Names may have spaces, so the longest present one wins; quotes
  // settle any doubt. Without either, the first word is taken for the name.
  function splitName(text, present) {
    const quoted = /^["“”]([^"“”]+)["“”]\s*([^]*)$/u.exec(text);
    if (quoted) return { name: clean(quoted[1]), rest: quoted[2].trim() };
    const longestFirst = [...present].sort((a, b) => b.length - a.length);
    for (const name of longestFirst) {
      const start = text.slice(0, name.length);
      const after = text.slice(name.length);
      if (fold(start) === fold(name) && /^(\s|$)/u.test(after)) return { name, rest: after.trim() };
    }
    const [first] = text.split(/\s/u, 1);
    return { name: first, rest: text.slice(first.length).trim() };
  }

  Papo.names = Object.freeze({ fold, clean, isName, colour, splitName });
})();
