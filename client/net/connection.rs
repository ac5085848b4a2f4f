//! One connection: a thread that connects, shakes hands and reads, and a thread that writes.
//!
//! Only the writing thread writes to the socket once the handshake is done: tungstenite's own answers (pongs, the reply
//! to a close) reach it through the same queue as everything else, so frames never mix. Both threads end with the
//! socket. Knows sockets and frames; never knows what a message means or whether there will be another connection.

use crate::net::address::Address;
use crossbeam_channel::{Receiver, Sender, unbounded};
use papo::protocol::ServerMessage;
use papo::ws::{Incoming, LimitedReader, MessageReader, ReadError, ReadLimits, TimedRead};
use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tungstenite::error::{Error, ProtocolError};
use tungstenite::protocol::Role;
use tungstenite::protocol::frame::CloseFrame;
use tungstenite::{Message, WebSocket};

/// How long the server may take to be found and to shake hands, each.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The server says something every 20 s; after two of its signs of life have failed to come it is gone.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(45);
/// How long a frame may wait for the network to take it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest message read, in bytes: a page of 200 entries of 4,000 characters, however escaped, fits.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;
/// Most frames in the writer's queue for a pong to be added: later it would tell nothing.
const MAX_QUEUED_FOR_PONG: usize = 64;

/// What a connection tells of itself.
#[derive(Debug)]
pub enum ServerEvent {
    /// It can be spoken through.
    Opened(ServerHandle),
    Message(ServerMessage),
    /// Something that is not of this language.
    Malformed,
    Failed(ConnectError),
    Closed,
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectError {
    /// Nothing listens at this address.
    Refused,
    /// No answer in time.
    TimedOut,
    /// The host name does not resolve.
    UnknownHost,
    /// Something answers, but not in this protocol.
    NotAChat,
    /// The server is at its connection limit.
    ServerFull,
    /// The server refused the handshake with this HTTP status.
    Rejected(u16),
    NetworkUnreachable,
    PermissionDenied,
    /// The system has no thread left for the connection.
    NoThread,
    Other,
}

impl ConnectError {
    /// Whether a server was reached and refused.
    pub fn is_refusal(self) -> bool {
        matches!(self, Self::ServerFull | Self::Rejected(_))
    }
}

/// The speaking end of a connection.
#[derive(Debug)]
pub struct ServerHandle {
    queue: Sender<Outgoing>,
    stream: Arc<TcpStream>,
}

/// Something for the writer.
#[derive(Debug)]
enum Outgoing {
    Text(String),
    /// A whole frame that tungstenite made while reading.
    Frame(Vec<u8>),
    Close(u16),
}

impl ServerHandle {
    pub fn send(&self, json: String) {
        // A writer that is gone took the connection with it; the reader tells.
        let _ = self.queue.send(Outgoing::Text(json));
    }

    pub fn close(&self, code: u16) {
        let _ = self.queue.send(Outgoing::Close(code));
    }

    /// Ends the connection without another word.
    pub fn abort(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Connects, in a thread of its own. `number` comes back with everything that the connection tells.
pub fn open(
    address: Address,
    generation: u64,
    events: Sender<(u64, ServerEvent)>,
) -> io::Result<()> {
    let report = move |event| events.send((generation, event)).is_ok();
    let body = move || match handshake(&address) {
        Ok(reader) => read_loop(reader, &report),
        Err(error) => {
            report(ServerEvent::Failed(error));
        }
    };
    thread::Builder::new()
        .name("reader".into())
        .spawn(body)
        .map(|_| ())
}

type ClientReader = MessageReader<DeadlineStream, ControlSink>;

fn handshake(address: &Address) -> Result<ClientReader, ConnectError> {
    let stream = dial(address)?;
    // Without these the conversation works too, only worse.
    let _ = stream.set_nodelay(true);
    let _ = stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let stream = Arc::new(stream);
    let source = DeadlineStream {
        stream: stream.clone(),
        deadline: Cell::new(Some(Instant::now() + CONNECT_TIMEOUT)),
    };
    let limited = LimitedReader::new(source, ReadLimits::default());
    let reader = MessageReader::connect(
        address.url(),
        limited,
        MAX_MESSAGE,
        ControlSink::Direct(stream),
    )
    .map_err(handshake_error)?;
    reader.source().deadline.set(None);
    Ok(reader)
}

/// Whether anybody listens at this address; nothing is said to them yet.
pub fn probe(address: &Address) -> Result<(), ConnectError> {
    dial(address).map(drop)
}

fn dial(address: &Address) -> Result<TcpStream, ConnectError> {
    let resolved = (address.host(), address.port())
        .to_socket_addrs()
        .map_err(|_| ConnectError::UnknownHost)?;
    let candidates: Vec<SocketAddr> = resolved.collect();
    let deadline = Instant::now() + CONNECT_TIMEOUT;
    let mut last_error = ConnectError::UnknownHost;
    for (tried, candidate) in candidates.iter().enumerate() {
        // A first address that swallows everything leaves time for the second.
        let share =
            deadline.saturating_duration_since(Instant::now()) / (candidates.len() - tried) as u32;
        match TcpStream::connect_timeout(candidate, share.max(Duration::from_millis(1))) {
            Ok(stream) => return Ok(stream),
            Err(error) => last_error = connect_error(&error),
        }
    }
    Err(last_error)
}

fn connect_error(error: &io::Error) -> ConnectError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectError::Refused,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ConnectError::TimedOut,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            ConnectError::NetworkUnreachable
        }
        io::ErrorKind::PermissionDenied => ConnectError::PermissionDenied,
        _ => ConnectError::Other,
    }
}

fn handshake_error(error: Error) -> ConnectError {
    match error {
        Error::Io(error) => match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ConnectError::TimedOut,
            _ => ConnectError::NotAChat,
        },
        Error::Http(response) => match response.status().as_u16() {
            503 => ConnectError::ServerFull,
            status @ (403 | 421 | 429) => ConnectError::Rejected(status),
            _ => ConnectError::NotAChat,
        },
        Error::Protocol(ProtocolError::HandshakeIncomplete) => ConnectError::NotAChat,
        Error::Url(_) | Error::HttpFormat(_) => ConnectError::UnknownHost,
        _ => ConnectError::NotAChat,
    }
}

/// Reads until the end; the writer begins here and ends when its queue or the socket does.
fn read_loop(mut reader: ClientReader, report: &impl Fn(ServerEvent) -> bool) {
    let stream = reader.source().stream.clone();
    let (queue, outgoing) = unbounded();
    *reader.control_out_mut() = ControlSink::Queued(queue.clone());
    let writing = stream.clone();
    let writer = thread::Builder::new().name("writer".into()).spawn(move || {
        if let Err(error) = write_loop(&writing, &outgoing) {
            // The reader notices and tells. What the server said before its end, its reasons perhaps, can still be read;
            // from one that takes nothing any more there is nothing to be expected.
            let stalled =
                matches!(&error, Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock);
            let _ = writing.shutdown(if stalled {
                Shutdown::Both
            } else {
                Shutdown::Write
            });
        }
    });
    let mut alive = writer.is_ok()
        && report(ServerEvent::Opened(ServerHandle {
            queue: queue.clone(),
            stream: stream.clone(),
        }));
    while alive {
        alive = match reader.read() {
            Ok(Incoming::Text(json)) => report(
                serde_json::from_str(&json).map_or(ServerEvent::Malformed, ServerEvent::Message),
            ),
            Ok(Incoming::Binary(_)) => report(ServerEvent::Malformed),
            Ok(Incoming::Pong) => true,
            Err(ReadError::Closed(_) | ReadError::Lost(_) | ReadError::Stalled) => break,
            Err(ReadError::Violation(code, _)) => {
                let _ = queue.send(Outgoing::Close(code));
                break;
            }
        };
    }
    drop((reader, queue));
    report(ServerEvent::Closed);
}

/// The only writer of the socket.
fn write_loop(stream: &TcpStream, outgoing: &Receiver<Outgoing>) -> Result<(), Error> {
    let mut socket = WebSocket::from_raw_socket(stream, Role::Client, None);
    while let Ok(first) = outgoing.recv() {
        // All that is waiting goes out with one flush.
        for next in std::iter::once(first).chain(outgoing.try_iter()) {
            match next {
                Outgoing::Text(json) => socket.write(Message::text(json))?,
                Outgoing::Frame(frame) => {
                    socket.flush()?;
                    let mut stream: &TcpStream = stream;
                    stream.write_all(&frame)?;
                }
                Outgoing::Close(code) => {
                    socket.close(Some(CloseFrame {
                        code: code.into(),
                        reason: Default::default(),
                    }))?;
                    socket.flush()?;
                    return Ok(());
                }
            }
        }
        socket.flush()?;
    }
    Ok(())
}

/// The reading side of the socket. It keeps its own time: a deadline for the whole handshake, then a limit for silence.
#[derive(Debug)]
struct DeadlineStream {
    stream: Arc<TcpStream>,
    deadline: Cell<Option<Instant>>,
}

impl Read for DeadlineStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = match self.deadline.get() {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => SILENCE_TIMEOUT,
        };
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        (&*self.stream).read(buffer)
    }
}

impl TimedRead for DeadlineStream {
    /// The guard has no wishes of its own here.
    fn set_read_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
}

/// Where tungstenite's own bytes go: to the socket during the handshake, to the writer's queue afterwards.
enum ControlSink {
    Direct(Arc<TcpStream>),
    Queued(Sender<Outgoing>),
}

impl Write for ControlSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Direct(stream) => (&**stream).write(bytes),
            Self::Queued(queue) => {
                if queue.len() < MAX_QUEUED_FOR_PONG {
                    let _ = queue.send(Outgoing::Frame(bytes.to_vec()));
                }
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
