//! What can happen to the client, what it then wants done, and how it ends: the whole border of the state.

use crate::app::output::Output;
use crate::net::session::{Disconnect, SessionEvent};
use papo::protocol::{ClientMessage, ServerMessage};
use std::time::Duration;

/// What happened.
#[derive(Debug)]
pub enum AppEvent {
    /// The program began.
    Started,
    /// There is a connection; nobody has said anything yet.
    Connected,
    Received(ServerMessage),
    /// There is no connection (any more).
    Disconnected(Disconnect),
    /// The person finished a line.
    Submitted(String),
    /// There is no more to read from the person.
    InputEnded,
    /// The person wants to leave.
    Leave,
    /// Ctrl+C where there was nothing to delete.
    Interrupt,
    /// The system wants the program to end.
    ShutdownRequested,
    /// The person is writing something for others.
    Typing,
    /// The person wants to see another of the open rooms.
    SwitchRoom(String),
    /// The person has read back to the first entry shown.
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

/// What the person is asked before they can come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    Name,
    /// The server's password.
    Password,
    /// The password of the room to land in.
    RoomPassword,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub enum AppEffect {
    Show(Output),
    Send(ClientMessage),
    /// Connect now.
    Connect,
    /// Connect again later: at a random time within this, or as the number of attempts asks.
    Retry(Option<Duration>),
    /// Say goodbye to the server.
    Close,
    /// Put a text back into the line being typed.
    RestoreInput(String),
    /// Call the person.
    Alert,
    /// Take away what is on the screen.
    Clear,
    /// End the program.
    Exit(Exit),
}

/// How the program ends, as scripts see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Success = 0,
    Unexpected = 1,
    Usage = 2,
    Unreachable = 3,
    Refused = 4,
    ConnectionLost = 5,
    Interrupted = 130,
}

/// What differs between a person at a terminal and a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// Somebody is there who can be asked again, and who wants to be connected again.
    pub interactive: bool,
    /// After the last line, go on listening.
    pub keep_listening: bool,
    /// A script that connects again, as a person's client does.
    pub reconnect: bool,
}
