//! Retention: deletes expired entries in small batches, between messages.

use super::amend::set_index_secure_delete;
use super::schema::{entry_key, last_entry_key, seq_of};
use crate::name::RoomName;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Entries trimmed in one transaction, which then takes less time than the commit of a message.
const TRIM_BATCH: usize = 500;
/// How often expired entries are looked for.
const TRIM_INTERVAL: Duration = Duration::from_hours(1);
/// How much longer than its message an id is kept, so that a late resend is still a duplicate.
const ID_GRACE: Duration = Duration::from_hours(7 * 24);

/// How long messages are kept.
#[derive(Debug, Clone)]
pub struct Retention {
    max_age: Duration,
    /// How often expired entries are looked for.
    pub interval: Duration,
}

/// The result of one step.
#[derive(Debug, Default)]
pub(super) struct Trimmed {
    /// Rooms that were trimmed, with their oldest seq.
    pub rooms: Vec<(RoomName, u64)>,
    /// Whether there is more to trim at once.
    pub more: bool,
}

impl Retention {
    /// Keeps messages this long.
    pub fn new(max_age: Duration) -> Self {
        Self {
            max_age,
            interval: TRIM_INTERVAL,
        }
    }

    /// Trims one batch of one room, or the ids when no room has expired entries.
    pub(super) fn trim(&mut self, connection: &mut Connection) -> rusqlite::Result<Trimmed> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let cutoff = now.saturating_sub(self.max_age).as_millis() as i64;
        let transaction = connection.transaction()?;
        let Some((room, name)) = find_expired_room(&transaction, cutoff)? else {
            let id_cutoff = now.saturating_sub(self.max_age + ID_GRACE).as_millis() as i64;
            transaction.execute("DELETE FROM ids WHERE at < ?1", [id_cutoff])?;
            transaction.commit()?;
            return Ok(Trimmed::default());
        };
        let oldest = delete_batch(&transaction, room, cutoff)?;
        transaction.commit()?;
        let rooms = RoomName::new(&name)
            .map(|name| (name, oldest))
            .into_iter()
            .collect();
        Ok(Trimmed { rooms, more: true })
    }
}

/// The id and the name of a room whose oldest entry was stored before `cutoff`, in Unix milliseconds.
fn find_expired_room(
    transaction: &Transaction,
    cutoff: i64,
) -> rusqlite::Result<Option<(i64, String)>> {
    let mut select = transaction.prepare_cached(
        "SELECT r.id, r.name FROM rooms r JOIN entries e ON e.key = (r.id << 40) + r.oldest
         WHERE e.at < ?1 LIMIT 1",
    )?;
    select
        .query_row([cutoff], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// Deletes the oldest entries of a room that were stored before `cutoff`, at most [`TRIM_BATCH`]. Returns the first seq
/// that is left.
fn delete_batch(transaction: &Transaction, room: i64, cutoff: i64) -> rusqlite::Result<u64> {
    let expired: Vec<(i64, String)> = {
        let mut select = transaction.prepare_cached(
            "SELECT key, text FROM entries WHERE key BETWEEN ?1 AND ?2 AND at < ?3 ORDER BY key LIMIT ?4",
        )?;
        let range = params![
            entry_key(room, 0),
            last_entry_key(room),
            cutoff,
            TRIM_BATCH as i64
        ];
        select
            .query_map(range, |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?
    };
    // Overwriting hundreds of entries would delay the messages that wait.
    set_index_secure_delete(transaction, false)?;
    for (key, text) in &expired {
        // Amendments and erased entries are not in the index, and deleting them would corrupt its counts.
        if !text.is_empty() {
            let mut forget = transaction.prepare_cached(
                "INSERT INTO entries_fts (entries_fts, rowid, text) VALUES ('delete', ?1, ?2)",
            )?;
            forget.execute(params![key, text])?;
        }
        transaction
            .prepare_cached("DELETE FROM entries WHERE key = ?1")?
            .execute([key])?;
    }
    let oldest = expired.last().map_or(1, |(key, _)| seq_of(*key) + 1);
    transaction.execute(
        "UPDATE rooms SET oldest = ?2 WHERE id = ?1",
        params![room, oldest as i64],
    )?;
    Ok(oldest)
}
