// What the browser remembers. A file, or a strict browser, may be denied storage: then memory serves. Never knows what
// it means.
"use strict";

{
const PREFIX = "papo.";
// 192 random bits; the protocol asks for 128.
const TOKEN_BYTES = 24;
const ID_BYTES = 12;

// One of the browser's two storages, or a stand-in in memory. Every access may throw, not only the first.
function shelf(area) {
	const memory = new Map();
	function attempt(act) {
		try {
			return act(window[area]);
		} catch {
			return undefined;
		}
	}
	const shelf = {
		get: (key) => memory.get(key) ?? attempt((store) => store.getItem(PREFIX + key)) ?? null,
		set(key, value) {
			memory.set(key, value);
			attempt((store) => {
				store.setItem(PREFIX + key, value);
				memory.delete(key);
			});
		},
		remove(key) {
			memory.delete(key);
			attempt((store) => store.removeItem(PREFIX + key));
		},
		read: (key) => attempt(() => JSON.parse(shelf.get(key))) ?? undefined,
		keys(start) {
			const stored = attempt((store) => Object.keys(store).map((key) => key.slice(PREFIX.length))) ?? [];
			return [...memory.keys(), ...stored].filter((key) => key.startsWith(start));
		},
	};
	return shelf;
}

// `crypto.randomUUID` is missing on plain http; this is everywhere.
function randomHex(bytes) {
	const random = crypto.getRandomValues(new Uint8Array(bytes));
	return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// `kept` outlives the browser and is shared by all tabs; `tab` outlives a reload of this tab only.
const [kept, tab] = [shelf("localStorage"), shelf("sessionStorage")];

function token() {
	if (!kept.get("token")) kept.set("token", randomHex(TOKEN_BYTES));
	return kept.get("token");
}

Papo.storage = { kept, tab, token, newId: () => randomHex(ID_BYTES) };
}
