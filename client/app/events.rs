//! The client core's API: events in, effects out, exit codes.

use crate::app::output::Output;
use crate::net::session::{DisconnectCause, SessionEvent};
use papo::protocol::{ClientMessage, ServerMessage};
use std::time::Duration;

/// What can happen to the client.
#[derive(Debug)]
pub enum AppEvent {
    Started,
    /// There is a connection; `enter` has not been sent.
    Connected,
    Received(ServerMessage),
    /// There is no connection, or none any more.
    Disconnected(DisconnectCause),
    /// The person finished a line.
    Submitted(String),
    /// Standard input has ended.
    InputEnded,
    /// The person leaves.
    Leave,
    /// The reader of the output has gone.
    OutputClosed,
    /// Ctrl+C in an empty input line.
    Interrupt,
    /// A signal, or a closed terminal, asks the program to exit with this code.
    ShutdownRequested(Exit),
    /// The person is typing a message.
    Typing,
    /// The person switches to another open room.
    SwitchRoom(String),
    /// The person has scrolled up to the first entry shown.
    LoadEarlier,
    /// Time passed.
    Tick,
}

impl From<SessionEvent> for AppEvent {
    fn from(event: SessionEvent) -> Self {
        match event {
            SessionEvent::Connected => Self::Connected,
            SessionEvent::Received(message) => Self::Received(message),
            SessionEvent::Disconnected(cause) => Self::Disconnected(cause),
        }
    }
}

/// What the person is asked before entering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    Name,
    /// The server's password.
    Password,
    /// The password of the first room.
    RoomPassword,
}

/// What the loop must carry out.
#[derive(Debug, PartialEq)]
pub enum AppEffect {
    Show(Output),
    Send(ClientMessage),
    /// Connect now.
    Connect,
    /// Connect again at a random time within this, or within a ceiling that grows with each attempt.
    Retry(Option<Duration>),
    /// Close the connection in order.
    Close,
    /// Put a text back into the input line.
    RestoreInput(String),
    /// Ring the bell.
    Alert,
    /// Clear the current room on the screen.
    Clear,
    Exit(Exit),
}

/// The exit codes, which scripts see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Success = 0,
    Unexpected = 1,
    Usage = 2,
    Unreachable = 3,
    Refused = 4,
    ConnectionLost = 5,
    /// The terminal is gone. From here on they are what a shell says of a signal: 128 and its number.
    HungUp = 129,
    Interrupted = 130,
    Terminated = 143,
}

/// What differs between a person at a terminal and a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// A person is at the terminal: they can be prompted, and the connection is kept alive.
    pub interactive: bool,
    /// Go on listening after the last line.
    pub keep_listening: bool,
    /// Connect again even in a script.
    pub reconnect: bool,
}
