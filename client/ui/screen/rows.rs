//! An entry of a room as rows of a screen: time, name and text each in its column, said once where once is enough.
//!
//! Knows columns and styles; never knows how many rows there are or which of them can be seen. All that others wrote
//! has passed through `visible` here, whatever was done before.

use crate::app::output::{MessageState, Output, Severity};
use crate::app::{PersonView, sanitize, strings};
use crate::ui::clock;
use crate::ui::clock::Clock;
use crate::ui::screen::style;
use crate::ui::screen::style::{DIM, PLAIN};
use crate::ui::screen::timeline::{EntryContent, TimelineEntry};
use crate::ui::screen::wrap::{truncate, width, wrap};
use ratatui::style::Style;
use ratatui::text::{Line as Row, Span};

/// Somebody who goes on within this time needs no new name.
const GROUP_MS: u64 = 5 * 60 * 1000;
/// Below this there is no column for names.
const MIN_COLUMNS_FOR_NAMES: usize = 60;
/// The column for names.
const NAME_COLUMNS: std::ops::RangeInclusive<usize> = 8..=16;
/// `09:05 `
const TIME: usize = 6;

/// How rows are made at the moment.
#[derive(Debug, Clone, Copy)]
pub struct RowStyle {
    pub clock: Clock,
    pub columns: usize,
    /// Columns for names; 0 where names stand before the text.
    pub name_columns: usize,
    pub colours: bool,
}

impl RowStyle {
    pub fn new(clock: Clock, columns: usize, colours: bool, people: &[PersonView]) -> Self {
        let longest = people
            .iter()
            .map(|person| width(&person.name))
            .max()
            .unwrap_or(0);
        let name_columns = if columns < MIN_COLUMNS_FOR_NAMES {
            0
        } else {
            longest.clamp(*NAME_COLUMNS.start(), *NAME_COLUMNS.end())
        };
        Self {
            clock,
            columns,
            name_columns,
            colours,
        }
    }

    /// The column where texts begin.
    pub(super) fn indent(&self) -> usize {
        match self.name_columns {
            0 => TIME,
            names => TIME + names + 2,
        }
    }

    fn text_columns(&self) -> usize {
        // The last two are for the mark of what is not sent yet.
        self.columns.saturating_sub(self.indent() + 2).max(2)
    }

    /// The rows of an entry after another; `news` draws the line where reading stopped above it.
    pub fn rows(
        &self,
        entry: &TimelineEntry,
        before: Option<&TimelineEntry>,
        unread_mark: bool,
    ) -> Vec<Row<'static>> {
        let mut rows = Vec::new();
        let day = self.clock.day(entry.at).filter(|_| entry.at > 0);
        let new_day =
            before.is_none_or(|before| before.at == 0 || self.clock.day(before.at) != day);
        if let Some(day) = day.filter(|_| new_day) {
            rows.push(self.rule(&clock::long_date(day), DIM));
        }
        if unread_mark {
            rows.push(self.rule("novas mensagens", style::unread_mark(self.colours)));
        }
        let before = before.filter(|_| !new_day && !unread_mark);
        let hour = self.clock.hour_minute(entry.at);
        let same_minute = before
            .is_some_and(|before| shows_time(before) && self.clock.hour_minute(before.at) == hour);
        let hour = if same_minute { String::new() } else { hour };
        match &entry.content {
            EntryContent::PresenceSummary(changes) => self.changes(&hour, changes, &mut rows),
            EntryContent::Output(line) => self.output(line, entry.at, before, &hour, &mut rows),
        }
        rows
    }

    fn output(
        &self,
        line: &Output,
        at: u64,
        before: Option<&TimelineEntry>,
        hour: &str,
        rows: &mut Vec<Row<'static>>,
    ) {
        match line {
            Output::Message {
                from,
                own,
                action,
                mention,
                state,
                text,
                ..
            } => {
                let from = sanitize::message(from);
                let style = style::name(&from, *own, *mention, self.colours);
                let grouped = !mention
                    && !action
                    && before.is_some_and(|before| continues_group(before, &from, *own, at));
                let (text, first) = (with_state(*state, text), rows.len());
                match (action, grouped) {
                    (true, _) => self.message_rows(
                        hour,
                        ("*", PLAIN),
                        &format!("{from} {text}"),
                        (width(&from), style),
                        rows,
                    ),
                    (false, true) => self.message_rows(hour, ("", PLAIN), &text, (0, PLAIN), rows),
                    (false, false) => {
                        self.message_rows(hour, (&from, style), &text, (0, PLAIN), rows)
                    }
                }
                rows[first..]
                    .last_mut()
                    .into_iter()
                    .for_each(|row| dim_state(row, *state));
            }
            Output::Whisper { from, to, text, .. } => {
                let (from, to) = (sanitize::message(from), sanitize::message(to));
                let head = format!("{from} → {to}: ");
                let text = format!("{head}{}", sanitize::text(text));
                self.message_rows(
                    hour,
                    ("", PLAIN),
                    &text,
                    (width(&head), style::whisper(self.colours)),
                    rows,
                );
            }
            Output::Found {
                query,
                messages: lines,
                more,
                ..
            } => self.found_rows(query, lines, *more, rows),
            Output::Notice(tone, text) => self.notice_rows(*tone, &sanitize::text(text), rows),
            Output::RoomNotice { text, .. } => {
                self.notice_rows(Severity::Info, &sanitize::text(text), rows)
            }
            Output::Help(text) => self.notice_rows(Severity::Answer, &sanitize::text(text), rows),
            Output::Presence { .. }
            | Output::EarlierPage { .. }
            | Output::MissedMarker { .. }
            | Output::Amended { .. }
            | Output::RoomOpened { .. }
            | Output::RoomClosed { .. }
            | Output::RoomSwitched { .. }
            | Output::People(_) => {}
        }
    }

    /// A row with a time, perhaps a name, and a text of which the first columns have a style of their own.
    fn message_rows(
        &self,
        hour: &str,
        (name, name_style): (&str, Style),
        text: &str,
        (head, head_style): (usize, Style),
        rows: &mut Vec<Row<'static>>,
    ) {
        let indent = self.indent();
        let mut spans = vec![Span::styled(format!("{hour:TIME$}"), DIM)];
        let mut text = text.to_owned();
        let (mut head, mut head_style) = (head, head_style);
        if self.name_columns > 0 {
            let name = truncate(name, self.name_columns);
            spans.push(Span::raw(" ".repeat(self.name_columns - width(&name))));
            spans.push(Span::styled(name, name_style));
            spans.push(Span::raw("  "));
        } else {
            spans = vec![Span::styled(format!("{hour:indent$}"), DIM)];
            if !name.is_empty() {
                let colon = if name == "*" { " " } else { ": " };
                text = format!("{name}{colon}{text}");
                (head, head_style) = if name == "*" {
                    (head + 2, head_style)
                } else {
                    (width(name), name_style)
                };
            }
        }
        for (number, row) in wrap(&text, self.text_columns()).into_iter().enumerate() {
            let mut spans = if number == 0 {
                std::mem::take(&mut spans)
            } else {
                vec![Span::raw(" ".repeat(indent))]
            };
            let at = head_length(&row, if number == 0 { head } else { 0 });
            if at > 0 {
                spans.push(Span::styled(row[..at].to_owned(), head_style));
            }
            spans.push(Span::raw(row[at..].to_owned()));
            rows.push(Row::from(spans));
        }
    }

    fn changes(&self, hour: &str, moves: &[(char, String)], rows: &mut Vec<Row<'static>>) {
        let told = moves.iter().map(|(sign, name)| match sign {
            '→' => sanitize::message(name),
            // Names stay whole at the end of a row.
            sign => format!("{sign}{}", sanitize::message(name).replace(' ', "\u{a0}")),
        });
        let text = told.collect::<Vec<_>>().join(" ");
        let before = rows.len();
        self.message_rows(hour, ("", PLAIN), &text, (0, PLAIN), rows);
        rows[before..]
            .iter_mut()
            .for_each(|row| *row = std::mem::take(row).style(DIM));
    }

    /// A word in a line across the screen.
    fn rule(&self, word: &str, style: Style) -> Row<'static> {
        let word = truncate(word, self.columns.saturating_sub(4));
        let free = self.columns.saturating_sub(width(&word) + 2);
        let (left, right) = ("─".repeat(free / 2), "─".repeat(free - free / 2));
        Row::from(Span::styled(format!("{left} {word} {right}"), style))
    }
}

/// A text with what has become of it.
pub(super) fn with_state(state: MessageState, text: &str) -> String {
    match state {
        MessageState::Unchanged => sanitize::text(text),
        MessageState::Edited => format!("{} {}", sanitize::text(text), strings::EDITED_MARK),
        MessageState::Erased => strings::ERASED_MARK.into(),
    }
}

/// What has become of a message may be overlooked; its words stand at the end of the last row.
fn dim_state(row: &mut Row<'static>, state: MessageState) {
    let mark = match state {
        MessageState::Unchanged => return,
        MessageState::Edited => strings::EDITED_MARK,
        MessageState::Erased => strings::ERASED_MARK,
    };
    if let Some(last) = row.spans.pop() {
        match last.content.strip_suffix(mark) {
            Some(text) => row.spans.extend([
                Span::styled(text.to_owned(), last.style),
                Span::styled(mark, DIM),
            ]),
            None => row.spans.push(last),
        }
    }
}

/// Whether the entry begins with its time.
fn shows_time(entry: &TimelineEntry) -> bool {
    match &entry.content {
        EntryContent::PresenceSummary(_) => true,
        EntryContent::Output(line) => {
            matches!(line, Output::Message { .. } | Output::Whisper { .. })
        }
    }
}

/// Whether the same person goes on.
fn continues_group(before: &TimelineEntry, name: &str, is_own: bool, now: u64) -> bool {
    match &before.content {
        EntryContent::Output(Output::Message {
            from,
            own,
            action: false,
            ..
        }) => {
            sanitize::message(from) == name
                && *own == is_own
                && now.saturating_sub(before.at) <= GROUP_MS
        }
        _ => false,
    }
}

/// Where the first so many columns of a row end, in bytes.
fn head_length(row: &str, columns: usize) -> usize {
    use unicode_segmentation::UnicodeSegmentation;
    let mut used = 0;
    let mut graphemes = row.grapheme_indices(true);
    let end = graphemes.find(|(_, grapheme)| {
        used += width(grapheme);
        used > columns
    });
    end.map_or(row.len(), |(at, _)| at)
}
