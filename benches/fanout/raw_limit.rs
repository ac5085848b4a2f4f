//! The raw limit: what one thread can do that only passes frames on.
//!
//! It answers no handshake, parses no JSON, stores nothing and checks nothing. Each message becomes one frame in a buffer
//! that the room shares; at the end of each turn every socket concerned gets one nonblocking send. A server that does more
//! can be cheaper only by waiting.

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::os::fd::OwnedFd;

/// The key of the listener among the sockets.
const LISTENER: u64 = u64::MAX;
/// While something is left over, it is tried again after so many nanoseconds.
const RETRY: i64 = 1_000_000;

/// One socket and what the kernel did not take of its frames.
struct Connection {
    socket: TcpStream,
    unsent: Vec<u8>,
}

/// One room; connections are spread over the rooms one by one.
#[derive(Default)]
struct Room {
    members: Vec<usize>,
    /// This turn's frames for all members.
    shared: Vec<u8>,
    /// The parts whose senders get an answer instead: sender, part, answer.
    acks: Vec<(usize, Range<usize>, String)>,
    seq: u64,
    has_unsent: bool,
}

/// Everything that the thread owns.
struct RawLimit {
    listener: TcpListener,
    epoll: OwnedFd,
    connections: Vec<Connection>,
    rooms: Vec<Room>,
}

/// Passes frames on in so many rooms until it is ended from outside.
pub fn run(rooms: usize) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    socket2::SockRef::from(&listener).listen(4096)?;
    println!("localhost:{}", listener.local_addr()?.port());
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(
        &epoll,
        &listener,
        epoll::EventData::new_u64(LISTENER),
        epoll::EventFlags::IN,
    )?;
    let rooms = std::iter::repeat_with(Room::default).take(rooms).collect();
    let mut limit = RawLimit {
        listener,
        epoll,
        connections: Vec::new(),
        rooms,
    };
    let mut events = Vec::with_capacity(1024);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let wait = Timespec {
            tv_sec: 0,
            tv_nsec: RETRY,
        };
        events.clear();
        epoll::wait(
            &limit.epoll,
            spare_capacity(&mut events),
            limit.has_unsent().then_some(&wait),
        )?;
        for event in &events {
            match event.data.u64() {
                LISTENER => limit.accept()?,
                at => limit.read(at as usize, &mut buffer),
            }
        }
        limit.send();
    }
}

impl RawLimit {
    fn accept(&mut self) -> std::io::Result<()> {
        loop {
            let socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            let key = epoll::EventData::new_u64(self.connections.len() as u64);
            epoll::add(&self.epoll, &socket, key, epoll::EventFlags::IN)?;
            let room = self.connections.len() % self.rooms.len();
            self.rooms[room].members.push(self.connections.len());
            self.connections.push(Connection {
                socket,
                unsent: Vec::new(),
            });
        }
    }

    /// The generator writes whole frames of one known form, so they are always found whole.
    fn read(&mut self, at: usize, buffer: &mut [u8]) {
        let Ok(read @ 1..) = self.connections[at].socket.read(buffer) else {
            let _ = epoll::delete(&self.epoll, &self.connections[at].socket);
            return;
        };
        let mut rest = &buffer[..read];
        while let [_, 0xFE, high, low, _, _, _, _, ..] = rest {
            let end = 8 + usize::from(u16::from_be_bytes([*high, *low]));
            self.relay(at, &rest[8..end]);
            rest = &rest[end..];
        }
    }

    fn relay(&mut self, from: usize, request: &[u8]) {
        // …,"id":"<id>","text":"<text>"}
        let said = String::from_utf8_lossy(request);
        let (Some((_, text)), Some((_, id))) =
            (said.split_once("\"text\":"), said.split_once("\"id\":\""))
        else {
            return;
        };
        let id = id.split('"').next().unwrap_or_default();
        let number = from % self.rooms.len();
        let name = if number == 0 {
            "geral".to_owned()
        } else {
            format!("sala{number}")
        };
        let room = &mut self.rooms[number];
        room.seq += 1;
        let seq = room.seq;
        let mut json = String::with_capacity(256);
        let _ = write!(
            json,
            r#"{{"type":"message","room":"{name}","seq":{seq},"at":1700000000000,"from":"p{from}","tag":"aaaaaaaa","text":{text}"#
        );
        let start = room.shared.len();
        write_frame(&mut room.shared, json.as_bytes());
        let ack = format!(
            r#"{{"type":"ack","id":"{id}","room":"{name}","seq":{seq},"at":1700000000000}}"#
        );
        room.acks.push((from, start..room.shared.len(), ack));
    }

    fn has_unsent(&self) -> bool {
        self.rooms.iter().any(|room| room.has_unsent)
    }

    /// One send for each socket concerned.
    fn send(&mut self) {
        for room in &mut self.rooms {
            if !room.shared.is_empty() || room.has_unsent {
                room.send(&mut self.connections);
            }
        }
    }
}

impl Room {
    fn send(&mut self, connections: &mut [Connection]) {
        self.has_unsent = false;
        let mut spliced = Vec::new();
        for &at in &self.members {
            let mut frames = &self.shared[..];
            if self.acks.iter().any(|(from, ..)| *from == at) {
                spliced.clear();
                splice_acks(
                    &mut spliced,
                    &self.shared,
                    self.acks.iter().filter(|(from, ..)| *from == at),
                );
                frames = &spliced;
            }
            connections[at].send(frames);
            self.has_unsent |= !connections[at].unsent.is_empty();
        }
        self.shared.clear();
        self.acks.clear();
    }
}

impl Connection {
    fn send(&mut self, frames: &[u8]) {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(frames);
            let sent = self.socket.write(&self.unsent).unwrap_or(0);
            self.unsent.drain(..sent);
        } else if !frames.is_empty() {
            let sent = self.socket.write(frames).unwrap_or(0);
            self.unsent.extend_from_slice(&frames[sent..]);
        }
    }
}

/// The shared frames, with one sender's own replaced by its answers.
fn splice_acks<'a>(
    spliced: &mut Vec<u8>,
    shared: &[u8],
    acks: impl Iterator<Item = &'a (usize, Range<usize>, String)>,
) {
    let mut done = 0;
    for (_, range, ack) in acks {
        spliced.extend_from_slice(&shared[done..range.start]);
        write_frame(spliced, ack.as_bytes());
        done = range.end;
    }
    spliced.extend_from_slice(&shared[done..]);
}

fn write_frame(buffer: &mut Vec<u8>, json: &[u8]) {
    match json.len() {
        short @ 0..=125 => buffer.extend_from_slice(&[0x81, short as u8]),
        long => {
            buffer.extend_from_slice(&[0x81, 126]);
            buffer.extend_from_slice(&(long as u16).to_be_bytes());
        }
    }
    buffer.extend_from_slice(json);
}
