// The language of the wire, version 1: the mirror of `src/protocol`; a test compares them.
"use strict";

window.Papo = {};

{
const PROTOCOL = 1;

const CLIENT_MESSAGES = {
	enter: ["name", "token", "room", "epoch", "after", "key", "password", "host_key", "room_password"],
	join: ["room", "epoch", "after", "room_password"],
	leave: ["room"],
	say: ["room", "id", "text", "action", "reply_to"],
	edit: ["room", "id", "seq", "text"],
	erase: ["room", "id", "seq"],
	whisper: ["to", "id", "text"],
	typing: ["room"],
	history: ["room", "before", "after", "limit"],
	search: ["room", "query", "limit"],
	rename: ["name"],
	room_password: ["room", "password"],
	host: ["act", "room", "id", "name", "seconds", "on", "text"],
	rooms: [],
	ping: [],
};

const SERVER_MESSAGES = {
	welcome: ["name", "tag", "token", "protocol", "server", "limits", "heartbeat_ms", "host"],
	joined: ["room", "epoch", "seq", "oldest", "online", "members", "entries", "more", "reset"],
	left: ["room"],
	message: ["room", "seq", "at", "from", "tag", "text", "action", "reply_to", "edits", "erases", "edited", "erased"],
	ack: ["id", "room", "seq", "at", "duplicate"],
	presence: ["room", "online", "joined", "left", "renamed"],
	whisper: ["from", "tag", "to", "at", "text"],
	host: ["name", "tag", "host"],
	notice: ["at", "text", "room", "from"],
	typing: ["room", "name"],
	history: ["room", "epoch", "oldest", "entries", "more"],
	found: ["room", "query", "entries", "more"],
	rooms: ["rooms"],
	pong: [],
	error: ["code", "text", "id", "room", "retry_after_ms"],
	bye: ["code", "text", "retry_after_ms"],
};

const ERROR_CODES = [
	"bad_json", "unknown_type", "bad_field", "not_entered", "already_entered", "name_invalid", "name_taken",
	"room_invalid", "not_in_room", "too_many_rooms", "text_empty", "text_too_long", "too_fast", "no_such_person",
	"no_such_entry", "key_required", "id_reused", "history_unavailable", "forbidden", "password_required", "password_wrong", "muted",
	"locked", "banned",
];
const BYE_CODES = ["shutdown", "kicked", "banned", "idle", "full", "too_slow", "protocol"];
const CLOSE_CODES = { leave: 1000, policy: 1008 };

const LIMITS = {
	text: 4000,
	name: 24,
	room: 32,
	frame: 65536,
	page: 200,
	members: 500,
	rooms_listed: 500,
};

const LOBBY = "geral";

const encode = (type, fields = {}) =>
	JSON.stringify(Object.fromEntries([["type", type], ...CLIENT_MESSAGES[type].map((name) => [name, fields[name]])]));

function decode(frame) {
	try {
		const message = JSON.parse(frame);
		return Object.hasOwn(SERVER_MESSAGES, message.type) ? message : null;
	} catch {
		return null;
	}
}

const lengthOf = (text) => [...text.normalize("NFC")].length;

Papo.protocol = { PROTOCOL, CLOSE_CODES, LIMITS, LOBBY, encode, decode, lengthOf };
}
