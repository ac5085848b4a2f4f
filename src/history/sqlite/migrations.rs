//! The tables of the file, as one SQL script for each version.

/// The migration to each version, from 1 on.
pub(super) const MIGRATIONS: [&str; 4] = [
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
     CREATE TABLE rooms (
         id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
         seq INTEGER NOT NULL, oldest INTEGER NOT NULL, at INTEGER NOT NULL);
     CREATE TABLE speakers (
         id INTEGER PRIMARY KEY, person BLOB NOT NULL, name TEXT NOT NULL, tag TEXT NOT NULL, UNIQUE (person, name));
     CREATE TABLE entries (
         key INTEGER PRIMARY KEY, at INTEGER NOT NULL, speaker INTEGER NOT NULL, text TEXT NOT NULL,
         action INTEGER NOT NULL, reply_to INTEGER);
     CREATE TABLE ids (
         person BLOB NOT NULL, id TEXT NOT NULL, key INTEGER NOT NULL, at INTEGER NOT NULL, digest BLOB NOT NULL,
         PRIMARY KEY (person, id)) WITHOUT ROWID;",
    "CREATE VIRTUAL TABLE words USING fts5 (
         text, content='entries', content_rowid='key', tokenize='unicode61 remove_diacritics 2', prefix='1 2');
     INSERT INTO words (words) VALUES ('rebuild');",
    // `edits` is a key, `erases` the seqs in ascending order, separated by spaces. A row with either is an amendment: it
    // has no text of its own and is not in the search index.
    "ALTER TABLE entries ADD COLUMN edits INTEGER;
     ALTER TABLE entries ADD COLUMN erases TEXT;
     ALTER TABLE entries ADD COLUMN mark INTEGER;",
    VERSION_4,
];

/// Version 4 makes a message cost one page: what finds it is written later, for many at once. It names the search index
/// after what it indexes, and keeps what moderates the conversation. It also reserves what the protocol has and the
/// program does not yet, so that a file need not be migrated again for each of it: reactions, pins, polls and votes,
/// files, keys of bots, webhooks, and an entry's place in a log of several servers.
///
/// Entries of a room after `room_records.indexed` are in `entries` only, and not yet in `id_index` and `entries_fts`. The
/// views `rooms` and `ids` show the whole all the same, as the tables of these names did. `outdated` has the texts that the
/// search index still holds for entries that were changed since.
///
/// Times are Unix milliseconds. An `entry` is a key of `entries`, a `token_hash` is that of `auth::TokenHash`, a
/// `person` that of `auth::PersonId`.
/// - `entries.id` is the author's, and `digest` the message's fingerprint; entries of earlier versions have neither.
/// - `id_index.at` and `id_index.digest` are null while the entry has them.
/// - `room_records.password` is a salted slow hash in PHC form; `announcement` is an entry.
/// - `entries.payload` is the JSON of a change that is neither an edit nor an erasure: `reacts`, `pins` or `tally`.
/// - `reactions` and `pins` hold what is in force, in the order of its id.
/// - `sanctions.kind` is 1 for a mute, 2 for a ban; `addresses` are separated by spaces.
/// - `votes` are those of open polls; no copy has them.
/// - `meta` may get `tag_secret`, `place`, `digest` and `conversation`; a copy has `copy`, the sum of the seqs in it.
const VERSION_4: &str = "
    ALTER TABLE entries ADD COLUMN id TEXT;
    ALTER TABLE entries ADD COLUMN digest BLOB;
    ALTER TABLE entries ADD COLUMN bot INTEGER;
    ALTER TABLE entries ADD COLUMN announcement INTEGER;
    ALTER TABLE entries ADD COLUMN file TEXT;
    ALTER TABLE entries ADD COLUMN payload TEXT;
    ALTER TABLE entries ADD COLUMN place TEXT;
    ALTER TABLE rooms ADD COLUMN owner BLOB;
    ALTER TABLE rooms ADD COLUMN password TEXT;
    ALTER TABLE rooms ADD COLUMN moderators_only INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE rooms ADD COLUMN slow_ms INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE rooms ADD COLUMN topic TEXT;
    ALTER TABLE rooms ADD COLUMN announcement INTEGER;
    CREATE TABLE id_index (
        person BLOB NOT NULL, id TEXT NOT NULL, key INTEGER NOT NULL, at INTEGER, digest BLOB,
        PRIMARY KEY (person, id)) WITHOUT ROWID;
    INSERT INTO id_index SELECT person, id, key, at, digest FROM ids;
    DROP TABLE ids;
    CREATE INDEX id_index_at ON id_index (at) WHERE at IS NOT NULL;
    ALTER TABLE rooms RENAME TO room_records;
    ALTER TABLE room_records RENAME COLUMN seq TO indexed;
    ALTER TABLE room_records RENAME COLUMN at TO indexed_at;
    CREATE VIEW rooms AS
        SELECT r.id, r.key, r.name, coalesce(e.key & 1099511627775, r.indexed) AS seq, r.oldest,
            coalesce(e.at, r.indexed_at) AS at, r.owner, r.password, r.moderators_only, r.slow_ms, r.topic, r.announcement
        FROM room_records r LEFT JOIN entries e ON e.key =
            (SELECT max(key) FROM entries WHERE key BETWEEN (r.id << 40) + r.indexed + 1 AND (r.id << 40) + 1099511627775);
    CREATE VIEW ids AS
        SELECT i.person, i.id, i.key, coalesce(i.at, e.at) AS at, coalesce(i.digest, e.digest) AS digest
        FROM id_index i LEFT JOIN entries e ON e.key = i.key
        UNION ALL
        SELECT s.person, e.id, e.key, e.at, e.digest FROM room_records r
        JOIN entries e ON e.key BETWEEN (r.id << 40) + r.indexed + 1 AND (r.id << 40) + 1099511627775
        JOIN speakers s ON s.id = e.speaker WHERE e.id IS NOT NULL;
    DROP TABLE words;
    CREATE VIRTUAL TABLE entries_fts USING fts5 (
        text, content='entries', content_rowid='key', columnsize=0, tokenize='unicode61 remove_diacritics 2');
    INSERT INTO entries_fts (entries_fts, rank) VALUES ('automerge', 0), ('usermerge', 16), ('crisismerge', 64);
    INSERT INTO entries_fts (entries_fts, rank) VALUES ('hashsize', 33554432);
    INSERT INTO entries_fts (rowid, text) SELECT key, text FROM entries WHERE text <> '';
    INSERT INTO entries_fts (entries_fts, rank) VALUES ('hashsize', 1048576);
    CREATE TABLE outdated (key INTEGER PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE moderators (
        token_hash BLOB PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE sanctions (
        kind INTEGER NOT NULL, token_hash BLOB NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL,
        addresses TEXT NOT NULL DEFAULT '', addresses_until INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (kind, token_hash)) WITHOUT ROWID;
    CREATE TABLE reactions (
        id INTEGER PRIMARY KEY, entry INTEGER NOT NULL, emoji TEXT NOT NULL, speaker INTEGER NOT NULL,
        UNIQUE (entry, emoji, speaker));
    CREATE TABLE pins (id INTEGER PRIMARY KEY, entry INTEGER NOT NULL UNIQUE);
    CREATE TABLE polls (
        entry INTEGER PRIMARY KEY, options TEXT NOT NULL, tally TEXT NOT NULL, closed INTEGER NOT NULL);
    CREATE TABLE votes (
        entry INTEGER NOT NULL, person BLOB NOT NULL, option INTEGER NOT NULL,
        PRIMARY KEY (entry, person)) WITHOUT ROWID;
    CREATE TABLE files (
        id TEXT PRIMARY KEY, hash BLOB NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, size INTEGER NOT NULL,
        width INTEGER, height INTEGER, person BLOB NOT NULL, at INTEGER NOT NULL, entry INTEGER) WITHOUT ROWID;
    CREATE INDEX files_hash ON files (hash);
    CREATE TABLE bots (
        key_hash BLOB PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, room INTEGER, at INTEGER NOT NULL,
        used_at INTEGER) WITHOUT ROWID;
    CREATE TABLE webhooks (
        id INTEGER PRIMARY KEY, room INTEGER NOT NULL, url TEXT NOT NULL, secret TEXT NOT NULL,
        mentions_only INTEGER NOT NULL, bots_too INTEGER NOT NULL, sent_seq INTEGER NOT NULL, paused INTEGER NOT NULL);
";
