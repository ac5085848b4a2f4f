//! One connection: the `reader` thread connects and reads, the `writer` thread writes.
//!
//! After the handshake only the writer writes to the socket: control frames that tungstenite makes while reading (pongs,
//! the reply to a close) go through its queue too, so frames never mix. Both threads end with the socket.
//! Knows sockets and frames; never knows what a message means.

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
use tungstenite::{Message, Utf8Bytes, WebSocket};

/// Limit for connecting, and again for the handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The server sends something every 20 s; after two missed heartbeats it counts as dead.
const IDLE_TIMEOUT: Duration = Duration::from_secs(45);
/// How long a write may block.
const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest message read, in bytes: fits a page of 200 entries of 4,000 characters, all of them escaped.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;
/// Most frames in the writer's queue for a pong to be added; a later pong would be useless.
const MAX_QUEUED_FOR_PONG: usize = 64;

/// What a connection reports.
#[derive(Debug)]
pub enum ServerEvent {
    /// The handshake is done.
    Opened(ServerHandle),
    Message(ServerMessage),
    /// A frame that is not a message of this protocol.
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

/// The sending side of a connection.
#[derive(Debug)]
pub struct ServerHandle {
    queue: Sender<Outgoing>,
    stream: Arc<TcpStream>,
}

/// What the writer sends.
#[derive(Debug)]
enum Outgoing {
    Text(String),
    /// A complete control frame, made by tungstenite while reading.
    Frame(Vec<u8>),
    Close(u16),
}

impl ServerHandle {
    pub fn send(&self, json: String) {
        // If the writer has ended, so has the connection, and the reader reports it.
        let _ = self.queue.send(Outgoing::Text(json));
    }

    pub fn close(&self, code: u16) {
        let _ = self.queue.send(Outgoing::Close(code));
    }

    /// Ends the connection without a close handshake.
    pub fn abort(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Connects, in a thread of its own. Every event is reported together with `generation`.
pub fn open(
    address: Address,
    generation: u64,
    events: Sender<(u64, ServerEvent)>,
) -> io::Result<()> {
    let report = move |event| events.send((generation, event)).is_ok();
    thread::Builder::new()
        .name("reader".into())
        .spawn(move || match handshake(&address) {
            Ok(reader) => read_loop(reader, &report),
            Err(error) => {
                report(ServerEvent::Failed(error));
            }
        })?;
    Ok(())
}

type ClientReader = MessageReader<DeadlineStream, ControlSink>;

fn handshake(address: &Address) -> Result<ClientReader, ConnectError> {
    let stream = dial(address)?;
    // An error of either is ignored: the connection works without them.
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

/// Checks that something listens at this address, without a handshake.
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
        // An address that never answers must leave time for the next one.
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

/// Starts the writer, then reads until the end.
fn read_loop(mut reader: ClientReader, report: &impl Fn(ServerEvent) -> bool) {
    let stream = reader.source().stream.clone();
    let (queue, outgoing) = unbounded();
    *reader.control_out_mut() = ControlSink::Queued(queue.clone());
    let writer_stream = stream.clone();
    let writer = thread::Builder::new()
        .name("writer".into())
        .spawn(move || run_writer(&writer_stream, &outgoing));
    let handle = ServerHandle {
        queue: queue.clone(),
        stream,
    };
    let mut alive = writer.is_ok() && report(ServerEvent::Opened(handle));
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

/// Writes until the queue ends. After an error the reader notices the shutdown and reports it.
fn run_writer(stream: &TcpStream, outgoing: &Receiver<Outgoing>) {
    if let Err(error) = write_loop(stream, outgoing) {
        let stalled =
            matches!(&error, Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock);
        // A peer that has closed may have sent its reason: it can still be read. A stalled peer is given up.
        let _ = stream.shutdown(if stalled {
            Shutdown::Both
        } else {
            Shutdown::Write
        });
    }
}

/// The only writer of the socket.
fn write_loop(stream: &TcpStream, outgoing: &Receiver<Outgoing>) -> Result<(), Error> {
    let mut socket = WebSocket::from_raw_socket(stream, Role::Client, None);
    while let Ok(first) = outgoing.recv() {
        // Everything queued goes out with one flush.
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
                        reason: Utf8Bytes::default(),
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

/// The reading half of the socket: a deadline for the whole handshake, then a timeout for each read.
#[derive(Debug)]
struct DeadlineStream {
    stream: Arc<TcpStream>,
    deadline: Cell<Option<Instant>>,
}

impl Read for DeadlineStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = match self.deadline.get() {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => IDLE_TIMEOUT,
        };
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        (&*self.stream).read(buffer)
    }
}

impl TimedRead for DeadlineStream {
    /// This stream sets its own timeouts.
    fn set_read_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
}

/// Where tungstenite's own frames go: to the socket during the handshake, to the writer's queue afterwards.
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
