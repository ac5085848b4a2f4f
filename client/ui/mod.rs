//! The user interface: a full screen, plain lines or JSON lines.
//!
//! Knows the two directions, input and output; never knows what the core decides.

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

/// Raw input, which each user interface turns into events.
#[derive(Debug)]
pub enum UiInput {
    /// A key, a paste, a new size or a change of focus.
    Terminal(crossterm::event::Event),
    /// A whole line.
    Line(String),
    /// The program is to be suspended (SIGTSTP).
    Suspend,
    /// The program continues after it was stopped (SIGCONT).
    Resume,
    /// The input has ended.
    End,
}

/// A user interface.
pub trait Ui {
    /// The event that an input causes, if any.
    fn map_input(&mut self, input: UiInput) -> Option<AppEvent>;
    /// Shows an output, at the latest with the next [`Ui::refresh`].
    fn show(&mut self, output: &Output) -> io::Result<()>;
    /// Puts a text back into the input line.
    fn restore_input(&mut self, text: &str);
    /// Rings the bell.
    fn alert(&mut self) {}
    /// Clears the current room.
    fn clear(&mut self) {}
    /// Gets each message of the server as it is, before the core.
    fn on_server_message(&mut self, _: &ServerMessage) -> io::Result<()> {
        Ok(())
    }
    /// The earliest time for the next [`Ui::refresh`].
    fn ready_at(&self) -> Option<Instant> {
        None
    }
    /// Shows the current state. Called after every change.
    fn refresh(&mut self, model: &ViewModel) -> io::Result<()>;
    /// Shows what is still pending and restores the terminal.
    fn finish(&mut self) -> io::Result<()>;
}
