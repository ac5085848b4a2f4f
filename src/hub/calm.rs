//! Who may not speak: people whom a host silenced, and rooms that a host calmed down.
//!
//! For everybody else this costs two looks at an `Option`.

use super::people::{Person, PersonKey};
use super::{Hub, Now, notices};
use crate::delivery::RoomId;
use crate::identity::TokenHash;
use crate::link::ConnId;
use crate::name::RoomName;
use crate::protocol::{ErrorCode, Refusal};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// People of one slow room who are remembered; nobody has so many speakers within one pause, but guests who come under
/// one name after the other.
const MAX_SPEAKERS: usize = 10_000;

/// What keeps people from speaking in a room.
#[derive(Debug, Default)]
pub struct Calm {
    /// Only hosts speak.
    hosts_only: bool,
    slow: Option<Slow>,
}

/// Everybody says one thing, then waits.
#[derive(Debug)]
struct Slow {
    pause: Duration,
    /// When each spoke last. By secret, so that neither another name nor leaving and coming back shortens the wait.
    spoke: HashMap<TokenHash, Instant>,
}

impl Calm {
    /// Makes everybody wait so long between two messages; no time at all ends it.
    fn slow_down(&mut self, pause: Duration) {
        self.slow = (!pause.is_zero()).then(|| Slow {
            pause,
            spoke: HashMap::new(),
        });
    }

    /// Changes what a room has of it; most rooms have nothing.
    fn change(room: &mut Option<Box<Self>>, change: impl FnOnce(&mut Self)) {
        let mut calm = room.take().unwrap_or_default();
        change(&mut calm);
        *room = Some(calm).filter(|calm| !calm.is_over());
    }

    /// Whether nobody is kept from anything any more.
    fn is_over(&self) -> bool {
        !self.hosts_only && self.slow.is_none()
    }

    /// Somebody said something.
    pub fn spoke(&mut self, token_hash: TokenHash, now: Instant) {
        let Some(slow) = &mut self.slow else { return };
        if slow.spoke.len() >= MAX_SPEAKERS {
            slow.spoke.retain(|_, at| *at + slow.pause > now);
        }
        if slow.spoke.len() >= MAX_SPEAKERS {
            slow.spoke.clear();
        }
        slow.spoke.insert(token_hash, now);
    }

    /// Whether people who are no hosts have the word.
    fn check_word(&self) -> Result<(), Refusal> {
        if self.hosts_only {
            let text =
                "Nesta sala só quem organiza a conversa fala agora. Espere a palavra voltar.";
            return Err(Refusal::with_text(ErrorCode::Muted, text));
        }
        Ok(())
    }

    fn check_pause(&self, token_hash: &TokenHash, now: Instant) -> Result<(), Refusal> {
        let Some(slow) = &self.slow else {
            return Ok(());
        };
        let free_at = slow.spoke.get(token_hash).map(|at| *at + slow.pause);
        match free_at.map(|at| at.saturating_duration_since(now)) {
            Some(wait) if !wait.is_zero() => Err(Refusal::slow_mode(ms(wait))),
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

impl Hub {
    /// Whether somebody may say something in a room.
    pub(super) fn may_speak(
        &self,
        who: PersonKey,
        room_id: RoomId,
        now: Now,
    ) -> Result<(), Refusal> {
        let (Some(person), Some(room)) = (self.people.get(who), self.rooms.get(room_id)) else {
            return Ok(());
        };
        if person.muted_until.is_none() && room.calm.is_none() {
            return Ok(());
        }
        self.may_edit(who, room_id, now)?;
        match &room.calm {
            Some(calm) if !person.moderator => calm.check_pause(&person.token_hash, now.instant),
            _ => Ok(()),
        }
    }

    /// Whether somebody may change what they said in a room: a slow room does not keep them from it.
    pub(super) fn may_edit(
        &self,
        who: PersonKey,
        room_id: RoomId,
        now: Now,
    ) -> Result<(), Refusal> {
        self.may_whisper(who, now)?;
        let (Some(person), Some(room)) = (self.people.get(who), self.rooms.get(room_id)) else {
            return Ok(());
        };
        match &room.calm {
            Some(calm) if !person.moderator => calm.check_word(),
            _ => Ok(()),
        }
    }

    /// Whether somebody may say something to one person.
    pub(super) fn may_whisper(&self, who: PersonKey, now: Now) -> Result<(), Refusal> {
        let left = self
            .people
            .get(who)
            .and_then(|person| person.muted_for(now.instant));
        left.map_or(Ok(()), |left| Err(Refusal::muted(ms(left))))
    }
}

impl Hub {
    /// Takes the word from everybody in a room but hosts, or gives it back; the other of the two if it is not said which.
    pub(super) fn mute_all(
        &mut self,
        by: &str,
        conn: ConnId,
        room: &RoomName,
        on: Option<bool>,
        now: Now,
    ) -> Result<(), Refusal> {
        let id = self.room_of(conn, room)?;
        let Some(room) = self.rooms.get_mut(id) else {
            return Ok(());
        };
        let shown = room.display();
        let on = on.unwrap_or(!room.calm.as_ref().is_some_and(|calm| calm.hosts_only));
        Calm::change(&mut room.calm, |calm| calm.hosts_only = on);
        self.announce_moderation(notices::moderators_only(by, &shown, on), Some(id), now);
        Ok(())
    }

    /// Makes everybody in a room but hosts wait so many seconds between two messages.
    pub(super) fn slow(
        &mut self,
        by: &str,
        conn: ConnId,
        room: &RoomName,
        seconds: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        let id = self.room_of(conn, room)?;
        let Some(room) = self.rooms.get_mut(id) else {
            return Ok(());
        };
        let shown = room.display();
        Calm::change(&mut room.calm, |calm| {
            calm.slow_down(Duration::from_secs(seconds))
        });
        self.announce_moderation(notices::slow_mode(by, &shown, seconds), Some(id), now);
        Ok(())
    }
}

/// In milliseconds, rounded up, so that whoever waits exactly this long is not refused again.
pub fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis())
        .unwrap_or(u64::MAX)
        .saturating_add(1)
}
