//! Who may not speak: people whom a host silenced, and rooms that a host calmed down.
//!
//! For everybody else this costs two looks at an `Option`.

use crate::auth::TokenHash;
use crate::chat::moderation::notices;
use crate::chat::people::{Person, PersonKey};
use crate::chat::{Chat, Now};
use crate::ids::{ConnId, RoomId};
use crate::name::RoomName;
use crate::protocol::{ErrorCode, Refusal};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// People of one slow room who are remembered; nobody has so many speakers within one pause, but guests who come under
/// one name after the other.
const MAX_TRACKED_SPEAKERS: usize = 10_000;

/// What keeps people from speaking in a room.
#[derive(Debug, Default)]
pub struct RoomMode {
    /// Only hosts speak.
    moderators_only: bool,
    slow_mode: Option<SlowMode>,
}

/// Everybody says one thing, then waits.
#[derive(Debug)]
struct SlowMode {
    interval: Duration,
    /// When each spoke last. By secret, so that neither another name nor leaving and coming back shortens the wait.
    last_message_at: HashMap<TokenHash, Instant>,
}

impl RoomMode {
    /// Makes everybody wait so long between two messages; no time at all ends it.
    fn set_slow_mode(&mut self, interval: Duration) {
        self.slow_mode = (!interval.is_zero()).then(|| SlowMode {
            interval,
            last_message_at: HashMap::new(),
        });
    }

    /// Changes what a room has of it; most rooms have nothing.
    fn update(slot: &mut Option<Box<Self>>, change: impl FnOnce(&mut Self)) {
        let mut mode = slot.take().unwrap_or_default();
        change(&mut mode);
        *slot = Some(mode).filter(|mode| !mode.is_unrestricted());
    }

    /// Whether nobody is kept from anything any more.
    fn is_unrestricted(&self) -> bool {
        !self.moderators_only && self.slow_mode.is_none()
    }

    /// Somebody said something.
    pub fn record(&mut self, token_hash: TokenHash, now: Instant) {
        let Some(slow_mode) = &mut self.slow_mode else {
            return;
        };
        if slow_mode.last_message_at.len() >= MAX_TRACKED_SPEAKERS {
            slow_mode
                .last_message_at
                .retain(|_, at| *at + slow_mode.interval > now);
        }
        if slow_mode.last_message_at.len() >= MAX_TRACKED_SPEAKERS {
            slow_mode.last_message_at.clear();
        }
        slow_mode.last_message_at.insert(token_hash, now);
    }

    /// Whether people who are no hosts have the word.
    fn check_moderators_only(&self) -> Result<(), Refusal> {
        if self.moderators_only {
            return Err(Refusal::new(ErrorCode::ModeratorsOnly));
        }
        Ok(())
    }

    fn check_slow_mode(&self, token_hash: &TokenHash, now: Instant) -> Result<(), Refusal> {
        let Some(slow_mode) = &self.slow_mode else {
            return Ok(());
        };
        let free_at = slow_mode
            .last_message_at
            .get(token_hash)
            .map(|at| *at + slow_mode.interval);
        match free_at.map(|at| at.saturating_duration_since(now)) {
            Some(wait) if !wait.is_zero() => Err(Refusal::slow_mode(ceil_millis(wait))),
            _ => Ok(()),
        }
    }
}

impl Person {
    /// For how long this person is still silenced.
    fn muted_for(&self, now: Instant) -> Option<Duration> {
        let left = self.muted_until?.saturating_duration_since(now);
        (!self.moderator && !left.is_zero()).then_some(left)
    }

    /// Whether a host took the word from this person.
    pub fn is_muted(&self, now: Instant) -> bool {
        self.muted_for(now).is_some()
    }
}

impl Chat {
    /// Whether somebody may say something in a room.
    pub(in crate::chat) fn authorize_speech(
        &self,
        who: PersonKey,
        room_id: RoomId,
        now: Now,
    ) -> Result<(), Refusal> {
        let (Some(person), Some(room)) = (self.people.get(who), self.rooms.get(room_id)) else {
            return Ok(());
        };
        if person.muted_until.is_none() && room.mode.is_none() {
            return Ok(());
        }
        self.authorize_edit(who, room_id, now)?;
        match &room.mode {
            Some(mode) if !person.moderator => {
                mode.check_slow_mode(&person.token_hash, now.instant)
            }
            _ => Ok(()),
        }
    }

    /// Whether somebody may change what they said in a room: a slow room does not keep them from it.
    pub(in crate::chat) fn authorize_edit(
        &self,
        who: PersonKey,
        room_id: RoomId,
        now: Now,
    ) -> Result<(), Refusal> {
        self.authorize_whisper(who, now)?;
        let (Some(person), Some(room)) = (self.people.get(who), self.rooms.get(room_id)) else {
            return Ok(());
        };
        match &room.mode {
            Some(mode) if !person.moderator => mode.check_moderators_only(),
            _ => Ok(()),
        }
    }

    /// Whether somebody may say something to one person.
    pub(in crate::chat) fn authorize_whisper(
        &self,
        who: PersonKey,
        now: Now,
    ) -> Result<(), Refusal> {
        let left = self
            .people
            .get(who)
            .and_then(|person| person.muted_for(now.instant));
        left.map_or(Ok(()), |left| Err(Refusal::muted(ceil_millis(left))))
    }
}

impl Chat {
    /// Takes the word from everybody in a room but hosts, or gives it back; the other of the two if it is not said which.
    pub(in crate::chat) fn set_moderators_only(
        &mut self,
        by: &str,
        conn: ConnId,
        room: &RoomName,
        on: Option<bool>,
        now: Now,
    ) -> Result<(), Refusal> {
        let id = self.joined_room(conn, room)?;
        let Some(room) = self.rooms.get_mut(id) else {
            return Ok(());
        };
        let display_name = room.display();
        let on = on.unwrap_or(!room.mode.as_ref().is_some_and(|mode| mode.moderators_only));
        RoomMode::update(&mut room.mode, |mode| mode.moderators_only = on);
        self.announce_moderation(
            notices::moderators_only(by, &display_name, on),
            Some(id),
            now,
        );
        Ok(())
    }

    /// Makes everybody in a room but hosts wait so many seconds between two messages.
    pub(in crate::chat) fn set_slow_mode(
        &mut self,
        by: &str,
        conn: ConnId,
        room: &RoomName,
        seconds: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        let id = self.joined_room(conn, room)?;
        let Some(room) = self.rooms.get_mut(id) else {
            return Ok(());
        };
        let display_name = room.display();
        RoomMode::update(&mut room.mode, |mode| {
            mode.set_slow_mode(Duration::from_secs(seconds))
        });
        self.announce_moderation(
            notices::slow_mode(by, &display_name, seconds),
            Some(id),
            now,
        );
        Ok(())
    }
}

/// In milliseconds, rounded up, so that whoever waits exactly this long is not refused again.
pub fn ceil_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis())
        .unwrap_or(u64::MAX)
        .saturating_add(1)
}
