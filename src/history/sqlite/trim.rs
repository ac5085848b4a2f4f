//! Forgetting what is older than it may be, a little at a time, between the messages.

use super::amend::forget_at_once;
use super::schema::{key, last_key, seq_of};
use crate::name::RoomName;
use rusqlite::{Connection, params};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Entries trimmed in one transaction: less than a message's own commit takes.
const STEP: usize = 500;
/// How often the log is looked through.
const EVERY: Duration = Duration::from_secs(3600);
/// How long ids are remembered after their message was trimmed, so that a late resend is still no new message.
const IDS_LONGER: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long messages are kept.
#[derive(Debug, Clone)]
pub struct Retention {
    keep: Duration,
    /// How often the log is looked through.
    pub every: Duration,
}

/// What one step trimmed.
#[derive(Debug, Default)]
pub struct Trimmed {
    /// Rooms whose oldest entry is another now.
    pub rooms: Vec<(RoomName, u64)>,
    /// Whether there is more to trim at once.
    pub more: bool,
}

impl Retention {
    /// Keeps messages this long.
    pub fn new(keep: Duration) -> Self {
        Self { keep, every: EVERY }
    }

    /// Trims at most one step of one room, or the ids when no room has anything to trim.
    pub(super) fn trim(&mut self, connection: &mut Connection) -> rusqlite::Result<Trimmed> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let cutoff = now.saturating_sub(self.keep).as_millis() as i64;
        let transaction = connection.transaction()?;
        let due = {
            let mut select = transaction.prepare_cached(
                "SELECT r.id, r.name FROM rooms r JOIN entries e ON e.key = (r.id << 40) + r.oldest
                 WHERE e.at < ?1 LIMIT 1",
            )?;
            let mut rows = select.query([cutoff])?;
            match rows.next()? {
                Some(row) => Some((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)),
                None => None,
            }
        };
        let Some((room, name)) = due else {
            let forgotten = now.saturating_sub(self.keep + IDS_LONGER).as_millis() as i64;
            transaction.execute("DELETE FROM ids WHERE at < ?1", [forgotten])?;
            transaction.commit()?;
            return Ok(Trimmed::default());
        };
        let old: Vec<(i64, String)> = {
            let mut select = transaction.prepare_cached(
                "SELECT key, text FROM entries WHERE key BETWEEN ?1 AND ?2 AND at < ?3 ORDER BY key LIMIT ?4",
            )?;
            let range = params![key(room, 0), last_key(room), cutoff, STEP as i64];
            select
                .query_map(range, |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?
        };
        // Hundreds at a time, while people wait for their messages to be stored.
        forget_at_once(&transaction, false)?;
        for (key, text) in &old {
            // What changed others, or was erased, is not in the index, which counts what it is told to forget.
            if !text.is_empty() {
                let mut forget = transaction.prepare_cached(
                    "INSERT INTO words (words, rowid, text) VALUES ('delete', ?1, ?2)",
                )?;
                forget.execute(params![key, text])?;
            }
            transaction
                .prepare_cached("DELETE FROM entries WHERE key = ?1")?
                .execute([key])?;
        }
        let oldest = old.last().map_or(1, |(key, _)| seq_of(*key) + 1);
        transaction.execute(
            "UPDATE rooms SET oldest = ?2 WHERE id = ?1",
            params![room, oldest as i64],
        )?;
        transaction.commit()?;
        let rooms = RoomName::new(&name)
            .map(|name| (name, oldest))
            .into_iter()
            .collect();
        Ok(Trimmed { rooms, more: true })
    }
}
