//! The moderation state in the file: read when it is opened, and changed in the same transactions as the logs.

use super::transaction::Transaction;
use super::{OpenError, meta};
use crate::auth::{StoredPassword, TokenHash};
use crate::history::{
    ModerationChange, RoomSetting, RoomSettings, SanctionKind, SavedModerator, SavedRoom,
    SavedSanction, SavedState,
};
use crate::ids::ClientAddr;
use crate::name::{Name, RoomName};
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, params};
use std::time::Duration;

/// The value in `meta` that is set while the conversation is locked.
const LOCKED: &str = "locked";
/// How long after its end a sanction is kept: a clock that was wrong once must not end one for good.
const SANCTION_GRACE: Duration = Duration::from_hours(7 * 24);
/// Most sanctions that are read, and most rooms without a setting: what a server keeps in memory.
const MAX_READ: i64 = 10_000;

impl ToSql for TokenHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_bytes().as_slice().into())
    }
}

impl FromSql for TokenHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::column_result(value).map(Self::from_bytes)
    }
}

/// The number of a kind in `sanctions.kind`.
fn kind_number(kind: SanctionKind) -> i64 {
    match kind {
        SanctionKind::Mute => 1,
        SanctionKind::Ban => 2,
    }
}

/// Creates a room's row if there is none; only then it gets this owner.
pub(super) fn ensure_room(
    transaction: &Transaction,
    room: &RoomName,
    owner: Option<&TokenHash>,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT OR IGNORE INTO room_records (key, name, indexed, oldest, indexed_at, owner) VALUES (?1, ?2, 0, 1, 0, ?3)",
    )?;
    insert.execute(params![&**room.key(), room.as_str(), owner])?;
    Ok(())
}

/// Makes these changes, in order.
pub(super) fn save(
    transaction: &Transaction,
    changes: &[ModerationChange],
) -> rusqlite::Result<()> {
    for change in changes {
        match change {
            ModerationChange::Promote(moderator) => promote(transaction, moderator)?,
            ModerationChange::Demote(token_hash) => {
                let delete = "DELETE FROM moderators WHERE token_hash = ?1";
                transaction.prepare_cached(delete)?.execute([token_hash])?;
            }
            ModerationChange::Impose(sanction) => {
                impose(transaction, sanction)?;
                prune(transaction, sanction.at)?;
            }
            ModerationChange::Lift(kind, token_hash) => {
                let delete = "DELETE FROM sanctions WHERE kind = ?1 AND token_hash = ?2";
                let row = params![kind_number(*kind), token_hash];
                transaction.prepare_cached(delete)?.execute(row)?;
            }
            ModerationChange::Lock(on) => lock(transaction, *on)?,
            ModerationChange::Room(room, owner, setting) => {
                ensure_room(transaction, room, owner.as_ref())?;
                set(transaction, room, setting)?;
            }
        }
    }
    Ok(())
}

fn promote(transaction: &Transaction, moderator: &SavedModerator) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT OR REPLACE INTO moderators (token_hash, name, at) VALUES (?1, ?2, ?3)",
    )?;
    let SavedModerator {
        token_hash,
        name,
        at,
    } = moderator;
    insert.execute(params![token_hash, name.as_str(), *at as i64])?;
    Ok(())
}

fn impose(transaction: &Transaction, sanction: &SavedSanction) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT OR REPLACE INTO sanctions (kind, token_hash, name, at, until, addresses, addresses_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let addresses: Vec<String> = sanction.addresses.iter().map(ToString::to_string).collect();
    insert.execute(params![
        kind_number(sanction.kind),
        sanction.token_hash,
        sanction.name.as_str(),
        sanction.at as i64,
        sanction.until as i64,
        addresses.join(" "),
        sanction.addresses_until as i64
    ])?;
    Ok(())
}

fn lock(transaction: &Transaction, on: bool) -> rusqlite::Result<()> {
    match on {
        true => meta::set(transaction, LOCKED, "1"),
        false => meta::remove(transaction, LOCKED),
    }
}

fn set(transaction: &Transaction, room: &RoomName, setting: &RoomSetting) -> rusqlite::Result<()> {
    let (update, value): (_, &dyn ToSql) = match setting {
        RoomSetting::ModeratorsOnly(on) => (
            "UPDATE room_records SET moderators_only = ?2 WHERE key = ?1",
            &i64::from(*on),
        ),
        RoomSetting::SlowMs(slow_ms) => (
            "UPDATE room_records SET slow_ms = ?2 WHERE key = ?1",
            &(*slow_ms as i64),
        ),
        RoomSetting::Password(password) => (
            "UPDATE room_records SET password = ?2 WHERE key = ?1",
            &password.as_ref().map(StoredPassword::as_str),
        ),
    };
    transaction
        .prepare_cached(update)?
        .execute(params![&**room.key(), value])?;
    Ok(())
}

/// Deletes the sanctions that ended long ago, by this clock (Unix milliseconds) and by the newest entry of the logs: a
/// clock that jumps must not end a sanction.
fn prune(connection: &Connection, now: u64) -> rusqlite::Result<()> {
    let grace = SANCTION_GRACE.as_millis() as i64;
    let newest: i64 =
        connection.query_row("SELECT coalesce(max(at), 0) FROM rooms", [], |row| {
            row.get(0)
        })?;
    let ended_by = newest.min(now as i64) - grace;
    connection
        .prepare_cached("DELETE FROM sanctions WHERE until < ?1")?
        .execute([ended_by])?;
    Ok(())
}

/// The whole moderation state. `now` is in Unix milliseconds.
pub(super) fn load(connection: &Connection, now: u64) -> Result<SavedState, OpenError> {
    prune(connection, now)?;
    Ok(SavedState {
        locked: meta::get(connection, LOCKED)?.is_some(),
        moderators: load_moderators(connection)?,
        sanctions: load_sanctions(connection)?,
        rooms: load_rooms(connection)?,
    })
}

fn load_moderators(connection: &Connection) -> rusqlite::Result<Vec<SavedModerator>> {
    let mut select =
        connection.prepare("SELECT token_hash, name, at FROM moderators ORDER BY at")?;
    let mut rows = select.query([])?;
    let mut moderators = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(name) = read_name(row, 1)? else {
            continue;
        };
        moderators.push(SavedModerator {
            token_hash: row.get(0)?,
            name,
            at: row.get::<_, i64>(2)? as u64,
        });
    }
    Ok(moderators)
}

fn load_sanctions(connection: &Connection) -> rusqlite::Result<Vec<SavedSanction>> {
    let mut select = connection.prepare(
        "SELECT kind, token_hash, name, at, until, addresses, addresses_until FROM
         (SELECT * FROM sanctions ORDER BY at DESC LIMIT ?1) ORDER BY at",
    )?;
    let mut rows = select.query([MAX_READ])?;
    let mut sanctions = Vec::new();
    while let Some(row) = rows.next()? {
        let kind = match row.get(0)? {
            1 => SanctionKind::Mute,
            2 => SanctionKind::Ban,
            _ => continue,
        };
        let Some(name) = read_name(row, 2)? else {
            continue;
        };
        let addresses = row.get_ref(5)?.as_str()?.split_whitespace();
        sanctions.push(SavedSanction {
            kind,
            token_hash: row.get(1)?,
            name,
            at: row.get::<_, i64>(3)? as u64,
            until: row.get::<_, i64>(4)? as u64,
            addresses: addresses.filter_map(ClientAddr::parse).collect(),
            addresses_until: row.get::<_, i64>(6)? as u64,
        });
    }
    Ok(sanctions)
}

fn load_rooms(connection: &Connection) -> rusqlite::Result<Vec<SavedRoom>> {
    let mut select = connection.prepare(
        "SELECT name, seq, moderators_only, slow_ms, password FROM rooms
         WHERE moderators_only OR slow_ms > 0 OR password IS NOT NULL
             OR id IN (SELECT id FROM rooms WHERE seq > 0 ORDER BY at DESC LIMIT ?1)
         ORDER BY at DESC",
    )?;
    let mut rows = select.query([MAX_READ])?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        let Ok(name) = RoomName::new(row.get_ref(0)?.as_str()?) else {
            continue;
        };
        let password: Option<String> = row.get(4)?;
        read.push(SavedRoom {
            name,
            seq: row.get::<_, i64>(1)? as u64,
            settings: RoomSettings {
                moderators_only: row.get(2)?,
                slow_ms: row.get::<_, i64>(3)? as u64,
                password: password.as_deref().map(StoredPassword::new),
            },
        });
    }
    Ok(read)
}

/// The name in this column; `None`, and a line in the log, if another program has written what is no name.
fn read_name(row: &Row, column: usize) -> rusqlite::Result<Option<Name>> {
    let raw = row.get_ref(column)?.as_str()?;
    let name = Name::new(raw);
    if name.is_err() {
        log::warn!("O histórico guarda uma medida de organização para um nome que não existe.");
    }
    Ok(name.ok())
}

#[cfg(test)]
#[path = "moderation_tests.rs"]
mod tests;
