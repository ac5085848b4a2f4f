"use strict";
{
  const { LIMITS, wellFormed } = Papo.protocol;
  const WORD = /^[\p{L}\p{N}_]/u;
  const ACCENTS =
    /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]/g;
  const COLOURS = 8;

  const fold = (name) =>
    name.normalize("NFKD").replace(ACCENTS, "").toUpperCase().toLowerCase();
  const clean = (name) =>
    wellFormed(name).normalize("NFC").trim().replace(/\s+/gu, " ");

  function colour(name) {
    let hash = 0x811c9dc5;
    for (const byte of new TextEncoder().encode(fold(name)))
      hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    return `colour-${hash % COLOURS}`;
  }

  function nameAt(text, start, keys) {
    for (
      let end = Math.min(start + 2 * LIMITS.name, text.length);
      end > start;
      end -= 1
    ) {
      const name = text.slice(start, end);
      if (!WORD.test(text.slice(end, end + 2)) && keys.has(fold(name)))
        return name;
    }
    return "";
  }

  const isMentioned = (text, keys, me) =>
    [...text.matchAll(/@/gu)].some(
      ({ index }) => fold(nameAt(text, index + 1, keys)) === me,
    );

  Papo.names = { WORD, fold, clean, colour, nameAt, isMentioned };
}
