//! The way to the terminal: cells that changed, written as one piece; and how it is taken and given back.
//!
//! Knows escape sequences; never knows what the cells mean.

use crate::ui::screen::style;
use crate::ui::screen::wrap::width;
use crossterm::terminal as raw;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line as Row;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The other screen, with the title kept for later; pastes and changes of focus are told, and rows never wrap, even
/// where the terminal counts columns differently.
const ENTER_SCREEN: &str = "\x1b[22;0t\x1b[?1049h\x1b[?2004h\x1b[?1004h\x1b[?7l\x1b[2J";
/// Everything as it was.
const LEAVE_SCREEN: &str = "\x1b[0m\x1b[?1004l\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l\x1b[23;0t";
/// The terminal shows all between these two at once, if it knows them.
const BEGIN_FRAME: &str = "\x1b[?2026h\x1b[?25l";
const END_FRAME: &str = "\x1b[?25h\x1b[?2026l";
/// Calls the person.
const BELL: &str = "\x07";

/// Whether the terminal is in our hands, for whoever has to give it back in a hurry.
static ACQUIRED: AtomicBool = AtomicBool::new(false);

/// The cells last drawn, for whoever ends the program without being able to ask the screen.
static LAST_FRAME: Mutex<Option<Buffer>> = Mutex::new(None);

/// Prints the conversation that was last on the full screen, so that it is not lost with it: without the status above
/// it and the line being typed below.
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
    let row = |y| {
        (0..area.width)
            .map(|x| cells[(x, y)].symbol())
            .collect::<String>()
    };
    let rows = (1..area.height.saturating_sub(1)).map(|y| row(y).trim_end().to_owned());
    rows.skip_while(String::is_empty)
        .map(|row| row + "\r\n")
        .collect()
}

/// Gives the terminal back as it was. Does nothing when it is not in our hands; may be called from anywhere.
pub fn restore() {
    if ACQUIRED.swap(false, Ordering::SeqCst) {
        let _ = write_at_once(LEAVE_SCREEN.as_bytes());
        let _ = raw::disable_raw_mode();
    }
}

/// Takes the terminal, also when it is believed to be in our hands: a shell that had it meanwhile has changed its mode.
pub fn acquire() -> io::Result<()> {
    restore();
    raw::enable_raw_mode()?;
    ACQUIRED.store(true, Ordering::SeqCst);
    write_at_once(ENTER_SCREEN.as_bytes())
}

/// Takes everything from the screen.
pub fn clear() -> io::Result<()> {
    write_at_once(b"\x1b[0m\x1b[2J")
}

/// Writes the rows that are not as they were, then the title and the bell if wanted.
pub fn write_frame(
    old: &Buffer,
    new: &Buffer,
    cursor: Position,
    title: Option<&str>,
    bell: bool,
) -> io::Result<()> {
    let mut frame = String::from(BEGIN_FRAME);
    diff(old, new, &mut frame);
    frame.push_str(&format!("\x1b[0m\x1b[{};{}H", cursor.y + 1, cursor.x + 1));
    if let Some(title) = title {
        frame.push_str(&format!("\x1b]2;{title}\x07"));
    }
    if bell {
        frame.push_str(BELL);
    }
    frame.push_str(END_FRAME);
    *LAST_FRAME.lock().unwrap_or_else(PoisonError::into_inner) = Some(new.clone());
    write_at_once(frame.as_bytes())
}

/// What turns one screen into the other.
///
/// Terminals differ in the columns of flags, families and hearts. A row that holds such a character, or held one, is
/// wiped and written anew: what a terminal painted beside its cell would otherwise stay there for good.
fn diff(old: &Buffer, new: &Buffer, frame: &mut String) {
    let columns = usize::from(new.area.width).max(1);
    for (y, (was, is)) in old
        .content
        .chunks(columns)
        .zip(new.content.chunks(columns))
        .enumerate()
    {
        let rewrite = was != is
            && [was, is]
                .into_iter()
                .flatten()
                .any(|cell| width(cell.symbol()) != 1);
        if rewrite {
            frame.push_str(&format!("\x1b[{};1H\x1b[0m\x1b[2K", y + 1));
        }
        let (mut at, mut style, mut x) = (None, String::new(), 0);
        while let Some(cell) = is.get(x) {
            let columns = width(cell.symbol()).max(1);
            if if rewrite {
                *cell != Cell::EMPTY
            } else {
                *cell != was[x]
            } {
                if at != Some(x) {
                    frame.push_str(&format!("\x1b[{};{}H", y + 1, x + 1));
                }
                let wanted = cell_sequence(cell);
                if wanted != style {
                    frame.push_str(&wanted);
                    style = wanted;
                }
                frame.push_str(cell.symbol());
                // Where terminals may count differently, the next cell is addressed again: an error ends with its cell.
                at = cell.symbol().is_ascii().then_some(x + 1);
            }
            x += columns;
        }
    }
}

fn cell_sequence(cell: &Cell) -> String {
    style::escape_sequence(
        Style::new()
            .fg(cell.fg)
            .add_modifier(cell.modifier & !Modifier::HIDDEN),
    )
}

/// Prints rows as any program does.
pub fn print_rows(rows: &[Row<'_>]) -> io::Result<()> {
    let mut text = String::new();
    for row in rows {
        for span in &row.spans {
            text.push_str(&format!(
                "{}{}",
                style::escape_sequence(row.style.patch(span.style)),
                span.content
            ));
        }
        text.push_str("\x1b[0m\r\n");
    }
    write_at_once(text.as_bytes())
}

/// One system call for the whole frame: standard output's own buffer would cut it at the line ends.
#[cfg(unix)]
fn write_at_once(bytes: &[u8]) -> io::Result<()> {
    use std::os::fd::AsFd;
    write_fully(
        &std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?),
        bytes,
    )
}

/// Writes all of it, also where another program has left the terminal in a mode that refuses instead of waiting.
#[cfg(unix)]
fn write_fully<W: std::os::fd::AsFd>(output: &W, mut bytes: &[u8]) -> io::Result<()>
where
    for<'a> &'a W: Write,
{
    use rustix::event::{PollFd, PollFlags, poll};
    let mut writer = output;
    while !bytes.is_empty() {
        match writer.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll(&mut [PollFd::new(output, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn write_at_once(bytes: &[u8]) -> io::Result<()> {
    io::stdout().write_all(bytes)?;
    io::stdout().flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;

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
        rows.iter().zip(0..).for_each(|(row, y)| {
            cells.set_string(0, y, *row, Style::new());
        });
        cells
    }

    fn diff_of(old: &[&str], new: &[&str]) -> String {
        let mut frame = String::new();
        diff(&screen(old), &screen(new), &mut frame);
        frame
    }

    /// Some terminals draw the two letters of a flag beside each other: the second one used to stay.
    #[test]
    fn row_with_odd_widths_is_cleared_before_rewriting() {
        assert_eq!(
            diff_of(&["oi 🇧🇷"], &["oi tudo"]),
            "\x1b[1;1H\x1b[0m\x1b[2K\x1b[1;1H\x1b[0moi\x1b[1;4Htudo"
        );
        assert_eq!(
            diff_of(&["oi 🇧🇷", "a"], &["oi 🇧🇷", "b"]),
            "\x1b[2;1H\x1b[0mb",
            "other rows are left alone"
        );
    }

    #[test]
    fn plain_row_writes_only_changed_cells() {
        assert_eq!(diff_of(&["coração"], &["coragem"]), "\x1b[1;5H\x1b[0mgem");
        assert_eq!(diff_of(&["igual"], &["igual"]), "");
    }

    /// The room being written in is told by an underline, which the writer did not know.
    #[test]
    fn every_drawn_attribute_is_written() {
        let mut cells = screen(&[]);
        for (x, modifier) in (0..).zip(style::ATTRIBUTES.map(|(modifier, _)| modifier)) {
            cells[(x, 0)]
                .set_symbol("x")
                .set_style(Style::new().add_modifier(modifier));
        }
        let mut frame = String::new();
        diff(&screen(&[]), &cells, &mut frame);
        assert_eq!(
            frame,
            "\x1b[1;1H\x1b[0;1mx\x1b[0;2mx\x1b[0;3mx\x1b[0;4mx\x1b[0;7mx"
        );
    }

    #[cfg(unix)]
    #[test]
    fn nonblocking_terminal_receives_the_whole_frame() {
        use std::io::Read;
        let (output, mut terminal) = std::os::unix::net::UnixStream::pair().unwrap();
        output.set_nonblocking(true).unwrap();
        let frame = vec![b'x'; 4 << 20];
        let reader = std::thread::spawn(move || {
            let mut seen = Vec::new();
            terminal.read_to_end(&mut seen).unwrap();
            seen.len()
        });
        write_fully(&output, &frame).unwrap();
        drop(output);
        assert_eq!(reader.join().unwrap(), frame.len());
    }
}
