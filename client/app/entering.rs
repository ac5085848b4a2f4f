//! Entering: `enter` is answered by `welcome` and `joined`, or by one refusal. Only with `joined` is the person in.
//!
//! After a temporary refusal `enter` is sent again; a script does so for a while and then exits.

use super::{App, AppEffect, Exit, Phase, Prompt, retry};
use crate::app::output::Output;
use crate::app::room::Participant;
use crate::app::strings;
use crate::net::connection::ConnectError;
use crate::net::session::DisconnectCause;
use papo::protocol::{
    ClientMessage, Credentials, Enter, ErrorCode, PROTOCOL, Refusal, ResumePoint,
};
use std::time::{Duration, Instant};

/// How long the answer to `enter` may take.
const ENTER_TIMEOUT: Duration = Duration::from_secs(10);

/// How far entering has come.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// The person was in at least once.
    pub done: bool,
    /// This server has answered in the protocol.
    answered: bool,
    retries: u32,
    /// The reason that was reported last.
    reason: Option<String>,
    /// When a script gives up.
    give_up_at: Option<Instant>,
    /// The moderator key was dropped, because a restart has made it void.
    key_dropped: bool,
}

impl App {
    pub(super) fn connect(&mut self) {
        self.phase = Phase::Connecting;
        if !self.entry.done && self.entry.retries == 0 && self.mode.interactive {
            self.show(Output::info(format!("Conectando a {}…", self.address)));
        }
        self.effects.push(AppEffect::Connect);
    }

    pub(super) fn send_enter(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Closing { .. } | Phase::Exited) {
            return;
        }
        let Some(name) = self.name.clone() else {
            self.start_prompt(Prompt::Name);
            return;
        };
        self.bye = None;
        if self.gives_up() && !self.entry.done {
            self.entry
                .give_up_at
                .get_or_insert(now + retry::SCRIPT_TIMEOUT);
        }
        let until = now + ENTER_TIMEOUT;
        self.phase = Phase::Entering {
            until: self.entry.give_up_at.map_or(until, |end| until.min(end)),
        };
        let (room, resume) = match self.rooms.first() {
            Some(room) => (room.name.clone(), room.resume_point()),
            None => (self.initial_room.clone(), ResumePoint::default()),
        };
        let credentials = Credentials {
            room_password: self.password_of(&room),
            ..self.credentials.clone()
        };
        self.send(ClientMessage::Enter(Enter {
            name,
            token: Some(self.token.clone()),
            room: Some(room),
            resume,
            local_key: None,
            credentials,
        }));
    }

    /// Whether an unavailable server ends the program: in a script that was not told to insist.
    pub(super) fn gives_up(&self) -> bool {
        !self.mode.interactive && !self.mode.reconnect
    }

    /// Takes who this person is: the first part of the answer to `enter`, or the answer to a rename.
    pub(super) fn on_welcome(&mut self, me: Participant, protocol: u32, now: Instant) {
        if protocol != PROTOCOL {
            let text = "O servidor é de outra versão. Use o cliente que veio com ele.";
            self.show(Output::problem(text));
            return self.close_then_exit(Exit::Refused, now);
        }
        if !matches!(self.phase, Phase::Online | Phase::Entering { .. }) {
            return;
        }
        if let Ok(name) = papo::name::Name::new(&me.name) {
            self.name = Some(name);
        }
        self.entry.answered = true;
        let before = self.me.replace(me);
        if self.phase == Phase::Online {
            self.request_done();
            self.rename_in_flight = false;
            let name = self.my_name();
            if before.is_some_and(|before| before.name != name) {
                self.show(Output::answer(format!("Agora você é {name}.")));
            }
        }
    }

    /// The first room is open: the person is in.
    pub(super) fn on_entered(&mut self, now: Instant) {
        self.phase = Phase::Online;
        let Entry { key_dropped, .. } = std::mem::replace(
            &mut self.entry,
            Entry {
                done: true,
                answered: true,
                ..Entry::default()
            },
        );
        if let Some((_, true)) = self.outage.take() {
            self.show(Output::info("Conexão restabelecida."));
        }
        if key_dropped && !self.me.as_ref().is_some_and(|me| me.moderator) {
            self.show_in_scripts_too("O servidor foi religado: para organizar, use a chave nova.");
        }
        self.join_other_rooms(now);
    }

    /// Shows a sentence in a script too, which gets no information but problems.
    fn show_in_scripts_too(&mut self, text: &str) {
        self.show(match self.mode.interactive {
            true => Output::info(text),
            false => Output::problem(text),
        });
    }

    pub(super) fn on_entry_refused(&mut self, refusal: &Refusal, sentence: &str, now: Instant) {
        self.entry.answered = true;
        let code = refusal.code;
        let of_room = refusal.room.is_some();
        let key_is_void = code == ErrorCode::ModeratorKeyWrong && self.entry.done;
        if key_is_void && self.credentials.moderator_key.take().is_some() {
            self.entry.key_dropped = true;
            return self.send_enter(now);
        }
        if retry::is_temporary(code) {
            let delay = retry::delay(self.entry.retries, refusal.retry_after_ms);
            return self.retry_entry(sentence, delay, true, now);
        }
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

    /// Enters again after `delay`, on this connection or on a new one; a script that can't wait so long exits.
    fn retry_entry(&mut self, sentence: &str, delay: Duration, connected: bool, now: Instant) {
        let until = now + delay;
        self.phase = Phase::EntryDelayed { until, connected };
        self.entry.retries = self.entry.retries.saturating_add(1);
        if self.entry.give_up_at.is_some_and(|end| until > end) {
            self.show(Output::problem(strings::entry_given_up(sentence)));
            return self.close_then_exit(Exit::Unreachable, now);
        }
        if self.entry.reason.as_deref() != Some(sentence) {
            self.entry.reason = Some(sentence.to_owned());
            self.show(Output::problem(strings::next_try(sentence, delay)));
        }
    }

    /// Enters now instead of later.
    pub(super) fn resume_entry(&mut self, connected: bool, now: Instant) {
        if connected {
            self.send_enter(now);
        } else {
            self.connect();
        }
    }

    /// The server has not answered `enter`, or only half of it.
    pub(super) fn on_entry_timeout(&mut self, now: Instant) {
        if !self.entry.done {
            self.effects.push(AppEffect::Close);
        }
        if self.entry.answered && !self.entry.done {
            let delay = retry::delay(self.entry.retries, None);
            return self.retry_entry("O servidor não abriu a sala a tempo.", delay, false, now);
        }
        self.disconnect(DisconnectCause::ConnectFailed(ConnectError::NotAChat), now);
    }
}
