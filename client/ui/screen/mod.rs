//! The full screen: keeps what it was shown and draws it, at most thirty times a second and only after a change.
//!
//! Reading order: `timeline` (a room) → `wrap`, `style`, `rows` (an entry in rows) → `layout` (a room in rows) → `view`
//! (the visible part) → `draw` (cells) → `writer` (the terminal); `events` handles keys and pastes.
//! Never knows why an output is shown.

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
use crate::app::{AppEvent, Exit, Prompt, ViewModel};
use crate::ui::clock::Clock;
use crate::ui::complete::WordCompletion;
use crate::ui::editor::Editor;
use crate::ui::{Ui, UiInput};
use drafts::{DraftKey, Drafts};
use layout::Layout;
use papo::platform;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::io;
use std::time::{Duration, Instant};
use view::View;

/// At least this long between two frames: thirty a second are as many as a person can follow.
const FRAME_INTERVAL: Duration = Duration::from_millis(33);
/// Where the terminal reports no size.
const DEFAULT_SIZE: (u16, u16) = (80, 24);
/// Largest size drawn, whatever the terminal reports: the cells are kept in memory.
const MAX_SIZE: (u16, u16) = (1000, 400);

/// The answer to Ctrl+Z without a shell to return to.
const NO_SHELL: &str = "Não há para onde voltar: nesta janela só roda este programa.";

/// The screen and the input line.
pub struct Screen {
    view: View,
    editor: Editor,
    drafts: Drafts,
    completion: Option<WordCompletion>,
    model: ViewModel,
    last_frame: Buffer,
    last_drawn_at: Option<Instant>,
    dirty: bool,
    bell_pending: bool,
    title_unread: usize,
    suspend_requested: bool,
}

impl Screen {
    /// Acquires the terminal; dropping the screen restores it.
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

    /// The terminal's content is unknown: the next frame is drawn as a whole.
    fn invalidate(&mut self) {
        let columns = u16::try_from(self.view.columns).unwrap_or(u16::MAX);
        let rows = u16::try_from(self.view.rows).unwrap_or(u16::MAX);
        self.last_frame = Buffer::empty(Rect::new(0, 0, columns, rows));
        self.last_drawn_at = None;
        self.dirty = true;
    }

    /// Stops the process group, as Ctrl+Z does for any program, and resumes when it is continued.
    fn suspend_process(&mut self) -> io::Result<()> {
        if !platform::has_shell() {
            self.view.hint = Some(NO_SHELL.into());
            self.dirty = true;
            return Ok(());
        }
        restore();
        platform::stop_process_group()?;
        self.resume()
    }

    /// Acquires the terminal again, whatever its state.
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
        self.last_frame = cells;
        self.last_drawn_at = Some(now);
        self.dirty = false;
        self.title_unread = unread;
        Ok(())
    }
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
                    return Some(AppEvent::ShutdownRequested(Exit::HungUp));
                }
            }
            UiInput::Line(text) => return Some(AppEvent::Submitted(text)),
            // The terminal is gone.
            UiInput::End => return Some(AppEvent::ShutdownRequested(Exit::HungUp)),
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
        self.bell_pending = true;
        self.dirty = true;
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
                // A draft of a message is not an answer to the prompt.
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

/// A size that can be drawn; some terminals report 0 × 0.
fn clamp_size((columns, rows): (u16, u16)) -> (u16, u16) {
    let columns = match columns {
        0 => DEFAULT_SIZE.0,
        reported => reported.min(MAX_SIZE.0),
    };
    let rows = match rows {
        0 => DEFAULT_SIZE.1,
        reported => reported.min(MAX_SIZE.1),
    };
    (columns, rows)
}

#[cfg(test)]
mod tests;
