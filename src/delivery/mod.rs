//! From encoded frames to sockets: the only writer of every upgraded connection.
//!
//! A broadcast is encoded once and appended to its room's buffer of the turn. At the end of the turn each member gets
//! one nonblocking send of that shared buffer. A frame for one connection alone first copies the connection's part of
//! its rooms' buffers into its own outbox, so the order in which things were said holds for every connection.
//!
//! Knows connections, outboxes and numbered channels; never knows people, names or rules.

mod care;
mod channel;
mod line;
mod patience;

use crate::frame::{self, Kind};
use crate::link::{ConnId, Link};
use crate::outbox::Sink;
use crate::protocol::ServerMessage;
use channel::Channel;
use line::Line;
pub use patience::Patience;
use slab::Slab;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// A room, as far as delivery is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(pub u32);

/// All upgraded connections and what they still have to be sent.
pub struct Delivery {
    patience: Patience,
    lines: Slab<Line>,
    /// Of each line, whether what its room says may go straight to its socket. A walk over a large room reads these few
    /// bytes and no line: what is not in the processor's cache costs more than all of our own work for a delivery.
    straight: Vec<bool>,
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
    /// A large buffer for the next room that says much.
    spare: Vec<u8>,
    /// One message's JSON, then its frame; kept only to spare allocations.
    json: Vec<u8>,
    scratch: Vec<u8>,
}

impl Delivery {
    /// Nobody is connected yet.
    pub fn new(patience: Patience, now: Instant) -> Self {
        Self {
            patience,
            lines: Slab::new(),
            straight: Vec::new(),
            index: HashMap::new(),
            channels: Vec::new(),
            busy: Vec::new(),
            touched: Vec::new(),
            waiting: Vec::new(),
            retry_at: None,
            sweep_at: now,
            sweep_part: 0,
            spare: Vec::new(),
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
        self.busy
            .iter()
            .map(|channel| self.channels[channel.0 as usize].gathered())
            .sum()
    }

    /// A connection was upgraded; from here on only this type writes to its socket.
    pub fn add(&mut self, link: Arc<Link>) {
        let conn = link.id;
        let at = self.lines.insert(Line::new(link));
        if self.straight.len() <= at {
            self.straight.resize(at + 1, false);
        }
        self.look_at(at);
        self.index.insert(conn, at);
    }

    /// A connection's reader is done: what waits gets one last chance, then the writing side is shut.
    pub fn remove(&mut self, conn: ConnId, now: Instant) {
        let Some(at) = self.index.remove(&conn) else {
            return;
        };
        while let Some(channel) = self.lines[at].seats.last().map(|seat| seat.channel) {
            self.leave_channel(at, channel);
        }
        let mut line = self.lines.remove(at);
        line.hang_up(now);
        if line.touched {
            self.touched.retain(|&other| other != at);
        }
        if line.waiting {
            self.waiting.retain(|&other| other != at);
        }
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
        if let Some(&at) = self.index.get(&conn) {
            self.lines[at].errands += 1;
            self.touch(at);
        }
    }

    /// From now on the connection gets what is broadcast to the channel.
    pub fn subscribe(&mut self, conn: ConnId, channel: ChannelId) {
        let Some(&at) = self.index.get(&conn) else {
            return;
        };
        let number = channel.0 as usize;
        if self.channels.len() <= number {
            self.channels.resize_with(number + 1, Channel::default);
        }
        let line = &mut self.lines[at];
        if line.seat(channel).is_none() {
            line.sit(
                channel,
                self.channels[number].seat(at, line.link.socket.clone()),
            );
            self.look_at(at);
        }
    }

    /// From now on the connection gets nothing more of the channel; what was said before still reaches it.
    pub fn unsubscribe(&mut self, conn: ConnId, channel: ChannelId) {
        let Some(&at) = self.index.get(&conn) else {
            return;
        };
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
        let Some(&at) = self.index.get(&conn) else {
            return;
        };
        self.catch_up(at);
        if self.lines[at].open() {
            self.lines[at].outbox.push(frame);
            self.touch(at);
        }
    }

    /// Sends a message to everybody in a channel but, if given, one connection.
    pub fn broadcast(
        &mut self,
        channel: ChannelId,
        message: &ServerMessage,
        except: Option<ConnId>,
    ) {
        let number = channel.0 as usize;
        if self
            .channels
            .get(number)
            .is_none_or(|channel| channel.is_empty())
        {
            return;
        }
        let excepted = except.and_then(|conn| self.index.get(&conn).copied());
        if let Some(at) = excepted {
            self.catch_up(at);
        }
        self.encode(message);
        let room = &mut self.channels[number];
        if room.say(&self.scratch, &mut self.spare) {
            self.busy.push(channel);
        }
        if let Some(place) = excepted.and_then(|at| self.lines[at].seat(channel)) {
            room.catch_up(place);
        }
    }

    /// Says the last words to a connection and closes it with this code.
    pub fn close(&mut self, conn: ConnId, code: u16, bye: &ServerMessage, now: Instant) {
        let Some(&at) = self.index.get(&conn) else {
            return;
        };
        self.catch_up(at);
        if self.lines[at].open() {
            self.say_goodbye(at, code, bye, now);
            self.wait_for(at, now);
        }
    }

    /// Queues the last words behind whatever still waits.
    fn say_goodbye(&mut self, at: usize, code: u16, bye: &ServerMessage, now: Instant) {
        self.encode(bye);
        frame::write_close(&mut self.scratch, code, "");
        let deadline = now + self.patience.goodbye;
        self.lines[at].say_goodbye(&self.scratch, deadline, now);
        self.look_at(at);
    }

    /// Ends the turn: one send for each socket concerned.
    pub fn flush(&mut self, now: Instant) {
        for channel in std::mem::take(&mut self.busy) {
            self.flush_channel(channel, now);
        }
        for at in std::mem::take(&mut self.touched) {
            let line = &mut self.lines[at];
            line.touched = false;
            line.flush(now);
            self.settle(at, now);
        }
    }

    fn link(&self, conn: ConnId) -> Option<&Link> {
        self.index.get(&conn).map(|&at| &*self.lines[at].link)
    }

    /// To be called after every change of a line.
    fn look_at(&mut self, at: usize) {
        self.straight[at] = self.lines[at].straight();
    }

    fn encode(&mut self, message: &ServerMessage) {
        self.json.clear();
        message.write_json(&mut self.json);
        self.scratch.clear();
        frame::write(&mut self.scratch, Kind::Text, &self.json);
    }

    fn touch(&mut self, at: usize) {
        if !std::mem::replace(&mut self.lines[at].touched, true) {
            self.touched.push(at);
        }
        self.look_at(at);
    }

    /// Moves the connection's part of its rooms' buffers into its own outbox, so that what follows comes after it.
    fn catch_up(&mut self, at: usize) {
        let line = &mut self.lines[at];
        let mut moved = false;
        for seat in &line.seats {
            let missed = self.channels[seat.channel.0 as usize].catch_up(seat.place);
            if line.end.is_none() {
                line.outbox.push(missed);
            }
            moved |= !missed.is_empty();
        }
        if moved {
            self.touch(at);
        }
    }

    fn leave_channel(&mut self, at: usize, channel: ChannelId) {
        let Some(place) = self.lines[at].stand_up(channel) else {
            return;
        };
        // The last member took the empty place.
        if let Some(moved) = self.channels[channel.0 as usize].leave(place) {
            self.lines[moved].move_seat(channel, place);
        }
        self.look_at(at);
    }

    /// Sends each member its part of the room's buffer: straight from the buffer when nothing of its own is pending.
    fn flush_channel(&mut self, id: ChannelId, now: Instant) {
        // Taken out for the walk, in which nothing looks at it.
        let mut channel = std::mem::take(&mut self.channels[id.0 as usize]);
        let mut spare = std::mem::take(&mut self.spare);
        channel.walk(&mut spare, |at, socket, frames| {
            debug_assert_eq!(
                self.straight[at],
                self.lines[at].straight(),
                "a change of a line was not looked at"
            );
            if self.straight[at] {
                let sent = socket.send_now(frames);
                if !matches!(sent, Ok(all) if all == frames.len()) {
                    self.lines[at].sent(sent, frames, now);
                    self.settle(at, now);
                }
            } else if self.lines[at].touched || self.lines[at].seats.len() > 1 {
                // Somebody in several rooms, or with frames of their own, gets everything in one send later.
                self.lines[at].keep(frames);
                self.touch(at);
            } else {
                self.lines[at].keep(frames);
                self.lines[at].flush(now);
                self.settle(at, now);
            }
        });
        (self.channels[id.0 as usize], self.spare) = (channel, spare);
    }
}

#[cfg(test)]
mod tests;
