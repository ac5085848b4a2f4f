//! The line editor: a text, a cursor that moves by what people call a character, and the lines sent before.
//!
//! Knows text; never knows keys, terminals or what happens to a finished line.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};
use unicode_width::UnicodeWidthStr;

/// Lines kept for ↑.
const MAX_HISTORY: usize = 200;
/// Longest text, in bytes: more than any message may have, so that a paste can still be shortened.
const MAX_TEXT: usize = 64 * 1024;

/// A text that was put aside, and where the cursor was.
#[derive(Debug, Default)]
pub struct Draft(String, usize);

/// A text being written.
#[derive(Debug, Default)]
pub struct Editor {
    text: String,
    /// A password is being written: it is shown as dots and not kept.
    pub secret: bool,
    /// Byte position, always between two graphemes.
    cursor: usize,
    history: Vec<String>,
    /// Which line of the history is shown, and the draft that was there before.
    recalled: Option<(usize, String)>,
}

/// Which way.
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

    /// Puts text at the cursor. Its line feeds stay; control characters have no place in a message and go. Returns
    /// whether there was room for all of it.
    pub fn insert(&mut self, text: &str) -> bool {
        let text = papo::text::clean(text);
        let free = MAX_TEXT.saturating_sub(self.text.len());
        let fitting = &text[..text.floor_char_boundary(free)];
        self.text.insert_str(self.cursor, fitting);
        self.cursor += fitting.len();
        self.snap_to_grapheme();
        fitting.len() == text.len()
    }

    /// Puts another text in the place of this one, which is handed over.
    pub fn swap_draft(&mut self, Draft(text, cursor): Draft) -> Draft {
        self.recalled = None;
        let old = Draft(std::mem::replace(&mut self.text, text), self.cursor);
        self.cursor = cursor;
        old
    }

    /// Replaces everything, for instance by a text that was refused.
    pub fn set(&mut self, text: &str) {
        self.text = text.to_owned();
        self.cursor = self.text.len();
    }

    /// Empties the line. The text stays within reach of ↑: nothing typed is ever lost.
    pub fn discard(&mut self) {
        self.take();
    }

    /// Hands over the finished text and begins an empty one.
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

    /// To the beginning or the end.
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

    /// Deletes up to the beginning or the end.
    pub fn delete_all(&mut self, direction: Direction) {
        self.remove_to(if direction == Direction::Backward {
            0
        } else {
            self.text.len()
        });
    }

    /// To the line above or below, in a text of several. Returns whether there is one.
    pub fn step_line(&mut self, direction: Direction) -> bool {
        let begin_of = |at: usize| self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let start = begin_of(self.cursor);
        let begin = match direction {
            Direction::Backward if start == 0 => return false,
            Direction::Backward => begin_of(start - 1),
            Direction::Forward => match self.text[self.cursor..].find('\n') {
                Some(length) => self.cursor + length + 1,
                None => return false,
            },
        };
        let line = self.text[begin..].split('\n').next().unwrap_or_default();
        let (mut left, mut offset) = (self.text[start..self.cursor].width(), line.len());
        for (at, grapheme) in line.grapheme_indices(true) {
            if left < display_width(grapheme).max(1) {
                offset = at;
                break;
            }
            left -= display_width(grapheme);
        }
        self.cursor = begin + offset;
        true
    }

    /// Shows an earlier line, or a later one and in the end the draft again.
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

    /// What stands left of the cursor.
    pub fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Puts another text between this place, which must not lie behind the cursor, and the cursor.
    pub fn replace_from(&mut self, start: usize, text: &str) {
        if start <= self.cursor && self.text.is_char_boundary(start) {
            self.text.replace_range(start..self.cursor, text);
            self.cursor = start + text.len();
            self.snap_to_grapheme();
        }
    }

    /// The text in rows of so many columns, those around the cursor if there are more than `most`; and where the cursor
    /// is, row and column.
    pub fn rows(&self, columns: usize, max_rows: usize) -> (Vec<String>, (usize, usize)) {
        // The cursor stands behind the last character, so one column stays free.
        let columns = columns.saturating_sub(1).max(2);
        let (mut rows, mut used, mut cursor) = (vec![String::new()], 0, None);
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

    fn remove_to(&mut self, other: usize) {
        let (start, end) = (self.cursor.min(other), self.cursor.max(other));
        self.text.replace_range(start..end, "");
        self.cursor = start;
        self.snap_to_grapheme();
    }

    /// Moves the cursor out of a grapheme that has come together around it (an accent after its letter).
    fn snap_to_grapheme(&mut self) {
        let mut boundary = GraphemeCursor::new(self.cursor, self.text.len(), true);
        if !boundary.is_boundary(&self.text, 0).unwrap_or(true) {
            self.cursor = self.grapheme_boundary(Direction::Forward);
        }
    }

    fn grapheme_boundary(&self, direction: Direction) -> usize {
        let mut boundary = GraphemeCursor::new(self.cursor, self.text.len(), true);
        let (found, edge) = match direction {
            Direction::Backward => (boundary.prev_boundary(&self.text, 0), 0),
            Direction::Forward => (boundary.next_boundary(&self.text, 0), self.text.len()),
        };
        found.ok().flatten().unwrap_or(edge)
    }

    /// The other end of the word beside the cursor, white space in between included.
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
