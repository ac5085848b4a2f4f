//! Passwords: the server's and the rooms', who sets them, and how often somebody may guess.
//!
//! Kept as hashes and in memory only. A room keeps its password when everybody has left, because its log is still there
//! to be read; it is forgotten when the server stops.

use crate::auth::{PasswordHash, TokenHash};
use crate::chat::limits::{ATTEMPT_WINDOW, MAX_ATTEMPTS, MAX_ROOMS, MAX_TRACKED_ADDRESSES};
use crate::chat::moderation::notices;
use crate::chat::moderation::speaking::ceil_millis;
use crate::chat::people::PersonKey;
use crate::chat::{AUDIT_LOG, Chat, Now};
use crate::ids::{ClientAddr, ConnId};
use crate::name::{LOBBY, RoomName};
use crate::protocol::{ErrorCode, Password, Refusal};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The password of a room.
pub struct RoomPassword {
    hash: PasswordHash,
    /// Who opened the room, and may change the password besides the hosts.
    pub owner: Option<TokenHash>,
}

/// The passwords of rooms, by the rooms' keys; open ones and others.
pub type RoomPasswords = HashMap<Arc<str>, RoomPassword>;

/// Wrong passwords, counted by address.
#[derive(Default)]
pub struct AttemptLimiter(HashMap<ClientAddr, FailedAttempts>);

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
    /// How long this address has to wait before it may guess again.
    fn retry_after(&self, address: ClientAddr, now: Instant) -> Option<Duration> {
        let failed = self
            .0
            .get(&address)
            .filter(|guesses| guesses.count >= MAX_ATTEMPTS)?;
        Some(failed.expires_at().saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// A password from this address was wrong.
    fn record_failure(&mut self, address: ClientAddr, now: Instant) {
        if self
            .0
            .get(&address)
            .is_some_and(|guesses| guesses.expires_at() <= now)
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

    /// Forgets whose time is over, or else who began first.
    fn evict_oldest(&mut self, now: Instant) {
        self.0.retain(|_, guesses| guesses.expires_at() > now);
        if self.0.len() >= MAX_TRACKED_ADDRESSES
            && let Some((&first, _)) = self.0.iter().min_by_key(|(_, guesses)| guesses.since)
        {
            self.0.remove(&first);
        }
    }
}

impl Chat {
    /// Checks the server's password. Whoever is there already has shown it, and waits for nobody else's guessing.
    pub(in crate::chat) fn check_password(
        &mut self,
        conn: ConnId,
        given: Option<&Password>,
        present: bool,
        now: Now,
    ) -> Result<(), Refusal> {
        match self.rules.password {
            Some(hash)
                if present && given.is_some_and(|given| hash.matches(given.expose_secret())) =>
            {
                Ok(())
            }
            Some(hash) => self.check_password_hash(conn, hash, given, now),
            None => Ok(()),
        }
    }

    /// Checks the password of a room. Whoever has a place in it, on this connection or another, has shown it; hosts may
    /// go everywhere.
    pub(in crate::chat) fn check_room_password(
        &mut self,
        conn: ConnId,
        who: Option<PersonKey>,
        room: &RoomName,
        given: Option<&Password>,
        now: Now,
    ) -> Result<(), Refusal> {
        let Some(hash) = self
            .moderation
            .room_passwords
            .get(room.key())
            .map(|password| password.hash)
        else {
            return Ok(());
        };
        let id = self.rooms.named(room);
        let person = who.and_then(|who| self.people.get(who));
        if person.is_some_and(|person| {
            person.moderator
                || person
                    .memberships
                    .iter()
                    .any(|membership| Some(membership.room_id) == id)
        }) {
            return Ok(());
        }
        self.check_password_hash(conn, hash, given, now)
            .map_err(|refusal| refusal.with_room(room.display()))
    }

    /// To whom a room belongs that is about to be opened: whose password it has, or else who opens it.
    pub(in crate::chat) fn owner_of(
        &self,
        room: &RoomName,
        who: Option<PersonKey>,
    ) -> Option<TokenHash> {
        match self.moderation.room_passwords.get(room.key()) {
            Some(password) => password.owner,
            None => who
                .and_then(|who| self.people.get(who))
                .map(|person| person.token_hash),
        }
    }

    fn check_password_hash(
        &mut self,
        conn: ConnId,
        hash: PasswordHash,
        given: Option<&Password>,
        now: Now,
    ) -> Result<(), Refusal> {
        let given = given.ok_or_else(|| Refusal::new(ErrorCode::PasswordRequired))?;
        let Some(address) = self.conns.get(&conn).map(|state| state.address) else {
            return Ok(());
        };
        if let Some(wait) = self.moderation.attempts.retry_after(address, now.instant) {
            return Err(Refusal::too_many_attempts(ceil_millis(wait)));
        }
        if hash.matches(given.expose_secret()) {
            return Ok(());
        }
        self.moderation
            .attempts
            .record_failure(address, now.instant);
        Err(Refusal::new(ErrorCode::PasswordWrong))
    }

    /// Gives a room a password or takes it away; its maker and hosts may.
    pub(in crate::chat) fn set_room_password(
        &mut self,
        conn: ConnId,
        name: &RoomName,
        password: Option<Password>,
        now: Now,
    ) -> Result<(), Refusal> {
        let id = self.joined_room(conn, name)?;
        let who = self.conns.get(&conn).and_then(|state| state.person);
        let (Some(person), Some(room)) =
            (who.and_then(|who| self.people.get(who)), self.rooms.get(id))
        else {
            return Ok(());
        };
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
        let (passwords, by, owner) = (
            &mut self.moderation.room_passwords,
            person.name.display(),
            room.owner,
        );
        if password.is_some() && passwords.len() >= MAX_ROOMS && !passwords.contains_key(&key) {
            let text = "Há salas demais com senha neste servidor. Use uma que já tem.";
            return Err(Refusal::with_text(ErrorCode::LimitReached, text));
        }
        let text = notices::room_password_changed(&by, password.is_some());
        log::info!(target: AUDIT_LOG, "{by} {} a senha da sala {name}.", if password.is_some() { "pôs" } else { "tirou" });
        match password {
            Some(password) => passwords.insert(
                key,
                RoomPassword {
                    hash: PasswordHash::of(password.expose_secret()),
                    owner,
                },
            ),
            None => passwords.remove(&key),
        };
        self.send_notice_to_room(id, text, now);
        Ok(())
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
        let (mut limiter, now) = (AttemptLimiter::default(), Instant::now());
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
        let (mut limiter, now) = (AttemptLimiter::default(), Instant::now());
        for number in 0..=MAX_TRACKED_ADDRESSES as u32 {
            limiter.record_failure(address(number), now + Duration::from_micros(number.into()));
        }
        assert_eq!(limiter.0.len(), MAX_TRACKED_ADDRESSES);
        assert!(!limiter.0.contains_key(&address(0)) && limiter.0.contains_key(&address(1)));
    }
}
