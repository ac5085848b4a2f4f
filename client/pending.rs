//! What was written and is not confirmed yet: the order is kept, nothing is lost, and the server's pace is respected.
//!
//! Every message waits here under an id of its own until the server has stored it. A resend has the same id, so it can
//! never be stored twice. Knows order and time; never knows sockets or screens.

use papo::name::{Name, RoomName};
use papo::protocol::{ClientMessage, Limits, ModerationAction};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Most messages on their way at once; the server stops reading at 32.
const MAX_IN_FLIGHT: usize = 16;

/// Something to be said, until it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    pub id: String,
    pub to: Recipient,
    pub text: String,
    pub since: Instant,
    sent: bool,
}

/// Whom it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
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
    EraseOf {
        room: RoomName,
        name: Name,
        seconds: u64,
    },
}

/// The messages that are not confirmed, oldest first.
#[derive(Debug)]
pub struct Queue {
    /// Makes the ids of this run unlike those of any other.
    prefix: String,
    count: u64,
    waiting: VecDeque<Pending>,
    pace: Pace,
    /// Set when the server said “too fast”: one at a time from then on, or a later message could overtake the refused
    /// one as soon as the server's allowance has grown again.
    one_by_one: bool,
    not_before: Option<Instant>,
}

/// The client's copy of the server's allowance: staying within it, nothing needs to be refused and sent again.
#[derive(Debug)]
struct Pace {
    rate: f64,
    burst: f64,
    tokens: f64,
    counted_at: Option<Instant>,
}

impl Queue {
    pub fn new(prefix: String) -> Self {
        // Until `welcome` has told the limits, nothing is sent anyway.
        let pace = Pace {
            rate: 0.0,
            burst: 0.0,
            tokens: 0.0,
            counted_at: None,
        };
        Self {
            prefix,
            count: 0,
            waiting: VecDeque::new(),
            pace,
            one_by_one: false,
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
    pub fn iter(&self) -> impl Iterator<Item = &Pending> {
        self.waiting.iter()
    }

    /// Since when the oldest one waits.
    pub fn oldest(&self) -> Option<Instant> {
        self.waiting.front().map(|pending| pending.since)
    }

    pub fn push(&mut self, to: Recipient, text: String, now: Instant) {
        self.count += 1;
        let id = format!("{}-{}", self.prefix, self.count);
        self.waiting.push_back(Pending {
            id,
            to,
            text,
            since: now,
            sent: false,
        });
    }

    /// A room's log began anew: what was to be changed in it is another entry now, or none. Returns how many changes
    /// came to nothing.
    pub fn forget_changes(&mut self, of: &RoomName) -> usize {
        let before = self.waiting.len();
        self.waiting.retain(|pending| {
            !matches!(&pending.to, Recipient::Edit { room, .. } | Recipient::Erase { room, .. } if room == of)
        });
        before - self.waiting.len()
    }

    /// The server told how fast one may speak.
    pub fn limit(&mut self, limits: &Limits) {
        let burst = f64::from(limits.burst).max(1.0);
        if self.pace.counted_at.is_none() {
            self.pace.tokens = burst;
        }
        (self.pace.rate, self.pace.burst) = (limits.rate, burst);
    }

    /// The connection is gone: everything unconfirmed will have to be said again.
    pub fn rewind(&mut self) {
        self.waiting
            .iter_mut()
            .for_each(|pending| pending.sent = false);
        self.not_before = None;
    }

    /// What may be said now, in order.
    pub fn due(&mut self, now: Instant) -> Vec<ClientMessage> {
        if self.not_before.is_some_and(|time| now < time) {
            return Vec::new();
        }
        self.not_before = None;
        let window = if self.one_by_one { 1 } else { MAX_IN_FLIGHT };
        let in_flight = self.waiting.iter().filter(|pending| pending.sent).count();
        let mut due = Vec::new();
        let free = window.saturating_sub(in_flight);
        for pending in self
            .waiting
            .iter_mut()
            .filter(|pending| !pending.sent)
            .take(free)
        {
            if !self.pace.take(now) {
                break;
            }
            pending.sent = true;
            due.push(pending.message());
        }
        due
    }

    /// Whether anything was sent and is not answered.
    pub fn is_on_its_way(&self) -> bool {
        self.waiting.iter().any(|pending| pending.sent)
    }

    /// When [`Queue::due`] may have something again without anything being heard.
    pub fn next(&self, now: Instant) -> Option<Instant> {
        let window = if self.one_by_one { 1 } else { MAX_IN_FLIGHT };
        let in_flight = self.waiting.iter().filter(|pending| pending.sent).count();
        if in_flight == self.waiting.len() || in_flight >= window {
            return None;
        }
        Some(
            self.not_before
                .unwrap_or(now)
                .max(now + self.pace.wait(now)),
        )
    }

    /// The server has it, or will never take it.
    pub fn settle(&mut self, id: &str) -> Option<Pending> {
        let place = self.waiting.iter().position(|pending| pending.id == id)?;
        let pending = self.waiting.remove(place);
        self.one_by_one &= !self.waiting.is_empty();
        pending
    }

    /// The server did not take it now but will: it and all after it are said again.
    ///
    /// Those behind it that are still on their way are most likely refused too; each is answered by its own.
    pub fn postpone(&mut self, id: &str, wait: Duration, now: Instant) {
        if let Some(pending) = self.waiting.iter_mut().find(|pending| pending.id == id) {
            pending.sent = false;
            self.one_by_one = true;
            // At that time there is room for one.
            self.pace.tokens = 1.0;
            self.pace.counted_at = Some(now + wait);
            self.not_before = self.not_before.max(Some(now + wait));
        }
    }
}

impl Pending {
    fn message(&self) -> ClientMessage {
        let (id, text) = (self.id.clone(), self.text.clone());
        match &self.to {
            Recipient::Room { room, action } => ClientMessage::Say {
                room: room.clone(),
                id,
                text,
                action: *action,
                reply_to: None,
            },
            Recipient::Person(to) => ClientMessage::Whisper {
                to: to.clone(),
                id,
                text,
            },
            Recipient::Edit { room, seq } => ClientMessage::Edit {
                room: room.clone(),
                id,
                seq: *seq,
                text,
            },
            Recipient::Erase { room, seq } => ClientMessage::Erase {
                room: room.clone(),
                id,
                seq: *seq,
            },
            Recipient::EraseOf {
                room,
                name,
                seconds,
            } => {
                let (room, name, seconds) = (room.clone(), name.clone(), *seconds);
                ClientMessage::Moderate(ModerationAction::Erase {
                    room,
                    id,
                    name,
                    seconds,
                })
            }
        }
    }
}

impl Pace {
    fn take(&mut self, now: Instant) -> bool {
        if self.rate <= 0.0 {
            return true;
        }
        let earned = self.counted_at.map_or(0.0, |then| {
            now.saturating_duration_since(then).as_secs_f64() * self.rate
        });
        self.tokens = (self.tokens + earned).min(self.burst);
        self.counted_at = self.counted_at.max(Some(now));
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }

    /// How long until one more may be said.
    fn wait(&self, now: Instant) -> Duration {
        if self.rate <= 0.0 || self.tokens >= 1.0 {
            return Duration::ZERO;
        }
        /// Rounding must not wake the client a moment too early.
        const MARGIN: Duration = Duration::from_millis(2);
        /// However slowly a server lets people speak, once a minute it is asked.
        const LONGEST: Duration = Duration::from_secs(60);
        let from = self.counted_at.unwrap_or(now);
        let wait = Duration::try_from_secs_f64((1.0 - self.tokens) / self.rate).unwrap_or(LONGEST);
        let ready = from + wait.min(LONGEST) + MARGIN;
        ready.saturating_duration_since(now)
    }
}

#[cfg(test)]
#[path = "pending_tests.rs"]
mod tests;
