//! Dispatches the server's messages, and handles those about the connection and about own messages.

use super::{App, Exit, Phase, retry};
use crate::app::output::{MessageState, Output};
use crate::app::room::Participant;
use crate::app::rooms::Joined;
use crate::app::sanitize;
use crate::app::send_queue::{PendingMessage, SendTarget};
use papo::protocol::{ByeCode, ErrorCode, Limits, Refusal, ServerMessage};
use papo::text::fold;
use std::time::{Duration, Instant};

/// Wait after “too fast” where the server names no time.
const DEFAULT_RETRY_MS: u64 = 1000;

impl App {
    pub(super) fn on_server_message(&mut self, message: ServerMessage, now: Instant) {
        self.note_answer(&message);
        match message {
            ServerMessage::Welcome {
                name,
                tag,
                protocol,
                limits,
                moderator,
                ..
            } => {
                let me = Participant {
                    name: sanitize::message(&name),
                    tag: tag.to_string(),
                    moderator,
                };
                self.set_limits(&limits, now);
                self.on_welcome(me, protocol, now);
            }
            ServerMessage::Joined {
                room,
                epoch,
                seq,
                oldest,
                online,
                members,
                entries,
                more,
                reset,
                state,
                ..
            } => {
                let joined = Joined {
                    epoch: &epoch,
                    seq,
                    oldest,
                    online,
                    members: &members,
                    entries: &entries,
                    more,
                    reset,
                    state: &state,
                };
                self.on_joined(&room, &joined, now);
            }
            ServerMessage::Left { room, .. } => self.on_left(&room),
            ServerMessage::Message(entry) => self.on_entry(&entry),
            ServerMessage::Ack {
                id, seq, at, text, ..
            } => self.on_ack(&id, seq, at, text),
            ServerMessage::Presence {
                room,
                online,
                joined,
                left,
                renamed,
            } => {
                self.on_presence(&room, online, &joined, &left, &renamed);
            }
            ServerMessage::Whisper {
                from,
                tag,
                to,
                at,
                text,
            } => self.on_whisper(&from, &tag, &to, at, &text),
            ServerMessage::History {
                room,
                entries,
                more,
                ..
            } => self.on_history(&room, &entries, more),
            ServerMessage::Rooms { rooms, .. } => self.on_rooms(&rooms),
            ServerMessage::Error(refusal) => self.on_refusal(refusal, now),
            ServerMessage::Bye {
                code,
                text,
                retry_after_ms,
            } => {
                self.on_bye(code, &text, retry_after_ms.map(retry::bounded_wait), now);
            }
            ServerMessage::Typing { room, name } => self.on_typing(&room, &name, now),
            ServerMessage::Found {
                room,
                query,
                entries,
                more,
                ..
            } => self.on_found(&room, &query, &entries, more),
            ServerMessage::Role { tag, moderator, .. } => self.on_role(&tag, moderator),
            ServerMessage::Notice {
                text, room, from, ..
            } => self.on_notice(&text, room.as_deref(), from.as_deref()),
            ServerMessage::RoomState { room, state } => self.on_room_state(&room, state),
            ServerMessage::Pong { .. } => self.request_done(),
        }
    }

    fn set_limits(&mut self, limits: &Limits, now: Instant) {
        self.max_text = limits.text;
        self.queue.set_limits(limits, now);
    }

    /// A request has its reply.
    pub(super) fn request_done(&mut self) {
        self.pending_requests = self.pending_requests.saturating_sub(1);
    }

    pub(super) fn room_index(&self, room: &str) -> Option<usize> {
        let key = fold(room);
        self.rooms
            .iter()
            .position(|known| **known.name.key() == *key)
    }

    pub(super) fn is_me(&self, tag: &str) -> bool {
        self.me.as_ref().is_some_and(|me| me.tag == tag)
    }

    /// The server has stored an own message.
    fn on_ack(&mut self, id: &str, seq: Option<u64>, at: u64, stored: Option<String>) {
        let Some(PendingMessage { to, text, .. }) = self.queue.resolve(id) else {
            return;
        };
        let text = stored.map_or(text, |stored| sanitize::text(&stored));
        match (to, seq) {
            (SendTarget::Person(name), _) => {
                self.show(Output::Whisper {
                    at,
                    own: true,
                    from: "você".into(),
                    to: name.to_string(),
                    text,
                });
                self.explain_whispers();
            }
            (SendTarget::Room { room, action }, Some(seq)) => {
                let Some(index) = self.room_index(room.as_str()) else {
                    return;
                };
                let message = Output::Message {
                    seq,
                    state: MessageState::Unchanged,
                    room: self.rooms[index].name.to_string(),
                    at,
                    from: self.my_name(),
                    own: true,
                    action,
                    mention: false,
                    text,
                };
                let shown = self.rooms[index].receive(seq, message);
                self.show_all(shown);
            }
            (to, Some(seq)) => self.on_change_stored(to, text, seq, at),
            (_, None) => {}
        }
    }

    fn on_refusal(&mut self, refusal: Refusal, now: Instant) {
        let sentence = sanitize::message(&refusal.text);
        if let Some(id) = &refusal.id {
            let wait = retry::bounded_wait(refusal.retry_after_ms.unwrap_or(DEFAULT_RETRY_MS));
            match refusal.code {
                ErrorCode::TooFast => return self.queue.defer(id, wait, now),
                ErrorCode::SlowMode => return self.queue.defer_in_room(id, wait, now),
                _ => {}
            }
            if let Some(pending) = self.queue.resolve(id) {
                self.on_message_refused(sentence, &pending);
            }
            return;
        }
        match self.phase {
            Phase::Online => {}
            Phase::Entering { .. } => return self.on_entry_refused(&refusal, &sentence, now),
            _ => return,
        }
        if self.on_join_refused(&refusal, &sentence, now) {
            return;
        }
        self.request_done();
        self.rename_in_flight = false;
        let sentence = match refusal.code {
            ErrorCode::PasswordRequired => format!("{sentence} Assim: /entrar SALA SENHA"),
            _ => sentence,
        };
        self.joining_room = None;
        self.pending_exit = self.pending_exit.or(Some(Exit::Refused));
        self.show(Output::problem(sentence));
        // The refused request may be that for a page: buffered entries must not wait for it forever.
        for index in 0..self.rooms.len() {
            self.rooms[index].fetching_earlier = false;
            let shown = self.rooms[index].finish_catching_up();
            self.show_all(shown);
        }
    }

    pub(super) fn on_message_refused(&mut self, mut sentence: String, pending: &PendingMessage) {
        self.pending_exit = self.pending_exit.or(Some(Exit::Refused));
        let addressee = match &pending.to {
            SendTarget::Person(name) => format!(" a {name}"),
            _ => String::new(),
        };
        if !pending.text.is_empty() {
            sentence.push_str(&format!(" Não enviada{addressee}: “{}”", pending.text));
        }
        self.show(Output::problem(sentence));
    }

    fn on_bye(&mut self, code: ByeCode, text: &str, retry_after: Option<Duration>, now: Instant) {
        self.bye = Some((code, retry_after));
        let prompting = matches!(self.phase, Phase::Prompting { .. })
            || (matches!(self.phase, Phase::EntryDelayed { .. }) && code == ByeCode::Idle);
        let is_final = matches!(code, ByeCode::Kicked | ByeCode::Banned | ByeCode::Protocol)
            || !self.entry.done;
        match code {
            // The server's time limit may pass during a prompt or a wait: the next try opens a new connection.
            _ if prompting => {}
            ByeCode::TooSlow | ByeCode::Idle if !is_final => {}
            _ if is_final || !self.mode.interactive => {
                self.show(Output::problem(sanitize::message(text)));
            }
            _ => self.show(Output::info(sanitize::message(text))),
        }
        if is_final && !prompting {
            let exit = if code == ByeCode::Shutdown {
                Exit::Unreachable
            } else {
                Exit::Refused
            };
            self.close_then_exit(exit, now);
        }
    }
}
