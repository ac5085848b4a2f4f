//! Passwords of the server and of rooms: setting them, checking them, and limiting attempts by address.
//!
//! Kept as hashes and in memory only. A room keeps its password after the last member left, because its log can still be
//! read.

use crate::auth::{PasswordHash, TokenHash};
use crate::chat::completion::{Completion, Progress};
use crate::chat::limits::{ATTEMPT_WINDOW, MAX_ATTEMPTS, MAX_ROOMS, MAX_TRACKED_ADDRESSES};
use crate::chat::moderation::notices;
use crate::chat::people::PersonKey;
use crate::chat::{AUDIT_LOG, Chat, Now, Speaker, ceil_millis};
use crate::ids::{ClientAddr, ConnId, RoomId};
use crate::name::{LOBBY, RoomName};
use crate::protocol::{ErrorCode, Password, Refusal, SetRoomPassword};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The password of a room.
pub(crate) struct RoomPassword {
    hash: PasswordHash,
    /// The person who opened the room, and may change the password besides the moderators.
    pub owner: Option<TokenHash>,
}

/// The passwords of rooms, open or not, by the rooms' keys.
pub(crate) type RoomPasswords = HashMap<Arc<str>, RoomPassword>;

/// Limits wrong passwords by address.
#[derive(Default)]
pub(crate) struct AttemptLimiter(HashMap<ClientAddr, FailedAttempts>);

struct FailedAttempts {
    since: Instant,
    count: u32,
}

impl FailedAttempts {
    fn expires_at(&self) -> Instant {
        self.since + ATTEMPT_WINDOW
    }
}

impl AttemptLimiter {
    /// How long this address has to wait before the next attempt.
    fn retry_after(&self, address: ClientAddr, now: Instant) -> Option<Duration> {
        let failed = self
            .0
            .get(&address)
            .filter(|failed| failed.count >= MAX_ATTEMPTS)?;
        Some(failed.expires_at().saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// Counts a wrong password from this address.
    fn record_failure(&mut self, address: ClientAddr, now: Instant) {
        if self
            .0
            .get(&address)
            .is_some_and(|failed| failed.expires_at() <= now)
        {
            self.0.remove(&address);
        }
        if self.0.len() >= MAX_TRACKED_ADDRESSES && !self.0.contains_key(&address) {
            self.evict_oldest(now);
        }
        self.0
            .entry(address)
            .or_insert(FailedAttempts {
                since: now,
                count: 0,
            })
            .count += 1;
    }

    /// Forgets the addresses whose window is over, or else the one that failed first.
    fn evict_oldest(&mut self, now: Instant) {
        self.0.retain(|_, failed| failed.expires_at() > now);
        if self.0.len() >= MAX_TRACKED_ADDRESSES
            && let Some((&first, _)) = self.0.iter().min_by_key(|(_, failed)| failed.since)
        {
            self.0.remove(&first);
        }
    }
}

/// A password that a person gave, or did not.
pub(crate) struct PasswordCheck<'a> {
    pub conn: ConnId,
    /// The person, if present already.
    pub person: Option<PersonKey>,
    pub given: Option<&'a Password>,
}

impl PasswordCheck<'_> {
    fn matches(&self, hash: PasswordHash) -> bool {
        self.given
            .is_some_and(|given| hash.matches(given.expose_secret()))
    }
}

impl Chat {
    /// Checks the server's password. Failed attempts from the same address don't delay a person who is present already
    /// and gives the right one.
    pub(in crate::chat) fn check_password(
        &mut self,
        check: &PasswordCheck,
        now: Now,
    ) -> Result<(), Refusal> {
        match self.rules.password {
            Some(hash) if check.person.is_some() && check.matches(hash) => Ok(()),
            Some(hash) => self.check_password_hash(check, hash, now),
            None => Ok(()),
        }
    }

    /// Checks the password of a room. Members have shown it, on this connection or another; moderators need none.
    pub(in crate::chat) fn check_room_password(
        &mut self,
        check: &PasswordCheck,
        room: &RoomName,
        now: Now,
    ) -> Result<(), Refusal> {
        let password = self.moderation.room_passwords.get(room.key());
        match password.map(|password| password.hash) {
            Some(hash) if !self.may_join_freely(check.person, room) => self
                .check_password_hash(check, hash, now)
                .map_err(|refusal| refusal.with_room(room.display())),
            _ => Ok(()),
        }
    }

    /// Whether joining this room, open or not, needs a password.
    pub(in crate::chat) fn has_password(&self, room: &RoomName) -> bool {
        self.moderation.room_passwords.contains_key(room.key())
    }

    fn may_join_freely(&self, person: Option<PersonKey>, room: &RoomName) -> bool {
        let room = self.rooms.named(room);
        person.is_some_and(|key| {
            let person = &self.people[key];
            person.moderator || room.is_some_and(|id| person.is_member(id))
        })
    }

    /// The owner of a room that gets its first member: that of its password, or else this person.
    pub(in crate::chat) fn owner_of(&self, room: RoomId, person: PersonKey) -> Option<TokenHash> {
        let key = self.rooms[room].name.key();
        match self.moderation.room_passwords.get(key) {
            Some(password) => password.owner,
            None => Some(self.people[person].token_hash),
        }
    }

    fn check_password_hash(
        &mut self,
        check: &PasswordCheck,
        hash: PasswordHash,
        now: Now,
    ) -> Result<(), Refusal> {
        let given = check
            .given
            .ok_or_else(|| Refusal::new(ErrorCode::PasswordRequired))?;
        let address = self.conns[check.conn].address;
        let attempts = &mut self.moderation.attempts;
        if let Some(wait) = attempts.retry_after(address, now.instant) {
            return Err(Refusal::too_many_attempts(ceil_millis(wait)));
        }
        if !hash.matches(given.expose_secret()) {
            attempts.record_failure(address, now.instant);
            return Err(Refusal::new(ErrorCode::PasswordWrong));
        }
        Ok(())
    }

    /// Gives a room a password or removes it; the room's owner and moderators may.
    pub(in crate::chat) fn set_room_password(
        &mut self,
        speaker: Speaker,
        change: SetRoomPassword,
        completion: &Completion,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let id = self.joined_room(speaker.conn, &change.room)?;
        let person = &self.people[speaker.person];
        let room = &self.rooms[id];
        let key = room.name.key().clone();
        if *key == *LOBBY {
            let text = "A sala geral não pode ter senha, porque é por ela que se entra. Para pedir senha de todo mundo, \
                        ligue o servidor com --senha.";
            return Err(Refusal::with_text(ErrorCode::Forbidden, text));
        }
        if !person.moderator && room.owner != Some(person.token_hash) {
            let text = "Só quem abriu esta sala ou organiza a conversa pode mudar a senha dela.";
            return Err(Refusal::with_text(ErrorCode::Forbidden, text));
        }
        let passwords = &mut self.moderation.room_passwords;
        let on = change.password.is_some();
        if on && passwords.len() >= MAX_ROOMS && !passwords.contains_key(&key) {
            let text = "Há salas demais com senha neste servidor. Use uma que já tem.";
            return Err(Refusal::with_text(ErrorCode::LimitReached, text));
        }
        let by = person.name.display();
        let done = if on { "pôs" } else { "tirou" };
        log::info!(target: AUDIT_LOG, "{by} {done} a senha da sala {}.", change.room);
        match change.password {
            Some(password) => {
                let hash = PasswordHash::of(password.expose_secret());
                let owner = room.owner;
                passwords.insert(key, RoomPassword { hash, owner });
            }
            None => drop(passwords.remove(&key)),
        }
        let notice = notices::room_password_changed(&by, on);
        self.send_notice_to_room(id, notice, completion, now);
        self.publish_room_state(id, now);
        Ok(Progress::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> ClientAddr {
        ClientAddr::from_ip(std::net::Ipv4Addr::from(0x0B00_0000 + number).into())
    }

    #[test]
    fn address_waits_out_the_window_after_max_attempts() {
        let mut limiter = AttemptLimiter::default();
        let now = Instant::now();
        for _ in 0..MAX_ATTEMPTS {
            assert_eq!(limiter.retry_after(address(1), now), None);
            limiter.record_failure(address(1), now);
        }
        assert_eq!(
            limiter.retry_after(address(1), now + ATTEMPT_WINDOW / 2),
            Some(ATTEMPT_WINDOW / 2)
        );
        assert_eq!(limiter.retry_after(address(2), now), None);
        assert_eq!(limiter.retry_after(address(1), now + ATTEMPT_WINDOW), None);
        limiter.record_failure(address(1), now + ATTEMPT_WINDOW);
        assert_eq!(limiter.retry_after(address(1), now + ATTEMPT_WINDOW), None);
    }

    #[test]
    fn full_limiter_evicts_the_oldest_address() {
        let mut limiter = AttemptLimiter::default();
        let now = Instant::now();
        for number in 0..=MAX_TRACKED_ADDRESSES as u32 {
            limiter.record_failure(address(number), now + Duration::from_micros(number.into()));
        }
        assert_eq!(limiter.0.len(), MAX_TRACKED_ADDRESSES);
        assert!(!limiter.0.contains_key(&address(0)) && limiter.0.contains_key(&address(1)));
    }
}
