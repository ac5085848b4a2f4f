//! What the server says of the connection and of one's own messages, taken up into the state of the client.

use super::{App, AppEffect, Exit, Phase};
use crate::app::output::{MessageState, Output};
use crate::app::room::Participant;
use crate::app::rooms::Joined;
use crate::app::sanitize;
use crate::app::send_queue::{PendingMessage, SendTarget};
use papo::protocol::{
    ByeCode, ClientMessage, ErrorCode, PROTOCOL, Refusal, ResumePoint, ServerMessage,
};
use papo::text::fold;
use std::time::{Duration, Instant};

/// How long to wait when the server says “too fast” and not for how long.
const DEFAULT_RETRY_MS: u64 = 1000;

impl App {
    pub(super) fn on_server_message(&mut self, message: ServerMessage, now: Instant) {
        match message {
            ServerMessage::Welcome {
                name,
                tag,
                protocol,
                limits,
                moderator,
                ..
            } => {
                if protocol != PROTOCOL {
                    self.show(Output::problem(
                        "O servidor é de outra versão. Use o cliente que veio com ele.",
                    ));
                    return self.close_then_exit(Exit::Refused, now);
                }
                self.max_text = limits.text;
                self.queue.set_limits(&limits);
                self.on_welcome(Participant {
                    name: sanitize::message(&name),
                    tag: tag.to_string(),
                    moderator,
                });
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
            } => {
                let (epoch, members, entries) = (&*epoch, &*members, &*entries);
                self.on_joined(
                    &room,
                    &Joined {
                        epoch,
                        seq,
                        oldest,
                        online,
                        members,
                        entries,
                        more,
                        reset,
                    },
                );
            }
            ServerMessage::Left { room } => self.on_left(&room),
            ServerMessage::Message(entry) => self.on_entry(&entry),
            ServerMessage::Ack { id, seq, at, .. } => self.on_ack(&id, seq, at),
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
            ServerMessage::Rooms { rooms } => {
                self.request_done();
                rooms
                    .iter()
                    .rev()
                    .for_each(|info| self.known_rooms.add(&info.room));
                self.show_rooms(&rooms);
            }
            ServerMessage::Error(refusal) => self.on_refusal(refusal, now),
            ServerMessage::Bye {
                code,
                text,
                retry_after_ms,
            } => {
                self.on_bye(code, &text, retry_after_ms.map(Duration::from_millis), now);
            }
            ServerMessage::Typing { room, name } => self.on_typing(&room, &name, now),
            ServerMessage::Found {
                room,
                query,
                entries,
                more,
            } => self.on_found(&room, &query, &entries, more),
            ServerMessage::Role {
                tag,
                moderator: host,
                ..
            } => {
                self.rooms
                    .iter_mut()
                    .for_each(|room| room.set_moderator(&tag, host));
            }
            ServerMessage::Notice {
                text, room, from, ..
            } => self.on_notice(&text, room.as_deref(), from.as_deref()),
            ServerMessage::Pong => self.request_done(),
        }
    }

    /// The answer to a question has come, whatever it is.
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

    fn on_welcome(&mut self, me: Participant) {
        if let Ok(name) = papo::name::Name::new(&me.name) {
            self.name = Some(name);
        }
        let before = self.me.replace(me);
        if self.phase == Phase::Online {
            self.request_done();
            self.rename_in_flight = false;
            let name = self.my_name();
            if before.is_some_and(|before| before.name != name) {
                self.show(Output::answer(format!("Agora você é {name}.")));
            }
            return;
        }
        if matches!(self.phase, Phase::Closing { .. } | Phase::Exited) {
            return;
        }
        self.phase = Phase::Online;
        if let Some((_, true)) = self.outage.take() {
            self.show(Output::info("Conexão restabelecida."));
        }
        // The first room came with `enter`; what waits to be said in the others must find them open.
        let again: Vec<ClientMessage> = (self.rooms.iter().skip(1))
            .map(|room| self.join_message(room.name.clone(), room.resume_point()))
            .collect();
        again.into_iter().for_each(|join| self.send(join));
        // So must the one that was being opened when the connection was lost.
        if let Some(room) = self.joining_room.clone() {
            self.request(self.join_message(room, ResumePoint::default()));
        }
    }

    /// The place of the own message in the order of all.
    fn on_ack(&mut self, id: &str, seq: Option<u64>, at: u64) {
        let Some(PendingMessage { to, text, .. }) = self.queue.resolve(id) else {
            return;
        };
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
                let (from, name) = (self.my_name(), self.rooms[index].name.to_string());
                let (own, mention) = (true, false);
                let state = MessageState::Unchanged;
                let line = Output::Message {
                    seq,
                    state,
                    room: name,
                    at,
                    from,
                    own,
                    action,
                    mention,
                    text,
                };
                let lines = self.rooms[index].receive(seq, line);
                self.effects.extend(lines.into_iter().map(AppEffect::Show));
            }
            (to, Some(seq)) => self.on_change_stored(to, text, seq, at),
            (_, None) => {}
        }
    }

    fn on_refusal(&mut self, refusal: Refusal, now: Instant) {
        let sentence = sanitize::message(&refusal.text);
        if let Some(id) = &refusal.id {
            if matches!(refusal.code, ErrorCode::TooFast | ErrorCode::SlowMode) {
                let wait = refusal.retry_after_ms.unwrap_or(DEFAULT_RETRY_MS);
                return self.queue.defer(id, Duration::from_millis(wait), now);
            }
            if let Some(pending) = self.queue.resolve(id) {
                self.pending_exit = self.pending_exit.or(Some(Exit::Refused));
                let whom = match &pending.to {
                    SendTarget::Person(name) => format!(" a {name}"),
                    _ => String::new(),
                };
                let unsent = format!(" Não enviada{whom}: “{}”", pending.text);
                self.show(Output::problem(
                    sentence + if pending.text.is_empty() { "" } else { &unsent },
                ));
            }
            return;
        }
        if let Phase::Entering { .. } = self.phase {
            return self.on_entry_refused(refusal.code, refusal.room.is_some(), &sentence, now);
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
        // The refusal may be of the pages being fetched; what waits for them must not wait forever.
        for index in 0..self.rooms.len() {
            self.rooms[index].fetching_earlier = false;
            let lines = self.rooms[index].finish_catching_up();
            self.effects.extend(lines.into_iter().map(AppEffect::Show));
        }
    }

    fn on_entry_refused(&mut self, code: ErrorCode, of_room: bool, sentence: &str, now: Instant) {
        if let Some(prompt) = self.prompt_after_refusal(code, of_room) {
            self.show(Output::problem(sentence));
            return self.start_prompt(prompt);
        }
        let advice = match code {
            ErrorCode::NameTaken | ErrorCode::NameConfusable => {
                format!(" Tente: cliente --nome \"{} 2\"", self.my_name())
            }
            ErrorCode::NameInvalid => " Tente: cliente --nome \"Ana 2\"".to_owned(),
            ErrorCode::PasswordRequired if !of_room => " Assim: cliente --senha SENHA".to_owned(),
            _ => String::new(),
        };
        self.show(Output::problem(format!("{sentence}{advice}")));
        self.close_then_exit(Exit::Refused, now);
    }

    fn on_bye(&mut self, code: ByeCode, text: &str, retry_after: Option<Duration>, now: Instant) {
        self.bye = Some((code, retry_after));
        let prompting = matches!(self.phase, Phase::Prompting { .. });
        let is_final = matches!(code, ByeCode::Kicked | ByeCode::Banned | ByeCode::Protocol)
            || self.me.is_none();
        match code {
            // While a name is being thought about the server may lose patience: the next name brings a new connection.
            _ if prompting => {}
            ByeCode::TooSlow | ByeCode::Idle if !is_final => {}
            _ if is_final || !self.mode.interactive => {
                self.show(Output::problem(sanitize::message(text)))
            }
            _ => self.show(Output::info(sanitize::message(text))),
        }
        if is_final && !prompting {
            self.close_then_exit(
                if code == ByeCode::Shutdown {
                    Exit::Unreachable
                } else {
                    Exit::Refused
                },
                now,
            );
        }
    }
}
