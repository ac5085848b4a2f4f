//! The reading side of one WebSocket, in either role: tungstenite over a [`LimitedReader`].
//!
//! tungstenite replies to pings and closes by itself. Its replies go to `control_out`, one whole frame per `write`, and
//! not to the socket: on the server the hub writes to the same socket, and two writers would mix their frames.
//! Knows frames, limits and deadlines; never knows what a text means.

pub(crate) mod frame;
mod limited_reader;

use crate::os_error::describe;
use std::fmt;
use std::io::{self, Read, Write};
use tungstenite::client::IntoClientRequest;
use tungstenite::error::{Error, ProtocolError};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Bytes, HandshakeError, Message, Utf8Bytes, WebSocket};

pub use limited_reader::{ByteRate, LastSeen, LimitedReader, ReadLimits, SharedSocket, TimedRead};

/// Bytes read at once. tungstenite keeps a buffer of this size for each connection and zeroes it before every read; its
/// default of 128 KiB would cost that much memory per connection and double the CPU time.
const READ_BUFFER_SIZE: usize = 2 * 1024;
/// Most bytes of queued replies inside tungstenite; they are passed on at once, so a few frames are enough.
const MAX_CONTROL_OUT: usize = 64 * 1024;

/// Pings of one read that get a pong each; the rest get one together, as RFC 6455 allows.
const MAX_PONGS_PER_READ: u32 = 16;

/// A message of the peer.
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
    /// The peer closed with this code (1005: without one). The reply is already in `control_out`; close the socket.
    Closed(u16),
    /// The peer violated the protocol; send a close frame with this code.
    Violation(u16, &'static str),
    /// The peer did not finish a message in time; send a close frame.
    Stalled,
    /// The connection is lost; nothing can be sent.
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

/// tungstenite's view of the connection: reads are limited, writes go to `control_out`.
struct Adapter<S, W> {
    input: LimitedReader<S>,
    control_out: W,
    /// Pongs since the last read.
    pongs_since_read: u32,
    /// The last pong beyond [`MAX_PONGS_PER_READ`], the only one of those that is sent: before the next read.
    deferred_pong: Vec<u8>,
}

impl<S: TimedRead, W: Write> MessageReader<S, W> {
    /// Continues a connection after its HTTP handshake; `rest` is what was read after the request's head.
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

    /// Performs the client's handshake, whose request is written to `control_out`.
    ///
    /// # Errors
    /// tungstenite's, when the answer is wrong, or the socket's.
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
            // The socket is blocking, so an interrupted handshake has run into its deadline.
            Err(HandshakeError::Interrupted(_)) => Err(Error::Io(io::ErrorKind::TimedOut.into())),
        }
    }

    /// Where tungstenite's own frames go, for instance to switch it after the handshake.
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
    /// After an error nothing more comes.
    // Not inlined: tungstenite's large results must not lie below the caller's work on the message.
    #[inline(never)]
    pub fn read(&mut self) -> Result<Incoming, ReadError> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Ok(Incoming::Text(text)),
                Ok(Message::Binary(bytes)) => return Ok(Incoming::Binary(bytes)),
                Ok(Message::Pong(_)) => return Ok(Incoming::Pong),
                Ok(Message::Ping(_) | Message::Frame(_)) => {}
                Ok(Message::Close(close)) => {
                    // The reply is only queued; another read writes it.
                    let _ = self.socket.read();
                    return Err(ReadError::Closed(
                        close.map_or(1005, |close| close.code.into()),
                    ));
                }
                Err(error) => return Err(self.read_error(error)),
            }
        }
    }

    /// The limited reader, to drain the socket after the end.
    pub(crate) fn input_mut(&mut self) -> &mut LimitedReader<S> {
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
