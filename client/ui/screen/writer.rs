//! Output to the terminal: the changed cells of a frame in one write; and how the terminal is acquired and restored.
//!
//! Knows escape sequences; never knows what the cells mean.

use crate::ui::screen::wrap::width;
use crossterm::cursor::MoveTo;
use crossterm::style::{PrintStyledContent, StyledContent};
use crossterm::{queue, terminal as raw};
use papo::platform::{self, StandardStream};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, IntoCrossterm};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use ratatui::text::Line as Row;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Saves the title, switches to the alternate screen, reports pastes and focus, and disables line wrap: rows must not
/// wrap where the terminal counts columns differently.
const ENTER_SCREEN: &str = "\x1b[22;0t\x1b[?1049h\x1b[?2004h\x1b[?1004h\x1b[?7l\x1b[2J";
/// Undoes all of it.
const LEAVE_SCREEN: &str = "\x1b[0m\x1b[?1004l\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l\x1b[23;0t";
/// A terminal that knows these two shows everything between them at once.
const BEGIN_FRAME: &str = "\x1b[?2026h\x1b[?25l";
const END_FRAME: &str = "\x1b[?25h\x1b[?2026l";
const BELL: &[u8] = b"\x07";

/// Whether the terminal is acquired; any thread may have to restore it.
static ACQUIRED: AtomicBool = AtomicBool::new(false);

/// The cells last drawn, for an end of the program that can't reach the screen.
static LAST_FRAME: Mutex<Option<Buffer>> = Mutex::new(None);

/// Prints the conversation of the last frame, so that it is not lost with the full screen: without the status row and the
/// input row.
pub fn print_last_frame() {
    let Some(cells) = LAST_FRAME
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
    else {
        return;
    };
    let _ = write_at_once(plain_text(&cells).as_bytes());
}

/// The rows between the first and the last, as plain text.
fn plain_text(cells: &Buffer) -> String {
    let area = cells.area;
    (1..area.height.saturating_sub(1))
        .map(|y| {
            let row: String = (0..area.width).map(|x| cells[(x, y)].symbol()).collect();
            row.trim_end().to_owned()
        })
        .skip_while(String::is_empty)
        .map(|row| row + "\r\n")
        .collect()
}

/// Restores the terminal, if it is acquired. May be called from any thread.
pub fn restore() {
    if ACQUIRED.swap(false, Ordering::SeqCst) {
        let _ = write_at_once(LEAVE_SCREEN.as_bytes());
        let _ = raw::disable_raw_mode();
    }
}

/// Acquires the terminal, even if it counts as acquired: after a stop a shell may have changed its mode.
pub fn acquire() -> io::Result<()> {
    restore();
    raw::enable_raw_mode()?;
    ACQUIRED.store(true, Ordering::SeqCst);
    write_at_once(ENTER_SCREEN.as_bytes())
}

pub fn clear() -> io::Result<()> {
    write_at_once(b"\x1b[0m\x1b[2J")
}

/// Writes what changed between two frames, then the title and the bell if wanted.
pub fn write_frame(
    old: &Buffer,
    new: &Buffer,
    cursor: Position,
    title: Option<&str>,
    bell: bool,
) -> io::Result<()> {
    let mut frame = BEGIN_FRAME.as_bytes().to_vec();
    draw_changes(&mut frame, old, new)?;
    queue!(frame, MoveTo(cursor.x, cursor.y))?;
    if let Some(title) = title {
        write!(frame, "\x1b]2;{title}\x07")?;
    }
    if bell {
        frame.extend_from_slice(BELL);
    }
    frame.extend_from_slice(END_FRAME.as_bytes());
    *LAST_FRAME.lock().unwrap_or_else(PoisonError::into_inner) = Some(new.clone());
    write_at_once(&frame)
}

/// Turns one frame into the other.
///
/// Terminals differ in the columns of flags, families and hearts. A row that has or had such a character is cleared
/// and written anew: what a terminal painted beside the cell would otherwise stay.
fn draw_changes(frame: &mut Vec<u8>, old: &Buffer, new: &Buffer) -> io::Result<()> {
    let mut backend = CrosstermBackend::new(frame);
    let columns = usize::from(new.area.width).max(1);
    let old_rows = old.content.chunks(columns);
    let new_rows = new.content.chunks(columns);
    for (y, (before, after)) in (0..).zip(old_rows.zip(new_rows)) {
        let odd_width = |cell: &Cell| width(cell.symbol()) != 1;
        let rewrite = before != after && before.iter().chain(after).any(odd_width);
        if rewrite {
            backend.set_cursor_position((0, y))?;
            backend.clear_region(ClearType::CurrentLine)?;
        }
        let changed = changed_cells(before, after, rewrite);
        // Terminals also differ in characters like “─” and “é”: the cell behind one is addressed again, so that an error
        // ends with its cell. The backend does so only at the start of a run.
        for run in
            changed.chunk_by(|(x, cell), (next, _)| cell.symbol().is_ascii() || *next != x + 1)
        {
            backend.draw(run.iter().map(|&(x, cell)| (x, y, cell)))?;
        }
    }
    Ok(())
}

/// The cells of a row to be written, with their columns: those that differ, or all that are not empty.
fn changed_cells<'a>(before: &[Cell], after: &'a [Cell], rewrite: bool) -> Vec<(u16, &'a Cell)> {
    let mut changed = Vec::new();
    let mut x = 0;
    while let Some(cell) = after.get(usize::from(x)) {
        let known = if rewrite {
            &Cell::EMPTY
        } else {
            &before[usize::from(x)]
        };
        if cell != known {
            changed.push((x, cell));
        }
        x += u16::try_from(width(cell.symbol())).unwrap_or(1).max(1);
    }
    changed
}

/// Prints rows as ordinary lines.
pub fn print_rows(rows: &[Row<'_>]) -> io::Result<()> {
    let mut text = Vec::new();
    for row in rows {
        for span in &row.spans {
            let style = row.style.patch(span.style).into_crossterm();
            queue!(
                text,
                PrintStyledContent(StyledContent::new(style, &span.content))
            )?;
        }
        text.extend_from_slice(b"\r\n");
    }
    write_at_once(&text)
}

/// Writes a frame past standard output's buffer, which would split it at line ends.
fn write_at_once(bytes: &[u8]) -> io::Result<()> {
    platform::write_fully(&StandardStream::Output.open()?, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::{Modifier, Style};

    #[test]
    fn plain_text_keeps_only_the_conversation() {
        let mut cells = Buffer::empty(Rect::new(0, 0, 20, 6));
        for (y, text) in [
            (0, "● localhost"),
            (2, "09:05  Célia  olá"),
            (3, "       Ana  oi 🙂"),
            (5, "Ana › rascu"),
        ] {
            cells.set_string(0, y, text, Style::new());
        }
        let text = plain_text(&cells);
        assert!(
            text.starts_with("09:05  Célia  olá\r\n       Ana  oi 🙂"),
            "{text:?}"
        );
        assert!(!text.contains("localhost") && !text.contains("rascu"));
    }

    fn screen(rows: &[&str]) -> Buffer {
        let mut cells = Buffer::empty(Rect::new(0, 0, 20, 3));
        for (y, row) in (0..).zip(rows) {
            cells.set_string(0, y, *row, Style::new());
        }
        cells
    }

    fn changes_between(old: &Buffer, new: &Buffer) -> String {
        // With NO_COLOR set the backend would write other sequences.
        crossterm::style::force_color_output(true);
        let mut frame = Vec::new();
        draw_changes(&mut frame, old, new).unwrap();
        String::from_utf8(frame).unwrap()
    }

    /// The backend resets colours and attributes behind each run of cells.
    const RUN_END: &str = "\x1b[39m\x1b[49m\x1b[59m\x1b[0m";

    /// What is written for a change, without the ends of the runs.
    fn changes(old: &[&str], new: &[&str]) -> String {
        changes_between(&screen(old), &screen(new)).replace(RUN_END, "")
    }

    /// Some terminals draw the two letters of a flag side by side: the second one used to stay.
    #[test]
    fn row_with_odd_widths_is_cleared_before_rewriting() {
        assert_eq!(
            changes(&["oi 🇧🇷"], &["oi tudo"]),
            "\x1b[1;1H\x1b[2K\x1b[1;1Hoi\x1b[1;4Htudo"
        );
        assert_eq!(
            changes(&["oi 🇧🇷", "a"], &["oi 🇧🇷", "b"]),
            "\x1b[2;1Hb",
            "other rows are left alone"
        );
    }

    #[test]
    fn plain_row_writes_only_changed_cells() {
        assert_eq!(changes(&["coração"], &["coragem"]), "\x1b[1;5Hgem");
        assert_eq!(changes(&["igual"], &["igual"]), "");
    }

    #[test]
    fn cell_after_an_ambiguous_width_is_addressed_again() {
        assert_eq!(changes(&[], &["é─b"]), "\x1b[1;1Hé\x1b[1;2H─\x1b[1;3Hb");
    }

    /// The room being written in is marked by an underline, which an earlier writer did not know.
    #[test]
    fn every_drawn_attribute_is_written() {
        let mut cells = screen(&[]);
        let attributes = [
            Modifier::BOLD,
            Modifier::DIM,
            Modifier::ITALIC,
            Modifier::UNDERLINED,
            Modifier::REVERSED,
        ];
        for (x, modifier) in (0..).zip(attributes) {
            cells[(x, 0)].set_symbol("x").modifier = modifier;
        }
        let mut terminal = vt100::Parser::new(3, 20, 0);
        terminal.process(changes_between(&screen(&[]), &cells).as_bytes());
        let drawn = (0..5).map(|x| {
            let cell = terminal.screen().cell(0, x).unwrap();
            [
                cell.bold(),
                cell.dim(),
                cell.italic(),
                cell.underline(),
                cell.inverse(),
            ]
        });
        for (number, drawn) in drawn.enumerate() {
            let only_its_own: [bool; 5] = std::array::from_fn(|other| other == number);
            assert_eq!(drawn, only_its_own, "{:?}", attributes[number]);
        }
    }
}
