// What the browser remembers for a person: names, drafts, unsent messages, and the secret that makes a name theirs.
// A file, or a strict browser, may be denied storage: then memory serves until the page closes.
"use strict";

(() => {
	const PREFIX = "papo.";
	// 192 random bits, above the 128 that the protocol asks for.
	const TOKEN_BYTES = 24;
	// Unique among all messages that one person will ever write.
	const ID_BYTES = 12;

	// One of the browser's two storages, or a stand-in in memory. Every access may throw, not only the first.
	class Shelf {
		#area;
		#memory = new Map();

		constructor(area) {
			this.#area = area;
		}

		get(key) {
			return this.#memory.get(key) ?? this.#attempt((area) => area.getItem(PREFIX + key)) ?? null;
		}

		set(key, value) {
			this.#memory.set(key, value);
			this.#attempt((area) => {
				area.setItem(PREFIX + key, value);
				this.#memory.delete(key);
			});
		}

		remove(key) {
			this.#memory.delete(key);
			this.#attempt((area) => area.removeItem(PREFIX + key));
		}

		// What was stored as JSON, or null.
		read(key) {
			try {
				return JSON.parse(this.get(key));
			} catch {
				return null;
			}
		}

		// The keys that begin with this, without our prefix.
		keys(start) {
			const stored = this.#attempt((area) => Object.keys(area).map((key) => key.slice(PREFIX.length))) ?? [];
			return [...this.#memory.keys(), ...stored].filter((key) => key.startsWith(start));
		}

		#attempt(act) {
			try {
				return act(window[this.#area]);
			} catch {
				return undefined;
			}
		}
	}

	// `crypto.randomUUID` is missing on plain http; this is everywhere.
	function randomHex(bytes) {
		const random = crypto.getRandomValues(new Uint8Array(bytes));
		return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
	}

	// `kept` outlives the browser and is shared by all tabs; `tab` outlives a reload of this tab only.
	const [kept, tab] = [new Shelf("localStorage"), new Shelf("sessionStorage")];

	function token() {
		if (!kept.get("token")) kept.set("token", randomHex(TOKEN_BYTES));
		return kept.get("token");
	}

	Papo.storage = { kept, tab, token, newId: () => randomHex(ID_BYTES) };
})();
