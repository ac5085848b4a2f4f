//! The full screen: a front that remembers what it was shown and draws it, at most thirty times a second and only when
//! something changed.
//!
//! Reading order: `timeline` (a room) → `wrap`, `style`, `rows` (an entry in rows) → `paper` (a room in rows) → `view`
//! (what is looked at) → `draw` (cells) → `writer` (the terminal); `hands` is the way in. Never knows why a line is shown.

mod drafts;
mod draw;
mod events;
mod layout;
mod notice_rows;
mod rows;
mod status;
mod style;
mod timeline;
mod view;
mod wrap;
mod writer;

pub use writer::{print_last_frame, restore};

use crate::app::output::Output;
use crate::app::{AppEvent, Prompt, ViewModel};
use crate::ui::clock::Clock;
use crate::ui::complete::Completion;
use crate::ui::editor::Editor;
use crate::ui::{Ui, UiInput};
use drafts::{DraftKey, Drafts};
use layout::Layout;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::io;
use std::time::{Duration, Instant};
use view::View;

/// Between two drawings: thirty a second are as many as anybody can follow.
const FRAME_INTERVAL: Duration = Duration::from_millis(33);
/// Where the terminal does not tell its size.
const DEFAULT_SIZE: (u16, u16) = (80, 24);
/// No larger than this, whatever the terminal tells: the cells are kept in memory.
const MAX_SIZE: (u16, u16) = (1000, 400);

/// The answer to Ctrl+Z in a window where nothing else runs.
const NO_SHELL: &str = "Não há para onde voltar: nesta janela só roda este programa.";

/// The screen and the line being typed.
pub struct Screen {
    view: View,
    editor: Editor,
    drafts: Drafts,
    completion: Option<Completion>,
    /// What the state was at the last drawing.
    model: ViewModel,
    /// The cells that are on the screen.
    last_frame: Buffer,
    last_drawn_at: Option<Instant>,
    dirty: bool,
    bell_pending: bool,
    title_unread: usize,
    suspend_requested: bool,
}

impl Screen {
    /// Takes the terminal; it is given back when this is dropped.
    pub fn new(clock: Clock, colours: bool) -> io::Result<Self> {
        writer::acquire()?;
        let size = terminal_size();
        Ok(Self {
            view: View::new(clock, colours, size),
            editor: Editor::default(),
            drafts: Drafts::default(),
            completion: None,
            model: ViewModel::default(),
            last_frame: Buffer::empty(Rect::new(0, 0, size.0, size.1)),
            last_drawn_at: None,
            dirty: true,
            bell_pending: false,
            title_unread: 0,
            suspend_requested: false,
        })
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        let (columns, rows) = clamp_size((columns, rows));
        self.view.resize(columns, rows);
        self.invalidate();
    }

    /// What is on the screen is not known any more: everything is drawn anew.
    fn invalidate(&mut self) {
        let (columns, rows) = (self.view.columns, self.view.rows);
        let side = |cells: usize| u16::try_from(cells).unwrap_or(u16::MAX);
        self.last_frame = Buffer::empty(Rect::new(0, 0, side(columns), side(rows)));
        (self.dirty, self.last_drawn_at) = (true, None);
    }

    /// Stops as any program does at Ctrl+Z, with all that was started with it, and goes on when it is called back.
    #[cfg(unix)]
    fn suspend_process(&mut self) -> io::Result<()> {
        use rustix::process::{Signal, kill_current_process_group};
        if !has_shell() {
            (self.view.hint, self.dirty) = (Some(NO_SHELL.into()), true);
            return Ok(());
        }
        restore();
        kill_current_process_group(Signal::STOP)?;
        self.resume()
    }

    #[cfg(not(unix))]
    fn suspend_process(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Takes the terminal again, whatever was done to it meanwhile.
    fn resume(&mut self) -> io::Result<()> {
        writer::acquire()?;
        let (columns, rows) = terminal_size();
        self.resize(columns, rows);
        Ok(())
    }

    fn draw(&mut self, now: Instant) -> io::Result<()> {
        let whole = self.last_drawn_at.is_none();
        let mut cells = Buffer::empty(self.last_frame.area);
        let cursor = draw::draw(&mut cells, &mut self.view, &self.model, &self.editor, now);
        let unread = self.view.total_unread();
        let title = (unread != self.title_unread || whole).then(|| match unread {
            0 => "Bate-papo".to_owned(),
            count => format!("({count}) Bate-papo"),
        });
        if whole {
            writer::clear()?;
        }
        writer::write_frame(
            &self.last_frame,
            &cells,
            cursor,
            title.as_deref(),
            std::mem::take(&mut self.bell_pending),
        )?;
        (
            self.last_frame,
            self.last_drawn_at,
            self.dirty,
            self.title_unread,
        ) = (cells, Some(now), false, unread);
        Ok(())
    }
}

/// Whether somebody could call this program back after a stop: the shell that it was started from, at the same terminal.
#[cfg(unix)]
fn has_shell() -> bool {
    use nix::unistd::{getppid, getsid};
    // A parent out of sight (the first program in a container) has the number 0, which would ask about ourselves. So has
    // the session of a parent that came from outside: it only has to be another one than ours.
    let parent = getppid();
    parent.as_raw() != 0 && getsid(Some(parent)) == getsid(None)
}

impl Ui for Screen {
    fn map_input(&mut self, input: UiInput) -> Option<AppEvent> {
        use crossterm::event::Event as TerminalEvent;
        match input {
            UiInput::Terminal(TerminalEvent::Key(key)) => return self.on_key(key),
            UiInput::Terminal(TerminalEvent::Paste(text)) => return self.on_paste(&text),
            UiInput::Terminal(TerminalEvent::Resize(columns, rows)) => self.resize(columns, rows),
            UiInput::Terminal(TerminalEvent::FocusGained) => {
                self.view.set_focus(true);
                self.dirty = true;
            }
            UiInput::Terminal(TerminalEvent::FocusLost) => self.view.set_focus(false),
            UiInput::Terminal(_) => {}
            UiInput::Suspend => self.suspend_requested = true,
            UiInput::Resume => {
                if self.resume().is_err() {
                    return Some(AppEvent::ShutdownRequested);
                }
            }
            UiInput::Line(text) => return Some(AppEvent::Submitted(text)),
            // The terminal itself is gone.
            UiInput::End => return Some(AppEvent::ShutdownRequested),
        }
        None
    }

    fn show(&mut self, output: &Output) -> io::Result<()> {
        self.dirty = true;
        self.view.show(output);
        Ok(())
    }

    fn restore_input(&mut self, text: &str) {
        if self.editor.is_empty() {
            self.editor.set(text);
        }
    }

    fn alert(&mut self) {
        (self.bell_pending, self.dirty) = (true, true);
    }

    fn clear(&mut self) {
        self.view.clear();
        self.dirty = true;
    }

    fn ready_at(&self) -> Option<Instant> {
        self.last_drawn_at.map(|then| then + FRAME_INTERVAL)
    }

    fn refresh(&mut self, model: &ViewModel) -> io::Result<()> {
        if std::mem::take(&mut self.suspend_requested) {
            self.suspend_process()?;
        }
        if *model != self.model {
            self.editor.secret = model.prompt.is_some_and(|prompt| prompt != Prompt::Name);
            match (self.model.prompt.is_some(), model.prompt.is_some()) {
                // What was being written for others is no name.
                (false, true) => self.drafts.swap(
                    &mut self.editor,
                    DraftKey::Prompt,
                    &DraftKey::Room(String::new()),
                ),
                (true, false) => self.drafts.restore(&mut self.editor),
                _ => {}
            }
            self.model = model.clone();
            self.view.sync(model);
            self.dirty = true;
        }
        if self.dirty {
            self.draw(Instant::now())
        } else {
            Ok(())
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.view.people_shown = false;
        let layout = Layout::new(
            self.view.room(),
            &self.model,
            self.view.row_style(&self.model),
            Instant::now(),
        );
        let rows = layout.page(self.view.room().top, self.view.rows.saturating_sub(1));
        restore();
        writer::print_rows(&rows)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn terminal_size() -> (u16, u16) {
    clamp_size(crossterm::terminal::size().unwrap_or_default())
}

/// A size that can be drawn; some terminals tell 0 × 0.
fn clamp_size((columns, rows): (u16, u16)) -> (u16, u16) {
    let or_usual =
        |told: u16, usual: u16, largest: u16| if told == 0 { usual } else { told.min(largest) };
    (
        or_usual(columns, DEFAULT_SIZE.0, MAX_SIZE.0),
        or_usual(rows, DEFAULT_SIZE.1, MAX_SIZE.1),
    )
}

#[cfg(test)]
mod tests;
