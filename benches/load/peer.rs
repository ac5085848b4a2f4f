//! One simulated person: a socket that enters, says things, and checks the place of everything that comes.
//!
//! Of each frame only the header, the kind and the seq are looked at, so that one core can listen for thousands.

use super::tally::{Tally, nanos};
use socket2::SockRef;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};

/// Length of every text that is said: long enough to be a sentence.
pub const TEXT: usize = 128;
/// Digits of the time at the beginning of each text.
const STAMP: usize = 16;

/// What a person says before it talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The upgrade and its name: to the real server.
    Chat,
    /// The upgrade: to another program.
    WebSocket,
    /// Nothing: to the raw limit.
    Raw,
}

/// How far a person has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerState {
    /// Waits for the answer to the upgrade.
    Upgrading,
    /// Has said its name.
    Entering,
    /// Is in its room.
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
    /// Times at which the messages that are not yet acknowledged were said.
    pub unacknowledged: VecDeque<u64>,
    /// Whether it may be closed by the server without that being a failure.
    pub may_be_closed: bool,
    pub bytes: u64,
    dialect: Dialect,
    name: String,
    room_name: String,
    next_id: u64,
    acked_id: u64,
    /// The beginning of a frame whose rest has not come.
    partial: Vec<u8>,
    /// Frames to be sent in one go.
    out: Vec<u8>,
}

impl Peer {
    /// Connects, and says the first thing.
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
            acked_id: 0,
            partial: Vec::new(),
            out: Vec::new(),
        };
        if state == PeerState::Upgrading {
            let request = format!(
                "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            );
            peer.out.extend_from_slice(request.as_bytes());
            peer.flush()?;
        }
        peer.socket.set_nonblocking(true)?;
        Ok(peer)
    }

    /// From now on it never reads; its kernel takes little on its behalf.
    pub fn stop_reading(&mut self) {
        self.may_be_closed = true;
        // Failing only means that the kernel takes more.
        let _ = SockRef::from(&self.socket).set_recv_buffer_size(4096);
    }

    /// Says something, to be sent with the next [`Peer::flush`].
    pub fn queue_message(&mut self) {
        let now = nanos();
        let (room, id) = (&self.room_name, self.next_id);
        let text = format!(
            "{now:0STAMP$}{:.>pad$}",
            " a sentence of some length",
            pad = TEXT - STAMP
        );
        let payload = format!(r#"{{"type":"say","room":"{room}","id":"{id}","text":"{text}"}}"#);
        self.next_id += 1;
        self.unacknowledged.push_back(now);
        self.queue_frame(0x1, payload.as_bytes());
    }

    /// Says goodbye.
    pub fn leave(&mut self) -> io::Result<()> {
        self.may_be_closed = true;
        self.queue_frame(0x8, &1000_u16.to_be_bytes());
        self.flush()
    }

    /// Sends what was said.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        // What one person says before it is answered is far less than the kernel takes.
        let sent = self.socket.write_all(&self.out);
        self.out.clear();
        sent
    }

    /// Masked with zeros, which is allowed and spares both the generator and the reader of a trace some work.
    fn queue_frame(&mut self, opcode: u8, payload: &[u8]) {
        self.out.push(0x80 | opcode);
        match payload.len() {
            short @ 0..=125 => self.out.push(0x80 | short as u8),
            long => {
                self.out.push(0x80 | 126);
                self.out.extend_from_slice(&(long as u16).to_be_bytes());
            }
        }
        self.out.extend_from_slice(&[0; 4]);
        self.out.extend_from_slice(payload);
    }

    /// Takes in what came. `now` is the time at which it was read.
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
        while let Some((opcode, start, end)) = parse_header(rest) {
            self.on_frame(opcode, &rest[start..end], now, tally)?;
            rest = &rest[end..];
        }
        if !rest.is_empty() {
            self.partial = rest.to_vec();
        }
        Ok(())
    }

    fn on_upgrade(&mut self, head: &[u8]) -> io::Result<()> {
        if !head.starts_with(b"HTTP/1.1 101") {
            let words = String::from_utf8_lossy(&head[..head.len().min(80)]).into_owned();
            return Err(io::Error::new(ErrorKind::ConnectionRefused, words));
        }
        if self.dialect != Dialect::Chat {
            self.state = PeerState::Joined;
            return Ok(());
        }
        let (name, room) = (&self.name, &self.room_name);
        let enter = format!(
            r#"{{"type":"enter","name":"{name}","room":"{room}","token":"{name}-0123456789abcdef"}}"#
        );
        self.queue_frame(0x1, enter.as_bytes());
        self.state = PeerState::Entering;
        self.flush()
    }

    fn on_frame(
        &mut self,
        opcode: u8,
        payload: &[u8],
        now: u64,
        tally: &mut Tally,
    ) -> io::Result<()> {
        match (opcode, payload.get(9)) {
            (0x1, Some(b'm')) => self.on_message(payload, now, tally),
            (0x1, Some(b'a')) => self.on_ack(payload, now, tally),
            (0x1, Some(b'j')) => {
                self.next_seq = parse_number_after(payload, b"\"seq\":").map_or(1, |seq| seq + 1);
                self.state = PeerState::Joined;
            }
            (0x1, Some(b'w' | b'p')) => {}
            (0x9, _) => {
                self.queue_frame(0xA, payload);
                self.flush()?;
            }
            _ if self.may_be_closed => {}
            _ => {
                let name = &self.name;
                tally.fail(|| {
                    format!(
                        "{name} was sent {opcode:#x} {}",
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
        let id = parse_number_after(payload, b"\"id\":\"").unwrap_or(0);
        let seq = parse_number_after(payload, b"\"seq\":").unwrap_or(0);
        if id != self.acked_id + 1 {
            let (name, before) = (&self.name, self.acked_id);
            tally.fail(|| format!("{name}: ack of {id} after that of {before}"));
        }
        self.acked_id = id;
        self.check_seq(seq, tally);
        tally.delivered += 1;
        tally.acked += 1;
        if let Some(sent_at) = self.unacknowledged.pop_front() {
            tally
                .ack_delays
                .push((now.saturating_sub(sent_at) / 1000) as u32);
        }
    }

    /// Loss, doubling and disorder all show as a seq that is not the next one.
    fn check_seq(&mut self, seq: u64, tally: &mut Tally) {
        if seq != self.next_seq {
            let (name, next) = (&self.name, self.next_seq);
            tally.fail(|| format!("{name}: seq {seq} came in the place of {next}"));
        }
        self.next_seq = seq + 1;
    }
}

/// The first frame of these bytes, if it is whole: its opcode and where its payload begins and ends.
fn parse_header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (start, length) = match second {
        126 => (
            4,
            usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])),
        ),
        127 => (
            10,
            u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize,
        ),
        short => (2, usize::from(short)),
    };
    (bytes.len() >= start + length).then_some((first & 0x0F, start, start + length))
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
