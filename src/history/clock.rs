//! The clocks of the history, and what becomes of a wall clock that jumps.
//!
//! Order is by seq. A time is what people read, and nothing that can't be undone follows from a single one.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Steps back up to this are smoothed, in milliseconds: clocks are corrected by little all the time.
const MAX_SMOOTHED_MS: u64 = 2 * 60 * 1000;
/// 2024-01-01, in Unix milliseconds: no entry is older than the program, so its clock had not been set.
pub(super) const EARLIEST_MS: u64 = 1_704_067_200_000;

/// Both clocks at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// The wall clock, in Unix milliseconds; it may jump.
    pub wall_ms: u64,
    /// Time since any fixed instant; it never jumps, and may stand still while the machine sleeps.
    pub steady: Duration,
}

/// Where the history reads the time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> ClockReading + Send + Sync>);

impl Clock {
    /// The clocks of the system.
    pub fn system() -> Self {
        let start = Instant::now();
        Self::from_fn(move || ClockReading {
            wall_ms: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |time| time.as_millis() as u64),
            steady: start.elapsed(),
        })
    }

    /// A clock that reads from this function, for tests.
    pub fn from_fn(read: impl Fn() -> ClockReading + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The time now.
    pub fn read(&self) -> ClockReading {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The time of an entry that is stored at `at`, after one of `last`, in Unix milliseconds.
///
/// Small steps back are smoothed, so that times rise while the clock is being corrected. After a larger one the clock is
/// believed: one entry from the future must not date all that follow.
pub(super) fn stamp(at: u64, last: u64) -> u64 {
    if last > at && last - at <= MAX_SMOOTHED_MS {
        last
    } else {
        at
    }
}

/// Whether the time of an entry can be true: neither before the program was written nor after `now`. If it can't, the
/// entry was stored between its neighbours, and nothing else is known.
pub(super) fn is_plausible(at: u64, now: u64) -> bool {
    (EARLIEST_MS..=now.saturating_add(MAX_SMOOTHED_MS)).contains(&at)
}

/// A clock that a test turns.
#[cfg(test)]
#[derive(Clone)]
pub(super) struct ManualClock(Arc<std::sync::Mutex<ClockReading>>);

#[cfg(test)]
impl ManualClock {
    pub(super) fn at(wall_ms: u64) -> Self {
        let reading = ClockReading {
            wall_ms,
            steady: Duration::ZERO,
        };
        Self(Arc::new(std::sync::Mutex::new(reading)))
    }

    pub(super) fn clock(&self) -> Clock {
        let this = self.clone();
        Clock::from_fn(move || this.read())
    }

    pub(super) fn read(&self) -> ClockReading {
        *self.0.lock().unwrap()
    }

    /// Time goes by.
    pub(super) fn advance(&self, time: Duration) {
        let mut reading = self.0.lock().unwrap();
        reading.wall_ms += time.as_millis() as u64;
        reading.steady += time;
    }

    /// The wall clock jumps.
    pub(super) fn set_wall(&self, wall_ms: u64) {
        self.0.lock().unwrap().wall_ms = wall_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_steps_back_are_smoothed_and_large_ones_believed() {
        let now = 1_800_000_000_000;
        assert_eq!(stamp(now + 1, now), now + 1);
        assert_eq!(stamp(now - MAX_SMOOTHED_MS, now), now);
        assert_eq!(
            stamp(now - MAX_SMOOTHED_MS - 1, now),
            now - MAX_SMOOTHED_MS - 1
        );
    }

    #[test]
    fn times_before_the_program_and_after_now_are_implausible() {
        let now = 1_800_000_000_000;
        let plausible = [
            0,
            EARLIEST_MS,
            now,
            now + MAX_SMOOTHED_MS,
            now + 800 * 86_400_000,
        ];
        assert_eq!(
            plausible.map(|at| is_plausible(at, now)),
            [false, true, true, true, false]
        );
    }
}
