// Names of people and rooms, as far as the page must judge them: the server has the last word.
// Knows Unicode; never who is present.
"use strict";

(() => {
	const { LIMITS } = Papo.protocol;
	const NAME = /^[\p{L}\p{M}\p{N}.\-_' ]+$/u;
	const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;
	// What can't follow a name: it would be part of a longer word.
	const WORD = /^[\p{L}\p{N}_]/u;
	// The accents of scripts with upper and lower case; the vowel signs of other scripts are letters to their readers.
	const ACCENTS = /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]/g;
	// As many as the style sheet has.
	const COLOURS = 8;

	// The form under which two spellings count as the same: `José`, `JOSE` and `jose`.
	const fold = (name) => name.normalize("NFKD").replace(ACCENTS, "").toUpperCase().toLowerCase();
	const clean = (name) => name.normalize("NFC").trim().replace(/\s+/gu, " ");
	const isName = (name) => NAME.test(name) && LETTER_OR_DIGIT.test(name) && [...name].length <= LIMITS.name;

	// The same person has the same colour on every screen: FNV-1a (32 bits) of the folded name's UTF-8 bytes.
	function colour(name) {
		let hash = 0x811c9dc5;
		for (const byte of new TextEncoder().encode(fold(name))) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
		return `colour-${hash % COLOURS}`;
	}

	// The longest of these folded names that stands at this place of a text, as it is written there; or "".
	function nameAt(text, start, folded) {
		// A letter outside the basic plane, or with its accent apart, is two units long.
		for (let end = Math.min(start + 2 * LIMITS.name, text.length); end > start; end -= 1) {
			if (!WORD.test(text.slice(end, end + 2)) && folded.has(fold(text.slice(start, end)))) return text.slice(start, end);
		}
		return "";
	}

	// Whether an @ in a text means this person.
	function speaksTo(text, folded, me) {
		for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
			if (fold(nameAt(text, at + 1, folded)) === me) return true;
		}
		return false;
	}

	// Splits "Ana Maria oi" into a name and the rest: what stands in quotes, or the longest present name, or one word.
	function splitName(text, folded) {
		const quoted = /^["“”]([^"“”]+)["“”]/u.exec(text);
		const name = quoted ? quoted[0] : nameAt(text, 0, folded) || text.split(/\s/u, 1)[0];
		return { name: clean(quoted ? quoted[1] : name), rest: text.slice(name.length).trim() };
	}

	Papo.names = { fold, clean, isName, colour, nameAt, speaksTo, splitName };
})();
