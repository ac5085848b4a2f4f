//! A room laid out in rows: the visible page, and where scrolling leads.
//!
//! Only visible entries are laid out, so that a long room costs no more than a short one. Knows a timeline and how rows
//! are made; never knows the rest of the screen.

use crate::app::output::{MessageState, Output};
use crate::app::{UnsentView, ViewModel};
use crate::ui::screen::rows::RowStyle;
use crate::ui::screen::style::DIM;
use crate::ui::screen::timeline::{EntryContent, RowPosition, Timeline, TimelineEntry};
use crate::ui::screen::wrap::width;
use ratatui::text::{Line as Row, Span};
use std::collections::VecDeque;
use std::time::Instant;

/// Marks a message that is not sent yet.
const UNSENT: &str = "⋯";

/// A room with the unsent messages below it.
pub struct Layout<'a> {
    timeline: &'a Timeline,
    unsent: Vec<(TimelineEntry, bool)>,
    row_style: RowStyle,
}

impl<'a> Layout<'a> {
    pub fn new(
        timeline: &'a Timeline,
        model: &ViewModel,
        row_style: RowStyle,
        now: Instant,
    ) -> Self {
        let now_ms = row_style.clock.now_ms();
        let unsent = (timeline.end_id()..)
            .zip(&model.unsent)
            .map(|(id, unsent)| {
                let age = now.saturating_duration_since(unsent.queued_at).as_millis();
                let at = now_ms.saturating_sub(u64::try_from(age).unwrap_or(0));
                let output = unsent_output(unsent, &model.name, at);
                let entry = TimelineEntry {
                    id,
                    at,
                    content: EntryContent::Output(output),
                };
                (entry, unsent.late)
            });
        Self {
            unsent: unsent.collect(),
            timeline,
            row_style,
        }
    }

    /// The first row of the room.
    pub fn first(&self) -> RowPosition {
        RowPosition {
            id: self.timeline.first_id(),
            row: 0,
        }
    }

    /// Behind the last row.
    pub fn end(&self) -> RowPosition {
        RowPosition {
            id: self.timeline.end_id() + self.unsent.len() as i64,
            row: 0,
        }
    }

    fn entry(&self, id: i64) -> Option<&TimelineEntry> {
        match self.unsent_index(id) {
            Some(index) => self.unsent.get(index).map(|(entry, _)| entry),
            None => self.timeline.get(id),
        }
    }

    /// The index in `unsent`, for an id behind the timeline.
    fn unsent_index(&self, id: i64) -> Option<usize> {
        usize::try_from(id - self.timeline.end_id()).ok()
    }

    fn rows(&self, id: i64) -> Vec<Row<'static>> {
        let Some(entry) = self.entry(id) else {
            return Vec::new();
        };
        let unread_mark = self.timeline.unread_mark == Some(id);
        let mut rows = self.row_style.rows(entry, self.entry(id - 1), unread_mark);
        let late = self
            .unsent_index(id)
            .and_then(|index| self.unsent.get(index))
            .is_some_and(|(_, late)| *late);
        if let Some(row) = rows.last_mut().filter(|_| late) {
            let used: usize = row.spans.iter().map(|span| width(&span.content)).sum();
            let free = self.row_style.columns.saturating_sub(used + 1);
            row.spans
                .push(Span::styled(format!("{}{UNSENT}", " ".repeat(free)), DIM));
        }
        rows
    }

    /// The position `count` rows further up, at most the first row.
    pub fn up(&self, from: RowPosition, mut count: usize) -> RowPosition {
        let mut position = self.clamp(from);
        while count > position.row {
            if position.id <= self.timeline.first_id() {
                return self.first();
            }
            count -= position.row + 1;
            let id = position.id - 1;
            let rows = self.rows(id).len();
            if rows == 0 {
                // An entry without rows does not count.
                position = RowPosition { id, row: 0 };
                count += 1;
                continue;
            }
            position = RowPosition { id, row: rows - 1 };
        }
        RowPosition {
            row: position.row - count,
            ..position
        }
    }

    /// The position `count` rows further down, at most behind the last row.
    pub fn down(&self, from: RowPosition, mut count: usize) -> RowPosition {
        let mut position = self.clamp(from);
        while position < self.end() {
            let left = self.rows(position.id).len().saturating_sub(position.row);
            if count < left {
                return RowPosition {
                    row: position.row + count,
                    ..position
                };
            }
            count -= left;
            position = RowPosition {
                id: position.id + 1,
                row: 0,
            };
        }
        self.end()
    }

    /// The visible rows: from a position on, or the last ones.
    pub fn page(&self, top: Option<RowPosition>, height: usize) -> Vec<Row<'static>> {
        let top = top
            .map(|top| self.clamp(top))
            .filter(|&top| self.down(top, height.saturating_sub(1)) < self.end());
        let mut rows = VecDeque::new();
        if let Some(top) = top {
            let mut id = top.id;
            while rows.len() < height + top.row && id < self.end().id {
                rows.extend(self.rows(id));
                id += 1;
            }
            return rows.into_iter().skip(top.row).take(height).collect();
        }
        let mut id = self.end().id;
        while rows.len() < height && id > self.timeline.first_id() {
            id -= 1;
            for row in self.rows(id).into_iter().rev() {
                rows.push_front(row);
            }
        }
        let more = rows.len().saturating_sub(height);
        rows.into_iter().skip(more).collect()
    }

    /// A position that exists, also after entries were dropped or the size changed.
    fn clamp(&self, position: RowPosition) -> RowPosition {
        if position < self.first() {
            return self.first();
        }
        let rows = self.rows(position.id).len();
        RowPosition {
            row: position.row.min(rows.saturating_sub(1)),
            ..position
        }
    }
}

fn unsent_output(unsent: &UnsentView, name: &str, at: u64) -> Output {
    let text = unsent.text.clone();
    match &unsent.to {
        Some(to) => Output::Whisper {
            at,
            own: true,
            from: "você".into(),
            to: to.clone(),
            text,
        },
        None => Output::Message {
            seq: 0,
            state: MessageState::Unchanged,
            room: String::new(),
            at,
            from: name.to_owned(),
            own: true,
            action: unsent.action,
            mention: false,
            text,
        },
    }
}
