//! The thread that computes slow password hashes (Argon2id): each takes some 20 ms and 19 MiB, too much for the hub's.
//!
//! Knows passwords and hashes; never knows rooms or people.

use crate::auth::StoredPassword;
use crate::history::RequestId;
use crate::os_error::describe;
use crate::protocol::Password;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::thread;

/// Memory of one hash, in KiB; with the passes, what OWASP recommends.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory.
const PASSES: u32 = 2;
/// Most memory that a stored hash may ask for, in KiB: a file of another origin must not take all of it.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
/// Most passes that a stored hash may ask for.
const MAX_PASSES: u32 = 16;

/// A request to the thread. They are served in order.
#[derive(Debug, Clone)]
pub enum PasswordRequest {
    /// Hash a password that is to be stored.
    Hash(RequestId, Password),
    /// Check a password against a stored hash.
    Verify(RequestId, Password, StoredPassword),
}

/// The reply to a request.
#[derive(Debug, Clone)]
pub enum PasswordReply {
    /// The hash; `None` when the system has no memory or no random bytes for it.
    Hashed(RequestId, Option<StoredPassword>),
    /// Whether the password is the right one.
    Verified(RequestId, bool),
}

/// The thread. It ends when this is dropped.
pub(crate) struct PasswordThread {
    requests: Sender<PasswordRequest>,
    replies: Receiver<PasswordReply>,
    /// For requests when there is no thread.
    reply_sender: Sender<PasswordReply>,
}

impl PasswordThread {
    /// Starts the thread. Without one, no password is right and none can be set.
    pub(crate) fn spawn() -> Self {
        let (requests, receiver) = unbounded::<PasswordRequest>();
        let (reply_sender, replies) = unbounded();
        let sender = reply_sender.clone();
        let body = move || {
            receiver
                .into_iter()
                .map(serve)
                .try_for_each(|reply| sender.send(reply))
        };
        if let Err(error) = thread::Builder::new().name("password".into()).spawn(body) {
            log::error!(
                "O sistema não deu um thread para as senhas das salas ({}).",
                describe(&error)
            );
        }
        Self {
            requests,
            replies,
            reply_sender,
        }
    }

    /// Submits a request. The queue is unbounded: the caller bounds how many wait.
    pub(crate) fn submit(&self, request: PasswordRequest) {
        if let Err(unsent) = self.requests.send(request) {
            let _ = self.reply_sender.send(match unsent.0 {
                PasswordRequest::Hash(request_id, _) => PasswordReply::Hashed(request_id, None),
                PasswordRequest::Verify(request_id, ..) => {
                    PasswordReply::Verified(request_id, false)
                }
            });
        }
    }

    /// The channel of the replies.
    pub(crate) fn replies(&self) -> &Receiver<PasswordReply> {
        &self.replies
    }
}

fn serve(request: PasswordRequest) -> PasswordReply {
    match request {
        PasswordRequest::Hash(request_id, password) => {
            PasswordReply::Hashed(request_id, hash(&password))
        }
        PasswordRequest::Verify(request_id, password, stored) => {
            PasswordReply::Verified(request_id, is_right(&password, &stored))
        }
    }
}

fn hash(password: &Password) -> Option<StoredPassword> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).ok()?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    match hasher.hash_password(password.expose_secret().as_bytes()) {
        Ok(hash) => Some(StoredPassword::new(&hash.to_string())),
        Err(error) => {
            log::error!("Não consegui calcular o resumo de uma senha ({error}).");
            None
        }
    }
}

/// False also for a stored hash that is none, or that would cost too much: its room stays closed.
fn is_right(password: &Password, stored: &StoredPassword) -> bool {
    let Ok(expected) = PasswordHash::new(stored.as_str()) else {
        return false;
    };
    let affordable = Params::try_from(&expected)
        .is_ok_and(|params| params.m_cost() <= MAX_MEMORY_KIB && params.t_cost() <= MAX_PASSES);
    let password = password.expose_secret().as_bytes();
    affordable
        && Argon2::default()
            .verify_password(password, &expected)
            .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(plain: &str) -> Password {
        Password::new(plain).unwrap()
    }

    #[test]
    fn stored_password_is_salted_and_recognized() {
        let stored = hash(&password("abre-te, sésamo")).unwrap();
        assert!(
            stored
                .as_str()
                .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
        );
        assert!(is_right(&password("abre-te, sésamo"), &stored));
        assert!(!is_right(&password("abre-te, sesamo"), &stored));
        assert_ne!(hash(&password("abre-te, sésamo")).unwrap(), stored);
    }

    #[test]
    fn invalid_or_too_costly_hash_matches_nothing() {
        let stored = hash(&password("x")).unwrap();
        let greedy = stored.as_str().replace("m=19456", "m=4194304");
        let slow = stored.as_str().replace("t=2", "t=99999999");
        for bad in ["", "x", "$argon2id$v=19$m=19456,t=2,p=1", &greedy, &slow] {
            assert!(
                !is_right(&password("x"), &StoredPassword::new(bad)),
                "{bad}"
            );
        }
    }

    #[test]
    fn replies_come_in_the_order_of_the_requests() {
        let thread = PasswordThread::spawn();
        thread.submit(PasswordRequest::Hash(RequestId(7), password("x")));
        let Ok(PasswordReply::Hashed(RequestId(7), Some(stored))) = thread.replies().recv() else {
            panic!("the password is not hashed");
        };
        for (id, plain) in [(1, "x"), (2, "y")] {
            let id = RequestId(id);
            thread.submit(PasswordRequest::Verify(id, password(plain), stored.clone()));
        }
        for expected in [(1, true), (2, false)] {
            match thread.replies().recv() {
                Ok(PasswordReply::Verified(RequestId(id), right)) => {
                    assert_eq!((id, right), expected);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
