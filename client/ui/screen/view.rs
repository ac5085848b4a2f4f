//! What the screen keeps between two frames: the rooms, the current one, and the scroll positions.
//!
//! Never knows cells, keys or the network.

use crate::app::ViewModel;
use crate::app::output::Output;
use crate::ui::clock::Clock;
use crate::ui::editor::Direction;
use crate::ui::keymap;
use crate::ui::screen::layout::Layout;
use crate::ui::screen::rows::RowStyle;
use crate::ui::screen::timeline::{EntryContent, Timeline};
use std::time::Instant;

/// Rows around the conversation: the status above, the hint and the input below.
const FRAME_ROWS: usize = 3;
/// Rows of the last page that stay visible when scrolling by a page.
const OVERLAP: usize = 2;
/// Most entries searched for recent senders.
const MAX_SPEAKER_SCAN: usize = 300;

/// The rooms and how they are viewed.
pub struct View {
    pub clock: Clock,
    pub colours: bool,
    pub columns: usize,
    pub rows: usize,
    /// Whether the terminal has the focus, if it reports that.
    pub focused: bool,
    /// The list of people replaces the conversation.
    pub people_shown: bool,
    /// Stays until the next key.
    pub hint: Option<String>,
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
            // Outputs before the first room is open are kept in a room without a name.
            rooms: vec![(String::new(), Timeline::default())],
            current: 0,
        }
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.columns = columns.into();
        self.rows = rows.into();
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

    /// A room's unread messages, and whether some mention the person.
    pub fn unread(&self, name: &str) -> (usize, bool) {
        let found = self.rooms.iter().find(|(known, _)| known == name);
        found.map_or((0, false), |(_, room)| (room.unread, room.mentioned))
    }

    pub fn total_unread(&self) -> usize {
        self.rooms.iter().map(|(_, room)| room.unread).sum()
    }

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
            // A whisper belongs to no room: it is in every room, and unread only in the current one.
            Output::Whisper { .. } => {
                let visible = self.focused && !self.people_shown;
                for (index, (_, room)) in self.rooms.iter_mut().enumerate() {
                    room.push(output.clone(), now, visible || index != self.current);
                }
            }
            // The status row shows them.
            Output::RoomState { .. } => {}
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
        let current_name = self.rooms[self.current].0.clone();
        if !model.rooms.is_empty() {
            self.rooms.retain(|(name, _)| {
                name.is_empty() || model.rooms.contains(name) || *name == current_name
            });
            self.current = self
                .rooms
                .iter()
                .position(|(name, _)| *name == current_name)
                .unwrap_or(0);
        }
        if let Some(name) = model
            .rooms
            .get(model.current)
            .filter(|name| **name != current_name)
        {
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
        if let Some(index) = self.rooms.iter().position(|(known, _)| known == name) {
            return index;
        }
        if self.rooms[0].0.is_empty() {
            name.clone_into(&mut self.rooms[0].0);
            return 0;
        }
        self.rooms.push((name.to_owned(), Timeline::default()));
        self.rooms.len() - 1
    }

    /// Scrolls by `rows`, or by a page. Returns whether the first row has been reached.
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

    /// Scrolls to the end and marks everything as read.
    pub fn jump_to_end(&mut self) {
        self.people_shown = false;
        let room = self.room_mut();
        room.follow_end();
        room.mark_read();
        room.unread_mark = None;
    }

    /// Counts the messages above as read, because the person sent something.
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

    /// The next or previous room, cyclically.
    pub fn adjacent_room(&self, direction: Direction, model: &ViewModel) -> Option<String> {
        let count = model.rooms.len();
        let step = if direction == Direction::Forward {
            1
        } else {
            count.saturating_sub(1)
        };
        (count > 1).then(|| model.rooms[(model.current + step) % count].clone())
    }

    /// The next room with unread messages, those with mentions first.
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

    /// Recent senders in the current room, the last one first.
    pub fn recent_speakers(&self) -> Vec<String> {
        let room = self.room();
        let ids = room.first_id()..room.end_id();
        let mut names = Vec::new();
        for id in ids.rev().take(MAX_SPEAKER_SCAN) {
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
