//! An entry of a room as rows of a screen: time, name and text in columns, time and name only where they change.
//!
//! Knows columns and styles; never knows which rows are visible. Everything from the network passes through `sanitize`
//! here, whatever was done before.

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

/// Messages of one person within this time are grouped under one name.
const GROUP_MS: u64 = 5 * 60 * 1000;
/// Narrower windows have no column for names.
const MIN_COLUMNS_FOR_NAMES: usize = 60;
/// Width of the column for names.
const NAME_COLUMNS: std::ops::RangeInclusive<usize> = 8..=16;
/// `09:05 `
const TIME: usize = 6;

/// How rows are made: the window's width and the styles.
#[derive(Debug, Clone, Copy)]
pub struct RowStyle {
    pub clock: Clock,
    pub columns: usize,
    /// Width of the column for names; 0 where names are part of the text.
    pub name_columns: usize,
    pub colours: bool,
}

/// A text with its time, perhaps a name, and a style for the start of the text.
struct TimedText<'a> {
    hour: &'a str,
    name: &'a str,
    name_style: Style,
    text: String,
    /// Columns at the start of the text that have `head_style`.
    head: usize,
    head_style: Style,
}

impl<'a> TimedText<'a> {
    fn new(hour: &'a str, text: String) -> Self {
        Self {
            hour,
            name: "",
            name_style: PLAIN,
            text,
            head: 0,
            head_style: PLAIN,
        }
    }

    /// For narrow windows, where the name is part of the text.
    fn with_name_inline(self) -> Self {
        match self.name {
            "" => self,
            "*" => Self {
                text: format!("* {}", self.text),
                head: self.head + 2,
                ..self
            },
            name => Self {
                text: format!("{name}: {}", self.text),
                head: width(name),
                head_style: self.name_style,
                ..self
            },
        }
    }
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

    /// The column where texts start.
    pub(super) fn indent(&self) -> usize {
        match self.name_columns {
            0 => TIME,
            names => TIME + names + 2,
        }
    }

    fn text_columns(&self) -> usize {
        // The last two columns are for the mark of an unsent message.
        self.columns.saturating_sub(self.indent() + 2).max(2)
    }

    /// The rows of an entry that follows `before`; `unread_mark` draws a rule above it.
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
        let hour = if same_minute { "" } else { &hour };
        rows.extend(match &entry.content {
            EntryContent::PresenceSummary(changes) => self.presence_rows(hour, changes),
            EntryContent::Output(output) => self.output_rows(output, before, hour),
        });
        rows
    }

    fn output_rows(
        &self,
        output: &Output,
        before: Option<&TimelineEntry>,
        hour: &str,
    ) -> Vec<Row<'static>> {
        match output {
            Output::Message { .. } => self.message_rows(output, before, hour),
            Output::Whisper { from, to, text, .. } => {
                let from = sanitize::message(from);
                let to = sanitize::message(to);
                let head = format!("{from} → {to}: ");
                self.text_rows(TimedText {
                    head: width(&head),
                    head_style: style::whisper(self.colours),
                    ..TimedText::new(hour, format!("{head}{}", sanitize::text(text)))
                })
            }
            Output::Found {
                query,
                messages,
                more,
                ..
            } => self.found_rows(query, messages, *more),
            Output::Notice(severity, text) => self.notice_rows(*severity, &sanitize::text(text)),
            Output::RoomNotice { text, .. } => {
                self.notice_rows(Severity::Info, &sanitize::text(text))
            }
            Output::Help(text) => self.notice_rows(Severity::Answer, &sanitize::text(text)),
            Output::Presence { .. }
            | Output::RoomState { .. }
            | Output::EarlierPage { .. }
            | Output::MissedMarker { .. }
            | Output::Amended { .. }
            | Output::RoomOpened { .. }
            | Output::RoomClosed { .. }
            | Output::RoomSwitched { .. }
            | Output::People(_) => Vec::new(),
        }
    }

    fn message_rows(
        &self,
        message: &Output,
        before: Option<&TimelineEntry>,
        hour: &str,
    ) -> Vec<Row<'static>> {
        let Output::Message {
            at,
            from,
            own,
            action,
            mention,
            state,
            text,
            ..
        } = message
        else {
            unreachable!("not a message: {message:?}")
        };
        let from = sanitize::message(from);
        let name_style = style::name(&from, *own, *mention, self.colours);
        let text = with_state(*state, text);
        let grouped =
            !mention && before.is_some_and(|before| continues_group(before, &from, *own, *at));
        let mut rows = self.text_rows(if *action {
            TimedText {
                name: "*",
                head: width(&from),
                head_style: name_style,
                ..TimedText::new(hour, format!("{from} {text}"))
            }
        } else if grouped {
            TimedText::new(hour, text)
        } else {
            TimedText {
                name: &from,
                name_style,
                ..TimedText::new(hour, text)
            }
        });
        if let Some(row) = rows.last_mut() {
            dim_state(row, *state);
        }
        rows
    }

    fn text_rows(&self, text: TimedText<'_>) -> Vec<Row<'static>> {
        let indent = self.indent();
        let (mut first_spans, text) = if self.name_columns > 0 {
            let name = truncate(text.name, self.name_columns);
            let spans = vec![
                Span::styled(format!("{:TIME$}", text.hour), DIM),
                Span::raw(" ".repeat(self.name_columns - width(&name))),
                Span::styled(name, text.name_style),
                Span::raw("  "),
            ];
            (spans, text)
        } else {
            let hour = Span::styled(format!("{:indent$}", text.hour), DIM);
            (vec![hour], text.with_name_inline())
        };
        let mut rows = Vec::new();
        for (number, row) in wrap(&text.text, self.text_columns())
            .into_iter()
            .enumerate()
        {
            let is_first = number == 0;
            let mut spans = if is_first {
                std::mem::take(&mut first_spans)
            } else {
                vec![Span::raw(" ".repeat(indent))]
            };
            let head = head_length(&row, if is_first { text.head } else { 0 });
            if head > 0 {
                spans.push(Span::styled(row[..head].to_owned(), text.head_style));
            }
            spans.push(Span::raw(row[head..].to_owned()));
            rows.push(Row::from(spans));
        }
        rows
    }

    fn presence_rows(&self, hour: &str, changes: &[(char, String)]) -> Vec<Row<'static>> {
        let words: Vec<String> = changes
            .iter()
            .map(|(sign, name)| match sign {
                '→' => sanitize::message(name),
                // Names are not broken at the end of a row.
                sign => format!("{sign}{}", sanitize::message(name).replace(' ', "\u{a0}")),
            })
            .collect();
        self.text_rows(TimedText::new(hour, words.join(" ")))
            .into_iter()
            .map(|row| row.style(DIM))
            .collect()
    }

    /// A rule across the screen with a word in its middle.
    fn rule(&self, word: &str, style: Style) -> Row<'static> {
        let word = truncate(word, self.columns.saturating_sub(4));
        let free = self.columns.saturating_sub(width(&word) + 2);
        let left = "─".repeat(free / 2);
        let right = "─".repeat(free - free / 2);
        Row::from(Span::styled(format!("{left} {word} {right}"), style))
    }
}

/// A message's text with the mark of its state.
pub(super) fn with_state(state: MessageState, text: &str) -> String {
    match state {
        MessageState::Unchanged => sanitize::text(text),
        MessageState::Edited => format!("{} {}", sanitize::text(text), strings::EDITED_MARK),
        MessageState::Erased => strings::ERASED_MARK.into(),
    }
}

/// Dims the mark of the state, which is at the end of the last row.
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

/// Whether the entry starts with its time.
fn shows_time(entry: &TimelineEntry) -> bool {
    match &entry.content {
        EntryContent::PresenceSummary(_) => true,
        EntryContent::Output(output) => {
            matches!(output, Output::Message { .. } | Output::Whisper { .. })
        }
    }
}

/// Whether a message continues the group of the entry before.
fn continues_group(before: &TimelineEntry, name: &str, is_own: bool, now: u64) -> bool {
    match &before.content {
        EntryContent::Output(Output::Message {
            from,
            own,
            action: false,
            ..
        }) => {
            sanitize::message(from) == name && *own == is_own && now.abs_diff(before.at) <= GROUP_MS
        }
        _ => false,
    }
}

/// The length in bytes of the first `columns` of a row.
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
