//! The limits of the conversation, and the rules that the operator may set.

use crate::auth::PasswordHash;
use crate::rate::TokenBucket;
use std::time::{Duration, Instant};

/// Most rooms that one connection may have open.
pub const MAX_ROOMS_PER_CONNECTION: usize = 32;
/// Most rooms that the hub keeps at the same time.
pub(crate) const MAX_ROOMS: usize = 10_000;
/// Requests that a connection may send at once, beside messages: joins, pages, searches. Enough for a client that opens
/// all its rooms and fetches pages as fast as they arrive; too few to keep the hub busy.
pub const REQUEST_BURST: u32 = 60;
/// Bytes of text that one person may send at once: a burst of the longest messages.
pub const TEXT_BURST_BYTES: u64 = 320 * 1024;
/// Bytes of text of one person per second in the long run; without limit if messages are. The longest message at the
/// usual rate would be 7 GB a day.
pub const TEXT_BYTES_PER_SECOND: f64 = 20.0 * 1024.0;
/// Such requests per second in the long run; without limit if messages are.
pub const REQUEST_RATE: f64 = 20.0;
/// Malformed frames before a connection is closed; one is forgiven every second.
pub const MAX_MALFORMED: u32 = 100;
/// People in a room up to which it is told who is typing.
pub(crate) const MAX_SMALL_ROOM: usize = 50;
/// People in a room up to which presence changes carry names; beyond, only the number of people.
pub(crate) const MAX_NAMED_ROOM: usize = 500;
/// Members listed to a person who joins a room of more than [`MAX_NAMED_ROOM`]: its presence changes carry no names, so
/// a longer list would only be out of date sooner.
pub(crate) const MAX_MEMBERS_LARGE_ROOM: usize = 100;
/// How often at most a room is sent its changed state, all kinds of it together.
pub(crate) const ROOM_UPDATE_INTERVAL: Duration = Duration::from_millis(250);
/// How often one person's typing is broadcast.
pub(crate) const TYPING_INTERVAL: Duration = Duration::from_secs(3);
/// Whispers remembered for each person, so that a resend is not delivered twice.
pub(crate) const MAX_REMEMBERED_WHISPERS: usize = 64;

/// Wrong passwords from one address within [`ATTEMPT_WINDOW`] before it has to wait.
pub(crate) const MAX_ATTEMPTS: u32 = 5;
/// The time in which wrong passwords are counted.
pub(crate) const ATTEMPT_WINDOW: Duration = Duration::from_mins(1);
/// Addresses whose wrong passwords are counted at the same time.
pub(crate) const MAX_TRACKED_ADDRESSES: usize = 10_000;
/// Mutes at the same time, and as many bans; beyond, the oldest ones are lifted.
pub(crate) const MAX_SANCTIONS: usize = 10_000;
/// Longest time that an address is banned: it may be another person's tomorrow.
pub(crate) const MAX_ADDRESS_BAN: Duration = Duration::from_hours(1);
/// How often a connection gets the time to enter again, because its `enter` is still waiting for the server when the time
/// is over. Bounded, or connections that never enter could keep their places.
pub(crate) const MAX_ENTRY_EXTENSIONS: u32 = 5;
/// Most entries that a moderator erases at once.
pub(crate) const MAX_BULK_ERASE: usize = 500;
/// Moderators at the same time.
pub(crate) const MAX_MODERATORS: usize = 1_000;

/// The rules that the operator of the server may set.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Messages per second and person in the long run; `None` is without limit.
    pub rate: Option<f64>,
    /// Messages that one person may send at once.
    pub burst: u32,
    /// How long a dropped person's name and memberships are kept.
    pub grace: Duration,
    /// How long a connection may take to enter.
    pub entry_timeout: Duration,
    /// The password to enter.
    pub password: Option<PasswordHash>,
    /// The key that makes the first person who shows it a moderator.
    pub moderator_key: Option<PasswordHash>,
}

impl Rules {
    /// The full bucket of a connection; `None` is without limit.
    pub(crate) fn request_bucket(&self, now: Instant) -> Option<TokenBucket> {
        let limited = self.rate.is_some();
        limited.then(|| TokenBucket::new(f64::from(REQUEST_BURST), REQUEST_RATE, now))
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            rate: Some(5.0),
            burst: 20,
            grace: Duration::from_secs(30),
            entry_timeout: Duration::from_secs(10),
            password: None,
            moderator_key: None,
        }
    }
}

/// The interval between two presence messages in a room of so many people. Beyond [`MAX_NAMED_ROOM`] it grows with the
/// room, so that presence costs the same in every large room: 2.5 s among 5,000.
pub(crate) fn presence_interval(online: usize) -> Duration {
    ROOM_UPDATE_INTERVAL.mul_f64((online as f64 / MAX_NAMED_ROOM as f64).max(1.0))
}
