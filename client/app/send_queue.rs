//! The queue of messages that the server has not acknowledged: in order, without loss, within the server's rate limit.
//!
//! Every message stays here under its own id until the server has stored it. A resend has the same id, so it can't be
//! stored twice. Knows order and time; never knows sockets or screens.

use papo::name::{Name, RoomName};
use papo::protocol::{
    ClientMessage, Edit, Erase, EraseRecent, Limits, ModerationAction, Say, Whisper,
};
use papo::rate::TokenBucket;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Most messages in flight; the server stops reading at 32.
const MAX_IN_FLIGHT: usize = 16;
/// Added to each wait for the rate, so that rounding does not wake the client too early.
const RATE_MARGIN: Duration = Duration::from_millis(2);
/// Longest wait for the rate: even a very slow server is tried once a minute.
const MAX_RATE_WAIT: Duration = Duration::from_mins(1);

/// A message or a change, until it is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingMessage {
    pub id: String,
    pub to: SendTarget,
    pub text: String,
    pub queued_at: Instant,
    in_flight: bool,
}

/// Where it goes, or what it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendTarget {
    Room {
        room: RoomName,
        action: bool,
    },
    Person(Name),
    /// Replaces the text of this own message.
    Edit {
        room: RoomName,
        seq: u64,
    },
    /// Erases this own message.
    Erase {
        room: RoomName,
        seq: u64,
    },
    /// Erases a person's recent messages.
    EraseRecent {
        room: RoomName,
        name: Name,
        seconds: u64,
    },
}

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
    }

    /// What may be sent now, in order.
    pub fn next_batch(&mut self, now: Instant) -> Vec<ClientMessage> {
        if self.not_before.is_some_and(|time| now < time) {
            return Vec::new();
        }
        self.not_before = None;
        let mut due = Vec::new();
        let free = self.window().saturating_sub(self.in_flight());
        for pending in self
            .waiting
            .iter_mut()
            .filter(|pending| !pending.in_flight)
            .take(free)
        {
            let allowed = self.bucket.as_mut().map(|bucket| bucket.try_take(now));
            if allowed.is_some_and(|taken| taken.is_err()) {
                break;
            }
            pending.in_flight = true;
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
        let in_flight = self.in_flight();
        if in_flight == self.waiting.len() || in_flight >= self.window() {
            return None;
        }
        let not_before = self.not_before.unwrap_or(now);
        Some(not_before.max(now + self.time_until_token(now)))
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
        pending
    }

    /// Sends a message again after `wait`, because the server refused it for the rate.
    ///
    /// Later messages in flight are most likely refused too; each has its own reply.
    pub fn defer(&mut self, id: &str, wait: Duration, now: Instant) {
        if let Some(pending) = self.waiting.iter_mut().find(|pending| pending.id == id) {
            pending.in_flight = false;
            self.one_at_a_time = true;
            if let Some(bucket) = &mut self.bucket {
                // At that time the server has a token for one message.
                bucket.restart(1.0, now + wait);
            }
            self.not_before = self.not_before.max(Some(now + wait));
        }
    }
}

impl PendingMessage {
    fn to_message(&self) -> ClientMessage {
        let id = self.id.clone();
        let text = self.text.clone();
        match &self.to {
            SendTarget::Room { room, action } => ClientMessage::Say(Say {
                room: room.clone(),
                id,
                text,
                action: *action,
                reply_to: None,
            }),
            SendTarget::Person(to) => ClientMessage::Whisper(Whisper {
                to: to.clone(),
                id,
                text,
            }),
            SendTarget::Edit { room, seq } => ClientMessage::Edit(Edit {
                room: room.clone(),
                id,
                seq: *seq,
                text,
            }),
            SendTarget::Erase { room, seq } => ClientMessage::Erase(Erase {
                room: room.clone(),
                id,
                seq: *seq,
            }),
            SendTarget::EraseRecent {
                room,
                name,
                seconds,
            } => ClientMessage::Moderate(ModerationAction::Erase(EraseRecent {
                room: room.clone(),
                id,
                name: name.clone(),
                seconds: *seconds,
            })),
        }
    }
}

#[cfg(test)]
#[path = "send_queue_tests.rs"]
mod tests;
