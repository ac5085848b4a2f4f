//! What the server tells of rooms and people, taken up into the state of the client.

use super::{App, AppEffect, Phase};
use crate::app::output::Output;
use crate::app::room::OpenRoom;
use crate::app::{sanitize, strings};
use papo::name::RoomName;
use papo::protocol::{
    ClientMessage, Entry, FetchHistory, MAX_PAGE, Member, PageRequest, Renamed, RoomInfo,
};
use papo::text::fold;
use std::sync::Arc;
use std::time::Instant;

/// Entries asked for at once when somebody reads back.
const EARLIER_PAGE: u64 = 50;

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
    pub(super) fn on_joined(&mut self, name: &str, joined: &Joined<'_>) {
        let index = match self.room_index(name) {
            Some(index) => index,
            None => {
                let Ok(name) = RoomName::new(name) else {
                    return;
                };
                self.rooms.push(OpenRoom::new(name));
                self.rooms.len() - 1
            }
        };
        let returning = self.rooms[index].is_joined();
        let (known, lost) = self.open_log(index, joined);
        if known
            && returning
            && (joined.more
                || joined
                    .entries
                    .iter()
                    .any(|entry| self.is_from_others(entry)))
        {
            self.show(Output::MissedMarker {
                room: self.rooms[index].name.to_string(),
            });
        }
        if returning && !known {
            self.on_log_reset(index);
            let text = "O servidor recomeçou a conversa: as mensagens anteriores não estão mais guardadas.";
            self.show_room_notice(index, text.into());
        } else if lost > 0 {
            self.show_room_notice(index, strings::missing_entries(lost));
        }
        // A script wants what is said from now on; a person wants to know what it is about.
        let shown = returning || self.mode.interactive;
        self.apply_entries(name, joined.entries, shown);
        if !shown {
            self.rooms[index].reset_first_shown();
        }
        if joined.more {
            self.request_next_page(index);
        }
        if !returning {
            self.show_welcome(index);
        }
    }

    /// Opens the room's log on this connection. Returns whether it is the one known before, and how many entries of it
    /// can no longer be had.
    fn open_log(&mut self, index: usize, joined: &Joined<'_>) -> (bool, u64) {
        let room = &mut self.rooms[index];
        let known = room.on_joined(joined.epoch, joined.online, joined.members, joined.reset);
        let mut lost = 0;
        if known {
            lost = joined.oldest.saturating_sub(room.last().saturating_add(1));
            room.skip_to(joined.oldest.saturating_sub(1));
        } else if let Some(first) = joined.entries.first() {
            room.skip_to(first.seq.saturating_sub(1));
        }
        if joined.more {
            room.start_catching_up();
        } else if joined.entries.is_empty() {
            room.skip_to(joined.seq);
        }
        room.oldest = joined.oldest;
        (known, lost)
    }

    /// Something was done to keep the conversation in order, or somebody tells everybody something. It stays one line,
    /// or what others write could pass for more of ours.
    pub(super) fn on_notice(&mut self, text: &str, room: Option<&str>, from: Option<&str>) {
        let text = sanitize::text(&text.replace(['\n', '\t'], " "));
        match (from, room.and_then(|room| self.room_index(room))) {
            (Some(from), _) => self.show(Output::answer(format!(
                "Aviso de {}: {text}",
                sanitize::message(from)
            ))),
            (None, Some(index)) => self.show_room_notice(index, text),
            (None, None) => self.show(Output::info(text)),
        }
    }

    /// Says something about one room.
    fn show_room_notice(&mut self, index: usize, text: String) {
        let (label, room) = (self.room_label(index), self.rooms[index].name.to_string());
        self.show(Output::RoomNotice { label, room, text });
    }

    /// Says where one is and with whom.
    fn show_welcome(&mut self, index: usize) {
        let room = &self.rooms[index];
        let others: Vec<String> = room
            .people()
            .iter()
            .filter(|person| !self.is_me(&person.tag))
            .map(|person| person.name.clone())
            .collect();
        let online = room.online;
        if index == 0 {
            let company = strings::others_present(&others, online, "na conversa");
            self.show(Output::info(format!(
                "Você entrou como {}. {company}",
                self.my_name()
            )));
            self.show(Output::info("Para ver os comandos, digite /ajuda."));
        } else {
            self.request_done();
            self.joining_room = None;
            self.set_current_room(index);
            let room = &self.rooms[index].name;
            let text = format!(
                "Você entrou em #{room}. {}",
                strings::others_present(&others, online, "na sala")
            );
            self.show(Output::answer(text));
        }
    }

    pub(super) fn on_left(&mut self, name: &str) {
        let Some(index) = self.room_index(name) else {
            return;
        };
        self.request_done();
        self.rooms.remove(index);
        if self.current >= index {
            self.set_current_room(self.current.saturating_sub(1));
        }
        let now = self
            .rooms
            .get(self.current)
            .map(|room| format!(" Agora você escreve em #{}.", room.name));
        self.show(Output::answer(format!(
            "Você saiu de #{}.{}",
            sanitize::message(name),
            now.unwrap_or_default()
        )));
    }

    /// Entries of a log, in order; those that were seen before stay silent.
    pub(super) fn apply_entries(&mut self, room: &str, entries: &[Arc<Entry>], shown: bool) {
        let Some(index) = self.room_index(room) else {
            return;
        };
        for entry in entries {
            self.known_rooms.add_from_text(&entry.text);
            let line = self.output_for(index, entry);
            let lines = self.rooms[index].receive(entry.seq, line);
            if shown {
                self.effects.extend(lines.into_iter().map(AppEffect::Show));
            }
        }
    }

    /// One entry, as it happens.
    pub(super) fn on_entry(&mut self, entry: &Arc<Entry>) {
        let Some(index) = self.room_index(&entry.room) else {
            return;
        };
        if !entry.is_amendment() {
            self.rooms[index].stop_typing(&sanitize::message(&entry.from));
        }
        self.known_rooms.add_from_text(&entry.text);
        let line = self.output_for(index, entry);
        let mention = matches!(line, Output::Message { mention: true, .. });
        let lines = self.rooms[index].receive(entry.seq, line);
        if mention && self.alerts && !lines.is_empty() {
            self.effects.push(AppEffect::Alert);
        }
        self.effects.extend(lines.into_iter().map(AppEffect::Show));
    }

    pub(super) fn request_next_page(&mut self, index: usize) {
        let room = &self.rooms[index];
        let (name, span) = (room.name.clone(), PageRequest::After(room.last()));
        self.send(ClientMessage::History(FetchHistory {
            room: name,
            page: span,
            limit: Some(MAX_PAGE as u64),
        }));
    }

    pub(super) fn on_history(&mut self, name: &str, entries: &[Arc<Entry>], more: bool) {
        let Some(index) = self.room_index(name) else {
            return;
        };
        let room = &self.rooms[index];
        let earlier = match (entries.last(), room.earlier_cursor()) {
            (Some(last), Some(first)) => last.seq < first,
            _ => !room.is_catching_up(),
        };
        if room.fetching_earlier && earlier {
            return self.show_earlier_page(index, entries, more);
        }
        if !room.is_catching_up() {
            // No page that was asked for: the next one may be.
            if std::mem::take(&mut self.rooms[index].fetching_earlier) {
                self.request_done();
            }
            return;
        }
        let before = self.rooms[index].last();
        self.apply_entries(name, entries, true);
        // A page that brings nothing new would be asked for forever.
        if more && self.rooms[index].last() > before {
            return self.request_next_page(index);
        }
        let lines = self.rooms[index].finish_catching_up();
        self.effects.extend(lines.into_iter().map(AppEffect::Show));
    }

    /// Asks for what was said before the first entry shown; at the beginning of it all there is nothing to ask.
    pub(super) fn request_earlier(&mut self) -> bool {
        let Some(room) = self
            .rooms
            .get_mut(self.current)
            .filter(|_| self.phase == Phase::Online)
        else {
            return true;
        };
        if room.fetching_earlier {
            return true;
        }
        let Some(first) = room.earlier_cursor() else {
            return false;
        };
        room.fetching_earlier = true;
        self.pending_requests += 1;
        let (room, span) = (room.name.clone(), PageRequest::Before(first));
        self.send(ClientMessage::History(FetchHistory {
            room,
            page: span,
            limit: Some(EARLIER_PAGE),
        }));
        true
    }

    fn show_earlier_page(&mut self, index: usize, entries: &[Arc<Entry>], more: bool) {
        self.request_done();
        self.rooms[index].fetching_earlier = false;
        let said = entries.iter().filter(|entry| !entry.is_amendment());
        let messages = said
            .map(|entry| self.message_output(index, entry))
            .collect();
        let oldest = self.rooms[index].oldest;
        self.rooms[index].set_first_shown(entries.first().map_or(oldest, |entry| entry.seq));
        let room = self.rooms[index].name.to_string();
        self.show(Output::EarlierPage {
            room,
            messages,
            reached_start: !more,
        });
    }

    /// What was found, newest first as the server tells it.
    pub(super) fn on_found(&mut self, room: &str, query: &str, entries: &[Arc<Entry>], more: bool) {
        self.request_done();
        let Some(index) = self.room_index(room) else {
            return;
        };
        let messages = entries.iter().rev().filter(|entry| !entry.is_amendment());
        let messages = messages
            .map(|entry| self.message_output(index, entry))
            .collect();
        let room = self.rooms[index].name.to_string();
        self.show(Output::Found {
            room,
            query: sanitize::message(query),
            messages,
            more,
        });
    }

    pub(super) fn on_typing(&mut self, room: &str, name: &str, now: Instant) {
        if let Some(index) = self.room_index(room) {
            self.rooms[index].start_typing(sanitize::message(name), now);
        }
    }

    pub(super) fn on_presence(
        &mut self,
        name: &str,
        online: usize,
        joined: &[Member],
        left: &[Member],
        renamed: &[Renamed],
    ) {
        let Some(index) = self.room_index(name) else {
            return;
        };
        self.rooms[index].apply_presence(online, joined, left, renamed);
        let others = |members: &[Member]| -> Vec<String> {
            let others = members.iter().filter(|member| !self.is_me(&member.tag));
            others
                .map(|member| sanitize::message(&member.name))
                .collect()
        };
        let (arrived, departed) = (others(joined), others(left));
        departed
            .iter()
            .for_each(|name| self.rooms[index].stop_typing(name));
        let my_key = fold(&self.my_name());
        let changes = renamed
            .iter()
            .filter(|change| !self.is_me(&change.tag) && fold(&change.from) != my_key);
        let renamed: Vec<_> = changes
            .map(|change| {
                (
                    sanitize::message(&change.from),
                    sanitize::message(&change.to),
                )
            })
            .collect();
        if arrived.is_empty() && departed.is_empty() && renamed.is_empty() {
            return;
        }
        let (label, room) = (self.room_label(index), self.rooms[index].name.to_string());
        self.show(Output::Presence {
            label,
            room,
            joined: arrived,
            left: departed,
            renamed,
        });
    }

    pub(super) fn show_rooms(&mut self, rooms: &[RoomInfo]) {
        if rooms.is_empty() {
            return self.show(Output::answer("Ainda não há salas."));
        }
        let lines: Vec<String> = (rooms.iter())
            .map(|info| {
                let index = self.room_index(&info.room);
                let mark = match index {
                    Some(index) if index == self.current => " (você escreve aqui)",
                    Some(_) => " (aberta)",
                    None => "",
                };
                format!(
                    "#{}  {}{mark}",
                    sanitize::message(&info.room),
                    strings::people_count(info.online)
                )
            })
            .collect();
        self.show(Output::answer(format!("Salas:\n{}", lines.join("\n"))));
    }
}
