//! What was written and is not confirmed yet: the order is kept, nothing is lost, and the server's pace is respected.
//!
//! Every message waits here under an id of its own until the server has stored it. A resend has the same id, so it can
//! never be stored twice. Knows order and time; never knows sockets or screens.

use papo::name::{Name, RoomName};
use papo::protocol::{
    ClientMessage, Edit, Erase, EraseRecent, Limits, ModerationAction, Say, Whisper,
};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Most messages on their way at once; the server stops reading at 32.
const MAX_IN_FLIGHT: usize = 16;

/// Something to be said, until it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingMessage {
    pub id: String,
    pub to: SendTarget,
    pub text: String,
    pub queued_at: Instant,
    in_flight: bool,
}

/// Whom it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendTarget {
    Room {
        room: RoomName,
        action: bool,
    },
    Person(Name),
    /// The text becomes that of this own message.
    Edit {
        room: RoomName,
        seq: u64,
    },
    /// This own message is taken back.
    Erase {
        room: RoomName,
        seq: u64,
    },
    /// What somebody said lately is taken back.
    EraseRecent {
        room: RoomName,
        name: Name,
        seconds: u64,
    },
}

/// The messages that are not confirmed, oldest first.
#[derive(Debug)]
pub struct SendQueue {
    /// Makes the ids of this run unlike those of any other.
    id_prefix: String,
    count: u64,
    waiting: VecDeque<PendingMessage>,
    bucket: TokenBucket,
    /// Set when the server said “too fast”: one at a time from then on, or a later message could overtake the refused
    /// one as soon as the server's allowance has grown again.
    one_at_a_time: bool,
    not_before: Option<Instant>,
}

/// The client's copy of the server's allowance: staying within it, nothing needs to be refused and sent again.
#[derive(Debug)]
struct TokenBucket {
    rate: f64,
    burst: f64,
    tokens: f64,
    refilled_at: Option<Instant>,
}

impl SendQueue {
    pub fn new(id_prefix: String) -> Self {
        // Until `welcome` has told the limits, nothing is sent anyway.
        let bucket = TokenBucket {
            rate: 0.0,
            burst: 0.0,
            tokens: 0.0,
            refilled_at: None,
        };
        Self {
            id_prefix,
            count: 0,
            waiting: VecDeque::new(),
            bucket,
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

    /// Since when the oldest one waits.
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

    /// A room's log began anew: what was to be changed in it is another entry now, or none. Returns how many changes
    /// came to nothing.
    pub fn drop_changes(&mut self, of: &RoomName) -> usize {
        let before = self.waiting.len();
        self.waiting.retain(|pending| {
            !matches!(&pending.to, SendTarget::Edit { room, .. } | SendTarget::Erase { room, .. } if room == of)
        });
        before - self.waiting.len()
    }

    /// The server told how fast one may speak.
    pub fn set_limits(&mut self, limits: &Limits) {
        let burst = f64::from(limits.burst).max(1.0);
        if self.bucket.refilled_at.is_none() {
            self.bucket.tokens = burst;
        }
        (self.bucket.rate, self.bucket.burst) = (limits.rate, burst);
    }

    /// The connection is gone: everything unconfirmed will have to be said again.
    pub fn mark_unsent(&mut self) {
        self.waiting
            .iter_mut()
            .for_each(|pending| pending.in_flight = false);
        self.not_before = None;
    }

    /// What may be said now, in order.
    pub fn batch(&mut self, now: Instant) -> Vec<ClientMessage> {
        if self.not_before.is_some_and(|time| now < time) {
            return Vec::new();
        }
        self.not_before = None;
        let window = if self.one_at_a_time { 1 } else { MAX_IN_FLIGHT };
        let in_flight = self
            .waiting
            .iter()
            .filter(|pending| pending.in_flight)
            .count();
        let mut due = Vec::new();
        let free = window.saturating_sub(in_flight);
        for pending in self
            .waiting
            .iter_mut()
            .filter(|pending| !pending.in_flight)
            .take(free)
        {
            if !self.bucket.try_take(now) {
                break;
            }
            pending.in_flight = true;
            due.push(pending.to_message());
        }
        due
    }

    /// Whether anything was sent and is not answered.
    pub fn has_in_flight(&self) -> bool {
        self.waiting.iter().any(|pending| pending.in_flight)
    }

    /// When [`Queue::due`] may have something again without anything being heard.
    pub fn next_due(&self, now: Instant) -> Option<Instant> {
        let window = if self.one_at_a_time { 1 } else { MAX_IN_FLIGHT };
        let in_flight = self
            .waiting
            .iter()
            .filter(|pending| pending.in_flight)
            .count();
        if in_flight == self.waiting.len() || in_flight >= window {
            return None;
        }
        Some(
            self.not_before
                .unwrap_or(now)
                .max(now + self.bucket.time_until_token(now)),
        )
    }

    /// The server has it, or will never take it.
    pub fn resolve(&mut self, id: &str) -> Option<PendingMessage> {
        let index = self.waiting.iter().position(|pending| pending.id == id)?;
        let pending = self.waiting.remove(index);
        self.one_at_a_time &= !self.waiting.is_empty();
        pending
    }

    /// The server did not take it now but will: it and all after it are said again.
    ///
    /// Those behind it that are still on their way are most likely refused too; each is answered by its own.
    pub fn defer(&mut self, id: &str, wait: Duration, now: Instant) {
        if let Some(pending) = self.waiting.iter_mut().find(|pending| pending.id == id) {
            pending.in_flight = false;
            self.one_at_a_time = true;
            // At that time there is room for one.
            self.bucket.tokens = 1.0;
            self.bucket.refilled_at = Some(now + wait);
            self.not_before = self.not_before.max(Some(now + wait));
        }
    }
}

impl PendingMessage {
    fn to_message(&self) -> ClientMessage {
        let (id, text) = (self.id.clone(), self.text.clone());
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
            } => {
                let (room, name, seconds) = (room.clone(), name.clone(), *seconds);
                ClientMessage::Moderate(ModerationAction::Erase(EraseRecent {
                    room,
                    id,
                    name,
                    seconds,
                }))
            }
        }
    }
}

impl TokenBucket {
    fn try_take(&mut self, now: Instant) -> bool {
        if self.rate <= 0.0 {
            return true;
        }
        let earned = self.refilled_at.map_or(0.0, |then| {
            now.saturating_duration_since(then).as_secs_f64() * self.rate
        });
        self.tokens = (self.tokens + earned).min(self.burst);
        self.refilled_at = self.refilled_at.max(Some(now));
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }

    /// How long until one more may be said.
    fn time_until_token(&self, now: Instant) -> Duration {
        if self.rate <= 0.0 || self.tokens >= 1.0 {
            return Duration::ZERO;
        }
        /// Rounding must not wake the client a moment too early.
        const MARGIN: Duration = Duration::from_millis(2);
        /// However slowly a server lets people speak, once a minute it is asked.
        const LONGEST: Duration = Duration::from_secs(60);
        let from = self.refilled_at.unwrap_or(now);
        let wait = Duration::try_from_secs_f64((1.0 - self.tokens) / self.rate).unwrap_or(LONGEST);
        let ready = from + wait.min(LONGEST) + MARGIN;
        ready.saturating_duration_since(now)
    }
}

#[cfg(test)]
#[path = "send_queue_tests.rs"]
mod tests;
