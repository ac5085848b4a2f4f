//! Completions: every request is answered exactly once, by its handler or after what it waits for.
//!
//! Knows connections and message ids; never knows what was asked.

use crate::chat::Effect;
use crate::history::{HistoryRequest, RequestId};
use crate::ids::{ConnId, RoomId};
use crate::password_thread::PasswordRequest;
use crate::protocol::{ClientMessage, ClientRequest};
use slab::Slab;

/// The duty to answer one request. [`Completion::done`] frees the request's place in the connection's windows; a drop
/// without it would block the connection forever, so it panics in debug builds.
#[must_use = "a request is answered exactly once"]
#[derive(Debug)]
pub(super) struct Completion {
    conn: ConnId,
    /// The sender's id, when the request has one.
    id: Option<String>,
    /// The text that will be stored, if it is not the one that was sent.
    changed_text: Option<String>,
    in_flight: bool,
    bulk: bool,
    /// The request was made before the epoch that is now.
    made_before_epoch: bool,
    /// A client that is ahead of the log may ask for a new epoch with it; false after that failed.
    may_claim: bool,
    finished: bool,
}

impl Completion {
    pub(super) fn new(conn: ConnId, request: &ClientRequest) -> Self {
        let message = &request.message;
        let text = message.text().filter(|_| request.text_changed);
        Self {
            conn,
            id: request.id().map(str::to_owned),
            changed_text: text.map(str::to_owned),
            in_flight: message.id().is_some(),
            bulk: message.is_bulk(),
            made_before_epoch: false,
            may_claim: true,
            finished: false,
        }
    }

    pub(super) fn conn(&self) -> ConnId {
        self.conn
    }

    /// The id that the answer echoes.
    pub(super) fn id(&self) -> Option<String> {
        self.id.clone()
    }

    /// The text that the `ack` repeats.
    pub(super) fn changed_text(&self) -> Option<String> {
        self.changed_text.clone()
    }

    /// Whether a client that is ahead of the log may ask for a new epoch with this request.
    pub(super) fn may_claim(&self) -> bool {
        self.may_claim
    }

    /// The new epoch could not begin: the request is answered without it.
    pub(super) fn deny_claim(&mut self) {
        self.may_claim = false;
    }

    /// Whether a new epoch began since the request was made.
    pub(super) fn made_before_epoch(&self) -> bool {
        self.made_before_epoch
    }

    /// The answer is among the effects: the connection may send the next request.
    pub(super) fn done(mut self, effects: &mut Vec<Effect>) {
        self.finished = true;
        if self.in_flight {
            effects.push(Effect::RequestDone(self.conn));
        }
        if self.bulk {
            effects.push(Effect::BulkDone(self.conn));
        }
    }

    /// Gives the request up without an answer, because the server ends and the connection with it.
    pub(super) fn abandon(mut self) {
        self.finished = true;
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        debug_assert!(
            self.finished || std::thread::panicking(),
            "a request was dropped unanswered: {self:?}"
        );
    }
}

/// The number of a running check of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CheckId(pub usize);

/// The state of a request after its handler accepted it.
#[must_use]
#[derive(Debug)]
pub(super) enum Progress {
    /// The answer is among the effects.
    Done,
    /// The history must do this; its reply answers the request.
    AwaitReply(HistoryRequest),
    /// Nothing was done yet: when this room's log is open, the message is handled once more.
    AwaitRoom(RoomId, ClientMessage),
    /// Nothing was done yet: when this password is checked, the message is handled once more, or refused.
    AwaitCheck(CheckId, ClientMessage),
    /// Nothing was done yet: when the new epoch that it asks for has begun, or can't, the message is handled once more.
    AwaitEpoch(ClientMessage),
    /// The password thread must do this, and its reply is handled first.
    AwaitHash(PasswordRequest),
}

/// A request that could not be decided yet, and has changed nothing. When what it waits for is there, it is handled
/// again from the beginning, because every rule may have another answer by then.
#[derive(Debug)]
pub(super) struct WaitingRequest {
    pub completion: Completion,
    pub message: ClientMessage,
}

/// The requests that the history has to answer.
#[derive(Default)]
pub(super) struct PendingRequests(Slab<Completion>);

impl PendingRequests {
    /// The id of the request that is inserted next.
    pub(super) fn next_id(&self) -> RequestId {
        RequestId(self.0.vacant_key() as u64)
    }

    pub(super) fn insert(&mut self, id: RequestId, completion: Completion) {
        let key = self.0.insert(completion);
        debug_assert_eq!(id, RequestId(key as u64), "requests are handled one by one");
    }

    /// Takes the request that the history replied to.
    ///
    /// # Panics
    /// If it replied already, or was never asked.
    pub(super) fn remove(&mut self, id: RequestId) -> Completion {
        self.0.remove(id.0 as usize)
    }

    /// A new epoch begins: what waits now was asked for in the one before.
    pub(super) fn mark_made_before(&mut self) {
        for (_, completion) in &mut self.0 {
            completion.made_before_epoch = true;
        }
    }

    pub(super) fn abandon_all(&mut self) {
        self.0.drain().for_each(Completion::abandon);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completion_releases_what_its_request_holds() {
        let done = |json: &str| {
            let request = ClientMessage::parse(json).unwrap();
            let mut effects = Vec::new();
            Completion::new(ConnId(1), &request).done(&mut effects);
            format!("{effects:?}")
        };
        let say = r#"{"type":"say","room":"geral","id":"a1","text":"oi"}"#;
        assert_eq!(done(say), "[RequestDone(ConnId(1))]");
        let history = r#"{"type":"history","room":"geral"}"#;
        assert_eq!(done(history), "[BulkDone(ConnId(1))]");
        assert_eq!(done(r#"{"type":"rooms","id":"a1"}"#), "[]");
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "dropped unanswered")]
    fn dropping_a_completion_panics() {
        drop(Completion::new(ConnId(1), &ClientMessage::Ping.into()));
    }
}
