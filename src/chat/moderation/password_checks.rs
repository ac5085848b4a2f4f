//! Room passwords that are being checked against their slow hashes, and the requests that wait for the result.
//!
//! Requests that bring the same password for the same room share one check: a class that comes back costs one.

use crate::auth::{PasswordHash, StoredPassword};
use crate::chat::completion::{CheckId, WaitingRequest};
use crate::chat::{Chat, Effect, Now};
use crate::history::RequestId;
use crate::ids::ClientAddr;
use crate::name::RoomName;
use crate::password_thread::PasswordRequest;
use crate::protocol::{ErrorCode, Password, Refusal};
use slab::Slab;

/// Most slow hashes that wait or are being computed.
pub(crate) const MAX_SLOW_HASHES: usize = 64;
/// When to try again beyond: about how long the waiting ones take.
const BUSY_RETRY_MS: u64 = 2000;

/// A password that is being checked.
struct Check {
    room: RoomName,
    /// What it is checked against. The room may have another password when the result comes.
    stored: StoredPassword,
    given: PasswordHash,
    /// Where the first request came from.
    address: ClientAddr,
    waiting: Vec<WaitingRequest>,
}

/// All slow hashes that wait or are being computed.
#[derive(Default)]
pub(crate) struct PasswordChecks {
    running: Slab<Check>,
    /// New passwords that are being hashed.
    hashing: usize,
}

impl PasswordChecks {
    fn is_full(&self) -> bool {
        self.running.len() + self.hashing >= MAX_SLOW_HASHES
    }

    /// Takes a place for hashing a new password.
    ///
    /// # Errors
    /// When too many wait already.
    pub(super) fn start_hashing(&mut self) -> Result<(), Refusal> {
        if self.is_full() {
            return Err(busy());
        }
        self.hashing += 1;
        Ok(())
    }

    /// A new password is hashed.
    pub(super) fn hashed(&mut self) {
        self.hashing -= 1;
    }

    /// Passwords from this address that are being checked: each may turn out to be wrong.
    pub(super) fn running_from(&self, address: ClientAddr) -> usize {
        let running = self.running.iter();
        running
            .filter(|(_, check)| check.address == address)
            .count()
    }

    /// The running check of the same password for the same room.
    pub(super) fn find(
        &self,
        room: &RoomName,
        stored: &StoredPassword,
        given: PasswordHash,
    ) -> Option<CheckId> {
        let mut running = self.running.iter();
        let same = running.find(|(_, check)| {
            check.room == *room && check.stored == *stored && check.given == given
        });
        same.map(|(number, _)| CheckId(number))
    }

    /// Adds a request to those that wait for a check.
    pub(in crate::chat) fn wait(&mut self, id: CheckId, request: WaitingRequest) {
        self.running[id.0].waiting.push(request);
    }

    /// All requests that wait.
    pub(in crate::chat) fn take_waiting(&mut self) -> Vec<WaitingRequest> {
        let running = self.running.iter_mut();
        running
            .flat_map(|(_, check)| std::mem::take(&mut check.waiting))
            .collect()
    }
}

impl Chat {
    /// Starts the check of a password that a person gave for a room.
    pub(super) fn start_check(
        &mut self,
        room: &RoomName,
        stored: StoredPassword,
        given: &Password,
        address: ClientAddr,
    ) -> Result<CheckId, Refusal> {
        if self.moderation.checks.is_full() {
            return Err(busy());
        }
        let check = Check {
            room: room.clone(),
            stored: stored.clone(),
            given: PasswordHash::of(given.expose_secret()),
            address,
            waiting: Vec::new(),
        };
        let number = self.moderation.checks.running.insert(check);
        let request = PasswordRequest::Verify(RequestId(number as u64), given.clone(), stored);
        self.effects.push(Effect::Password(request));
        Ok(CheckId(number))
    }

    /// Handles the result of a check.
    pub(in crate::chat) fn password_verified(&mut self, id: RequestId, right: bool, now: Now) {
        let check = self.moderation.checks.running.remove(id.0 as usize);
        let record = self.moderation.rooms.get_mut(check.room.key());
        let unchanged =
            record.filter(|record| record.settings.password.as_ref() == Some(&check.stored));
        match unchanged {
            Some(record) if right => {
                record.verified = Some(check.given);
                let mut waiting = check.waiting;
                // From now on the fast hash tells right ones from wrong ones.
                let running = self.moderation.checks.running.iter_mut();
                for (_, other) in running.filter(|(_, other)| other.room == check.room) {
                    waiting.append(&mut other.waiting);
                }
                self.resume_all(waiting, now);
            }
            Some(_) => self.refuse_wrong(check, now),
            // The room has another password by now, or none.
            None => self.resume_all(check.waiting, now),
        }
    }

    fn resume_all(&mut self, waiting: Vec<WaitingRequest>, now: Now) {
        for request in waiting {
            self.resume_request(request, now);
        }
    }

    fn refuse_wrong(&mut self, check: Check, now: Now) {
        for request in check.waiting {
            if let Some(state) = self.conns.get(request.completion.conn()) {
                let attempts = &mut self.moderation.attempts;
                attempts.record_failure(state.address, now.instant);
            }
            let refusal = Refusal::new(ErrorCode::PasswordWrong);
            self.refuse_waiting(request, refusal.with_room(check.room.display()));
        }
    }
}

fn busy() -> Refusal {
    Refusal::passwords_busy(BUSY_RETRY_MS)
}
