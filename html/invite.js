"use strict";
{
  const {
    address,
    dom: { find, on, setText, copy },
  } = Papo;
  // QR code as rows of modules (ISO/IEC 18004): byte mode, version 5, level L, mask 0.
  const SIZE = 37;
  const EC_CODEWORDS = 26;
  const DATA_CODEWORDS = 108;
  const FORMAT = 0b111011111000100;

  const EXP = [];
  const LOG = [];
  let power = 1;
  for (let i = 0; i < 255; i += 1) {
    EXP[i] = power;
    LOG[power] = i;
    power = (power * 2) ^ (power > 127 ? 0x11d : 0);
  }
  const multiply = (a, b) => (a && b ? EXP[(LOG[a] + LOG[b]) % 255] : 0);

  function errorCorrection(data) {
    let generator = [1];
    for (let i = 0; i < EC_CODEWORDS; i += 1)
      generator = [...generator, 0].map(
        (value, j) => value ^ multiply(generator[j - 1], EXP[i]),
      );
    const remainder = [...data, ...Array(EC_CODEWORDS).fill(0)];
    data.forEach((_, i) => {
      const factor = remainder[i];
      generator.forEach(
        (value, j) => (remainder[i + j] ^= multiply(value, factor)),
      );
    });
    return remainder.slice(data.length);
  }

  const binary = (value) => value.toString(2).padStart(8, "0");

  function bitsOf(bytes) {
    const bits = `0100${[bytes.length, ...bytes].map(binary).join("")}0000`;
    const data = bits.match(/.{8}/gu).map((byte) => parseInt(byte, 2));
    for (let i = 0; data.length < DATA_CODEWORDS; i += 1)
      data.push(i % 2 ? 0x11 : 0xec);
    return [...data, ...errorCorrection(data)].map(binary).join("");
  }

  function functionPatterns() {
    const rows = Array.from({ length: SIZE }, () =>
      Array(SIZE).fill(undefined),
    );
    const square = (cx, cy, radius, light) => {
      for (let y = cy - radius; y <= cy + radius; y += 1) {
        for (let x = cx - radius; x <= cx + radius; x += 1) {
          if (rows[y] && x in rows[y])
            rows[y][x] = !light.includes(
              Math.max(Math.abs(x - cx), Math.abs(y - cy)),
            );
        }
      }
    };
    for (let i = 0; i < SIZE; i += 1) rows[6][i] = rows[i][6] = i % 2 === 0;
    for (const [x, y] of [
      [3, 3],
      [SIZE - 4, 3],
      [3, SIZE - 4],
    ])
      square(x, y, 4, [2, 4]);
    square(SIZE - 7, SIZE - 7, 2, [1]);
    for (let i = 0; i < 15; i += 1) {
      const down = i < 6 ? i : i < 8 ? i + 1 : SIZE - 15 + i;
      const left = i < 8 ? SIZE - 1 - i : i < 9 ? 7 : 14 - i;
      rows[down][8] = rows[8][left] = Boolean((FORMAT >> i) & 1);
    }
    rows[SIZE - 8][8] = true;
    return rows;
  }

  function qrCode(text) {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length + 2 > DATA_CODEWORDS) return null;
    const bits = bitsOf(bytes);
    const rows = functionPatterns();
    let bit = 0;
    let up = true;
    for (let right = SIZE - 1; right > 0; right -= 2) {
      if (right === 6) right = 5;
      for (let i = 0; i < SIZE; i += 1) {
        const y = up ? SIZE - 1 - i : i;
        for (const x of [right, right - 1])
          rows[y][x] ??= (bits[bit++] === "1") === ((x + y) % 2 === 1);
      }
      up = !up;
    }
    return rows;
  }

  let link = "";

  Papo.showInvitation = (server, room) => {
    link = address.invitation(server, room);
    setText(find("link"), link.replace(/^https?:\/\/|\/$/gu, ""));
    const rows = qrCode(link) ?? qrCode(link.replace(/#.*/u, "")) ?? [];
    const squares = rows.flatMap((row, y) =>
      row.map((dark, x) => (dark ? `M${x},${y}h1v1h-1z` : "")),
    );
    find("qr").firstChild.setAttribute("d", squares.join(""));
  };

  on(find("copiar-link"), "click", ({ target }) => copy(link, target));
}
