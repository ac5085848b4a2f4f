//! From encoded frames to sockets: the only writer of every upgraded connection.
//!
//! A broadcast is encoded once and appended to its room's buffer of the turn. At the end of the turn each member gets
//! one nonblocking send of that shared buffer. A frame for one connection alone first copies the connection's part of
//! its rooms' buffers into its own outbox, so the order in which things were said holds for every connection.
//!
//! Knows connections, outboxes and numbered channels; never knows people, names or rules.

mod care;
mod line;
mod patience;

use crate::frame::{self, Kind};
use crate::link::{ConnId, Link};
use crate::protocol::ServerMessage;
use line::{Line, Seat};
pub use patience::Patience;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// A room, as far as delivery is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(pub u32);

/// A room's buffer that grew beyond this in one turn is given back.
const KEEP_BUFFER: usize = 256 * 1024;

/// One room's members and what they are sent in this turn.
#[derive(Default)]
struct Channel {
    members: Vec<Member>,
    buffer: Vec<u8>,
    /// Where the next walk over the members begins, so that nobody is always last.
    start: usize,
}

/// A connection's place in a room.
struct Member {
    line: usize,
    /// From where on the room's buffer is for this connection.
    from: usize,
}

/// All upgraded connections and what they still have to be sent.
pub struct Delivery {
    patience: Patience,
    lines: Vec<Option<Line>>,
    free: Vec<usize>,
    index: HashMap<ConnId, usize>,
    channels: Vec<Channel>,
    /// Rooms with something in their buffer.
    busy: Vec<ChannelId>,
    /// Connections whose outbox got something in this turn.
    touched: Vec<usize>,
    /// Connections to be tried again: what the kernel did not take, and goodbyes.
    waiting: Vec<usize>,
    retry_at: Option<Instant>,
    sweep_at: Instant,
    sweep_part: usize,
    /// One message's JSON, then its frame; kept only to spare allocations.
    json: Vec<u8>,
    scratch: Vec<u8>,
}

impl Delivery {
    /// Nobody is connected yet.
    pub fn new(patience: Patience, now: Instant) -> Self {
        Self {
            patience,
            lines: Vec::new(),
            free: Vec::new(),
            index: HashMap::new(),
            channels: Vec::new(),
            busy: Vec::new(),
            touched: Vec::new(),
            waiting: Vec::new(),
            retry_at: None,
            sweep_at: now,
            sweep_part: 0,
            json: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// The bounds, to be changed while the server runs.
    pub fn patience_mut(&mut self) -> &mut Patience {
        &mut self.patience
    }

    /// Connections at hand.
    pub fn connections(&self) -> usize {
        self.index.len()
    }

    /// Whether something is to be sent at the end of this turn.
    pub fn dirty(&self) -> bool {
        !self.busy.is_empty() || !self.touched.is_empty()
    }

    /// Whether something for a whole room is among it.
    pub fn has_broadcasts(&self) -> bool {
        !self.busy.is_empty()
    }

    /// Bytes gathered for rooms in this turn.
    pub fn gathered(&self) -> usize {
        self.busy.iter().map(|channel| self.channels[channel.0 as usize].buffer.len()).sum()
    }

    /// A connection was upgraded; from here on only this type writes to its socket.
    pub fn add(&mut self, link: Arc<Link>) {
        let conn = link.id;
        let line = Some(Line::new(link));
        let at = match self.free.pop() {
            Some(at) => {
                self.lines[at] = line;
                at
            }
            None => {
                self.lines.push(line);
                self.lines.len() - 1
            }
        };
        self.index.insert(conn, at);
    }

    /// A connection's reader is done: what waits gets one last chance, then the writing side is shut.
    pub fn remove(&mut self, conn: ConnId, now: Instant) {
        let Some(at) = self.index.remove(&conn) else { return };
        while let Some(&Seat { channel, .. }) = self.line(at).and_then(|line| line.seats.last()) {
            self.leave_channel(at, channel);
        }
        if let Some(mut line) = self.lines[at].take() {
            line.hang_up(now);
            if line.touched {
                self.touched.retain(|&other| other != at);
            }
            if line.waiting {
                self.waiting.retain(|&other| other != at);
            }
        }
        self.free.push(at);
    }

    /// Somebody entered through the connection.
    pub fn entered(&self, conn: ConnId) {
        if let Some(link) = self.link(conn) {
            link.entered();
        }
    }

    /// One of the connection's messages was answered: it may send another.
    pub fn answered(&self, conn: ConnId) {
        if let Some(link) = self.link(conn) {
            link.window.leave();
        }
    }

    /// One of the connection's errands was answered: it may ask for more once the answer is sent.
    pub fn errand_done(&mut self, conn: ConnId) {
        if let Some(&at) = self.index.get(&conn)
            && let Some(line) = self.lines[at].as_mut()
        {
            line.errands += 1;
            self.touch(at);
        }
    }

    /// From now on the connection gets what is broadcast to the channel.
    pub fn subscribe(&mut self, conn: ConnId, channel: ChannelId) {
        let Some(&at) = self.index.get(&conn) else { return };
        let number = channel.0 as usize;
        if self.channels.len() <= number {
            self.channels.resize_with(number + 1, Channel::default);
        }
        let Some(line) = self.lines[at].as_mut() else { return };
        if line.seats.iter().any(|seat| seat.channel == channel) {
            return;
        }
        let target = &mut self.channels[number];
        line.seats.push(Seat { channel, place: target.members.len() });
        target.members.push(Member { line: at, from: target.buffer.len() });
    }

    /// From now on the connection gets nothing more of the channel; what was said before still reaches it.
    pub fn unsubscribe(&mut self, conn: ConnId, channel: ChannelId) {
        let Some(&at) = self.index.get(&conn) else { return };
        self.catch_up(at);
        self.leave_channel(at, channel);
    }

    /// Sends a message to one connection.
    pub fn send(&mut self, conn: ConnId, message: &ServerMessage) {
        self.encode(message);
        let frame = std::mem::take(&mut self.scratch);
        self.send_frame(conn, &frame);
        self.scratch = frame;
    }

    /// Sends a frame that the connection's reader made: a pong, or the reply to a close.
    pub fn send_frame(&mut self, conn: ConnId, frame: &[u8]) {
        let Some(&at) = self.index.get(&conn) else { return };
        self.catch_up(at);
        let Some(line) = self.lines[at].as_mut().filter(|line| line.open()) else { return };
        line.outbox.push(frame);
        self.touch(at);
    }

    /// Sends a message to everybody in a channel but, if given, one connection.
    pub fn broadcast(&mut self, channel: ChannelId, message: &ServerMessage, except: Option<ConnId>) {
        let number = channel.0 as usize;
        if self.channels.get(number).is_none_or(|channel| channel.members.is_empty()) {
            return;
        }
        let excepted = except.and_then(|conn| self.index.get(&conn).copied());
        if let Some(at) = excepted {
            self.catch_up(at);
        }
        self.encode(message);
        let target = &mut self.channels[number];
        if target.buffer.is_empty() {
            self.busy.push(channel);
        }
        target.buffer.extend_from_slice(&self.scratch);
        let seat = excepted.and_then(|at| self.line(at)).and_then(|line| line.seat(channel));
        if let Some(place) = seat {
            let target = &mut self.channels[number];
            target.members[place].from = target.buffer.len();
        }
    }

    /// Says the last words to a connection and closes it with this code.
    pub fn close(&mut self, conn: ConnId, code: u16, bye: &ServerMessage, now: Instant) {
        let Some(&at) = self.index.get(&conn) else { return };
        self.catch_up(at);
        if self.line(at).is_some_and(Line::open) {
            self.say_goodbye(at, code, bye, now);
            self.wait_for(at, now);
        }
    }

    /// Queues the last words behind whatever still waits.
    fn say_goodbye(&mut self, at: usize, code: u16, bye: &ServerMessage, now: Instant) {
        self.encode(bye);
        frame::write_close(&mut self.scratch, code, "");
        let deadline = now + self.patience.goodbye;
        if let Some(line) = self.lines[at].as_mut() {
            line.say_goodbye(&self.scratch, deadline, now);
        }
    }

    /// Ends the turn: one send for each socket concerned.
    pub fn flush(&mut self, now: Instant) {
        for channel in std::mem::take(&mut self.busy) {
            self.flush_channel(channel, now);
        }
        for at in std::mem::take(&mut self.touched) {
            let Some(line) = self.lines[at].as_mut() else { continue };
            line.touched = false;
            line.flush(now);
            self.settle(at, now);
        }
    }

    fn link(&self, conn: ConnId) -> Option<&Link> {
        self.index.get(&conn).and_then(|&at| self.line(at)).map(|line| &*line.link)
    }

    fn line(&self, at: usize) -> Option<&Line> {
        self.lines.get(at)?.as_ref()
    }

    fn encode(&mut self, message: &ServerMessage) {
        self.json.clear();
        message.write_json(&mut self.json);
        self.scratch.clear();
        frame::write(&mut self.scratch, Kind::Text, &self.json);
    }

    fn touch(&mut self, at: usize) {
        if let Some(line) = self.lines[at].as_mut()
            && !std::mem::replace(&mut line.touched, true)
        {
            self.touched.push(at);
        }
    }

    /// Moves the connection's part of its rooms' buffers into its own outbox, so that what follows comes after it.
    fn catch_up(&mut self, at: usize) {
        let Some(line) = self.lines[at].as_mut() else { return };
        let mut moved = false;
        for seat in &line.seats {
            let channel = &mut self.channels[seat.channel.0 as usize];
            let member = &mut channel.members[seat.place];
            if member.from < channel.buffer.len() {
                if line.end.is_none() {
                    line.outbox.push(&channel.buffer[member.from..]);
                }
                member.from = channel.buffer.len();
                moved = true;
            }
        }
        if moved {
            self.touch(at);
        }
    }

    fn leave_channel(&mut self, at: usize, channel: ChannelId) {
        let Some(line) = self.lines[at].as_mut() else { return };
        let Some(position) = line.seats.iter().position(|seat| seat.channel == channel) else { return };
        let place = line.seats.swap_remove(position).place;
        let members = &mut self.channels[channel.0 as usize].members;
        members.swap_remove(place);
        // The last member took the empty place.
        if let Some(moved) = members.get(place).map(|member| member.line)
            && let Some(line) = self.lines[moved].as_mut()
        {
            line.move_seat(channel, place);
        }
    }

    /// Sends each member its part of the room's buffer: straight from the buffer when nothing of its own is pending.
    fn flush_channel(&mut self, id: ChannelId, now: Instant) {
        let channel = &mut self.channels[id.0 as usize];
        let buffer = std::mem::take(&mut channel.buffer);
        let members = channel.members.len();
        channel.start = if members == 0 { 0 } else { (channel.start + 1) % members };
        let start = channel.start;
        for step in 0..members {
            let place = (start + step) % members;
            let member = &mut self.channels[id.0 as usize].members[place];
            let (at, from) = (member.line, std::mem::take(&mut member.from));
            if from >= buffer.len() {
                continue;
            }
            let Some(line) = self.lines[at].as_mut() else { continue };
            // Somebody in several rooms, or with frames of their own, gets everything in one send later.
            if line.touched || line.seats.len() > 1 {
                line.keep(&buffer[from..]);
                self.touch(at);
            } else {
                line.send(&buffer[from..], now);
                if line.needs_care() {
                    self.settle(at, now);
                }
            }
        }
        let mut buffer = buffer;
        if buffer.capacity() <= KEEP_BUFFER {
            buffer.clear();
            self.channels[id.0 as usize].buffer = buffer;
        }
    }
}

#[cfg(test)]
mod tests;
