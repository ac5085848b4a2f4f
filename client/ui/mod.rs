//! What stands between the client and the person: a terminal, or plain lines.
//!
//! Knows the two directions, in and out; never knows which kind of front it is, nor what is decided behind it.

pub mod clock;
mod complete;
mod editor;
pub mod json;
mod keymap;
pub mod plain;
pub mod screen;
pub mod signals;
pub mod stdin;

use crate::app::output::Output;
use crate::app::{AppEvent, ViewModel};
use papo::protocol::ServerMessage;
use std::io;
use std::time::Instant;

/// Something from the outside, before the front has made sense of it.
#[derive(Debug)]
pub enum UiInput {
    /// A key, a paste or a new size.
    Terminal(crossterm::event::Event),
    /// A whole line.
    Line(String),
    /// The system wants the program to stop for a while (Ctrl+Z, as a signal).
    Suspend,
    /// The program goes on after having been stopped.
    Resume,
    /// There is no more.
    End,
}

/// One kind of surface.
pub trait Ui {
    /// What an input means, if anything yet.
    fn map_input(&mut self, input: UiInput) -> Option<AppEvent>;
    /// Shows a line, at the latest with the next [`Front::refresh`].
    fn show(&mut self, output: &Output) -> io::Result<()>;
    /// Puts a text back under the person's hands.
    fn restore_input(&mut self, text: &str);
    /// Calls the person.
    fn alert(&mut self) {}
    /// Takes away what is shown.
    fn clear(&mut self) {}
    /// Hears what the server said, word for word, before anything is made of it.
    fn on_server_message(&mut self, _: &ServerMessage) -> io::Result<()> {
        Ok(())
    }
    /// Before this moment [`Front::refresh`] is not to be called: nobody could follow.
    fn ready_at(&self) -> Option<Instant> {
        None
    }
    /// Brings everything up to date. Called after every change; does nothing when there was none.
    fn refresh(&mut self, model: &ViewModel) -> io::Result<()>;
    /// The last moment: shows what is still to be shown and leaves everything as it was found.
    fn finish(&mut self) -> io::Result<()>;
}
