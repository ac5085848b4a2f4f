//! Retention: deletes expired entries and their ids in small steps, between messages.

use super::clock_guard::{ClockGuard, Verdict};
use super::schema::seq_of;
use super::transaction::Transaction;
use super::trim_room::{ExpiredEntries, Expiry, TrimmedBatch};
use crate::history::clock::{Clock, ClockReading, EARLIEST_MS};
use crate::name::RoomName;
use crate::pt::{duration, group_thousands};
use rusqlite::{Connection, params};
use std::time::Duration;

/// Ids deleted in one transaction; each is on a page of its own.
const ID_BATCH: i64 = 200;
/// How often expired entries are looked for, and the clock is looked at.
const TRIM_INTERVAL: Duration = Duration::from_hours(1);
/// How much longer than its message an id is kept, so that a late resend is still a duplicate.
const ID_GRACE: Duration = Duration::from_hours(7 * 24);
/// How long a server goes slowly after its start: a mistake can still be seen and stopped.
const CAUTIOUS_FOR: Duration = Duration::from_mins(10);
/// The pause between two steps in that time.
const CAUTIOUS_PAUSE: Duration = Duration::from_mins(1);

/// Finds ids by the index of their times, and deletes each by its key.
const DELETE_IDS: &str = "DELETE FROM id_index WHERE (person, id) IN
    (SELECT person, id FROM id_index WHERE at >= ?1 AND at < ?2 ORDER BY at LIMIT ?3)";

/// How long messages are kept.
#[derive(Debug, Clone)]
pub struct Retention {
    max_age: Duration,
}

impl Retention {
    /// Keeps messages this long.
    pub fn new(max_age: Duration) -> Self {
        Self { max_age }
    }
}

/// The result of one step.
#[derive(Debug)]
pub(super) struct TrimStep {
    /// A room that was trimmed, with its oldest seq.
    pub room: Option<(RoomName, u64)>,
    /// When the next is due.
    pub pause: Duration,
}

/// Checks the clock and, with a retention, deletes expired entries.
pub(super) struct Trimmer {
    retention: Option<Retention>,
    clock: Clock,
    started: Duration,
    /// `None` until the first step.
    guard: Option<ClockGuard>,
    is_doubted: bool,
    expired: ExpiredEntries,
    /// All rooms were looked at; the ids are left.
    are_ids_left: bool,
    deleted: u64,
}

impl Trimmer {
    pub(super) fn new(retention: Option<Retention>, clock: Clock) -> Self {
        Self {
            retention,
            started: clock.read().steady,
            clock,
            guard: None,
            is_doubted: false,
            expired: ExpiredEntries::default(),
            are_ids_left: false,
            deleted: 0,
        }
    }

    /// Takes one step: a few milliseconds of work.
    pub(super) fn step(&mut self, connection: &mut Connection) -> rusqlite::Result<TrimStep> {
        let now = self.clock.read();
        let verdict = self.look_at_clock(connection, now)?;
        let idle = TrimStep {
            room: None,
            pause: TRIM_INTERVAL,
        };
        let Some(max_age) = self.retention.as_ref().map(|retention| retention.max_age) else {
            return Ok(idle);
        };
        self.report(verdict, max_age);
        if matches!(verdict, Verdict::Doubted { .. }) {
            return Ok(idle);
        }
        let transaction = Transaction::begin_deferred(connection)?;
        let trimmed = self.delete_step(&transaction, now.wall_ms, max_age)?;
        transaction.commit()?;
        let Some(trimmed) = trimmed else {
            if self.deleted > 0 {
                log_deleted(self.deleted, max_age);
            }
            self.deleted = 0;
            return Ok(idle);
        };
        self.deleted += trimmed.entries;
        let is_cautious = now.steady.saturating_sub(self.started) < CAUTIOUS_FOR;
        let room = trimmed
            .last_entry
            .and_then(|(room, key)| Some((RoomName::new(&room).ok()?, seq_of(key) + 1)));
        let pause = if is_cautious && trimmed.entries + trimmed.ids > 0 {
            CAUTIOUS_PAUSE
        } else {
            Duration::ZERO
        };
        Ok(TrimStep { room, pause })
    }

    /// Deletes a batch; `None` when all is done.
    fn delete_step(
        &mut self,
        transaction: &Transaction,
        now_ms: u64,
        max_age: Duration,
    ) -> rusqlite::Result<Option<TrimmedBatch>> {
        let before = |age: Duration| now_ms.saturating_sub(age.as_millis() as u64);
        if !self.are_ids_left {
            let expiry = Expiry {
                before_ms: before(max_age),
                now_ms,
                jumps: self.guard.as_ref().map_or(&[], ClockGuard::jumps),
            };
            if let Some(trimmed) = self.expired.delete_step(transaction, expiry)? {
                return Ok(Some(trimmed));
            }
            self.are_ids_left = true;
        }
        let ids = delete_ids(transaction, before(max_age + ID_GRACE))?;
        self.are_ids_left = ids > 0;
        Ok(self.are_ids_left.then(|| TrimmedBatch {
            ids,
            ..TrimmedBatch::default()
        }))
    }

    /// Saves the state of the clock guard, before the file is closed.
    pub(super) fn finish(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let now = self.clock.read();
        match &mut self.guard {
            Some(guard) => {
                guard.observe(now);
                guard.save(connection)
            }
            None => Ok(()),
        }
    }

    fn look_at_clock(
        &mut self,
        connection: &Connection,
        now: ClockReading,
    ) -> rusqlite::Result<Verdict> {
        let guard = match &mut self.guard {
            Some(guard) => guard,
            none => none.insert(ClockGuard::load(connection, now)?),
        };
        let verdict = guard.observe(now);
        // Within a pass the file already knows the time well enough.
        let is_first = self.expired.is_at_start() && !self.are_ids_left;
        if is_first && let Err(error) = guard.save(connection) {
            log::debug!("The state of the clock was not saved: {error}");
        }
        Ok(verdict)
    }

    /// Says once that nothing is deleted, and once that it is again.
    fn report(&mut self, verdict: Verdict, max_age: Duration) {
        match verdict {
            Verdict::Doubted {
                ahead,
                off_ms,
                proof,
            } if !self.is_doubted => {
                self.is_doubted = true;
                log::warn!(
                    "O relógio deste computador está {} {} da última hora confirmada deste histórico. Nada será apagado \
                     por idade até ele seguir firme por {} com o servidor ligado. Se a data está errada, acerte o relógio.",
                    duration(off_ms / 1000),
                    if ahead { "à frente" } else { "atrás" },
                    duration(proof.as_secs()),
                );
            }
            Verdict::Trusted | Verdict::Confirmed if self.is_doubted => {
                self.is_doubted = false;
                log::warn!(
                    "O relógio foi confirmado: o que tem mais de {} volta a ser apagado.",
                    duration(max_age.as_secs())
                );
            }
            _ => {}
        }
    }
}

fn log_deleted(deleted: u64, max_age: Duration) {
    log::info!(
        "Mensagens com mais de {} apagadas: {}.",
        duration(max_age.as_secs()),
        group_thousands(deleted)
    );
}

/// Deletes a batch of ids that were claimed before this time, in Unix milliseconds; returns how many. Those of a clock that
/// had not been set stay: how old they are is not known.
fn delete_ids(transaction: &Transaction, before_ms: u64) -> rusqlite::Result<u64> {
    let mut delete = transaction.prepare_cached(DELETE_IDS)?;
    let earliest = EARLIEST_MS as i64;
    let deleted = delete.execute(params![earliest, before_ms as i64, ID_BATCH])?;
    Ok(deleted as u64)
}

#[cfg(test)]
#[path = "trim_tests.rs"]
mod tests;
