//! Submitted lines: messages and commands.

use super::{App, AppEffect, Exit, Phase};
use crate::app::command::{CommandKind, Parsed};
use crate::app::output::Output;
use crate::app::send_queue::SendTarget;
use crate::app::{command, strings};
use papo::name::{MAX_ROOM, Name, NameError, RoomName};
use papo::protocol::{ClientMessage, Leave, Password, Refusal, Rename, Search, Typing};
use papo::text::fold;
use std::time::{Duration, Instant};

/// The server relays one `typing` in this time.
const TYPING_INTERVAL: Duration = Duration::from_secs(3);
/// Most results of a search.
const MAX_SEARCH_RESULTS: u64 = 50;

/// Why a name is invalid, and what would be valid.
pub fn bad_name(error: NameError) -> String {
    Refusal::name_invalid(error).text
}

/// Why a room's name is invalid, and what would be valid.
pub fn bad_room() -> String {
    format!("Este nome de sala não serve: use até {MAX_ROOM} letras, números, hífen ou sublinhado.")
}

impl App {
    pub(super) fn on_submitted(&mut self, text: &str, now: Instant) {
        self.exit_confirm_until = None;
        match self.phase {
            Phase::Closing { .. } | Phase::Exited => return,
            Phase::Prompting { prompt, connected } => {
                return self.on_prompt_answer(prompt, text, connected, now);
            }
            _ => {}
        }
        let text = text.trim_end();
        if text.is_empty() {
            return self.try_now(now);
        }
        match command::parse(text) {
            Parsed::Text(text) => self.say_in_current_room(text, false, now),
            Parsed::Command(kind, arguments) => self.run_command(kind, arguments, now),
            Parsed::Unknown(sentence) => self.usage_error(sentence),
        }
    }

    /// Ends the wait for the next try, because the person pressed Enter.
    fn try_now(&mut self, now: Instant) {
        match self.phase {
            Phase::Connecting if self.outage.is_some() => self.effects.push(AppEffect::Connect),
            Phase::EntryDelayed { connected, .. } => self.resume_entry(connected, now),
            _ => {}
        }
    }

    /// Reports a line that can't be carried out.
    pub(super) fn usage_error(&mut self, sentence: String) {
        self.pending_exit = self.pending_exit.or(Some(Exit::Usage));
        self.show(Output::problem(sentence));
    }

    fn run_command(&mut self, kind: CommandKind, arguments: &str, now: Instant) {
        let wants_text = matches!(
            kind,
            CommandKind::Whisper
                | CommandKind::Reply
                | CommandKind::Action
                | CommandKind::Join
                | CommandKind::Search
        );
        if wants_text && arguments.is_empty() {
            return self.usage_error(command::usage(kind));
        }
        match kind {
            CommandKind::Help if arguments.is_empty() => self.show(Output::Help(command::help())),
            CommandKind::Help => self.show(Output::answer(command::moderation_help())),
            CommandKind::Edit => self.edit_last(arguments, now),
            CommandKind::Erase if arguments.is_empty() => self.erase_last(now),
            CommandKind::Ignore => self.toggle_ignored(arguments),
            CommandKind::Who => self.show_people(),
            CommandKind::Action => self.say_in_current_room(arguments, true, now),
            CommandKind::Whisper => self.whisper(arguments, now),
            CommandKind::Reply => self.reply(arguments, now),
            CommandKind::Name => self.rename(arguments),
            CommandKind::Rooms => self.request(ClientMessage::Rooms),
            CommandKind::Join => self.join_room(arguments, now),
            CommandKind::Part => self.leave_room(arguments),
            CommandKind::Search => self.search(arguments),
            CommandKind::Earlier => self.show_earlier(),
            CommandKind::Alerts => self.set_alerts(arguments),
            CommandKind::Clear => self.clear(),
            CommandKind::Quit => self.start_leaving(now),
            _ => self.moderate(kind, arguments, now),
        }
    }

    fn say_in_current_room(&mut self, text: &str, action: bool, now: Instant) {
        let current = self.rooms.get(self.current).map(|room| &room.name);
        let room = self
            .joining_room
            .as_ref()
            .or(current)
            .unwrap_or(&self.initial_room)
            .clone();
        self.enqueue(SendTarget::Room { room, action }, text, now);
    }

    /// Sends a request, which needs a connection.
    pub(super) fn request(&mut self, message: ClientMessage) {
        if self.phase == Phase::Online {
            self.pending_requests += 1;
            self.send(message);
        } else {
            self.show(Output::problem(
                "Sem conexão. Tente de novo quando ela voltar.",
            ));
        }
    }

    fn show_people(&mut self) {
        let Some(room) = self.rooms.get(self.current) else {
            return;
        };
        let me = self.me.as_ref().map(|me| me.tag.as_str());
        let names: Vec<String> = (room.people().iter())
            .map(|person| {
                let own = me == Some(person.tag.as_str());
                strings::person_entry(&person.name, own, person.moderator)
            })
            .collect();
        let unnamed = room.online.saturating_sub(names.len());
        let more = match unnamed {
            0 => String::new(),
            count => format!(" e mais {}", strings::people_count(count)),
        };
        let place = if self.rooms.len() > 1 {
            format!(" em #{}", room.name)
        } else {
            String::new()
        };
        let online = room.online.max(names.len());
        self.show(Output::People(format!(
            "Pessoas{place} ({online}): {}{more}",
            names.join(", ")
        )));
    }

    /// Cleared messages can be loaded again.
    fn clear(&mut self) {
        if let Some(room) = self.rooms.get_mut(self.current) {
            room.reset_first_shown();
        }
        self.effects.push(AppEffect::Clear);
    }

    fn search(&mut self, query: &str) {
        let Some(room) = self.rooms.get(self.current).map(|room| room.name.clone()) else {
            return;
        };
        self.request(ClientMessage::Search(Search {
            room,
            query: query.to_owned(),
            limit: Some(MAX_SEARCH_RESULTS),
        }));
    }

    fn show_earlier(&mut self) {
        if self.phase != Phase::Online {
            return self.show(Output::problem(
                "Sem conexão. Tente de novo quando ela voltar.",
            ));
        }
        if !self.request_earlier() {
            self.show(Output::answer(
                "Início da conversa: não há mensagens anteriores.",
            ));
        }
    }

    fn set_alerts(&mut self, value: &str) {
        match fold(value).as_str() {
            "sim" | "s" | "on" | "yes" => self.alerts = true,
            "nao" | "n" | "off" | "no" => self.alerts = false,
            "" => {}
            _ => return self.usage_error(command::usage(CommandKind::Alerts)),
        }
        let state = if self.alerts {
            "Avisos ligados: o terminal apita quando alguém menciona você. Para desligar: /avisos não"
        } else {
            "Avisos desligados. Para ligar: /avisos sim"
        };
        self.show(Output::answer(state));
    }

    /// The person has chosen another open room.
    pub(super) fn on_switch_room(&mut self, room: &str) {
        if let Some(index) = self.room_index(room) {
            self.joining_room = None;
            self.set_current_room(index);
        }
    }

    pub(super) fn set_current_room(&mut self, index: usize) {
        self.current = index;
        if let Some(room) = self.rooms.get(index) {
            self.show(Output::RoomSwitched {
                room: room.name.to_string(),
            });
        }
    }

    /// Sends `typing`, at most once per interval.
    pub(super) fn send_typing(&mut self, now: Instant) {
        let sent_recently = self
            .typing_sent_at
            .is_some_and(|then| now.saturating_duration_since(then) < TYPING_INTERVAL);
        if self.phase != Phase::Online || sent_recently {
            return;
        }
        let Some(room) = self.rooms.get(self.current).map(|room| room.name.clone()) else {
            return;
        };
        self.typing_sent_at = Some(now);
        self.send(ClientMessage::Typing(Typing { room }));
    }

    fn rename(&mut self, raw: &str) {
        if raw.is_empty() {
            let text = format!("Você é {}. Para mudar: /nome NOVO NOME", self.my_name());
            return self.show(Output::answer(text));
        }
        match Name::new(raw) {
            Ok(name) if self.phase == Phase::Online => self.requested_name = Some(name),
            Ok(name) => self.request(ClientMessage::Rename(Rename { name })),
            Err(error) => self.usage_error(bad_name(error)),
        }
    }

    pub(super) fn rename_pending(&self) -> bool {
        self.requested_name.is_some() || self.rename_in_flight
    }

    /// Sends what may be sent. A rename waits until no message is in flight, because the server recognizes a resend by its
    /// sender's name too.
    pub(super) fn flush_queue(&mut self, now: Instant) {
        if !self.rename_in_flight
            && !self.queue.has_in_flight()
            && let Some(name) = self.requested_name.take()
        {
            self.rename_in_flight = true;
            self.request(ClientMessage::Rename(Rename { name }));
        }
        if !self.rename_pending() {
            for message in self.queue.next_batch(now) {
                self.send(message);
            }
        }
    }

    fn join_room(&mut self, raw: &str, now: Instant) {
        let (name, password) = raw.split_once(char::is_whitespace).unwrap_or((raw, ""));
        let Ok(room) = RoomName::new(name.trim_start_matches('#')) else {
            return self.usage_error(bad_room());
        };
        if let Some(password) = Password::new(password.trim()) {
            self.remember_password(&room, Some(password));
        }
        match self.rooms.iter().position(|known| known.name == room) {
            Some(index) => {
                self.joining_room = None;
                self.set_current_room(index);
                self.show(Output::answer(format!(
                    "Agora você escreve em #{}.",
                    self.rooms[index].name
                )));
            }
            None if self.phase == Phase::Online => self.request_join(room, now),
            None => self.show(Output::problem(
                "Sem conexão. Tente de novo quando ela voltar.",
            )),
        }
    }

    fn leave_room(&mut self, raw: &str) {
        let key = fold(raw.trim_start_matches('#'));
        let found = self
            .rooms
            .iter()
            .enumerate()
            .find(|(index, room)| match raw {
                "" => *index == self.current,
                _ => **room.name.key() == *key,
            });
        match found {
            None => self.usage_error("Esta sala não está aberta. Veja as salas com /salas.".into()),
            Some(_) if self.rooms.len() == 1 => {
                self.usage_error(
                    "Esta é a única sala aberta. Para sair da conversa, digite /sair.".into(),
                );
            }
            Some((_, room)) => {
                let room = room.name.clone();
                self.request(ClientMessage::Leave(Leave { room }));
            }
        }
    }
}
