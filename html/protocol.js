"use strict";

window.Papo = {};

{
  const PROTOCOL = 1;

  // One message type per line.
  // prettier-ignore
  const CLIENT_MESSAGES = {
    enter: ["name", "token", "room", "epoch", "after", "local_key", "password", "moderator_key", "room_password", "id"],
    join: ["room", "epoch", "after", "room_password", "id"],
    leave: ["room", "id"],
    say: ["room", "id", "text", "action", "reply_to"],
    edit: ["room", "id", "seq", "text"],
    erase: ["room", "id", "seq"],
    whisper: ["to", "id", "text"],
    typing: ["room", "id"],
    history: ["room", "before", "after", "limit", "id"],
    search: ["room", "query", "limit", "id"],
    rename: ["name", "id"],
    room_password: ["room", "password", "id"],
    moderate: ["act", "room", "id", "name", "seconds", "on", "text"],
    rooms: ["id"],
    ping: ["id"],
  };

  const SERVER_MESSAGES = [
    "welcome",
    "joined",
    "left",
    "message",
    "ack",
    "presence",
    "whisper",
    "role",
    "room_state",
    "notice",
    "typing",
    "history",
    "found",
    "rooms",
    "pong",
    "error",
    "bye",
  ];

  const CLOSE_CODES = { leave: 1000, policy: 1008 };

  const LIMITS = { text: 4000, name: 24, members: 500 };

  const LOBBY = "geral";

  const MIN_WAIT_MS = 100;
  const MAX_WAIT_MS = 60_000;

  // Half of a surrogate pair, as a cut paste leaves it, is not a character, and JSON with it is refused.
  const wellFormed = (text) => text.replace(/\p{Surrogate}/gu, "\ufffd");

  const toWire = (value) =>
    typeof value === "string" ? wellFormed(value) : value;

  const encode = (type, fields = {}) =>
    JSON.stringify(
      Object.fromEntries([
        ["type", type],
        ...CLIENT_MESSAGES[type].map((name) => [name, toWire(fields[name])]),
      ]),
    );

  function decode(frame) {
    try {
      const message = JSON.parse(frame);
      return SERVER_MESSAGES.includes(message.type) ? message : null;
    } catch {
      return null;
    }
  }

  // A wait that the server asks for, whatever it says.
  const boundedWait = (ms) =>
    Math.min(Math.max(Number(ms) || 0, MIN_WAIT_MS), MAX_WAIT_MS);

  const lengthOf = (text) => [...text.normalize("NFC")].length;

  Papo.protocol = {
    PROTOCOL,
    CLOSE_CODES,
    LIMITS,
    LOBBY,
    encode,
    decode,
    lengthOf,
    wellFormed,
    boundedWait,
  };
}
