//! The queue of messages that the server has not acknowledged: in order, without loss, within the server's rate limit.
//!
//! Every message stays here under its own id until the server has stored it. A resend has the same id, so it can't be
//! stored twice. Knows order and time; never knows sockets or screens.

pub use crate::app::pending_message::{PendingMessage, SendTarget};

use crate::app::slow_rooms::SlowRooms;
use papo::name::RoomName;
use papo::protocol::{ClientMessage, Limits};
use papo::rate::TokenBucket;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Most messages in flight; the server stops reading at 32.
const MAX_IN_FLIGHT: usize = 16;
/// Added to each wait for the rate, so that rounding does not wake the client too early.
const RATE_MARGIN: Duration = Duration::from_millis(2);
/// Sends without any answer after which a message is given up: it may be what the server does not get over.
const MAX_UNANSWERED_SENDS: u32 = 3;
/// Longest wait for the rate: even a very slow server is tried once a minute.
const MAX_RATE_WAIT: Duration = Duration::from_mins(1);

/// The unacknowledged messages, oldest first.
#[derive(Debug)]
pub struct SendQueue {
    /// Distinguishes the ids of this run from those of any other.
    id_prefix: String,
    count: u64,
    waiting: VecDeque<PendingMessage>,
    /// The server's rate limit: messages within it are not refused. `None` is without limit, also until `welcome`, before
    /// which nothing is sent.
    bucket: Option<TokenBucket>,
    /// Set by “too fast”: otherwise a later message could overtake the refused one as soon as the server's bucket has a
    /// token again.
    one_at_a_time: bool,
    not_before: Option<Instant>,
    /// Rooms that are being joined: the server would refuse what is sent to them.
    held_rooms: Vec<RoomName>,
    /// Rooms in slow mode: what waits there must not hold back what goes elsewhere.
    slow_rooms: SlowRooms,
}

impl SendQueue {
    pub fn new(id_prefix: String) -> Self {
        Self {
            id_prefix,
            count: 0,
            waiting: VecDeque::new(),
            bucket: None,
            one_at_a_time: false,
            not_before: None,
            held_rooms: Vec::new(),
            slow_rooms: SlowRooms::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &PendingMessage> {
        self.waiting.iter()
    }

    pub fn oldest_queued_at(&self) -> Option<Instant> {
        self.waiting.front().map(|pending| pending.queued_at)
    }

    pub fn push(&mut self, to: SendTarget, text: String, now: Instant) {
        self.count += 1;
        let id = format!("{}-{}", self.id_prefix, self.count);
        self.waiting.push_back(PendingMessage {
            id,
            to,
            text,
            queued_at: now,
            in_flight: false,
            unanswered_sends: 0,
        });
    }

    /// Drops the edits and erasures in a room whose log was reset: its seqs denote other entries now. Returns how many.
    pub fn drop_changes(&mut self, of: &RoomName) -> usize {
        let before = self.waiting.len();
        self.waiting.retain(|pending| {
            !matches!(&pending.to, SendTarget::Edit { room, .. } | SendTarget::Erase { room, .. } if room == of)
        });
        before - self.waiting.len()
    }

    /// Takes the limits from `welcome`.
    pub fn set_limits(&mut self, limits: &Limits, now: Instant) {
        let burst = f64::from(limits.burst).max(1.0);
        if limits.rate <= 0.0 {
            self.bucket = None;
        } else if let Some(bucket) = &mut self.bucket {
            bucket.set_rate(burst, limits.rate);
        } else {
            self.bucket = Some(TokenBucket::new(burst, limits.rate, now));
        }
    }

    /// Marks everything unacknowledged to be sent again, because the connection is lost.
    pub fn mark_unsent(&mut self) {
        for pending in &mut self.waiting {
            pending.in_flight = false;
        }
        self.not_before = None;
        self.held_rooms.clear();
    }

    /// Holds back what goes to this room until it is released.
    pub fn hold(&mut self, room: RoomName) {
        if !self.held_rooms.contains(&room) {
            self.held_rooms.push(room);
        }
    }

    /// Lets messages go to this room again.
    pub fn release(&mut self, room: &RoomName) {
        self.held_rooms.retain(|held| held != room);
    }

    /// Removes what was held back for a room that can't be joined.
    pub fn take_held(&mut self, room: &RoomName) -> Vec<PendingMessage> {
        self.release(room);
        self.remove_where(|pending| !pending.in_flight && pending.room() == Some(room))
    }

    /// Removes the messages in flight that were sent too often without an answer.
    pub fn take_unanswerable(&mut self) -> Vec<PendingMessage> {
        self.remove_where(|pending| {
            pending.in_flight && pending.unanswered_sends >= MAX_UNANSWERED_SENDS
        })
    }

    fn remove_where(&mut self, unwanted: impl Fn(&PendingMessage) -> bool) -> Vec<PendingMessage> {
        let (removed, kept): (VecDeque<_>, VecDeque<_>) =
            self.waiting.drain(..).partition(unwanted);
        self.waiting = kept;
        removed.into()
    }

    /// What may be sent now, in order.
    pub fn next_batch(&mut self, now: Instant) -> Vec<ClientMessage> {
        if self.not_before.is_some_and(|time| now < time) {
            return Vec::new();
        }
        self.not_before = None;
        let mut due = Vec::new();
        let free = self.window().saturating_sub(self.in_flight());
        let held = &self.held_rooms;
        let mut turn = self.slow_rooms.turn();
        let sendable = self.waiting.iter_mut().filter(|pending| {
            let due = turn.due(pending.room(), now);
            pending.is_sendable(held) && due.is_some_and(|time| time <= now)
        });
        for pending in sendable.take(free) {
            let allowed = self.bucket.as_mut().map(|bucket| bucket.try_take(now));
            if allowed.is_some_and(|taken| taken.is_err()) {
                break;
            }
            pending.in_flight = true;
            pending.unanswered_sends += 1;
            due.push(pending.to_message());
        }
        due
    }

    pub fn has_in_flight(&self) -> bool {
        self.in_flight() > 0
    }

    fn in_flight(&self) -> usize {
        let sent = self.waiting.iter().filter(|pending| pending.in_flight);
        sent.count()
    }

    /// Most messages in flight now.
    fn window(&self) -> usize {
        if self.one_at_a_time { 1 } else { MAX_IN_FLIGHT }
    }

    /// When [`SendQueue::next_batch`] may have something without a reply from the server; `None` while it needs one.
    pub fn next_due(&self, now: Instant) -> Option<Instant> {
        if self.in_flight() >= self.window() {
            return None;
        }
        let room_due = self.next_room_due(now)?;
        let not_before = self.not_before.unwrap_or(now).max(room_due);
        Some(not_before.max(now + self.time_until_token(now)))
    }

    /// When the first message may go, as far as its room decides.
    fn next_room_due(&self, now: Instant) -> Option<Instant> {
        let mut turn = self.slow_rooms.turn();
        let mut first = None;
        for pending in &self.waiting {
            let due = turn.due(pending.room(), now);
            let Some(due) = due.filter(|_| pending.is_sendable(&self.held_rooms)) else {
                continue;
            };
            if due <= now {
                return Some(now);
            }
            first = Some(first.map_or(due, |first| due.min(first)));
        }
        first
    }

    fn time_until_token(&self, now: Instant) -> Duration {
        let Some(bucket) = &self.bucket else {
            return Duration::ZERO;
        };
        let wait = bucket.time_until_token(now);
        if wait.is_zero() {
            return wait;
        }
        wait.min(MAX_RATE_WAIT) + RATE_MARGIN
    }

    /// Removes a message that the server has stored, or refused for good.
    pub fn resolve(&mut self, id: &str) -> Option<PendingMessage> {
        let index = self.waiting.iter().position(|pending| pending.id == id)?;
        let pending = self.waiting.remove(index);
        self.one_at_a_time &= !self.waiting.is_empty();
        let waiting = &self.waiting;
        self.slow_rooms
            .retain(|room| waiting.iter().any(|left| left.room() == Some(room)));
        pending
    }

    /// Sends a message again after `wait`, because the server refused it for the rate.
    ///
    /// Later messages in flight are most likely refused too; each has its own reply.
    pub fn defer(&mut self, id: &str, wait: Duration, now: Instant) {
        if let Some(pending) = self.waiting.iter_mut().find(|pending| pending.id == id) {
            pending.in_flight = false;
            pending.unanswered_sends = 0;
            self.one_at_a_time = true;
            if let Some(bucket) = &mut self.bucket {
                // At that time the server has a token for one message.
                bucket.restart(1.0, now + wait);
            }
            self.not_before = self.not_before.max(Some(now + wait));
        }
    }

    /// Sends a message again after `wait`, because its room is in slow mode. Only that room waits, and its messages go one
    /// by one: if the first were refused and the second taken, they would swap places.
    pub fn defer_in_room(&mut self, id: &str, wait: Duration, now: Instant) {
        if let Some(pending) = self.waiting.iter_mut().find(|pending| pending.id == id) {
            pending.in_flight = false;
            pending.unanswered_sends = 0;
            if let Some(room) = pending.room() {
                self.slow_rooms.slow_down(room, now + wait);
            }
        }
    }
}

#[cfg(test)]
#[path = "send_queue_tests.rs"]
mod tests;
