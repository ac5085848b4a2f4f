//! Speaking restrictions: mutes, moderators-only rooms and slow mode.
//!
//! Without a restriction, a check costs two reads of an `Option`.

use crate::auth::TokenHash;
use crate::chat::moderation::acts::ActKind;
use crate::chat::moderation::{Actor, notices};
use crate::chat::people::{Person, PersonKey};
use crate::chat::{Chat, Now, ceil_millis};
use crate::history::{RoomSetting, RoomSettings};
use crate::ids::{ConnId, RoomId};
use crate::name::RoomName;
use crate::protocol::{ErrorCode, Refusal};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Most speakers remembered for one room in slow mode. Only an attacker with new tokens reaches it within one interval.
const MAX_TRACKED_SPEAKERS: usize = 10_000;

/// The speaking restrictions of a room; moderators are exempt.
#[derive(Debug, Default)]
pub(crate) struct RoomMode {
    pub moderators_only: bool,
    slow_mode: Option<SlowMode>,
}

/// One message per person and interval.
#[derive(Debug)]
struct SlowMode {
    interval: Duration,
    /// By token, so that neither another name nor leaving and coming back shortens the wait.
    last_message_at: HashMap<TokenHash, Instant>,
}

impl RoomMode {
    /// The restrictions of a room with these settings; `None` without any.
    pub(crate) fn of(settings: &RoomSettings) -> Option<Box<Self>> {
        let mut mode = Self {
            moderators_only: settings.moderators_only,
            slow_mode: None,
        };
        mode.set_slow_mode(Duration::from_millis(settings.slow_ms));
        (!mode.is_unrestricted()).then(|| Box::new(mode))
    }

    /// Sets the interval between two messages of a person; zero ends slow mode.
    fn set_slow_mode(&mut self, interval: Duration) {
        self.slow_mode = (!interval.is_zero()).then(|| SlowMode {
            interval,
            last_message_at: HashMap::new(),
        });
    }

    /// The interval between two messages of a person; zero without slow mode.
    pub(crate) fn interval(&self) -> Duration {
        let slow_mode = self.slow_mode.as_ref();
        slow_mode.map_or(Duration::ZERO, |slow_mode| slow_mode.interval)
    }

    /// Changes a room's mode; most rooms have none.
    fn update(slot: &mut Option<Box<Self>>, change: impl FnOnce(&mut Self)) {
        let mut mode = slot.take().unwrap_or_default();
        change(&mut mode);
        *slot = Some(mode).filter(|mode| !mode.is_unrestricted());
    }

    /// Whether no restriction is left.
    fn is_unrestricted(&self) -> bool {
        !self.moderators_only && self.slow_mode.is_none()
    }

    /// Records the time of a person's message.
    pub(crate) fn record(&mut self, token_hash: TokenHash, now: Instant) {
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

    fn check_moderators_only(&self) -> Result<(), Refusal> {
        match self.moderators_only {
            true => Err(Refusal::new(ErrorCode::ModeratorsOnly)),
            false => Ok(()),
        }
    }

    fn check_slow_mode(&self, token_hash: &TokenHash, now: Instant) -> Result<(), Refusal> {
        let slow_mode = self.slow_mode.as_ref();
        match slow_mode.and_then(|slow_mode| slow_mode.retry_after(token_hash, now)) {
            Some(wait) => Err(Refusal::slow_mode(ceil_millis(wait))),
            None => Ok(()),
        }
    }
}

impl SlowMode {
    /// How long this person has to wait before the next message.
    fn retry_after(&self, token_hash: &TokenHash, now: Instant) -> Option<Duration> {
        let free_at = *self.last_message_at.get(token_hash)? + self.interval;
        let wait = free_at.saturating_duration_since(now);
        (!wait.is_zero()).then_some(wait)
    }
}

impl Person {
    /// How long the mute still lasts. Moderators can't be muted.
    fn muted_for(&self, now: Instant) -> Option<Duration> {
        let left = self.muted_until?.saturating_duration_since(now);
        (!self.moderator && !left.is_zero()).then_some(left)
    }

    pub(crate) fn is_muted(&self, now: Instant) -> bool {
        self.muted_for(now).is_some()
    }

    /// When the mute ends, in Unix milliseconds.
    pub(super) fn muted_until_ms(&self, now: Now) -> Option<u64> {
        let until = self.muted_until?;
        self.is_muted(now.instant).then(|| now.unix_ms_of(until))
    }
}

impl Chat {
    /// Whether a person may say something in a room.
    pub(in crate::chat) fn authorize_speech(
        &self,
        key: PersonKey,
        room_id: RoomId,
        now: Now,
    ) -> Result<(), Refusal> {
        self.authorize_edit(key, room_id, now)?;
        let person = &self.people[key];
        match &self.rooms[room_id].mode {
            Some(mode) if !person.moderator => {
                mode.check_slow_mode(&person.token_hash, now.instant)
            }
            _ => Ok(()),
        }
    }

    /// Whether a person may edit a message in a room; slow mode does not count.
    pub(in crate::chat) fn authorize_edit(
        &self,
        key: PersonKey,
        room_id: RoomId,
        now: Now,
    ) -> Result<(), Refusal> {
        self.authorize_whisper(key, now)?;
        match &self.rooms[room_id].mode {
            Some(mode) if !self.people[key].moderator => mode.check_moderators_only(),
            _ => Ok(()),
        }
    }

    /// Whether a person may whisper.
    pub(in crate::chat) fn authorize_whisper(
        &self,
        key: PersonKey,
        now: Now,
    ) -> Result<(), Refusal> {
        match self.people[key].muted_for(now.instant) {
            Some(left) => Err(Refusal::muted(ceil_millis(left))),
            None => Ok(()),
        }
    }

    /// Checks a switch of a room's moderators-only mode; without `on`, to the other state.
    pub(super) fn plan_moderators_only(
        &self,
        conn: ConnId,
        room: &RoomName,
        on: Option<bool>,
    ) -> Result<ActKind, Refusal> {
        let id = self.joined_room(conn, room)?;
        self.check_room_records(id)?;
        let mode = self.rooms[id].mode.as_ref();
        let on = on.unwrap_or(!mode.is_some_and(|mode| mode.moderators_only));
        Ok(ActKind::ModeratorsOnly(id, on))
    }

    /// Switches a room's moderators-only mode.
    pub(super) fn set_moderators_only(&mut self, by: &Actor, id: RoomId, on: bool, now: Now) {
        self.record_setting(id, RoomSetting::ModeratorsOnly(on));
        let room = &mut self.rooms[id];
        RoomMode::update(&mut room.mode, |mode| mode.moderators_only = on);
        let notice = notices::moderators_only(&by.name, &room.display(), on);
        self.announce_moderation(by, notice, Some(id), now);
        self.room_state_changed(id, now);
    }

    /// Checks a change of a room's slow mode; an interval of 0 ends it.
    pub(super) fn plan_slow_mode(
        &self,
        conn: ConnId,
        room: &RoomName,
        seconds: u64,
    ) -> Result<ActKind, Refusal> {
        let id = self.joined_room(conn, room)?;
        self.check_room_records(id)?;
        Ok(ActKind::Slow(id, Duration::from_secs(seconds)))
    }

    /// Sets the interval of a room's slow mode; 0 ends it.
    pub(super) fn set_slow_mode(&mut self, by: &Actor, id: RoomId, interval: Duration, now: Now) {
        self.record_setting(id, RoomSetting::SlowMs(interval.as_millis() as u64));
        let room = &mut self.rooms[id];
        RoomMode::update(&mut room.mode, |mode| mode.set_slow_mode(interval));
        let notice = notices::slow_mode(&by.name, &room.display(), interval.as_secs());
        self.announce_moderation(by, notice, Some(id), now);
        self.room_state_changed(id, now);
    }
}
