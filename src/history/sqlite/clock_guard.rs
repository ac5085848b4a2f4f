//! Whether the wall clock may decide what is deleted.
//!
//! A clock that is a day or more off the last confirmed time is doubted until it has run steadily for long enough: an
//! hour, or a day if it is off by more than ten days. Both the confirmed time and the proof so far outlive a restart.

use super::meta;
use crate::history::clock::ClockReading;
use rusqlite::Connection;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The value in `meta` that holds the guard's state.
const VALUE: &str = "clock";
/// How far the clock may be from the last confirmed time without a proof, in milliseconds: a night, a day off, a sleeping
/// machine.
const MAX_STEP_MS: u64 = 24 * 3600 * 1000;
/// A difference up to this needs only the short proof, in milliseconds: a server that is on once a week.
const MAX_SMALL_JUMP_MS: u64 = 10 * 24 * 3600 * 1000;
/// How far back a doubted clock may go and still be called steady, in milliseconds.
const MAX_CORRECTION_MS: u64 = 2 * 60 * 1000;
/// How long a clock must run steadily after a small jump.
const SHORT_PROOF: Duration = Duration::from_hours(1);
/// How long a clock must run steadily after any other.
const LONG_PROOF: Duration = Duration::from_hours(24);

/// Jumps forward that are remembered.
const MAX_JUMPS: usize = 16;

/// A jump forward while the server ran, perhaps of a clock that was set: entries with a time from before it may be younger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ForwardJump {
    /// The times before it, in Unix milliseconds.
    pub before: RangeInclusive<u64>,
    /// The time after it: entries with one of those times were stored before this one at the latest.
    pub after_ms: u64,
}

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClockGuard {
    /// The last confirmed time, in Unix milliseconds.
    confirmed_ms: u64,
    /// The last time that a doubted clock told, in Unix milliseconds.
    doubted_ms: u64,
    /// How long it has run steadily.
    steady_for: Duration,
    /// Since when the wall clock has not jumped in this run, in Unix milliseconds.
    since_ms: u64,
    last_read: ClockReading,
    jumps: Vec<ForwardJump>,
}

impl ClockGuard {
    /// What the file says; in a file that says nothing, its newest entry confirms the time, or `now` if it is empty.
    pub(super) fn load(connection: &Connection, now: ClockReading) -> rusqlite::Result<Self> {
        let guard = |confirmed_ms, doubted_ms, steady_secs, jumps| Self {
            confirmed_ms,
            doubted_ms,
            steady_for: Duration::from_secs(steady_secs),
            since_ms: now.wall_ms,
            last_read: now,
            jumps,
        };
        let saved = meta::get(connection, VALUE)?;
        let numbers: Vec<u64> = saved
            .iter()
            .flat_map(|saved| saved.split([' ', '-']))
            .filter_map(|number| number.parse().ok())
            .collect();
        if let [confirmed_ms, doubted_ms, steady_secs, jumps @ ..] = &numbers[..] {
            let jumps = jumps.as_chunks().0.iter();
            let jumps = jumps.map(|[from, to, after_ms]| ForwardJump {
                before: *from..=*to,
                after_ms: *after_ms,
            });
            return Ok(guard(
                *confirmed_ms,
                *doubted_ms,
                *steady_secs,
                jumps.collect(),
            ));
        }
        let newest: Option<i64> =
            connection.query_row("SELECT max(at) FROM rooms", [], |row| row.get(0))?;
        let confirmed_ms = newest.map_or(now.wall_ms, |at| at.max(0) as u64);
        Ok(guard(confirmed_ms, 0, 0, Vec::new()))
    }

    /// Writes it to the file.
    pub(super) fn save(&self, connection: &Connection) -> rusqlite::Result<()> {
        let Self {
            confirmed_ms,
            doubted_ms,
            steady_for,
            ..
        } = self;
        let mut value = format!("{confirmed_ms} {doubted_ms} {}", steady_for.as_secs());
        for ForwardJump { before, after_ms } in &self.jumps {
            value.push_str(&format!(" {}-{}-{after_ms}", before.start(), before.end()));
        }
        meta::set(connection, VALUE, &value)
    }

    /// The jumps forward that are known, oldest first.
    pub(super) fn jumps(&self) -> &[ForwardJump] {
        &self.jumps
    }

    /// Takes a reading, at least once an hour.
    pub(super) fn observe(&mut self, now: ClockReading) -> Verdict {
        let elapsed = now.steady.saturating_sub(self.last_read.steady);
        let elapsed_ms = elapsed.as_millis() as u64;
        self.notice_jump(
            self.last_read.wall_ms.saturating_add(elapsed_ms),
            now.wall_ms,
        );
        self.last_read = now;
        let off_ms = now.wall_ms.abs_diff(self.confirmed_ms);
        if off_ms <= MAX_STEP_MS.saturating_add(elapsed_ms) {
            self.confirm(self.confirmed_ms.max(now.wall_ms));
            return Verdict::Trusted;
        }
        let earliest = self.doubted_ms.saturating_sub(MAX_CORRECTION_MS);
        let latest = self
            .doubted_ms
            .saturating_add(elapsed_ms + MAX_SMALL_JUMP_MS);
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

    fn notice_jump(&mut self, expected_ms: u64, wall_ms: u64) {
        if wall_ms.abs_diff(expected_ms) <= MAX_STEP_MS {
            return;
        }
        if wall_ms > expected_ms {
            if self.jumps.len() == MAX_JUMPS {
                self.jumps.remove(0);
            }
            self.jumps.push(ForwardJump {
                before: self.since_ms..=expected_ms,
                after_ms: wall_ms,
            });
        }
        self.since_ms = wall_ms;
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
