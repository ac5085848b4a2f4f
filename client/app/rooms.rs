//! Messages from the server about rooms and the people in them.

use super::{App, AppEffect, Phase};
use crate::app::output::Output;
use crate::app::room::OpenRoom;
use crate::app::{sanitize, strings};
use papo::name::RoomName;
use papo::protocol::{Entry, Member, Renamed, RoomInfo, RoomState};
use papo::text::fold;
use std::sync::Arc;
use std::time::Instant;

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
    pub state: &'a RoomState,
}

impl App {
    pub(super) fn on_joined(&mut self, name: &str, joined: &Joined<'_>, now: Instant) {
        if matches!(self.phase, Phase::Entering { .. }) {
            self.on_entered(now);
        }
        self.on_join_answered(name);
        let Some(index) = self.find_or_add_room(name) else {
            return;
        };
        let returning = self.rooms[index].is_joined();
        let (known, lost) = self.open_log(index, joined);
        if returning && known && self.has_missed_messages(joined) {
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
        // A person sees what was said before they entered; a script starts from now on.
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
            self.show(Output::RoomState {
                room: self.rooms[index].name.to_string(),
                state: joined.state.clone(),
            });
        }
    }

    fn find_or_add_room(&mut self, name: &str) -> Option<usize> {
        if let Some(index) = self.room_index(name) {
            return Some(index);
        }
        let name = RoomName::new(name).ok()?;
        self.show(Output::RoomOpened {
            room: name.to_string(),
        });
        self.rooms.push(OpenRoom::new(name));
        Some(self.rooms.len() - 1)
    }

    fn has_missed_messages(&self, joined: &Joined<'_>) -> bool {
        joined.more
            || joined
                .entries
                .iter()
                .any(|entry| self.is_from_others(entry))
    }

    /// Opens the room's log on this connection. Returns whether it is the log known before, and how many of its entries
    /// the server no longer has.
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
        room.state = joined.state.clone();
        (known, lost)
    }

    /// Shows a moderation notice or an announcement, on one line, so that its text can't imitate further lines of the
    /// client.
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

    fn show_room_notice(&mut self, index: usize, text: String) {
        let room = self.rooms[index].name.to_string();
        self.show(Output::RoomNotice { room, text });
    }

    /// Shows a joined room and the people in it.
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

    /// The restrictions in a room have changed; who changed them is in a notice that comes too.
    pub(super) fn on_room_state(&mut self, room: &str, state: RoomState) {
        if let Some(index) = self.room_index(room) {
            self.rooms[index].state = state;
        }
    }

    pub(super) fn on_left(&mut self, name: &str) {
        let Some(index) = self.room_index(name) else {
            return;
        };
        self.request_done();
        let closed = self.rooms.remove(index);
        self.show(Output::RoomClosed {
            room: closed.name.to_string(),
        });
        if self.current >= index {
            self.set_current_room(self.current.saturating_sub(1));
        }
        let new_room = self
            .rooms
            .get(self.current)
            .map(|room| format!(" Agora você escreve em #{}.", room.name));
        self.show(Output::answer(format!(
            "Você saiu de #{}.{}",
            sanitize::message(name),
            new_room.unwrap_or_default()
        )));
    }

    /// Applies entries of a log, in order; those received before are skipped.
    pub(super) fn apply_entries(&mut self, room: &str, entries: &[Arc<Entry>], shown: bool) {
        let Some(index) = self.room_index(room) else {
            return;
        };
        for entry in entries {
            self.known_rooms.add_from_text(&entry.text);
            let output = self.output_for(index, entry);
            let outputs = self.rooms[index].receive(entry.seq, output);
            if shown {
                self.show_all(outputs);
            }
        }
    }

    /// Applies a live entry.
    pub(super) fn on_entry(&mut self, entry: &Arc<Entry>) {
        let Some(index) = self.room_index(&entry.room) else {
            return;
        };
        if !entry.is_amendment() {
            self.rooms[index].stop_typing(&sanitize::message(&entry.from));
        }
        self.known_rooms.add_from_text(&entry.text);
        let output = self.output_for(index, entry);
        let mention = matches!(output, Output::Message { mention: true, .. });
        let outputs = self.rooms[index].receive(entry.seq, output);
        if mention && self.alerts && !outputs.is_empty() {
            self.effects.push(AppEffect::Alert);
        }
        self.show_all(outputs);
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
        let joined = self.names_of_others(joined);
        let left = self.names_of_others(left);
        for name in &left {
            self.rooms[index].stop_typing(name);
        }
        let my_key = fold(&self.my_name());
        let renamed: Vec<_> = renamed
            .iter()
            .filter(|change| !self.is_me(&change.tag) && fold(&change.from) != my_key)
            .map(|change| {
                let from = sanitize::message(&change.from);
                let to = sanitize::message(&change.to);
                (from, to)
            })
            .collect();
        if joined.is_empty() && left.is_empty() && renamed.is_empty() {
            return;
        }
        self.show(Output::Presence {
            room: self.rooms[index].name.to_string(),
            joined,
            left,
            renamed,
        });
    }

    fn names_of_others(&self, members: &[Member]) -> Vec<String> {
        members
            .iter()
            .filter(|member| !self.is_me(&member.tag))
            .map(|member| sanitize::message(&member.name))
            .collect()
    }

    pub(super) fn on_role(&mut self, tag: &str, moderator: bool) {
        for room in &mut self.rooms {
            room.set_moderator(tag, moderator);
        }
    }

    /// Shows the open rooms, and remembers their names.
    pub(super) fn on_rooms(&mut self, rooms: &[RoomInfo]) {
        self.request_done();
        for info in rooms.iter().rev() {
            self.known_rooms.add(&info.room);
        }
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
