//! The full screen: a front that remembers what it was shown and draws it, at most thirty times a second and only when
//! something changed.
//!
//! Reading order: `timeline` (a room) → `wrap`, `style`, `rows` (an entry in rows) → `paper` (a room in rows) → `view`
//! (what is looked at) → `draw` (cells) → `writer` (the terminal); `hands` is the way in. Never knows why a line is shown.

mod drafts;
mod draw;
mod hands;
mod paper;
mod rows;
mod style;
mod timeline;
mod view;
mod wrap;
mod writer;

pub use writer::{print_last, restore};

use crate::app::{AppEvent, Prompt, ViewModel};
use crate::clock::Clock;
use crate::complete::Completion;
use crate::front::{Ui, UiInput};
use crate::input::Editor;
use crate::line::Output;
use drafts::{Desk, Drafts};
use paper::Paper;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::io;
use std::time::{Duration, Instant};
use view::View;

/// Between two drawings: thirty a second are as many as anybody can follow.
const FRAME: Duration = Duration::from_millis(33);
/// Where the terminal does not tell its size.
const USUAL_SIZE: (u16, u16) = (80, 24);
/// No larger than this, whatever the terminal tells: the cells are kept in memory.
const LARGEST: (u16, u16) = (1000, 400);

/// The answer to Ctrl+Z in a window where nothing else runs.
const NOWHERE_TO_GO: &str = "Não há para onde voltar: nesta janela só roda este programa.";

/// The screen and the line being typed.
pub struct Screen {
    view: View,
    editor: Editor,
    drafts: Drafts,
    completion: Option<Completion>,
    /// What the state was at the last drawing.
    model: ViewModel,
    /// The cells that are on the screen.
    drawn: Buffer,
    drawn_at: Option<Instant>,
    changed: bool,
    bell: bool,
    title: usize,
    suspend: bool,
}

impl Screen {
    /// Takes the terminal; it is given back when this is dropped.
    pub fn new(clock: Clock, colours: bool) -> io::Result<Self> {
        writer::take()?;
        let size = size_of_the_terminal();
        Ok(Self {
            view: View::new(clock, colours, size),
            editor: Editor::default(),
            drafts: Drafts::default(),
            completion: None,
            model: ViewModel::default(),
            drawn: Buffer::empty(Rect::new(0, 0, size.0, size.1)),
            drawn_at: None,
            changed: true,
            bell: false,
            title: 0,
            suspend: false,
        })
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        let (columns, rows) = sensible((columns, rows));
        self.view.resize(columns, rows);
        self.forget();
    }

    /// What is on the screen is not known any more: everything is drawn anew.
    fn forget(&mut self) {
        let (columns, rows) = (self.view.columns, self.view.rows);
        let side = |cells: usize| u16::try_from(cells).unwrap_or(u16::MAX);
        self.drawn = Buffer::empty(Rect::new(0, 0, side(columns), side(rows)));
        (self.changed, self.drawn_at) = (true, None);
    }

    /// Stops as any program does at Ctrl+Z, with all that was started with it, and goes on when it is called back.
    #[cfg(unix)]
    fn rest(&mut self) -> io::Result<()> {
        use rustix::process::{Signal, kill_current_process_group};
        if !has_shell() {
            (self.view.hint, self.changed) = (Some(NOWHERE_TO_GO.into()), true);
            return Ok(());
        }
        restore();
        kill_current_process_group(Signal::STOP)?;
        self.wake()
    }

    #[cfg(not(unix))]
    fn rest(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Takes the terminal again, whatever was done to it meanwhile.
    fn wake(&mut self) -> io::Result<()> {
        writer::take()?;
        let (columns, rows) = size_of_the_terminal();
        self.resize(columns, rows);
        Ok(())
    }

    fn draw(&mut self, now: Instant) -> io::Result<()> {
        let whole = self.drawn_at.is_none();
        let mut cells = Buffer::empty(self.drawn.area);
        let cursor = draw::draw(&mut cells, &mut self.view, &self.model, &self.editor, now);
        let unread = self.view.all_unread();
        let title = (unread != self.title || whole).then(|| match unread {
            0 => "Bate-papo".to_owned(),
            count => format!("({count}) Bate-papo"),
        });
        if whole {
            writer::clear()?;
        }
        writer::write(
            &self.drawn,
            &cells,
            cursor,
            title.as_deref(),
            std::mem::take(&mut self.bell),
        )?;
        (self.drawn, self.drawn_at, self.changed, self.title) = (cells, Some(now), false, unread);
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
        use crossterm::event::Event as Happened;
        match input {
            UiInput::Terminal(Happened::Key(key)) => return self.pressed(key),
            UiInput::Terminal(Happened::Paste(text)) => return self.pasted(&text),
            UiInput::Terminal(Happened::Resize(columns, rows)) => self.resize(columns, rows),
            UiInput::Terminal(Happened::FocusGained) => {
                self.view.focus(true);
                self.changed = true;
            }
            UiInput::Terminal(Happened::FocusLost) => self.view.focus(false),
            UiInput::Terminal(_) => {}
            UiInput::Suspend => self.suspend = true,
            UiInput::Resume => {
                if self.wake().is_err() {
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
        self.changed = true;
        self.view.show(output);
        Ok(())
    }

    fn restore_input(&mut self, text: &str) {
        if self.editor.is_empty() {
            self.editor.set(text);
        }
    }

    fn alert(&mut self) {
        (self.bell, self.changed) = (true, true);
    }

    fn clear(&mut self) {
        self.view.clear();
        self.changed = true;
    }

    fn ready_at(&self) -> Option<Instant> {
        self.drawn_at.map(|then| then + FRAME)
    }

    fn refresh(&mut self, model: &ViewModel) -> io::Result<()> {
        if std::mem::take(&mut self.suspend) {
            self.rest()?;
        }
        if *model != self.model {
            self.editor.secret = model.prompt.is_some_and(|prompt| prompt != Prompt::Name);
            match (self.model.prompt.is_some(), model.prompt.is_some()) {
                // What was being written for others is no name.
                (false, true) => {
                    self.drafts
                        .turn(&mut self.editor, Desk::Aside, &Desk::Room(String::new()))
                }
                (true, false) => self.drafts.back(&mut self.editor),
                _ => {}
            }
            self.model = model.clone();
            self.view.sync(model);
            self.changed = true;
        }
        if self.changed {
            self.draw(Instant::now())
        } else {
            Ok(())
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.view.people = false;
        let paper = Paper::new(
            self.view.room(),
            &self.model,
            self.view.look(&self.model),
            Instant::now(),
        );
        let rows = paper.page(self.view.room().top, self.view.rows.saturating_sub(1));
        restore();
        writer::print(&rows)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn size_of_the_terminal() -> (u16, u16) {
    sensible(crossterm::terminal::size().unwrap_or_default())
}

/// A size that can be drawn; some terminals tell 0 × 0.
fn sensible((columns, rows): (u16, u16)) -> (u16, u16) {
    let or_usual =
        |told: u16, usual: u16, largest: u16| if told == 0 { usual } else { told.min(largest) };
    (
        or_usual(columns, USUAL_SIZE.0, LARGEST.0),
        or_usual(rows, USUAL_SIZE.1, LARGEST.1),
    )
}

#[cfg(test)]
mod tests;
