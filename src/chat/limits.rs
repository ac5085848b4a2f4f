//! How much one person or one connection may ask for, as plain arithmetic over given times.

use crate::auth::PasswordHash;
use crate::rate::TokenBucket;
use std::time::{Duration, Instant};

/// Most rooms that one connection may have open.
pub const MAX_ROOMS_PER_CONNECTION: usize = 32;
/// Most rooms that the hub keeps at the same time.
pub const MAX_ROOMS: usize = 10_000;
/// Frames in a row that make no sense before a connection is closed; one is forgiven every second.
pub const MAX_MALFORMED: u32 = 100;
/// People in a room up to which everybody is told at once of each who comes and leaves.
pub const MAX_SMALL_ROOM: usize = 50;
/// People in a room up to which names are told; beyond, only how many there are.
pub const MAX_NAMED_ROOM: usize = 500;
/// Members listed to whoever opens a room of more than [`NAMED_ROOM`]: nobody hears there who comes and goes, so a longer
/// list would only be out of date sooner.
pub const MAX_MEMBERS_LARGE_ROOM: usize = 100;
/// In a room that is not small, changes are gathered and told at most this often.
pub const PRESENCE_INTERVAL: Duration = Duration::from_millis(250);
/// In a room of so many people that only their number is told, it is told less often the more they are, so that it
/// costs the same in every large room: 2.5 s among 5,000.
pub fn presence_interval(online: usize) -> Duration {
    PRESENCE_INTERVAL.mul_f64((online as f64 / MAX_NAMED_ROOM as f64).max(1.0))
}
/// How often one person's typing is passed on.
pub const TYPING_INTERVAL: Duration = Duration::from_secs(3);
/// Whispers remembered for each person, so that a resend is not delivered twice.
pub const MAX_REMEMBERED_WHISPERS: usize = 64;

/// Wrong passwords from one address within [`TRIES_WITHIN`] before it has to wait.
pub const MAX_ATTEMPTS: u32 = 5;
/// The time in which wrong passwords are counted.
pub const ATTEMPT_WINDOW: Duration = Duration::from_secs(60);
/// Addresses whose wrong passwords are counted at the same time.
pub const MAX_TRACKED_ADDRESSES: usize = 10_000;
/// People who may be silenced at the same time, and as many banned; beyond, the oldest are forgiven.
pub const MAX_SANCTIONS: usize = 10_000;
/// Longest time that an address is banned: others may have it tomorrow.
pub const MAX_ADDRESS_BAN: Duration = Duration::from_secs(3600);
/// Most entries that a host takes back at once.
pub const MAX_BULK_ERASE: usize = 500;
/// People who may keep the conversation in order at the same time.
pub const MAX_MODERATORS: usize = 1_000;

/// The rules that whoever runs the server may set.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Messages per second that one person may say in the long run; `None` is without limit.
    pub rate: Option<f64>,
    /// Messages that one person may say at once.
    pub burst: u32,
    /// How long a dropped person's name and place are held.
    pub grace: Duration,
    /// How long a connection may take to enter.
    pub entry_timeout: Duration,
    /// What everybody must show to enter.
    pub password: Option<PasswordHash>,
    /// What makes the first person who shows it a host.
    pub moderator_key: Option<PasswordHash>,
}

impl Rules {
    /// What one person may say, full at first; `None` is without limit.
    pub fn message_bucket(&self, now: Instant) -> Option<TokenBucket> {
        self.rate
            .map(|per_second| TokenBucket::new(f64::from(self.burst), per_second, now))
    }

    /// What one connection may ask for beside speaking, full at first; `None` is without limit.
    pub fn request_bucket(&self, now: Instant) -> Option<TokenBucket> {
        self.rate
            .map(|_| TokenBucket::new(f64::from(REQUEST_BURST), REQUEST_RATE, now))
    }
}

impl Default for Rules {
    fn default() -> Self {
        let (grace, entry_timeout) = (Duration::from_secs(30), Duration::from_secs(10));
        Self {
            rate: Some(5.0),
            burst: 20,
            grace,
            entry_timeout,
            password: None,
            moderator_key: None,
        }
    }
}

/// Requests of one connection other than speaking: opening rooms, pages, searches. Enough for a client that opens all
/// its rooms at once and pulls pages as fast as they come, and no way to keep the hub busy.
pub const REQUEST_BURST: u32 = 60;
/// The same, per second in the long run, when speaking is limited too.
pub const REQUEST_RATE: f64 = 20.0;
