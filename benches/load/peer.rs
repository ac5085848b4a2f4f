//! One simulated person: a socket that enters, says things, and checks the order of everything that comes.
//!
//! Reads only the header, the kind and the seq of each frame, so that one core can simulate thousands.

use super::raw;
use super::tally::{Ack, Tally, nanos};
use socket2::SockRef;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};

/// Length of every text: that of a sentence.
pub const TEXT: usize = 128;
/// Digits of the time at the beginning of each text.
const STAMP: usize = 16;
/// Bytes of words behind the time.
pub const WORDS: usize = TEXT - STAMP - 1;

/// How a program is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The handshake and `enter`: the real server.
    Chat,
    /// The handshake: another program.
    WebSocket,
    /// No handshake: the raw limit.
    Raw,
}

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerState {
    /// Waits for the answer to the handshake.
    Upgrading,
    /// Has sent `enter`.
    Entering,
    /// Has joined its room.
    Joined,
    /// The connection is over.
    Closed,
}

/// One person.
pub struct Peer {
    pub socket: TcpStream,
    pub state: PeerState,
    /// Its room's number in the crowd.
    pub room: usize,
    /// The seq that must come next.
    pub next_seq: u64,
    /// The ids of the messages without an ack, and when they were sent.
    pub unacknowledged: VecDeque<(u64, u64)>,
    /// Whether it may be closed by the server without that being a failure.
    pub may_be_closed: bool,
    pub bytes: u64,
    dialect: Dialect,
    name: String,
    room_name: String,
    next_id: u64,
    /// The beginning of a frame whose rest has not come.
    partial: Vec<u8>,
    /// Frames to be sent in one go.
    out: Vec<u8>,
}

impl Peer {
    /// Connects, and sends the handshake if there is one.
    pub fn connect(
        address: SocketAddr,
        name: String,
        room: usize,
        room_name: String,
        dialect: Dialect,
    ) -> io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        let state = if dialect == Dialect::Raw {
            PeerState::Joined
        } else {
            PeerState::Upgrading
        };
        let mut peer = Self {
            socket,
            state,
            room,
            next_seq: 1,
            unacknowledged: VecDeque::new(),
            may_be_closed: false,
            bytes: 0,
            dialect,
            name,
            room_name,
            next_id: 1,
            partial: Vec::new(),
            out: Vec::new(),
        };
        if state == PeerState::Upgrading {
            peer.out.extend_from_slice(raw::HANDSHAKE.as_bytes());
            peer.flush()?;
        }
        peer.socket.set_nonblocking(true)?;
        Ok(peer)
    }

    /// From now on it never reads, and its kernel buffers little.
    pub fn stop_reading(&mut self) {
        self.may_be_closed = true;
        // Failing only means that the kernel takes more.
        let _ = SockRef::from(&self.socket).set_recv_buffer_size(4096);
    }

    /// Queues a message of [`WORDS`] bytes for the next [`Peer::flush`].
    pub fn queue_message(&mut self, words: &str) {
        let now = nanos();
        let room = &self.room_name;
        let id = self.next_id;
        let payload = format!(
            r#"{{"type":"say","room":"{room}","id":"{id}","text":"{now:0STAMP$} {words}"}}"#
        );
        self.next_id += 1;
        self.unacknowledged.push_back((id, now));
        self.queue_frame(raw::TEXT, payload.as_bytes());
    }

    /// Leaves with a goodbye.
    pub fn leave(&mut self) -> io::Result<()> {
        self.may_be_closed = true;
        self.queue_frame(raw::CLOSE, &1000_u16.to_be_bytes());
        self.flush()
    }

    /// Sends what was queued.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        // What one person sends before it is answered is far less than the kernel takes.
        let sent = self.socket.write_all(&self.out);
        self.out.clear();
        sent
    }

    /// Masked with zeros, which is allowed and spares both the generator and the reader of a trace some work.
    fn queue_frame(&mut self, first: u8, payload: &[u8]) {
        raw::write_frame(&mut self.out, first, payload);
    }

    /// Handles what was read at the time `now`.
    pub fn receive(&mut self, bytes: &[u8], now: u64, tally: &mut Tally) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        tally.bytes += bytes.len() as u64;
        let joined;
        let mut rest = bytes;
        if !self.partial.is_empty() {
            self.partial.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.partial);
            rest = &joined;
        }
        if self.state == PeerState::Upgrading {
            match find(rest, b"\r\n\r\n") {
                Some(end) => {
                    self.on_upgrade(&rest[..end])?;
                    rest = &rest[end + 4..];
                }
                None => {
                    self.partial = rest.to_vec();
                    return Ok(());
                }
            }
        }
        while let Some((first, payload, length)) = raw::next_frame(rest) {
            self.on_frame(first, payload, now, tally)?;
            rest = &rest[length..];
        }
        if !rest.is_empty() {
            self.partial = rest.to_vec();
        }
        Ok(())
    }

    fn on_upgrade(&mut self, head: &[u8]) -> io::Result<()> {
        if !head.starts_with(b"HTTP/1.1 101") {
            let line = String::from_utf8_lossy(&head[..head.len().min(80)]).into_owned();
            return Err(io::Error::new(ErrorKind::ConnectionRefused, line));
        }
        if self.dialect != Dialect::Chat {
            self.state = PeerState::Joined;
            return Ok(());
        }
        let name = &self.name;
        let room = &self.room_name;
        let enter = format!(
            r#"{{"type":"enter","name":"{name}","room":"{room}","token":"{name}-0123456789abcdef"}}"#
        );
        self.queue_frame(raw::TEXT, enter.as_bytes());
        self.state = PeerState::Entering;
        self.flush()
    }

    fn on_frame(
        &mut self,
        first: u8,
        payload: &[u8],
        now: u64,
        tally: &mut Tally,
    ) -> io::Result<()> {
        match (first, payload.get(9)) {
            (raw::TEXT, Some(b'm')) => self.on_message(payload, now, tally),
            (raw::TEXT, Some(b'a')) => self.on_ack(payload, now, tally),
            (raw::TEXT, Some(b'j')) => {
                self.next_seq = parse_number_after(payload, b"\"seq\":").map_or(1, |seq| seq + 1);
                self.state = PeerState::Joined;
            }
            // Who is here, what the room is like, and notices.
            (raw::TEXT, Some(b'w' | b'p' | b'r' | b'n')) => {}
            (raw::PING, _) => {
                self.queue_frame(raw::PONG, payload);
                self.flush()?;
            }
            (raw::TEXT, Some(b'e')) if tally.tolerates_refusals => self.on_refusal(payload, tally),
            _ if self.may_be_closed => {}
            _ => {
                let name = &self.name;
                tally.fail(|| {
                    format!(
                        "{name} was sent {first:#x} {}",
                        String::from_utf8_lossy(payload)
                    )
                });
            }
        }
        Ok(())
    }

    fn on_message(&mut self, payload: &[u8], now: u64, tally: &mut Tally) {
        // {"type":"message","room":"…","seq":…
        let seq_start = 34 + self.room_name.len();
        let seq = match payload.get(seq_start - 6..seq_start) {
            Some(b"\"seq\":") => parse_number(&payload[seq_start..]),
            _ => None,
        };
        let stamp = payload
            .len()
            .checked_sub(TEXT + 2)
            .and_then(|start| parse_number(&payload[start..start + STAMP]));
        let (Some(seq), Some(stamp)) = (seq, stamp) else {
            return tally.fail(|| format!("an odd message: {}", String::from_utf8_lossy(payload)));
        };
        self.check_seq(seq, tally);
        tally.record_delivery(stamp, now);
    }

    fn on_ack(&mut self, payload: &[u8], now: u64, tally: &mut Tally) {
        let sent_at = self.take_unacknowledged(payload, tally);
        let seq = parse_number_after(payload, b"\"seq\":").unwrap_or(0);
        self.check_seq(seq, tally);
        tally.delivered += 1;
        tally.acked += 1;
        tally.acks.push(Ack {
            sent_at,
            delay: (now.saturating_sub(sent_at) / 1000) as u32,
        });
    }

    /// Answers come in the order of the messages; only refusals may overtake acks.
    fn take_unacknowledged(&mut self, payload: &[u8], tally: &mut Tally) -> u64 {
        let answered = parse_number_after(payload, b"\"id\":\"").unwrap_or(0);
        let place = self
            .unacknowledged
            .iter()
            .position(|(id, _)| *id == answered);
        let taken = place.and_then(|place| self.unacknowledged.remove(place));
        if taken.is_none() || (place > Some(0) && !tally.tolerates_refusals) {
            let name = &self.name;
            tally.fail(|| format!("{name}: an answer to {answered} out of order"));
        }
        taken.map_or(0, |(_, sent_at)| sent_at)
    }

    fn on_refusal(&mut self, payload: &[u8], tally: &mut Tally) {
        if find(payload, br#""code":"history_unavailable""#).is_none() {
            return tally.fail(|| format!("an error: {}", String::from_utf8_lossy(payload)));
        }
        self.take_unacknowledged(payload, tally);
        tally.refused += 1;
    }

    /// Loss, doubling and disorder all show as a seq that is not the next one.
    fn check_seq(&mut self, seq: u64, tally: &mut Tally) {
        if seq != self.next_seq {
            let name = &self.name;
            let next = self.next_seq;
            tally.fail(|| format!("{name}: seq {seq} came in the place of {next}"));
        }
        self.next_seq = seq + 1;
    }
}

/// The number at the beginning of these bytes.
fn parse_number(bytes: &[u8]) -> Option<u64> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
    let (value, count) = digits.fold((0, 0), |(value, count), byte| {
        (value * 10 + u64::from(byte - b'0'), count + 1)
    });
    (count > 0).then_some(value)
}

fn parse_number_after(bytes: &[u8], what: &[u8]) -> Option<u64> {
    parse_number(&bytes[find(bytes, what)? + what.len()..])
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
