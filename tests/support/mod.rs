//! The test kit of all suites: one server, one client, one program runner, one network, one random source.
//!
//! Knows the protocol and the two programs; never knows what a suite proves.

#![allow(dead_code, reason = "each suite uses its own part of the kit")]

pub mod client;
pub mod fake_server;
pub mod faketime;
pub mod network;
pub mod proc;
pub mod process;
pub mod raw;
pub mod rng;
pub mod server;
pub mod version_3;

use std::time::{Duration, Instant};

/// How long a test waits for one event, in seconds. A busy machine takes long to start a browser.
const PATIENCE_SECS: u64 = 90;

/// How long a test waits for one event; `PAPO_PRAZO` overrides it, in seconds.
pub fn patience() -> Duration {
    let seconds = std::env::var("PAPO_PRAZO")
        .ok()
        .and_then(|value| value.parse().ok());
    Duration::from_secs(seconds.unwrap_or(PATIENCE_SECS))
}

/// The moment until which a test waits.
#[derive(Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline of one event.
    pub fn of_one_event() -> Self {
        Self(Instant::now() + patience())
    }

    pub fn within_seconds(seconds: u64) -> Self {
        Self(Instant::now() + Duration::from_secs(seconds))
    }

    /// The time that is left; none is a failure.
    #[track_caller]
    pub fn left(self) -> Duration {
        let left = self.0.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "the deadline is over");
        left
    }

    pub fn is_over(self) -> bool {
        self.0 <= Instant::now()
    }
}

/// Whether the long form was asked for: the full numbers, and figures that are checked and not only printed.
pub fn long_form() -> bool {
    std::env::var_os("PAPO_PROVA_LONGA").is_some()
}

/// The long form's number, or the short one's.
pub fn long_or<T>(long: T, short: T) -> T {
    if long_form() { long } else { short }
}
