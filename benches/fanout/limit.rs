//! The raw limit: what one thread can do that only passes frames on.
//!
//! It answers no handshake, understands no JSON, keeps nothing and checks nothing. What anybody sends becomes one frame,
//! made once, in a buffer that all in the room share; at the end of each turn every socket concerned gets one nonblocking
//! send. No server that does more can be cheaper by anything but waiting.

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
struct Line {
    socket: TcpStream,
    left: Vec<u8>,
}

/// One room: every so manieth connection is in it.
#[derive(Default)]
struct Room {
    members: Vec<usize>,
    /// This turn's frames for everybody.
    shared: Vec<u8>,
    /// Who sent which part of them, and gets an answer instead: sender, part, answer.
    own: Vec<(usize, Range<usize>, String)>,
    seq: u64,
    left_over: bool,
}

/// Everything that the thread owns.
struct Limit {
    listener: TcpListener,
    epoll: OwnedFd,
    lines: Vec<Line>,
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
    let mut limit = Limit {
        listener,
        epoll,
        lines: Vec::new(),
        rooms,
    };
    let (mut events, mut buffer) = (Vec::with_capacity(1024), vec![0; 64 * 1024]);
    loop {
        let wait = Timespec {
            tv_sec: 0,
            tv_nsec: RETRY,
        };
        events.clear();
        epoll::wait(
            &limit.epoll,
            spare_capacity(&mut events),
            limit.left_over().then_some(&wait),
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

impl Limit {
    fn accept(&mut self) -> std::io::Result<()> {
        loop {
            let socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            let key = epoll::EventData::new_u64(self.lines.len() as u64);
            epoll::add(&self.epoll, &socket, key, epoll::EventFlags::IN)?;
            let room = self.lines.len() % self.rooms.len();
            self.rooms[room].members.push(self.lines.len());
            self.lines.push(Line {
                socket,
                left: Vec::new(),
            });
        }
    }

    /// The generator writes whole frames of one known form, so they are always found whole.
    fn read(&mut self, at: usize, buffer: &mut [u8]) {
        let read = match self.lines[at].socket.read(buffer) {
            Ok(read @ 1..) => read,
            _ => {
                let _ = epoll::delete(&self.epoll, &self.lines[at].socket);
                return;
            }
        };
        let mut rest = &buffer[..read];
        while let [_, 0xFE, high, low, _, _, _, _, ..] = rest {
            let end = 8 + usize::from(u16::from_be_bytes([*high, *low]));
            self.pass_on(at, &rest[8..end]);
            rest = &rest[end..];
        }
    }

    fn pass_on(&mut self, from: usize, said: &[u8]) {
        // …,"id":"<id>","text":"<text>"}
        let said = String::from_utf8_lossy(said);
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
        frame(&mut room.shared, json.as_bytes());
        let ack = format!(
            r#"{{"type":"ack","id":"{id}","room":"{name}","seq":{seq},"at":1700000000000}}"#
        );
        room.own.push((from, start..room.shared.len(), ack));
    }

    fn left_over(&self) -> bool {
        self.rooms.iter().any(|room| room.left_over)
    }

    /// One send for each socket concerned.
    fn send(&mut self) {
        for room in &mut self.rooms {
            if !room.shared.is_empty() || room.left_over {
                room.send(&mut self.lines);
            }
        }
    }
}

impl Room {
    fn send(&mut self, lines: &mut [Line]) {
        self.left_over = false;
        let mut part = Vec::new();
        for &at in &self.members {
            let mut frames = &self.shared[..];
            if self.own.iter().any(|(from, ..)| *from == at) {
                part.clear();
                with_answers(
                    &mut part,
                    &self.shared,
                    self.own.iter().filter(|(from, ..)| *from == at),
                );
                frames = &part;
            }
            lines[at].send(frames);
            self.left_over |= !lines[at].left.is_empty();
        }
        self.shared.clear();
        self.own.clear();
    }
}

impl Line {
    fn send(&mut self, frames: &[u8]) {
        if !self.left.is_empty() {
            self.left.extend_from_slice(frames);
            let sent = self.socket.write(&self.left).unwrap_or(0);
            self.left.drain(..sent);
        } else if !frames.is_empty() {
            let sent = self.socket.write(frames).unwrap_or(0);
            self.left.extend_from_slice(&frames[sent..]);
        }
    }
}

/// The shared frames, with one sender's own replaced by its answers.
fn with_answers<'a>(
    part: &mut Vec<u8>,
    shared: &[u8],
    own: impl Iterator<Item = &'a (usize, Range<usize>, String)>,
) {
    let mut done = 0;
    for (_, range, ack) in own {
        part.extend_from_slice(&shared[done..range.start]);
        frame(part, ack.as_bytes());
        done = range.end;
    }
    part.extend_from_slice(&shared[done..]);
}

fn frame(buffer: &mut Vec<u8>, json: &[u8]) {
    match json.len() {
        short @ 0..=125 => buffer.extend_from_slice(&[0x81, short as u8]),
        long => {
            buffer.extend_from_slice(&[0x81, 126]);
            buffer.extend_from_slice(&(long as u16).to_be_bytes());
        }
    }
    buffer.extend_from_slice(json);
}
