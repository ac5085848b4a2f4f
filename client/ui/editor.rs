//! The line editor: a text, a cursor that moves by graphemes, and the texts sent before.
//!
//! Knows text; never knows keys, terminals or what happens to a submitted text.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};
use unicode_width::UnicodeWidthStr;

/// Most texts kept for ↑.
const MAX_HISTORY: usize = 200;
/// Longest text, in bytes: more than any message may have, so that a long paste can be shortened.
const MAX_TEXT: usize = 64 * 1024;

/// A text that was set aside, with its cursor.
#[derive(Debug, Default)]
pub struct Draft(String, usize);

/// A text being typed.
#[derive(Debug, Default)]
pub struct Editor {
    text: String,
    /// A password: it is shown as dots and not kept.
    pub secret: bool,
    /// Byte position, always between two graphemes.
    cursor: usize,
    history: Vec<String>,
    /// The index in the history of the text shown, and the draft that it replaced.
    recalled: Option<(usize, String)>,
}

/// A direction in a text, a list or a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Backward,
    Forward,
}

impl Editor {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Inserts text at the cursor, without control characters except line feeds and tabs. Returns whether all of it fit.
    pub fn insert(&mut self, text: &str) -> bool {
        let text = papo::text::clean(text);
        let free = MAX_TEXT.saturating_sub(self.text.len());
        let fitting = &text[..text.floor_char_boundary(free)];
        self.text.insert_str(self.cursor, fitting);
        self.cursor += fitting.len();
        self.snap_to_grapheme();
        fitting.len() == text.len()
    }

    /// Replaces the text and returns the old one.
    pub fn swap_draft(&mut self, Draft(text, cursor): Draft) -> Draft {
        self.recalled = None;
        let old = Draft(std::mem::replace(&mut self.text, text), self.cursor);
        self.cursor = cursor;
        old
    }

    /// Replaces the text, with the cursor at its end.
    pub fn set(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.cursor = self.text.len();
    }

    /// Empties the text. ↑ recalls it: nothing typed is lost.
    pub fn discard(&mut self) {
        self.take();
    }

    /// Takes the text, keeps it for ↑, and starts an empty one.
    pub fn take(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        self.cursor = 0;
        self.recalled = None;
        if !self.secret && !text.trim().is_empty() && self.history.last() != Some(&text) {
            self.history.push(text.clone());
            if self.history.len() > MAX_HISTORY {
                self.history.remove(0);
            }
        }
        text
    }

    pub fn step(&mut self, direction: Direction) {
        self.cursor = self.grapheme_boundary(direction);
    }

    pub fn step_word(&mut self, direction: Direction) {
        self.cursor = self.word_boundary(direction);
    }

    /// Moves to the start or the end.
    pub fn jump(&mut self, direction: Direction) {
        self.cursor = match direction {
            Direction::Backward => 0,
            Direction::Forward => self.text.len(),
        };
    }

    pub fn delete(&mut self, direction: Direction) {
        let other = self.grapheme_boundary(direction);
        self.remove_to(other);
    }

    pub fn delete_word(&mut self, direction: Direction) {
        let other = self.word_boundary(direction);
        self.remove_to(other);
    }

    /// Deletes up to the start or the end.
    pub fn delete_all(&mut self, direction: Direction) {
        self.remove_to(if direction == Direction::Backward {
            0
        } else {
            self.text.len()
        });
    }

    /// Moves to the line above or below. Returns whether there is one.
    pub fn step_line(&mut self, direction: Direction) -> bool {
        let start = self.line_start(self.cursor);
        let target = match direction {
            Direction::Backward if start == 0 => return false,
            Direction::Backward => self.line_start(start - 1),
            Direction::Forward => match self.text[self.cursor..].find('\n') {
                Some(length) => self.cursor + length + 1,
                None => return false,
            },
        };
        let line = self.text[target..].split('\n').next().unwrap_or_default();
        let mut columns_left = self.text[start..self.cursor].width();
        let mut offset = line.len();
        for (at, grapheme) in line.grapheme_indices(true) {
            if columns_left < display_width(grapheme).max(1) {
                offset = at;
                break;
            }
            columns_left -= display_width(grapheme);
        }
        self.cursor = target + offset;
        true
    }

    /// Shows an earlier text, or a later one and at last the draft again.
    pub fn recall(&mut self, direction: Direction) {
        let current = self
            .recalled
            .as_ref()
            .map_or(self.history.len(), |(index, _)| *index);
        let next = match direction {
            Direction::Backward if current > 0 => current - 1,
            Direction::Forward if current < self.history.len() => current + 1,
            _ => return,
        };
        let draft = self
            .recalled
            .take()
            .map_or_else(|| self.text.clone(), |(_, draft)| draft);
        if next == self.history.len() {
            self.set(&draft);
        } else {
            let line = self.history[next].clone();
            self.set(&line);
            self.recalled = Some((next, draft));
        }
    }

    pub fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Replaces what is between `start` and the cursor.
    pub fn replace_from(&mut self, start: usize, text: &str) {
        if start <= self.cursor && self.text.is_char_boundary(start) {
            self.text.replace_range(start..self.cursor, text);
            self.cursor = start + text.len();
            self.snap_to_grapheme();
        }
    }

    /// The text in rows, those around the cursor if there are more than `max_rows`; and the cursor's row and column.
    pub fn rows(&self, columns: usize, max_rows: usize) -> (Vec<String>, (usize, usize)) {
        // One column is for the cursor behind the last character.
        let columns = columns.saturating_sub(1).max(2);
        let mut rows = vec![String::new()];
        let mut used = 0;
        let mut cursor = None;
        for (at, grapheme) in self.text.grapheme_indices(true) {
            let grapheme = if self.secret { "•" } else { grapheme };
            let width = display_width(grapheme);
            if used + width > columns {
                rows.push(String::new());
                used = 0;
            }
            if at == self.cursor {
                cursor = Some((rows.len() - 1, used));
            }
            if grapheme == "\n" {
                rows.push(String::new());
                used = 0;
            } else if let Some(row) = rows.last_mut() {
                row.push_str(displayed(grapheme));
                used += width;
            }
        }
        let (row, column) = cursor.unwrap_or((rows.len() - 1, used));
        let first = (row + 1).saturating_sub(max_rows.max(1));
        let visible = rows.into_iter().skip(first).take(max_rows.max(1)).collect();
        (visible, (row - first, column))
    }

    /// Where the line that contains this byte position starts.
    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |end| end + 1)
    }

    fn remove_to(&mut self, other: usize) {
        let start = self.cursor.min(other);
        let end = self.cursor.max(other);
        self.text.replace_range(start..end, "");
        self.cursor = start;
        self.snap_to_grapheme();
    }

    /// Moves the cursor out of a grapheme that has formed around it, such as a letter and its accent.
    fn snap_to_grapheme(&mut self) {
        let mut boundary = GraphemeCursor::new(self.cursor, self.text.len(), true);
        if !boundary.is_boundary(&self.text, 0).unwrap_or(true) {
            self.cursor = self.grapheme_boundary(Direction::Forward);
        }
    }

    fn grapheme_boundary(&self, direction: Direction) -> usize {
        let mut boundary = GraphemeCursor::new(self.cursor, self.text.len(), true);
        let found = match direction {
            Direction::Backward => boundary.prev_boundary(&self.text, 0),
            Direction::Forward => boundary.next_boundary(&self.text, 0),
        };
        let edge = match direction {
            Direction::Backward => 0,
            Direction::Forward => self.text.len(),
        };
        found.ok().flatten().unwrap_or(edge)
    }

    /// The far end of the word before or after the cursor, across white space.
    fn word_boundary(&self, direction: Direction) -> usize {
        match direction {
            Direction::Backward => {
                let before = self.text[..self.cursor].trim_end();
                before
                    .char_indices()
                    .rev()
                    .find(|(_, c)| c.is_whitespace())
                    .map_or(0, |(at, c)| at + c.len_utf8())
            }
            Direction::Forward => {
                let after = &self.text[self.cursor..];
                let word = after.trim_start();
                let skipped = after.len() - word.len();
                self.cursor + skipped + word.find(char::is_whitespace).unwrap_or(word.len())
            }
        }
    }
}

fn displayed(grapheme: &str) -> &str {
    match grapheme {
        "\n" => "",
        "\t" => " ",
        other => other,
    }
}

fn display_width(grapheme: &str) -> usize {
    displayed(grapheme).width()
}

#[cfg(test)]
#[path = "editor_tests.rs"]
mod tests;
