//! The server ends and starts again: with the same log, or with an older state of it. And those who claim that it is older.

use super::Step;
use crate::model::backend::HistoryBackend;
use crate::model::completions::Completions;
use crate::model::oracle::ExpectedLog;
use crate::model::simulation::Simulation;
use papo::name::Name;
use papo::protocol::{ClientMessage, Credentials, Enter, ResumePoint, ServerMessage, Token};

/// How much more than there is a false claim says to hold.
const FALSE_EXCESS: u64 = 1_000_000;

impl Simulation {
    /// The server ends: what was not stored is lost, and so is every reply that was not delivered. It starts again.
    pub fn crash(&mut self) {
        self.end_server();
        self.backend.reopen();
        if matches!(self.backend, HistoryBackend::Memory(_)) {
            self.log = ExpectedLog::default();
        }
        self.start_server();
    }

    /// Everybody loses the connection, and everything that waits is lost.
    fn end_server(&mut self) {
        (0..self.people.len()).for_each(|person| self.apply(Step::Cut(person)));
        self.conns.clear();
        self.claimants.clear();
        self.subscribers.clear();
        self.write_queue.clear();
        self.read_queue.clear();
        self.replies.clear();
        self.completions = Completions::default();
    }

    /// A new core begins. Where nothing but a person can tell that the log went back, such a person is the first to come:
    /// otherwise what others say may hide it for ever.
    fn start_server(&mut self) {
        self.chat = self.backend.new_chat();
        if let Some(person) = self.find_ahead() {
            self.apply(Step::Connect(person));
            // Up to the claim: one that a cut connection takes along tells nothing.
            self.apply(Step::Read(usize::MAX));
            self.apply(Step::DeliverReply(usize::MAX));
        }
    }

    /// Somebody who holds more of this very log than there is.
    fn find_ahead(&mut self) -> Option<usize> {
        let epoch = self.backend.history().epoch();
        let length = self.log.length();
        self.people.iter().position(|person| {
            let held = &person.transcript;
            held.epoch.as_deref() == Some(&*epoch) && held.held_seq > length
        })
    }

    /// Saves the present state of the log.
    pub fn save(&mut self) {
        if let Some(saved) = self.backend.save() {
            self.saved = Some((saved, self.log.clone()));
        }
    }

    /// The server ends, and the saved state is the log; the history can tell.
    pub fn go_back(&mut self) {
        let Some((saved, log)) = &self.saved else {
            return;
        };
        self.log = log.clone();
        self.backend.go_back(saved);
        self.end_server();
        self.start_server();
    }

    /// The same, and the history can't tell; but somebody can, if anything was lost that was shown.
    pub fn go_back_unnoticed(&mut self) {
        let Some((saved, log)) = &self.saved else {
            return;
        };
        let epoch = self.backend.history().epoch();
        let before = std::mem::replace(&mut self.log, log.clone());
        self.backend.go_back_unnoticed(saved);
        let is_another = self.backend.history().epoch() != epoch;
        let lost_something = self.log.length() < before.length();
        if self.find_ahead().is_none() && (is_another || lost_something) {
            // Nobody holds what was lost, or all hold it as part of another log: then only the history can tell.
            return self.go_back();
        }
        self.end_server();
        self.start_server();
    }

    /// A connection enters that claims to hold more of this log than there is.
    pub fn claim_falsely(&mut self) {
        self.claim_count += 1;
        let name = format!("Mentira {}", self.claim_count);
        let enter = ClientMessage::Enter(Enter {
            token: Token::new(&format!(
                "false-claim-{}-0123456789abcdef",
                self.claim_count
            )),
            name: Name::new(&name).unwrap(),
            room: None,
            resume: ResumePoint {
                epoch: Some(self.backend.history().epoch().to_string()),
                after: Some(self.log.length() + FALSE_EXCESS),
            },
            local_key: None,
            credentials: Credentials::default(),
        });
        let conn = self.open_conn(enter);
        self.claimants.push(conn);
    }

    /// The false claims are answered like any other: their senders hold nothing of this log.
    pub fn deliver_to_claimants(&mut self) {
        for conn in &self.claimants {
            let Some(conn) = self.conns.get_mut(conn) else {
                continue;
            };
            for message in conn.to_client.drain(..) {
                let refused = matches!(message, ServerMessage::Error(_));
                let believed = matches!(message, ServerMessage::Joined { reset: false, .. });
                assert!(
                    !refused && !believed,
                    "the answer to a false claim: {message:?}"
                );
            }
        }
    }
}
