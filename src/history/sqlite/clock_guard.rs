//! Whether the wall clock may decide what is deleted.
//!
//! A clock that is a day or more off the last confirmed time is doubted until it has run steadily for long enough: an
//! hour, or a day if it is off by more than ten days. Both the confirmed time and the proof so far outlive a restart.

use crate::history::clock::ClockReading;
use rusqlite::{Connection, OptionalExtension};
use std::time::Duration;

/// So far may the clock go on from a confirmed time without a proof, in milliseconds: a night, a day off, a sleeping machine.
const MAX_STEP_MS: u64 = 24 * 3600 * 1000;
/// A difference up to this needs only the short proof, in milliseconds: a server that is on once a week.
const MAX_SMALL_JUMP_MS: u64 = 10 * 24 * 3600 * 1000;
/// So far back may a doubted clock go and still be called steady, in milliseconds.
const MAX_CORRECTION_MS: u64 = 2 * 60 * 1000;
/// How long a clock must run steadily after a small jump.
const SHORT_PROOF: Duration = Duration::from_hours(1);
/// How long a clock must run steadily after any other.
const LONG_PROOF: Duration = Duration::from_hours(24);

/// What is known about the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It goes on from a confirmed time.
    Trusted,
    /// It has just been confirmed, after a doubt.
    Confirmed,
    /// It is off by so much, in milliseconds, and nothing may be deleted.
    Doubted {
        /// Whether it is later than the last confirmed time.
        ahead: bool,
        off_ms: u64,
        /// How long it must run steadily.
        proof: Duration,
    },
}

/// Compares the wall clock with the last confirmed time and with a clock that never jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClockGuard {
    /// The last confirmed time, in Unix milliseconds.
    confirmed_ms: u64,
    /// The last time that a doubted clock told, in Unix milliseconds.
    doubted_ms: u64,
    /// How long it has run steadily.
    steady_for: Duration,
    last_read: Duration,
}

impl ClockGuard {
    /// What the file says; in a file that says nothing, its newest entry confirms the time, or `now` if it is empty.
    pub(super) fn load(connection: &Connection, now: ClockReading) -> rusqlite::Result<Self> {
        let guard = |confirmed_ms, doubted_ms, steady_secs| Self {
            confirmed_ms,
            doubted_ms,
            steady_for: Duration::from_secs(steady_secs),
            last_read: now.steady,
        };
        let select = "SELECT value FROM meta WHERE name = 'clock'";
        let saved: Option<String> = connection
            .query_row(select, [], |row| row.get(0))
            .optional()?;
        let numbers: Vec<u64> = saved
            .iter()
            .flat_map(|saved| saved.split(' '))
            .filter_map(|number| number.parse().ok())
            .collect();
        if let [confirmed_ms, doubted_ms, steady_secs] = numbers[..] {
            return Ok(guard(confirmed_ms, doubted_ms, steady_secs));
        }
        let newest: Option<i64> =
            connection.query_row("SELECT max(at) FROM rooms", [], |row| row.get(0))?;
        let confirmed_ms = newest.map_or(now.wall_ms, |at| at.max(0) as u64);
        Ok(guard(confirmed_ms, 0, 0))
    }

    /// Writes it to the file.
    pub(super) fn save(&self, connection: &Connection) -> rusqlite::Result<()> {
        let Self {
            confirmed_ms,
            doubted_ms,
            steady_for,
            ..
        } = self;
        let value = format!("{confirmed_ms} {doubted_ms} {}", steady_for.as_secs());
        let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('clock', ?1)";
        connection.execute(sql, [value])?;
        Ok(())
    }

    /// Takes a reading, at least once an hour.
    pub(super) fn observe(&mut self, now: ClockReading) -> Verdict {
        let elapsed = now.steady.saturating_sub(self.last_read);
        self.last_read = now.steady;
        let elapsed_ms = elapsed.as_millis() as u64;
        let off_ms = now.wall_ms.abs_diff(self.confirmed_ms);
        if off_ms <= MAX_STEP_MS + elapsed_ms {
            self.confirm(self.confirmed_ms.max(now.wall_ms));
            return Verdict::Trusted;
        }
        let earliest = self.doubted_ms.saturating_sub(MAX_CORRECTION_MS);
        let latest = self.doubted_ms + elapsed_ms + MAX_SMALL_JUMP_MS;
        if (earliest..=latest).contains(&now.wall_ms) {
            self.steady_for += elapsed;
        } else {
            self.steady_for = Duration::ZERO;
        }
        self.doubted_ms = now.wall_ms;
        let proof = if off_ms <= MAX_SMALL_JUMP_MS {
            SHORT_PROOF
        } else {
            LONG_PROOF
        };
        if self.steady_for >= proof {
            self.confirm(now.wall_ms);
            return Verdict::Confirmed;
        }
        Verdict::Doubted {
            ahead: now.wall_ms > self.confirmed_ms,
            off_ms,
            proof,
        }
    }

    fn confirm(&mut self, confirmed_ms: u64) {
        self.confirmed_ms = confirmed_ms;
        self.doubted_ms = 0;
        self.steady_for = Duration::ZERO;
    }
}

#[cfg(test)]
#[path = "clock_guard_tests.rs"]
mod tests;
