//! What the screen remembers between two drawings: the rooms, the one that is seen, and how far back.
//!
//! Knows what is looked at; never knows cells, keys or the network.

use crate::app::ViewModel;
use crate::app::output::Output;
use crate::ui::clock::Clock;
use crate::ui::editor::Direction;
use crate::ui::keymap;
use crate::ui::screen::layout::Layout;
use crate::ui::screen::rows::RowStyle;
use crate::ui::screen::timeline::{EntryContent, Timeline};
use std::time::Instant;

/// Rows around the conversation: status above, news and the typed line below.
const FRAME_ROWS: usize = 3;
/// Rows that stay in sight when a page is turned.
const OVERLAP: usize = 2;

/// The rooms and the way of looking at them.
pub struct View {
    pub clock: Clock,
    pub colours: bool,
    pub columns: usize,
    pub rows: usize,
    /// The terminal has the person's eyes, as far as it tells.
    pub focused: bool,
    /// The list of people stands in the place of the conversation.
    pub people_shown: bool,
    /// A hint that stays until the next key.
    pub hint: Option<String>,
    /// Further rows that the typed text takes.
    pub input_rows: usize,
    rooms: Vec<(String, Timeline)>,
    current: usize,
}

impl View {
    pub fn new(clock: Clock, colours: bool, (columns, rows): (u16, u16)) -> Self {
        Self {
            clock,
            colours,
            columns: columns.into(),
            rows: rows.into(),
            focused: true,
            people_shown: false,
            hint: None,
            input_rows: 1,
            // Until the first room is known, what there is to say stands in one without a name.
            rooms: vec![(String::new(), Timeline::default())],
            current: 0,
        }
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        (self.columns, self.rows) = (columns.into(), rows.into());
    }

    pub fn height(&self) -> usize {
        self.rows.saturating_sub(FRAME_ROWS - 1 + self.input_rows)
    }

    pub fn row_style(&self, model: &ViewModel) -> RowStyle {
        RowStyle::new(self.clock, self.columns, self.colours, &model.people)
    }

    pub fn room(&self) -> &Timeline {
        &self.rooms[self.current].1
    }

    fn room_mut(&mut self) -> &mut Timeline {
        &mut self.rooms[self.current].1
    }

    /// A room's unread messages, and whether some speak to the person.
    pub fn unread(&self, name: &str) -> (usize, bool) {
        let found = self.rooms.iter().find(|(known, _)| known == name);
        found.map_or((0, false), |(_, room)| (room.unread, room.mentioned))
    }

    pub fn total_unread(&self) -> usize {
        self.rooms.iter().map(|(_, room)| room.unread).sum()
    }

    /// Takes up something to show.
    pub fn show(&mut self, output: &Output) {
        let now = self.clock.now_ms();
        match output {
            Output::RoomSwitched { room } => self.switch_room(room),
            // A room is kept from its first entry on, until `sync` no longer finds it open.
            Output::RoomOpened { .. } | Output::RoomClosed { .. } => {}
            Output::MissedMarker { room } => {
                let index = self.index(room);
                self.rooms[index].1.mark_missed();
            }
            Output::EarlierPage {
                room,
                messages,
                reached_start,
            } => {
                let index = self.index(room);
                self.rooms[index]
                    .1
                    .prepend_page(messages.clone(), *reached_start);
            }
            Output::Message { room, .. }
            | Output::Presence { room, .. }
            | Output::Found { room, .. }
            | Output::RoomNotice { room, .. } => {
                let index = self.index(room);
                let visible = index == self.current && self.focused && !self.people_shown;
                self.rooms[index].1.push(output.clone(), now, visible);
            }
            Output::Amended { room, change, .. } => {
                let index = self.index(room);
                self.rooms[index].1.amend(change);
            }
            // A private line belongs to no room: it stands in all, and is news only in the one that is seen.
            Output::Whisper { .. } => {
                let visible = self.focused && !self.people_shown;
                for (index, (_, room)) in self.rooms.iter_mut().enumerate() {
                    room.push(output.clone(), now, visible || index != self.current);
                }
            }
            Output::People(_) => self.people_shown = true,
            Output::Help(text) => {
                let text = format!("{text}\n{}", keymap::help());
                self.room_mut().push(Output::Help(text), now, true);
            }
            Output::Notice(..) => self.room_mut().push(output.clone(), now, true),
        }
    }

    /// Forgets the rooms that are no longer open.
    pub fn sync(&mut self, model: &ViewModel) {
        let here = self.rooms[self.current].0.clone();
        if !model.rooms.is_empty() {
            self.rooms
                .retain(|(name, _)| name.is_empty() || model.rooms.contains(name) || *name == here);
            self.current = self
                .rooms
                .iter()
                .position(|(name, _)| *name == here)
                .unwrap_or(0);
        }
        if let Some(name) = model.rooms.get(model.current).filter(|name| **name != here) {
            self.switch_room(&name.clone());
        }
    }

    fn switch_room(&mut self, name: &str) {
        self.current = self.index(name);
        if self.focused {
            self.room_mut().mark_read();
        }
    }

    fn index(&mut self, name: &str) -> usize {
        if let Some(place) = self.rooms.iter().position(|(known, _)| known == name) {
            return place;
        }
        if self.rooms[0].0.is_empty() {
            self.rooms[0].0 = name.to_owned();
            return 0;
        }
        self.rooms.push((name.to_owned(), Timeline::default()));
        self.rooms.len() - 1
    }

    /// Moves through the room by so many rows, or by a page. Returns whether there is nothing further up to see.
    pub fn scroll(&mut self, direction: Direction, rows: Option<usize>, model: &ViewModel) -> bool {
        let height = self.height();
        let count = rows.unwrap_or_else(|| height.saturating_sub(OVERLAP).max(1));
        let layout = Layout::new(self.room(), model, self.row_style(model), Instant::now());
        let last_page = layout.up(layout.end(), height);
        let top = self.room().top.unwrap_or(last_page);
        let first = layout.first();
        let next = match direction {
            Direction::Backward => layout.up(top, count),
            Direction::Forward => layout.down(top, count),
        };
        drop(layout);
        if next >= last_page {
            self.room_mut().follow_end();
            if self.focused {
                self.room_mut().mark_read();
            }
        } else {
            self.room_mut().top = Some(next);
        }
        direction == Direction::Backward && next <= first
    }

    /// To the end, where everything is read.
    pub fn jump_to_end(&mut self) {
        self.people_shown = false;
        let room = self.room_mut();
        room.follow_end();
        room.mark_read();
        room.unread_mark = None;
    }

    /// Something was sent: whoever writes at the end has read what is there.
    pub fn on_sent(&mut self) {
        let room = self.room_mut();
        if room.top.is_none() {
            room.unread_mark = None;
        }
        room.follow_end();
        room.mark_read();
        self.people_shown = false;
    }

    pub fn clear(&mut self) {
        self.room_mut().clear();
    }

    pub fn set_focus(&mut self, focused: bool) {
        self.focused = focused;
        if focused {
            self.room_mut().mark_read();
        }
    }

    /// The room so many places further, round and round.
    pub fn adjacent_room(&self, direction: Direction, model: &ViewModel) -> Option<String> {
        let count = model.rooms.len();
        let step = if direction == Direction::Forward {
            1
        } else {
            count.saturating_sub(1)
        };
        (count > 1).then(|| model.rooms[(model.current + step) % count].clone())
    }

    /// The next room where something happened, those with mentions first.
    pub fn next_active_room(&self, model: &ViewModel) -> Option<String> {
        let count = model.rooms.len();
        let others: Vec<&String> = (1..count)
            .map(|step| &model.rooms[(model.current + step) % count])
            .collect();
        let mentioned = others.iter().find(|name| self.unread(name).1);
        mentioned
            .or_else(|| others.iter().find(|name| self.unread(name).0 > 0))
            .map(|name| (*name).clone())
    }

    /// Who spoke here, the last one first.
    pub fn recent_speakers(&self) -> Vec<String> {
        let room = self.room();
        let mut names = Vec::new();
        for id in (room.first_id()..room.end_id())
            .rev()
            .take(MAX_SPEAKER_SCAN)
        {
            if let Some(EntryContent::Output(Output::Message {
                from, own: false, ..
            })) = room.get(id).map(|entry| &entry.content)
                && !names.contains(from)
            {
                names.push(from.clone());
            }
        }
        names
    }
}

/// Entries looked through for those who spoke last.
const MAX_SPEAKER_SCAN: usize = 300;
