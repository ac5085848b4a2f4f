//! Files of version 3, as the program of that time made them: its tables, its settings and its statements.

use crate::support::raw::token_for;
use papo::auth::TokenHash;
use papo::name::{Name, RoomName};
use papo::protocol::Token;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What made each version of the next, from 1 on.
const STEPS: [&str; 3] = [
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
    "ALTER TABLE entries ADD COLUMN edits INTEGER;
     ALTER TABLE entries ADD COLUMN erases TEXT;
     ALTER TABLE entries ADD COLUMN mark INTEGER;",
];

/// A log of version 3 that is being written, in a folder of its own.
pub struct Version3Log {
    connection: Connection,
    path: PathBuf,
    /// The time of the next entry, in Unix milliseconds.
    pub at: i64,
    _folder: TempDir,
}

impl Version3Log {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("historico.db");
        let connection = Connection::open(&path).unwrap();
        for (name, value) in [
            ("journal_mode", "WAL"),
            ("synchronous", "FULL"),
            ("temp_store", "MEMORY"),
        ] {
            connection.pragma_update(None, name, value).unwrap();
        }
        for (name, value) in [
            ("secure_delete", 1),
            ("cache_size", -16_000),
            ("journal_size_limit", 64 * 1024 * 1024),
        ] {
            connection.pragma_update(None, name, value).unwrap();
        }
        connection.execute_batch("BEGIN").unwrap();
        for step in STEPS {
            connection.execute_batch(step).unwrap();
        }
        for (name, value) in [("application_id", 0x5041_504F), ("user_version", 3)] {
            connection.pragma_update(None, name, value).unwrap();
        }
        connection
            .execute_batch("COMMIT; INSERT INTO meta VALUES ('epoch', '0123456789abcdef')")
            .unwrap();
        Self {
            connection,
            path,
            at: 1_700_000_000_000,
            _folder: folder,
        }
    }

    /// Begins a transaction, as the writer did for each batch.
    pub fn begin(&self) {
        self.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    }

    pub fn commit(&self) {
        self.connection.execute_batch("COMMIT").unwrap();
    }

    /// Stores a message of one of the test's people; gives back its seq.
    pub fn say(&mut self, room: &str, from: &str, id: &str, text: &str) -> u64 {
        let key = self.append(room, from, id, &digest(0, None, text));
        let insert = "INSERT INTO entries (key, at, speaker, text, action, reply_to) VALUES (?1, ?2, ?3, ?4, 0, NULL)";
        self.execute(insert, params![key, self.at, self.speaker(from), text]);
        self.execute(
            "INSERT INTO words (rowid, text) VALUES (?1, ?2)",
            params![key, text],
        );
        seq_of(key)
    }

    /// Stores an edit of the entry of this seq.
    pub fn edit(&mut self, room: &str, from: &str, id: &str, seq: u64, text: &str) {
        let key = self.append(room, from, id, &digest(2, Some(seq), text));
        let target = (key & !0xFF_FFFF_FFFF) + seq as i64;
        let insert = "INSERT INTO entries (key, at, speaker, text, action, edits) VALUES (?1, ?2, ?3, '', 0, ?4)";
        self.execute(insert, params![key, self.at, self.speaker(from), target]);
        self.change(target, text, 1);
        self.execute(
            "INSERT INTO words (rowid, text) VALUES (?1, ?2)",
            params![target, text],
        );
    }

    /// Stores an erasure of the entry of this seq.
    pub fn erase(&mut self, room: &str, from: &str, id: &str, seq: u64) {
        let key = self.append(room, from, id, &digest(3, Some(seq), ""));
        let target = (key & !0xFF_FFFF_FFFF) + seq as i64;
        let insert = "INSERT INTO entries (key, at, speaker, text, action, erases) VALUES (?1, ?2, ?3, '', 0, ?4)";
        let erases = seq.to_string();
        self.execute(insert, params![key, self.at, self.speaker(from), erases]);
        self.change(target, "", 2);
    }

    /// Changes an entry and takes its text out of the index, overwriting it.
    fn change(&self, target: i64, text: &str, mark: i64) {
        self.execute(
            "INSERT INTO words (words, rank) VALUES ('secure-delete', 1)",
            [],
        );
        let forget = "INSERT INTO words (words, rowid, text) SELECT 'delete', key, text FROM entries WHERE key = ?1";
        self.execute(forget, [target]);
        let change = "UPDATE entries SET text = ?2, mark = ?3 WHERE key = ?1";
        self.execute(change, params![target, text, mark]);
    }

    /// Claims the id and the next seq of a room; gives back the entry's key.
    fn append(&mut self, room: &str, from: &str, id: &str, digest: &[u8]) -> i64 {
        self.at += 1000;
        let room = RoomName::new(room).unwrap();
        let insert =
            "INSERT OR IGNORE INTO rooms (key, name, seq, oldest, at) VALUES (?1, ?2, 0, 1, 0)";
        self.execute(insert, params![&**room.key(), room.as_str()]);
        let update =
            "UPDATE rooms SET seq = seq + 1, at = ?2 WHERE key = ?1 RETURNING (id << 40) + seq";
        let mut update = self.connection.prepare_cached(update).unwrap();
        let key = update.query_row(params![&**room.key(), self.at], |row| row.get(0));
        let key = key.unwrap();
        let claim = "INSERT INTO ids (person, id, key, at, digest) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.execute(claim, params![person_id(from), id, key, self.at, digest]);
        key
    }

    fn speaker(&self, name: &str) -> i64 {
        let tag = TokenHash::of(&Token::new(&token_for(name)).unwrap());
        let tag = tag.tag(&Name::new(name).unwrap());
        let insert = "INSERT OR IGNORE INTO speakers (person, name, tag) VALUES (?1, ?2, ?3)";
        self.execute(insert, params![person_id(name), name, &*tag]);
        let select = "SELECT id FROM speakers WHERE person = ?1 AND name = ?2";
        let mut select = self.connection.prepare_cached(select).unwrap();
        let id = select.query_row(params![person_id(name), name], |row| row.get(0));
        id.unwrap()
    }

    fn execute(&self, sql: &str, params: impl rusqlite::Params) {
        let mut statement = self.connection.prepare_cached(sql).unwrap();
        statement.execute(params).unwrap();
    }

    /// Puts the log there as `kill -9` leaves it: the newest entries are only in its journal.
    pub fn leave_killed(&self, target: &Path) {
        let [wal, target_wal] = [&*self.path, target].map(wal_of);
        assert!(wal.metadata().unwrap().len() > 0, "the journal is empty");
        fs::copy(&self.path, target).unwrap();
        fs::copy(wal, target_wal).unwrap();
    }

    /// Puts the log there as an orderly end leaves it.
    pub fn leave_closed(self, target: &Path) {
        self.connection.close().unwrap();
        fs::copy(&self.path, target).unwrap();
    }
}

/// The journal beside a database.
pub fn wal_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn seq_of(key: i64) -> u64 {
    (key & 0xFF_FFFF_FFFF) as u64
}

/// The id of one of the test's people.
fn person_id(name: &str) -> [u8; 16] {
    let token = token_for(name);
    let hash = hash(&[b"papo secret", token.as_bytes()]);
    let key = Name::new(name).unwrap().key().clone();
    let person = hash_of_person(&hash, key.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&person[..16]);
    id
}

fn hash_of_person(token_hash: &[u8], name_key: &[u8]) -> [u8; 32] {
    hash(&[b"papo person", token_hash, name_key])
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// What told a resend from another message.
fn digest(kind: u8, number: Option<u64>, text: &str) -> [u8; 16] {
    let mut hasher = Sha256::new();
    hasher.update([kind]);
    hasher.update(number.unwrap_or(0).to_be_bytes());
    hasher.update(text.as_bytes());
    let mut digest = [0; 16];
    digest.copy_from_slice(&hasher.finalize()[..16]);
    digest
}
