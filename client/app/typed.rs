//! What the person types, taken up into the state of the client.

use super::{App, AppEffect, Exit, Phase};
use crate::command::{self, Kind, Typed};
use crate::line::Output;
use crate::pending::Recipient;
use crate::words;
use papo::name::{MAX_NAME, MAX_ROOM, Name, NameError, RoomName};
use papo::protocol::{ClientMessage, Password, Refusal, ResumePoint};
use papo::text::fold;
use std::time::{Duration, Instant};

/// The server passes on one sign of writing in this time.
const TYPING_EVERY: Duration = Duration::from_secs(3);
/// Most results of a search.
const MAX_FOUND: u64 = 50;

/// Most words that a name of [`MAX_NAME`] characters can have.
const MAX_WORDS: usize = MAX_NAME / 2;

/// Why a name does not serve, and what would.
pub fn bad_name(error: NameError) -> String {
    Refusal::name_invalid(error).text
}

/// Why a room's name does not serve, and what would.
pub fn bad_room() -> String {
    format!("Este nome de sala não serve: use até {MAX_ROOM} letras, números, hífen ou sublinhado.")
}

impl App {
    pub(super) fn submitted(&mut self, text: &str, now: Instant) {
        self.confirm = None;
        match self.phase {
            Phase::Closing { .. } | Phase::Over => return,
            Phase::Asking {
                question,
                connected,
            } => return self.answer(question, text, connected, now),
            _ => {}
        }
        let text = text.trim_end();
        if text.is_empty() {
            if self.outage.is_some() && self.phase == Phase::Connecting {
                self.effects.push(AppEffect::Connect);
            }
            return;
        }
        match command::parse(text) {
            Typed::Text(text) => self.say_here(text, false, now),
            Typed::Run(kind, arguments) => self.run(kind, arguments, now),
            Typed::Unknown(sentence) => self.misused(sentence),
        }
    }

    /// Something was typed that can't be done.
    pub(super) fn misused(&mut self, sentence: String) {
        self.flaw = self.flaw.or(Some(Exit::Usage));
        self.show(Output::problem(sentence));
    }

    fn run(&mut self, kind: Kind, arguments: &str, now: Instant) {
        let wants_text = matches!(
            kind,
            Kind::Whisper | Kind::Reply | Kind::Action | Kind::Join | Kind::Search
        );
        if wants_text && arguments.is_empty() {
            return self.misused(command::usage(kind));
        }
        match kind {
            Kind::Help if arguments.is_empty() => self.show(Output::Help(command::help())),
            Kind::Help => self.show(Output::answer(command::help_for_hosts())),
            Kind::Edit => self.edit(arguments, now),
            Kind::Erase if arguments.is_empty() => self.erase(now),
            Kind::Ignore => self.ignore(arguments),
            Kind::Who => self.who(),
            Kind::Action => self.say_here(arguments, true, now),
            Kind::Whisper => self.whisper(arguments, now),
            Kind::Reply => self.reply(arguments, now),
            Kind::Name => self.rename(arguments),
            Kind::Rooms => self.ask(ClientMessage::Rooms),
            Kind::Join => self.open(arguments),
            Kind::Part => self.part(arguments),
            Kind::Search => self.search(arguments),
            Kind::Earlier => self.read_back(),
            Kind::Alerts => self.set_alerts(arguments),
            Kind::Clear => self.clear(),
            Kind::Quit => self.leave(now),
            _ => self.organize(kind, arguments, now),
        }
    }

    fn say_here(&mut self, text: &str, action: bool, now: Instant) {
        let current = self.rooms.get(self.current).map(|room| &room.name);
        let room = self
            .opening
            .as_ref()
            .or(current)
            .unwrap_or(&self.lobby)
            .clone();
        self.say(Recipient::Room { room, action }, text, now);
    }

    /// A question to the server, which only makes sense with a connection.
    pub(super) fn ask(&mut self, message: ClientMessage) {
        if self.phase == Phase::Talking {
            self.asked += 1;
            self.send(message);
        } else {
            self.show(Output::problem(
                "Sem conexão. Tente de novo quando ela voltar.",
            ));
        }
    }

    fn who(&mut self) {
        let Some(room) = self.rooms.get(self.current) else {
            return;
        };
        let me = self.me.as_ref().map(|me| me.tag.as_str());
        let names: Vec<String> = (room.people().iter())
            .map(|person| {
                let own = me == Some(person.tag.as_str());
                words::person(&person.name, own, person.host)
            })
            .collect();
        let unnamed = room.online.saturating_sub(names.len());
        let more = if unnamed > 0 {
            format!(" e mais {}", words::people(unnamed))
        } else {
            String::new()
        };
        let place = self
            .label(self.current)
            .map(|room| format!(" em {room}"))
            .unwrap_or_default();
        let online = room.online.max(names.len());
        self.show(Output::People(format!(
            "Pessoas{place} ({online}): {}{more}",
            names.join(", ")
        )));
    }

    /// What is taken from the screen can be read back to.
    fn clear(&mut self) {
        if let Some(room) = self.rooms.get_mut(self.current) {
            room.begin_here();
        }
        self.effects.push(AppEffect::Clear);
    }

    fn search(&mut self, query: &str) {
        let Some(room) = self.rooms.get(self.current).map(|room| room.name.clone()) else {
            return;
        };
        self.ask(ClientMessage::Search {
            room,
            query: query.to_owned(),
            limit: Some(MAX_FOUND),
        });
    }

    fn read_back(&mut self) {
        if self.phase != Phase::Talking {
            return self.show(Output::problem(
                "Sem conexão. Tente de novo quando ela voltar.",
            ));
        }
        if !self.earlier() {
            self.show(Output::answer(
                "Início da conversa: não há mensagens anteriores.",
            ));
        }
    }

    fn set_alerts(&mut self, wish: &str) {
        match fold(wish).as_str() {
            "sim" | "s" | "on" | "yes" => self.alerts = true,
            "nao" | "n" | "off" | "no" => self.alerts = false,
            "" => {}
            _ => return self.misused(command::usage(Kind::Alerts)),
        }
        let state = match self.alerts {
            true => {
                "Avisos ligados: o terminal apita quando alguém menciona você. Para desligar: /avisos não"
            }
            false => "Avisos desligados. Para ligar: /avisos sim",
        };
        self.show(Output::answer(state));
    }

    /// Another of the open rooms.
    pub(super) fn go(&mut self, room: &str) {
        if let Some(index) = self.find(room) {
            self.opening = None;
            self.turn_to(index);
        }
    }

    /// From now on the person is in this room.
    pub(super) fn turn_to(&mut self, index: usize) {
        self.current = index;
        if let Some(room) = self.rooms.get(index) {
            self.show(Output::RoomSwitched {
                room: room.name.to_string(),
            });
        }
    }

    /// The person is writing something that others will read; they are told now and then.
    pub(super) fn writing(&mut self, now: Instant) {
        let lately = self
            .wrote_at
            .is_some_and(|then| now.saturating_duration_since(then) < TYPING_EVERY);
        if self.phase != Phase::Talking || lately {
            return;
        }
        let Some(room) = self.rooms.get(self.current).map(|room| room.name.clone()) else {
            return;
        };
        self.wrote_at = Some(now);
        self.send(ClientMessage::Typing { room });
    }

    fn rename(&mut self, raw: &str) {
        if raw.is_empty() {
            let text = format!("Você é {}. Para mudar: /nome NOVO NOME", self.my_name());
            return self.show(Output::answer(text));
        }
        match Name::new(raw) {
            Ok(name) if self.phase == Phase::Talking => self.new_name = Some(name),
            Ok(name) => self.ask(ClientMessage::Rename { name }),
            Err(error) => self.misused(bad_name(error)),
        }
    }

    /// Whether the person is about to be called otherwise.
    pub(super) fn between_names(&self) -> bool {
        self.new_name.is_some() || self.renaming
    }

    /// Says what may be said. The name changes between two messages: who said something is part of what makes a resend
    /// of it the same message, so none may be on its way when it changes.
    pub(super) fn speak(&mut self, now: Instant) {
        if !self.renaming
            && !self.queue.is_on_its_way()
            && let Some(name) = self.new_name.take()
        {
            self.renaming = true;
            self.ask(ClientMessage::Rename { name });
        }
        if !self.between_names() {
            for message in self.queue.due(now) {
                self.send(message);
            }
        }
    }

    fn open(&mut self, raw: &str) {
        let (name, password) = raw.split_once(char::is_whitespace).unwrap_or((raw, ""));
        let Ok(room) = RoomName::new(name.trim_start_matches('#')) else {
            return self.misused(bad_room());
        };
        if let Some(password) = Password::new(password.trim()) {
            self.know(&room, Some(password));
        }
        match self.rooms.iter().position(|known| known.name == room) {
            Some(index) => {
                self.opening = None;
                self.turn_to(index);
                self.show(Output::answer(format!(
                    "Agora você escreve em #{}.",
                    self.rooms[index].name
                )));
            }
            None => {
                self.opening = Some(room.clone()).filter(|_| self.phase == Phase::Talking);
                self.ask(self.joining(room, ResumePoint::default()));
            }
        }
    }

    fn part(&mut self, raw: &str) {
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
            None => self.misused("Esta sala não está aberta. Veja as salas com /salas.".into()),
            Some(_) if self.rooms.len() == 1 => {
                self.misused(
                    "Esta é a única sala aberta. Para sair da conversa, digite /sair.".into(),
                );
            }
            Some((_, room)) => {
                let room = room.name.clone();
                self.ask(ClientMessage::Leave { room });
            }
        }
    }

    fn whisper(&mut self, arguments: &str, now: Instant) {
        let (name, text) = self.addressee(arguments);
        match Name::new(&name) {
            Ok(_) if text.trim().is_empty() => self.misused(command::usage(Kind::Whisper)),
            Ok(name) => {
                self.partner = Some(name.to_string());
                self.say(Recipient::Person(name), &text, now);
            }
            Err(_) => self.misused("Ninguém com esse nome está aqui.".into()),
        }
    }

    fn reply(&mut self, text: &str, now: Instant) {
        match self.partner.as_deref().map(Name::new) {
            Some(Ok(name)) => self.say(Recipient::Person(name), text, now),
            _ => self.misused(
                "Ainda não há conversa particular para responder. Comece uma com /msg NOME TEXTO"
                    .into(),
            ),
        }
    }

    /// Takes the name at the beginning: in quotes, or the longest that somebody present has, or the first word.
    fn addressee(&self, arguments: &str) -> (String, String) {
        for (open, close) in [('"', '"'), ('“', '”')] {
            if let Some((name, text)) = arguments
                .strip_prefix(open)
                .and_then(|rest| rest.split_once(close))
            {
                return (
                    self.present(name).unwrap_or(name).to_owned(),
                    text.trim_start().to_owned(),
                );
            }
        }
        let ends = arguments
            .char_indices()
            .filter(|(_, c)| c.is_whitespace())
            .map(|(at, _)| at);
        let ends: Vec<usize> = ends.take(MAX_WORDS).chain([arguments.len()]).collect();
        let split =
            |end: usize, name: &str| (name.to_owned(), arguments[end..].trim_start().to_owned());
        let longest = ends
            .iter()
            .rev()
            .find_map(|&end| Some(split(end, self.present(&arguments[..end])?)));
        longest.unwrap_or_else(|| split(ends[0], &arguments[..ends[0]]))
    }

    /// The name of somebody who is there, as it is shown, however it was written.
    pub(super) fn present(&self, written: &str) -> Option<&str> {
        let key = fold(&papo::text::clean_line(written));
        let mut people = self.rooms.iter().flat_map(|room| room.people());
        people
            .find(|person| fold(&person.name) == key)
            .map(|person| person.name.as_str())
    }
}
