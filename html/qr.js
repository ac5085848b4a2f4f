// A QR code of a text, as rows of dark and light modules: byte mode, level L, versions 1 to 10 (271 bytes).
// Knows the standard, ISO/IEC 18004; never what the text is or how it is drawn.
"use strict";

(() => {
	// By version: check words of a block, blocks. Level L loses a fifteenth of the code, enough on a screen.
	const BLOCKS = [[7, 1], [10, 1], [15, 1], [20, 1], [26, 1], [18, 2], [20, 2], [24, 2], [30, 2], [18, 4]];
	const WORDS = [26, 44, 70, 100, 134, 172, 196, 242, 292, 346];
	const MASKS = [
		(x, y) => (x + y) % 2, (x, y) => y % 2, (x) => x % 3, (x, y) => (x + y) % 3,
		(x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2, (x, y) => ((x * y) % 2) + ((x * y) % 3),
		(x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2,
	];

	// Powers of two in the field of 256 elements with the polynomial 0x11d, and their logarithms.
	const [POWER, LOG] = [[], []];
	for (let i = 0, value = 1; i < 255; i += 1) {
		[POWER[i], LOG[value]] = [value, i];
		value = value < 128 ? value * 2 : (value * 2) ^ 0x11d;
	}
	const times = (a, b) => (a && b ? POWER[(LOG[a] + LOG[b]) % 255] : 0);

	// The check words of a block (Reed-Solomon).
	function checkWords(data, count) {
		let generator = [1];
		for (let i = 0; i < count; i += 1) {
			const next = [...generator, 0];
			generator.forEach((value, j) => (next[j + 1] ^= times(value, POWER[i])));
			generator = next;
		}
		const rest = [...data, ...Array(count).fill(0)];
		for (let i = 0; i < data.length; i += 1) {
			const factor = rest[i];
			generator.forEach((value, j) => (rest[i + j] ^= times(value, factor)));
		}
		return rest.slice(data.length);
	}

	// A value followed by its remainder of `bits` bits (BCH).
	function withRemainder(value, polynomial, bits) {
		let rest = value << bits;
		for (let bit = 31; bit >= bits; bit -= 1) if ((rest >>> bit) & 1) rest ^= polynomial << (bit - bits);
		return (value << bits) | rest;
	}

	// All words of the code, data and checks of the blocks interleaved.
	function words(bytes, version) {
		const [checks, blocks] = BLOCKS[version - 1];
		const capacity = WORDS[version - 1] - checks * blocks;
		const lengthBits = version < 10 ? 8 : 16;
		const bits = "0100" + bytes.length.toString(2).padStart(lengthBits, "0")
			+ Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("") + "0000";
		const data = bits.match(/.{1,8}/gu).map((byte) => parseInt(byte.padEnd(8, "0"), 2)).slice(0, capacity);
		for (let i = 0; data.length < capacity; i += 1) data.push(i % 2 ? 0x11 : 0xec);
		const parts = [];
		for (let i = 0; i < blocks; i += 1) parts.push(data.splice(0, Math.floor(data.length / (blocks - i))));
		const weave = (lists) => Array.from({ length: Math.max(...lists.map((list) => list.length)) }, (_, i) =>
			lists.map((list) => list[i])).flat().filter((word) => word !== undefined);
		return [...weave(parts), ...weave(parts.map((part) => checkWords(part, checks)))];
	}

	// The modules that every code of this version has; all others are undefined.
	function frame(version) {
		const size = 17 + 4 * version;
		const rows = Array.from({ length: size }, () => Array(size));
		const square = (cx, cy, radius, light) => {
			for (let y = Math.max(cy - radius, 0); y <= Math.min(cy + radius, size - 1); y += 1) {
				for (let x = Math.max(cx - radius, 0); x <= Math.min(cx + radius, size - 1); x += 1) {
					rows[y][x] = !light.includes(Math.max(Math.abs(x - cx), Math.abs(y - cy)));
				}
			}
		};
		for (let i = 8; i < size - 8; i += 1) rows[6][i] = rows[i][6] = i % 2 === 0;
		for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) square(x, y, 4, [2, 4]);
		const [last, middle] = [size - 7, (size - 1) / 2];
		const places = version < 2 ? [] : version < 7 ? [6, last] : [6, middle, last];
		for (const x of places) for (const y of places) if (!(rows[y][x] !== undefined && (x === 6 || y === 6) && (x !== middle && y !== middle))) square(x, y, 2, [1]);
		if (version >= 7) {
			const bits = withRemainder(version, 0x1f25, 12);
			for (let i = 0; i < 18; i += 1) {
				const [far, near] = [size - 11 + (i % 3), Math.floor(i / 3)];
				rows[near][far] = rows[far][near] = ((bits >>> i) & 1) === 1;
			}
		}
		putFormat(rows, 0);
		return rows;
	}

	// Level L and the mask, twice, and the module that is always dark.
	function putFormat(rows, mask) {
		const size = rows.length;
		const bits = withRemainder(0b01000 | mask, 0x537, 10) ^ 0x5412;
		for (let i = 0; i < 15; i += 1) {
			const dark = ((bits >>> i) & 1) === 1;
			const [down, left] = [i < 6 ? i : i < 8 ? i + 1 : size - 15 + i, i < 8 ? size - 1 - i : i < 9 ? 7 : 14 - i];
			rows[down][8] = rows[8][left] = dark;
		}
		rows[size - 8][8] = true;
	}

	// How hard a code is to read: long runs, squares of one colour, what looks like a corner, too much of one colour.
	function penalty(rows) {
		const lines = [...rows, ...rows[0].map((_, x) => rows.map((row) => row[x]))].map((line) => line.map(Number).join(""));
		let sum = 0;
		for (const line of lines) {
			for (const [run] of line.matchAll(/0{5,}|1{5,}/gu)) sum += run.length - 2;
			sum += 40 * (line.match(/(?=10111010000|00001011101)/gu)?.length ?? 0);
		}
		for (let y = 1; y < rows.length; y += 1) {
			for (let x = 1; x < rows.length; x += 1) {
				const same = [rows[y - 1][x], rows[y][x - 1], rows[y - 1][x - 1]].every((module) => module === rows[y][x]);
				if (same) sum += 3;
			}
		}
		const dark = rows.flat().filter(Boolean).length / rows.length ** 2;
		return sum + 10 * Math.floor(Math.abs(dark - 0.5) * 20);
	}

	// Upwards and downwards in columns of two, from the right, around what the frame has.
	function fill(base, stream, mask) {
		const rows = base.map((row) => [...row]);
		let [bit, up] = [0, true];
		for (let right = rows.length - 1; right > 0; right -= right === 8 ? 3 : 2) {
			if (right === 6) right = 5;
			for (let i = 0; i < rows.length; i += 1) {
				const y = up ? rows.length - 1 - i : i;
				for (const x of [right, right - 1]) {
					if (base[y][x] !== undefined) continue;
					const dark = ((stream[bit >>> 3] ?? 0) >>> (7 - (bit % 8))) & 1;
					rows[y][x] = (dark === 1) !== (MASKS[mask](x, y) === 0);
					bit += 1;
				}
			}
			up = !up;
		}
		putFormat(rows, mask);
		return rows;
	}

	// Rows of modules, true for dark; null if the text is too long.
	function encode(text) {
		const bytes = new TextEncoder().encode(text);
		const version = WORDS.findIndex((total, i) => bytes.length + (i < 9 ? 2 : 3) <= total - BLOCKS[i][0] * BLOCKS[i][1]) + 1;
		if (version === 0) return null;
		const [base, stream] = [frame(version), words(bytes, version)];
		const codes = MASKS.map((_, mask) => fill(base, stream, mask));
		return codes.reduce((best, code) => (penalty(code) < penalty(best) ? code : best));
	}

	Papo.qr = { encode };
})();
