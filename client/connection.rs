//! One connection: a thread that connects, shakes hands and reads, and a thread that writes.
//!
//! Only the writing thread writes to the socket once the handshake is done: tungstenite's own answers (pongs, the reply
//! to a close) reach it through the same queue as everything else, so frames never mix. Both threads end with the
//! socket. Knows sockets and frames; never knows what a message means or whether there will be another connection.

use crate::address::Address;
use crate::words::Failure;
use crossbeam_channel::{Receiver, Sender, unbounded};
use papo::protocol::ServerMessage;
use papo::socket::{Incoming, LimitedReader, MessageReader, ReadError, ReadLimits, TimedRead};
use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tungstenite::error::{Error, ProtocolError};
use tungstenite::protocol::{Role, frame::CloseFrame};
use tungstenite::{Message, WebSocket};

/// How long the server may take to be found and to shake hands, each.
const PATIENCE: Duration = Duration::from_secs(5);
/// The server says something every 20 s; after two of its signs of life have failed to come it is gone.
const SILENCE: Duration = Duration::from_secs(45);
/// How long a frame may wait for the network to take it.
const WRITING: Duration = Duration::from_secs(15);
/// Longest message read, in bytes: a page of 200 entries of 4,000 characters, however escaped, fits.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;
/// Most frames in the writer's queue for a pong to be added: later it would tell nothing.
const MAX_QUEUED_FOR_PONG: usize = 64;

/// What a connection tells of itself.
#[derive(Debug)]
pub enum News {
    /// It can be spoken through.
    Open(Link),
    Said(ServerMessage),
    /// Something that is not of this language.
    Garbled,
    Failed(Failure),
    Ended,
}

/// The speaking end of a connection.
#[derive(Debug)]
pub struct Link {
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

impl Link {
    pub fn say(&self, json: String) {
        // A writer that is gone took the connection with it; the reader tells.
        let _ = self.queue.send(Outgoing::Text(json));
    }

    pub fn close(&self, code: u16) {
        let _ = self.queue.send(Outgoing::Close(code));
    }

    /// Ends the connection without another word.
    pub fn cut(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Connects, in a thread of its own. `number` comes back with everything that the connection tells.
pub fn open(address: Address, number: u64, news: Sender<(u64, News)>) -> io::Result<()> {
    let tell = move |what| news.send((number, what)).is_ok();
    let body = move || match shake_hands(&address) {
        Ok(reader) => read(reader, &tell),
        Err(failure) => {
            tell(News::Failed(failure));
        }
    };
    thread::Builder::new()
        .name("leitura".into())
        .spawn(body)
        .map(|_| ())
}

type ClientReader = MessageReader<Wire, Replies>;

fn shake_hands(address: &Address) -> Result<ClientReader, Failure> {
    let stream = dial(address)?;
    // Without these the conversation works too, only worse.
    let _ = stream.set_nodelay(true);
    let _ = stream.set_write_timeout(Some(WRITING));
    let stream = Arc::new(stream);
    let wire = Wire {
        stream: stream.clone(),
        deadline: Cell::new(Some(Instant::now() + PATIENCE)),
    };
    let guard = LimitedReader::new(wire, ReadLimits::default());
    let reader = MessageReader::connect(address.url(), guard, MAX_MESSAGE, Replies::Direct(stream))
        .map_err(no_handshake)?;
    reader.source().deadline.set(None);
    Ok(reader)
}

/// Whether anybody listens at this address; nothing is said to them yet.
pub fn probe(address: &Address) -> Result<(), Failure> {
    dial(address).map(drop)
}

fn dial(address: &Address) -> Result<TcpStream, Failure> {
    let found = (address.host(), address.port())
        .to_socket_addrs()
        .map_err(|_| Failure::UnknownHost)?;
    let places: Vec<SocketAddr> = found.collect();
    let deadline = Instant::now() + PATIENCE;
    let mut failure = Failure::UnknownHost;
    for (tried, place) in places.iter().enumerate() {
        // A first address that swallows everything leaves time for the second.
        let share =
            deadline.saturating_duration_since(Instant::now()) / (places.len() - tried) as u32;
        match TcpStream::connect_timeout(place, share.max(Duration::from_millis(1))) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = unreachable(&error),
        }
    }
    Err(failure)
}

fn unreachable(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Failure::Refused,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Failure::Silent,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Failure::Other("a rede não chega até lá".into())
        }
        io::ErrorKind::PermissionDenied => {
            Failure::Other("o sistema não permitiu a conexão".into())
        }
        _ => Failure::Other("a rede não respondeu como devia".into()),
    }
}

fn no_handshake(error: Error) -> Failure {
    match error {
        Error::Io(error) => match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Failure::Silent,
            _ => Failure::NotAChat,
        },
        Error::Http(response) => match response.status().as_u16() {
            503 => Failure::Full,
            status @ (403 | 421 | 429) => Failure::Denied(status),
            _ => Failure::NotAChat,
        },
        Error::Protocol(ProtocolError::HandshakeIncomplete) => Failure::NotAChat,
        Error::Url(_) | Error::HttpFormat(_) => Failure::UnknownHost,
        _ => Failure::NotAChat,
    }
}

/// Reads until the end; the writer begins here and ends when its queue or the socket does.
fn read(mut reader: ClientReader, tell: &impl Fn(News) -> bool) {
    let stream = reader.source().stream.clone();
    let (queue, outgoing) = unbounded();
    *reader.control_out_mut() = Replies::Queued(queue.clone());
    let writing = stream.clone();
    let writer = thread::Builder::new()
        .name("escrita".into())
        .spawn(move || {
            if let Err(error) = write(&writing, &outgoing) {
                // The reader notices and tells. What the server said before its end, its reasons perhaps, can still be read;
                // from one that takes nothing any more there is nothing to be expected.
                let stuck =
                    matches!(&error, Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock);
                let _ = writing.shutdown(if stuck {
                    Shutdown::Both
                } else {
                    Shutdown::Write
                });
            }
        });
    let mut heard = writer.is_ok()
        && tell(News::Open(Link {
            queue: queue.clone(),
            stream: stream.clone(),
        }));
    while heard {
        heard = match reader.read() {
            Ok(Incoming::Text(json)) => {
                tell(serde_json::from_str(&json).map_or(News::Garbled, News::Said))
            }
            Ok(Incoming::Binary(_)) => tell(News::Garbled),
            Ok(Incoming::Pong) => true,
            Err(ReadError::Closed(_) | ReadError::Lost(_) | ReadError::Stalled) => break,
            Err(ReadError::Violation(code, _)) => {
                let _ = queue.send(Outgoing::Close(code));
                break;
            }
        };
    }
    drop((reader, queue));
    tell(News::Ended);
}

/// The only writer of the socket.
fn write(stream: &TcpStream, outgoing: &Receiver<Outgoing>) -> Result<(), Error> {
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
struct Wire {
    stream: Arc<TcpStream>,
    deadline: Cell<Option<Instant>>,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = match self.deadline.get() {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => SILENCE,
        };
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        (&*self.stream).read(buffer)
    }
}

impl TimedRead for Wire {
    /// The guard has no wishes of its own here.
    fn set_read_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
}

/// Where tungstenite's own bytes go: to the socket during the handshake, to the writer's queue afterwards.
enum Replies {
    Direct(Arc<TcpStream>),
    Queued(Sender<Outgoing>),
}

impl Write for Replies {
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
