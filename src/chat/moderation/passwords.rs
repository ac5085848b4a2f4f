//! Passwords of the server and of rooms: setting them, checking them, and limiting attempts by address.
//!
//! Of a room's password the history keeps a slow hash. Once the right one was shown, its fast hash is kept in memory and
//! spares the slow one. A room keeps its password after the last member left, because its log can still be read.

use crate::auth::PasswordHash;
use crate::chat::completion::{CheckId, Progress};
use crate::chat::limits::{ATTEMPT_WINDOW, MAX_ATTEMPTS, MAX_ROOMS, MAX_TRACKED_ADDRESSES};
use crate::chat::moderation::acts::{Act, ActKind, HashingPassword, NewPassword, PendingChange};
use crate::chat::moderation::{Actor, notices};
use crate::chat::people::PersonKey;
use crate::chat::{AUDIT_LOG, Chat, Now, Speaker, ceil_millis};
use crate::history::{RequestId, RoomSetting, RoomSettings};
use crate::ids::{ClientAddr, ConnId, RoomId};
use crate::name::{LOBBY, RoomName};
use crate::password_thread::PasswordRequest;
use crate::protocol::{ErrorCode, Password, Refusal, SetRoomPassword};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// When to try again what has to wait for another change or check of a password.
const RETRY_MS: u64 = 500;

/// What is known of a room, open or not.
#[derive(Default)]
pub(crate) struct RoomRecord {
    pub settings: RoomSettings,
    /// The fast hash of its password, once it was shown or set since the server started.
    pub verified: Option<PasswordHash>,
}

/// The rooms that have a setting, by their keys.
pub(crate) type RoomRecords = HashMap<Arc<str>, RoomRecord>;

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

    /// How many more wrong passwords this address may give now.
    fn attempts_left(&self, address: ClientAddr, now: Instant) -> u32 {
        let failed = self.0.get(&address);
        let failed = failed.filter(|failed| failed.expires_at() > now);
        MAX_ATTEMPTS.saturating_sub(failed.map_or(0, |failed| failed.count))
    }

    /// Counts a wrong password from this address.
    pub(super) fn record_failure(&mut self, address: ClientAddr, now: Instant) {
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

    /// Checks the password of a room. Members have shown it, on this connection or another; moderators need none. Returns
    /// a check that is still running.
    pub(in crate::chat) fn check_room_password(
        &mut self,
        check: &PasswordCheck,
        room: &RoomName,
        now: Now,
    ) -> Result<Option<CheckId>, Refusal> {
        let record = self.moderation.rooms.get(room.key());
        let Some(stored) = record.and_then(|record| record.settings.password.clone()) else {
            return Ok(None);
        };
        if self.may_join_freely(check.person, room) {
            return Ok(None);
        }
        let with_room = |refusal: Refusal| refusal.with_room(room.display());
        if let Some(hash) = record.and_then(|record| record.verified) {
            let passed = self.check_password_hash(check, hash, now);
            return passed.map(|()| None).map_err(with_room);
        }
        let given = self.password_given(check, now).map_err(with_room)?;
        let hash = PasswordHash::of(given.expose_secret());
        if let Some(running) = self.moderation.checks.find(room, &stored, hash) {
            return Ok(Some(running));
        }
        let address = self.conns[check.conn].address;
        let attempts_left = self.moderation.attempts.attempts_left(address, now.instant);
        // Each of those that are being checked may turn out to be wrong.
        if self.moderation.checks.running_from(address) >= attempts_left as usize {
            return Err(with_room(Refusal::passwords_busy(RETRY_MS)));
        }
        let started = self.start_check(room, stored, given, address);
        started.map(Some).map_err(with_room)
    }

    /// Whether joining this room, open or not, needs a password.
    pub(in crate::chat) fn has_password(&self, room: &RoomName) -> bool {
        let record = self.moderation.rooms.get(room.key());
        record.is_some_and(|record| record.settings.password.is_some())
    }

    fn may_join_freely(&self, person: Option<PersonKey>, room: &RoomName) -> bool {
        let room = self.rooms.named(room);
        person.is_some_and(|key| {
            let person = &self.people[key];
            person.moderator || room.is_some_and(|id| person.is_member(id))
        })
    }

    fn check_password_hash(
        &mut self,
        check: &PasswordCheck,
        hash: PasswordHash,
        now: Now,
    ) -> Result<(), Refusal> {
        let given = self.password_given(check, now)?;
        if !hash.matches(given.expose_secret()) {
            let address = self.conns[check.conn].address;
            let attempts = &mut self.moderation.attempts;
            attempts.record_failure(address, now.instant);
            return Err(Refusal::new(ErrorCode::PasswordWrong));
        }
        Ok(())
    }

    /// The password that a person gave, unless the address has to wait before the next attempt.
    fn password_given<'a>(
        &self,
        check: &PasswordCheck<'a>,
        now: Now,
    ) -> Result<&'a Password, Refusal> {
        let given = check
            .given
            .ok_or_else(|| Refusal::new(ErrorCode::PasswordRequired))?;
        let address = self.conns[check.conn].address;
        let attempts = &self.moderation.attempts;
        match attempts.retry_after(address, now.instant) {
            Some(wait) => Err(Refusal::too_many_attempts(ceil_millis(wait))),
            None => Ok(given),
        }
    }

    /// Gives a room a password or removes it; the room's owner and moderators may.
    pub(in crate::chat) fn set_room_password(
        &mut self,
        speaker: Speaker,
        change: SetRoomPassword,
        request: RequestId,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let conn = speaker.conn;
        let room = self.joined_room(conn, &change.room)?;
        self.authorize_room_password(speaker.person, room)?;
        self.check_room_records(room)?;
        // One after another, or an earlier one that takes longer would replace a later one.
        let mut pending = self.moderation.pending.values();
        if pending.any(|change| change.is_password_change(room, conn)) {
            return Err(Refusal::passwords_busy(RETRY_MS));
        }
        let by = self.people[speaker.person].name.display();
        let Some(password) = change.password else {
            let kind = ActKind::RoomPassword(room, None);
            return Ok(self.save_act(Act { by, kind }, request, now));
        };
        self.moderation.checks.start_hashing()?;
        self.rooms[room].pending_appends += 1;
        let hashing = HashingPassword {
            by,
            conn,
            room,
            hash: PasswordHash::of(password.expose_secret()),
        };
        let pending = &mut self.moderation.pending;
        pending.insert(request, PendingChange::Hashing(hashing));
        Ok(Progress::AwaitHash(PasswordRequest::Hash(
            request, password,
        )))
    }

    /// Whether a person may change the password of a room.
    fn authorize_room_password(&self, person: PersonKey, room: RoomId) -> Result<(), Refusal> {
        let person = &self.people[person];
        let room = &self.rooms[room];
        if room.name.as_str() == LOBBY {
            let text = "A sala geral não pode ter senha, porque é por ela que se entra. Para pedir senha de todo mundo, \
                        ligue o servidor com --senha.";
            return Err(Refusal::with_text(ErrorCode::Forbidden, text));
        }
        if !person.moderator && room.owner != Some(person.token_hash) {
            let text = "Só quem abriu esta sala ou organiza a conversa pode mudar a senha dela.";
            return Err(Refusal::with_text(ErrorCode::Forbidden, text));
        }
        Ok(())
    }

    /// Whether a room may get a setting: the rooms that have one are bounded.
    pub(super) fn check_room_records(&self, room: RoomId) -> Result<(), Refusal> {
        let records = &self.moderation.rooms;
        if records.len() >= MAX_ROOMS && !records.contains_key(self.rooms[room].name.key()) {
            let text =
                "Há salas demais com senha ou modo lento neste servidor. Use uma que já tem.";
            return Err(Refusal::with_text(ErrorCode::LimitReached, text));
        }
        Ok(())
    }

    /// Changes what is known of a room; a room without any setting is not kept.
    pub(super) fn record_setting(&mut self, room: RoomId, setting: RoomSetting) {
        let key = self.rooms[room].name.key().clone();
        let record = self.moderation.rooms.entry(key.clone()).or_default();
        record.settings.set(setting);
        if record.settings == RoomSettings::default() {
            self.moderation.rooms.remove(&key);
        }
    }

    pub(super) fn apply_room_password(
        &mut self,
        by: &Actor,
        id: RoomId,
        password: Option<NewPassword>,
        now: Now,
    ) {
        let on = password.is_some();
        let (stored, verified) = password
            .map(|password| (password.stored, password.hash))
            .unzip();
        self.record_setting(id, RoomSetting::Password(stored));
        let room = &self.rooms[id];
        if let Some(record) = self.moderation.rooms.get_mut(room.name.key()) {
            record.verified = verified;
        }
        let done = if on { "pôs" } else { "tirou" };
        log::info!(target: AUDIT_LOG, "{} {done} a senha da sala {}.", by.name, room.name);
        let notice = notices::room_password_changed(&by.name, on);
        self.send_notice_to_room(id, notice, by.completion, now);
        self.room_state_changed(id, now);
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
