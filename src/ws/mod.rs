//! The reading side of one WebSocket: tungstenite over a guarded socket, in either role.
//!
//! tungstenite answers pings and closes by itself. On the server those answers must not touch the socket from the
//! reading thread, because the hub writes to the same socket and two writers would mix their frames. So tungstenite
//! sits on an adapter: reading goes through the [`Guard`] to the socket, writing goes to whatever the caller gave as
//! `replies`, a whole frame per `write` call.
//!
//! Knows frames, budgets and deadlines; never knows what a text means.

pub mod frame;
mod limited_reader;

use crate::os_error::describe;
use std::fmt;
use std::io::{self, Read, Write};
use tungstenite::client::IntoClientRequest;
use tungstenite::error::{Error, ProtocolError};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Bytes, HandshakeError, Message, Utf8Bytes, WebSocket};

pub use limited_reader::{ByteRate, LastSeen, LimitedReader, ReadLimits, SharedSocket, TimedRead};

/// Bytes read at once. tungstenite keeps a buffer of this size for each connection and fills it with zeros before every
/// read; its default of 128 KiB would cost that much memory for each person and double the CPU.
const READ_BUFFER_SIZE: usize = 2 * 1024;
/// Most bytes of queued replies inside tungstenite; they are handed on at once, so a few frames are plenty.
const MAX_CONTROL_OUT: usize = 64 * 1024;

/// Pings of one read that are answered each; who sends more is answered once for the rest, as RFC 6455 allows.
const MAX_PONGS_PER_READ: u32 = 16;

/// What a peer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A whole text message, valid UTF-8.
    Text(Utf8Bytes),
    /// A whole binary message.
    Binary(Bytes),
    /// An answer to a ping.
    Pong,
}

/// Why there is nothing more to read. Each variant says what the caller must do.
#[derive(Debug)]
pub enum ReadError {
    /// The peer closed with this code (1005: it gave none). The reply is already on its way; close the socket.
    Closed(u16),
    /// The peer broke a rule; send a close frame with this code.
    Violation(u16, &'static str),
    /// The peer began a message and did not finish it in time; say goodbye.
    Stalled,
    /// The connection is gone; there is nobody to say anything to.
    Lost(io::Error),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(code) => write!(f, "fechada pelo outro lado, código {code}"),
            Self::Violation(code, text) => write!(f, "{text} Código {code}"),
            Self::Stalled => f.write_str("uma mensagem não chegou inteira a tempo"),
            Self::Lost(error) => f.write_str(&describe(error)),
        }
    }
}

/// Reads whole messages from one connection.
pub struct MessageReader<S, W> {
    socket: WebSocket<Adapter<S, W>>,
}

/// tungstenite's view of the connection: reads are guarded, writes are handed to `replies`.
struct Adapter<S, W> {
    input: LimitedReader<S>,
    control_out: W,
    /// Pongs since the last read.
    pongs_since_read: u32,
    /// Of more pings than [`PONGS_AT_ONCE`] in one read, only the last needs an answer; it waits here until the next read.
    deferred_pong: Vec<u8>,
}

impl<S: TimedRead, W: Write> MessageReader<S, W> {
    /// Continues a connection whose HTTP handshake is done; `rest` is what was read after the request's head.
    ///
    /// `max_message` bounds frames and messages, in bytes.
    pub fn accept(
        mut input: LimitedReader<S>,
        rest: Vec<u8>,
        max_message: usize,
        control_out: W,
    ) -> Self {
        input.already_read(&rest);
        let adapter = Adapter {
            input,
            control_out,
            pongs_since_read: 0,
            deferred_pong: Vec::new(),
        };
        let socket =
            WebSocket::from_partially_read(adapter, rest, Role::Server, Some(config(max_message)));
        Self { socket }
    }

    /// Performs the client's handshake; until it is done, `replies` carries the request to the server.
    ///
    /// # Errors
    /// What tungstenite found wrong with the answer, or the socket's own error.
    pub fn connect(
        request: impl IntoClientRequest,
        input: LimitedReader<S>,
        max_message: usize,
        control_out: W,
    ) -> Result<Self, Error> {
        let adapter = Adapter {
            input,
            control_out,
            pongs_since_read: 0,
            deferred_pong: Vec::new(),
        };
        match tungstenite::client::client_with_config(request, adapter, Some(config(max_message))) {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(HandshakeError::Failure(error)) => Err(error),
            // The socket blocks: an interrupted handshake is one that ran into its deadline.
            Err(HandshakeError::Interrupted(_)) => Err(Error::Io(io::ErrorKind::TimedOut.into())),
        }
    }

    /// The sink of tungstenite's own frames, for instance to switch it once the handshake is over.
    pub fn control_out_mut(&mut self) -> &mut W {
        &mut self.socket.get_mut().control_out
    }

    /// The socket itself, for instance to change a timeout.
    pub fn source(&self) -> &S {
        self.socket.get_ref().input.source()
    }

    /// Waits for the next message.
    ///
    /// # Errors
    /// An [`End`], after which nothing more comes.
    pub fn read(&mut self) -> Result<Incoming, ReadError> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Ok(Incoming::Text(text)),
                Ok(Message::Binary(bytes)) => return Ok(Incoming::Binary(bytes)),
                Ok(Message::Pong(_)) => return Ok(Incoming::Pong),
                Ok(Message::Ping(_) | Message::Frame(_)) => {}
                Ok(Message::Close(close)) => {
                    // The reply is only queued; reading once more writes it.
                    let _ = self.socket.read();
                    return Err(ReadError::Closed(
                        close.map_or(1005, |close| close.code.into()),
                    ));
                }
                Err(error) => return Err(self.read_error(error)),
            }
        }
    }

    /// The guard, to read what still comes after the conversation is over.
    pub fn input_mut(&mut self) -> &mut LimitedReader<S> {
        &mut self.socket.get_mut().input
    }

    fn read_error(&self, error: Error) -> ReadError {
        match error {
            Error::Io(error) if self.socket.get_ref().input.stalled() => {
                log::debug!("Mensagem que não acabou ({}).", describe(&error));
                ReadError::Stalled
            }
            Error::Io(error) => ReadError::Lost(error),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                ReadError::Lost(io::ErrorKind::UnexpectedEof.into())
            }
            Error::Protocol(error) => {
                log::debug!("Quadro inválido: {error:?}");
                ReadError::Violation(1002, "Quadro WebSocket inválido.")
            }
            Error::Utf8(_) => ReadError::Violation(1007, "O texto não é UTF-8."),
            Error::Capacity(_) => ReadError::Violation(1009, "A mensagem é grande demais."),
            error => ReadError::Lost(io::Error::other(error)),
        }
    }
}

fn config(max_message: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_SIZE)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_CONTROL_OUT)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message))
}

impl<S, W: Write> Adapter<S, W> {
    fn flush_deferred_pong(&mut self) -> io::Result<()> {
        if self.deferred_pong.is_empty() {
            return Ok(());
        }
        let frame = std::mem::take(&mut self.deferred_pong);
        self.control_out.write_all(&frame)
    }
}

impl<S: TimedRead, W: Write> Read for Adapter<S, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.flush_deferred_pong()?;
        self.pongs_since_read = 0;
        self.input.read(buffer)
    }
}

impl<S, W: Write> Write for Adapter<S, W> {
    fn write(&mut self, frame: &[u8]) -> io::Result<usize> {
        self.pongs_since_read += u32::from(frame::is_pong(frame));
        if frame::is_pong(frame) && self.pongs_since_read > MAX_PONGS_PER_READ {
            self.deferred_pong.clear();
            self.deferred_pong.extend_from_slice(frame);
            return Ok(frame.len());
        }
        self.flush_deferred_pong()?;
        self.control_out.write_all(frame)?;
        Ok(frame.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.control_out.flush()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
