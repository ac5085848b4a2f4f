//! Answers that do not come: the connection then counts as lost, and a script exits.

use super::{App, Exit};
use crate::app::output::Output;
use crate::net::session::DisconnectCause;
use papo::protocol::ServerMessage;
use std::time::{Duration, Instant};

/// How long the server may take for the next answer while one is awaited.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a script goes on asking a server that takes none of its messages.
const STALL_TIMEOUT: Duration = Duration::from_mins(10);

impl App {
    /// An answer shows that the server works: the wait for the next one begins anew.
    pub(super) fn note_answer(&mut self, message: &ServerMessage) {
        let is_answer = matches!(
            message,
            ServerMessage::Welcome { .. }
                | ServerMessage::Joined { .. }
                | ServerMessage::Left { .. }
                | ServerMessage::Ack { .. }
                | ServerMessage::History { .. }
                | ServerMessage::Found { .. }
                | ServerMessage::Rooms { .. }
                | ServerMessage::Error(_)
                | ServerMessage::Pong { .. }
        );
        if is_answer {
            self.awaiting_since = None;
        }
        if matches!(message, ServerMessage::Ack { .. }) {
            self.stalled_since = None;
        }
    }

    /// When the awaited answer is overdue.
    pub(super) fn answer_due_at(&self) -> Option<Instant> {
        self.awaiting_since.map(|since| since + ANSWER_TIMEOUT)
    }

    /// Gives up on an overdue answer, while online.
    pub(super) fn check_answers(&mut self, now: Instant) {
        self.check_progress(now);
        let awaits_request = self.pending_requests > 0 && self.next_join_at().is_none();
        let script_waits = awaits_request || self.rename_in_flight;
        let waits = self.queue.has_in_flight()
            || self.awaits_join()
            || (!self.mode.interactive && script_waits);
        if !waits {
            self.awaiting_since = None;
            return;
        }
        self.awaiting_since.get_or_insert(now);
        if self.answer_due_at().is_some_and(|time| now >= time) {
            self.awaiting_since = None;
            self.on_answer_overdue(now);
        }
    }

    /// Ends a script whose messages are all put off, for instance by a slow mode of hours.
    fn check_progress(&mut self, now: Instant) {
        if !self.gives_up() || self.queue.is_empty() {
            self.stalled_since = None;
            return;
        }
        let since = *self.stalled_since.get_or_insert(now);
        if now >= since + STALL_TIMEOUT {
            self.stalled_since = None;
            let text = format!(
                "O servidor não aceitou nenhuma mensagem em {} minutos. Tente de novo mais tarde.",
                STALL_TIMEOUT.as_secs() / 60
            );
            self.show(Output::problem(text));
            self.close_then_exit(Exit::ConnectionLost, now);
        }
    }

    fn on_answer_overdue(&mut self, now: Instant) {
        if self.gives_up() {
            let text = format!(
                "O servidor não respondeu em {} s. Tente de novo mais tarde.",
                ANSWER_TIMEOUT.as_secs()
            );
            self.show(Output::problem(text));
            return self.close_then_exit(Exit::ConnectionLost, now);
        }
        for pending in self.queue.take_unanswerable() {
            let sentence = "O servidor não confirmou a mensagem.".to_owned();
            self.on_message_refused(sentence, &pending);
        }
        self.drop_unanswered_joins();
        self.disconnect(DisconnectCause::Closed, now);
    }
}
