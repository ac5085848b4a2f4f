//! What the server tells of rooms and people, taken up into the state of the client.

use super::{App, Effect, Phase};
use crate::line::Line;
use crate::room::Room;
use crate::{visible, words};
use papo::name::RoomName;
use papo::protocol::{ClientMessage, Entry, MAX_PAGE, Member, PageRequest, Renamed, RoomInfo};
use papo::text::fold;
use std::sync::Arc;
use std::time::Instant;

/// Entries asked for at once when somebody reads back.
const EARLIER: u64 = 50;

/// The fields of `joined` that matter here.
pub(super) struct Joined<'a> {
    pub epoch: &'a str,
    pub seq: u64,
    pub oldest: u64,
    pub online: usize,
    pub members: &'a [Member],
    pub entries: &'a [Arc<Entry>],
    pub more: bool,
    pub reset: bool,
}

impl App {
    pub(super) fn joined(&mut self, name: &str, news: &Joined<'_>) {
        let place = match self.find(name) {
            Some(place) => place,
            None => {
                let Ok(name) = RoomName::new(name) else {
                    return;
                };
                self.rooms.push(Room::new(name));
                self.rooms.len() - 1
            }
        };
        let returning = self.rooms[place].is_joined();
        let (known, lost) = self.open_log(place, news);
        if known && returning && (news.more || news.entries.iter().any(|entry| self.is_news(entry)))
        {
            self.show(Line::Missed {
                place: self.rooms[place].name.to_string(),
            });
        }
        if returning && !known {
            self.log_is_new(place);
            let text = "O servidor recomeçou a conversa: as mensagens anteriores não estão mais guardadas.";
            self.about(place, text.into());
        } else if lost > 0 {
            self.about(place, words::missing(lost));
        }
        // A script wants what is said from now on; a person wants to know what it is about.
        let shown = returning || self.habits.attended;
        self.entries(name, news.entries, shown);
        if !shown {
            self.rooms[place].begin_here();
        }
        if news.more {
            self.fetch_more(place);
        }
        if !returning {
            self.greet(place);
        }
    }

    /// Opens the room's log on this connection. Returns whether it is the one known before, and how many entries of it
    /// can no longer be had.
    fn open_log(&mut self, place: usize, news: &Joined<'_>) -> (bool, u64) {
        let room = &mut self.rooms[place];
        let known = room.opened(news.epoch, news.online, news.members, news.reset);
        let mut lost = 0;
        if known {
            lost = news.oldest.saturating_sub(room.last().saturating_add(1));
            room.skip_to(news.oldest.saturating_sub(1));
        } else if let Some(first) = news.entries.first() {
            room.skip_to(first.seq.saturating_sub(1));
        }
        if news.more {
            room.catch_up();
        } else if news.entries.is_empty() {
            room.skip_to(news.seq);
        }
        room.oldest = news.oldest;
        (known, lost)
    }

    /// Something was done to keep the conversation in order, or somebody tells everybody something. It stays one line,
    /// or what others write could pass for more of ours.
    pub(super) fn notice(&mut self, text: &str, room: Option<&str>, from: Option<&str>) {
        let text = visible::text(&text.replace(['\n', '\t'], " "));
        match (from, room.and_then(|room| self.find(room))) {
            (Some(from), _) => self.show(Line::answer(format!(
                "Aviso de {}: {text}",
                visible::line(from)
            ))),
            (None, Some(place)) => self.about(place, text),
            (None, None) => self.show(Line::info(text)),
        }
    }

    /// Says something about one room.
    fn about(&mut self, place: usize, text: String) {
        let (room, place) = (self.label(place), self.rooms[place].name.to_string());
        self.show(Line::About { room, place, text });
    }

    /// Says where one is and with whom.
    fn greet(&mut self, place: usize) {
        let room = &self.rooms[place];
        let others: Vec<String> = room
            .people()
            .iter()
            .filter(|person| !self.is_me(&person.tag))
            .map(|person| person.name.clone())
            .collect();
        let online = room.online;
        if place == 0 {
            let company = words::company(&others, online, "na conversa");
            self.show(Line::info(format!(
                "Você entrou como {}. {company}",
                self.my_name()
            )));
            self.show(Line::info("Para ver os comandos, digite /ajuda."));
        } else {
            self.answered();
            self.opening = None;
            self.turn_to(place);
            let room = &self.rooms[place].name;
            let text = format!(
                "Você entrou em #{room}. {}",
                words::company(&others, online, "na sala")
            );
            self.show(Line::answer(text));
        }
    }

    pub(super) fn left(&mut self, name: &str) {
        let Some(place) = self.find(name) else { return };
        self.answered();
        self.rooms.remove(place);
        if self.current >= place {
            self.turn_to(self.current.saturating_sub(1));
        }
        let now = self
            .rooms
            .get(self.current)
            .map(|room| format!(" Agora você escreve em #{}.", room.name));
        self.show(Line::answer(format!(
            "Você saiu de #{}.{}",
            visible::line(name),
            now.unwrap_or_default()
        )));
    }

    /// Entries of a log, in order; those that were seen before stay silent.
    pub(super) fn entries(&mut self, room: &str, entries: &[Arc<Entry>], shown: bool) {
        let Some(place) = self.find(room) else { return };
        for entry in entries {
            self.heard.text(&entry.text);
            let line = self.line(place, entry);
            let lines = self.rooms[place].hear(entry.seq, line);
            if shown {
                self.effects.extend(lines.into_iter().map(Effect::Show));
            }
        }
    }

    /// One entry, as it happens.
    pub(super) fn spoken(&mut self, entry: &Arc<Entry>) {
        let Some(place) = self.find(&entry.room) else {
            return;
        };
        if !entry.is_amendment() {
            self.rooms[place].stops_typing(&visible::line(&entry.from));
        }
        self.heard.text(&entry.text);
        let line = self.line(place, entry);
        let mention = matches!(line, Line::Message { mention: true, .. });
        let lines = self.rooms[place].hear(entry.seq, line);
        if mention && self.alerts && !lines.is_empty() {
            self.effects.push(Effect::Alert);
        }
        self.effects.extend(lines.into_iter().map(Effect::Show));
    }

    pub(super) fn fetch_more(&mut self, place: usize) {
        let room = &self.rooms[place];
        let (name, span) = (room.name.clone(), PageRequest::After(room.last()));
        self.send(ClientMessage::History {
            room: name,
            page: span,
            limit: Some(MAX_PAGE as u64),
        });
    }

    pub(super) fn history(&mut self, name: &str, entries: &[Arc<Entry>], more: bool) {
        let Some(place) = self.find(name) else { return };
        let room = &self.rooms[place];
        let earlier = match (entries.last(), room.before()) {
            (Some(last), Some(first)) => last.seq < first,
            _ => !room.is_catching_up(),
        };
        if room.fetching && earlier {
            return self.went_back(place, entries, more);
        }
        if !room.is_catching_up() {
            // No page that was asked for: the next one may be.
            if std::mem::take(&mut self.rooms[place].fetching) {
                self.answered();
            }
            return;
        }
        let before = self.rooms[place].last();
        self.entries(name, entries, true);
        // A page that brings nothing new would be asked for forever.
        if more && self.rooms[place].last() > before {
            return self.fetch_more(place);
        }
        let lines = self.rooms[place].caught_up();
        self.effects.extend(lines.into_iter().map(Effect::Show));
    }

    /// Asks for what was said before the first entry shown; at the beginning of it all there is nothing to ask.
    pub(super) fn earlier(&mut self) -> bool {
        let Some(room) = self
            .rooms
            .get_mut(self.current)
            .filter(|_| self.phase == Phase::Talking)
        else {
            return true;
        };
        if room.fetching {
            return true;
        }
        let Some(first) = room.before() else {
            return false;
        };
        room.fetching = true;
        self.asked += 1;
        let (room, span) = (room.name.clone(), PageRequest::Before(first));
        self.send(ClientMessage::History {
            room,
            page: span,
            limit: Some(EARLIER),
        });
        true
    }

    fn went_back(&mut self, place: usize, entries: &[Arc<Entry>], more: bool) {
        self.answered();
        self.rooms[place].fetching = false;
        let said = entries.iter().filter(|entry| !entry.is_amendment());
        let lines = said.map(|entry| self.message(place, entry)).collect();
        let oldest = self.rooms[place].oldest;
        self.rooms[place].reached_back(entries.first().map_or(oldest, |entry| entry.seq));
        let place = self.rooms[place].name.to_string();
        self.show(Line::Earlier {
            place,
            lines,
            start: !more,
        });
    }

    /// What was found, newest first as the server tells it.
    pub(super) fn found(&mut self, room: &str, query: &str, entries: &[Arc<Entry>], more: bool) {
        self.answered();
        let Some(place) = self.find(room) else { return };
        let lines = entries.iter().rev().filter(|entry| !entry.is_amendment());
        let lines = lines.map(|entry| self.message(place, entry)).collect();
        let place = self.rooms[place].name.to_string();
        self.show(Line::Found {
            place,
            query: visible::line(query),
            lines,
            more,
        });
    }

    pub(super) fn types(&mut self, room: &str, name: &str, now: Instant) {
        if let Some(place) = self.find(room) {
            self.rooms[place].types(visible::line(name), now);
        }
    }

    pub(super) fn presence(
        &mut self,
        name: &str,
        online: usize,
        joined: &[Member],
        left: &[Member],
        renamed: &[Renamed],
    ) {
        let Some(place) = self.find(name) else { return };
        self.rooms[place].moved(online, joined, left, renamed);
        let others = |members: &[Member]| -> Vec<String> {
            let others = members.iter().filter(|member| !self.is_me(&member.tag));
            others.map(|member| visible::line(&member.name)).collect()
        };
        let (came, went) = (others(joined), others(left));
        went.iter()
            .for_each(|name| self.rooms[place].stops_typing(name));
        let my_key = fold(&self.my_name());
        let changes = renamed
            .iter()
            .filter(|change| !self.is_me(&change.tag) && fold(&change.from) != my_key);
        let renamed: Vec<_> = changes
            .map(|change| (visible::line(&change.from), visible::line(&change.to)))
            .collect();
        if came.is_empty() && went.is_empty() && renamed.is_empty() {
            return;
        }
        let (room, place) = (self.label(place), self.rooms[place].name.to_string());
        self.show(Line::Presence {
            room,
            place,
            came,
            went,
            renamed,
        });
    }

    pub(super) fn list_rooms(&mut self, rooms: &[RoomInfo]) {
        if rooms.is_empty() {
            return self.show(Line::answer("Ainda não há salas."));
        }
        let lines: Vec<String> = (rooms.iter())
            .map(|info| {
                let place = self.find(&info.room);
                let mark = match place {
                    Some(place) if place == self.current => " (você escreve aqui)",
                    Some(_) => " (aberta)",
                    None => "",
                };
                format!(
                    "#{}  {}{mark}",
                    visible::line(&info.room),
                    words::people(info.online)
                )
            })
            .collect();
        self.show(Line::answer(format!("Salas:\n{}", lines.join("\n"))));
    }
}
