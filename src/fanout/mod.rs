//! Fan-out: the only writer of every upgraded connection, from one encoded frame to all sockets of a room.
//!
//! A broadcast is appended to its room's buffer once; at the end of the turn each member gets one nonblocking send of it.
//!
//! Knows connections, outboxes and numbered rooms; never knows people, names or rules.

mod conn_handle;
mod limits;
mod liveness;
mod outbound;
pub(crate) mod outbox;
mod room_buffer;

use crate::ids::{ConnId, RoomId};
use crate::protocol::ServerMessage;
use crate::ws::frame;
use crate::ws::frame::Opcode;
pub use conn_handle::ConnHandle;
pub use limits::DeliveryLimits;
use outbound::Outbound;
use outbox::Sink;
use room_buffer::RoomBuffer;
use slab::Slab;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// All upgraded connections and what is still to be sent to them.
///
/// A frame for one connection alone first copies that connection's part of its rooms' buffers into its outbox, so that
/// every connection gets everything in the order in which it was sent.
pub struct Fanout {
    limits: DeliveryLimits,
    outbounds: Slab<Outbound>,
    /// By slot, whether a broadcast may go directly to the socket. Kept outside `Outbound` so that a broadcast touches one
    /// byte per member; cache misses dominate its cost.
    direct: Vec<bool>,
    slots: HashMap<ConnId, usize>,
    buffers: Vec<RoomBuffer>,
    /// Rooms with frames in their buffer.
    dirty_rooms: Vec<RoomId>,
    /// Connections whose outbox got frames in this turn.
    dirty_outbounds: Vec<usize>,
    /// Connections with unsent bytes, and closing ones.
    retry_queue: Vec<usize>,
    retry_at: Option<Instant>,
    sweep_at: Instant,
    sweep_part: usize,
    /// A large buffer for the next busy room.
    spare_buffer: Vec<u8>,
    /// Scratch space for one message's JSON, and for its frame.
    json: Vec<u8>,
    scratch: Vec<u8>,
}

impl Fanout {
    /// A fan-out without connections.
    pub fn new(limits: DeliveryLimits, now: Instant) -> Self {
        Self {
            limits,
            outbounds: Slab::new(),
            direct: Vec::new(),
            slots: HashMap::new(),
            buffers: Vec::new(),
            dirty_rooms: Vec::new(),
            dirty_outbounds: Vec::new(),
            retry_queue: Vec::new(),
            retry_at: None,
            sweep_at: now,
            sweep_part: 0,
            spare_buffer: Vec::new(),
            json: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// The limits, to be changed while the server runs.
    pub(crate) fn limits_mut(&mut self) -> &mut DeliveryLimits {
        &mut self.limits
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.slots.len()
    }

    /// Whether anything is to be sent at the end of this turn.
    pub(crate) fn has_pending(&self) -> bool {
        !self.dirty_rooms.is_empty() || !self.dirty_outbounds.is_empty()
    }

    /// Whether a broadcast is to be sent at the end of this turn.
    pub(crate) fn has_broadcasts(&self) -> bool {
        !self.dirty_rooms.is_empty()
    }

    /// Bytes broadcast in this turn.
    pub(crate) fn buffered_bytes(&self) -> usize {
        self.dirty_rooms
            .iter()
            .map(|room| self.buffers[room.0 as usize].buffered_bytes())
            .sum()
    }

    /// Adds an upgraded connection; from here on only this type writes to its socket.
    pub fn add(&mut self, handle: Arc<ConnHandle>) {
        let conn = handle.id;
        let slot = self.outbounds.insert(Outbound::new(handle));
        if self.direct.len() <= slot {
            self.direct.resize(slot + 1, false);
        }
        self.refresh_direct(slot);
        self.slots.insert(conn, slot);
    }

    /// Removes a connection whose reader has ended: sends once more, then shuts the writing side.
    pub fn remove(&mut self, conn: ConnId, now: Instant) {
        let Some(slot) = self.slots.remove(&conn) else {
            return;
        };
        while let Some(room) = self.outbounds[slot]
            .subscriptions
            .last()
            .map(|subscription| subscription.room)
        {
            self.remove_subscription(slot, room);
        }
        let mut outbound = self.outbounds.remove(slot);
        outbound.shutdown_write(now);
        if outbound.dirty {
            self.dirty_outbounds.retain(|&other| other != slot);
        }
        if outbound.in_retry_queue {
            self.retry_queue.retain(|&other| other != slot);
        }
    }

    /// The connection has entered.
    pub(crate) fn mark_entered(&self, conn: ConnId) {
        if let Some(handle) = self.handle(conn) {
            handle.mark_entered();
        }
    }

    /// One of the connection's requests was answered: it may send another.
    pub fn request_done(&self, conn: ConnId) {
        if let Some(handle) = self.handle(conn) {
            handle.in_flight.release();
        }
    }

    /// A bulk request was answered; the next may come once the answer is sent.
    pub fn bulk_done(&mut self, conn: ConnId) {
        if let Some(&slot) = self.slots.get(&conn) {
            self.outbounds[slot].unsent_bulk += 1;
            self.mark_dirty(slot);
        }
    }

    /// From now on the connection gets what is broadcast to the room.
    pub fn subscribe(&mut self, conn: ConnId, room: RoomId) {
        let Some(&slot) = self.slots.get(&conn) else {
            return;
        };
        let number = room.0 as usize;
        if self.buffers.len() <= number {
            self.buffers.resize_with(number + 1, RoomBuffer::default);
        }
        let outbound = &mut self.outbounds[slot];
        if outbound.subscription_index(room).is_none() {
            outbound.subscribe(
                room,
                self.buffers[number].subscribe(slot, outbound.handle.socket.clone()),
            );
            self.refresh_direct(slot);
        }
    }

    /// From now on the connection gets no broadcasts of the room; earlier ones still reach it.
    pub(crate) fn unsubscribe(&mut self, conn: ConnId, room: RoomId) {
        let Some(&slot) = self.slots.get(&conn) else {
            return;
        };
        self.collect_unsent(slot);
        self.remove_subscription(slot, room);
    }

    /// Sends a message to one connection.
    pub fn send(&mut self, conn: ConnId, message: &ServerMessage) {
        self.multicast(&[conn], message);
    }

    /// Sends a message, encoded once, to several connections.
    pub fn multicast(&mut self, conns: &[ConnId], message: &ServerMessage) {
        self.encode(message);
        let frame = std::mem::take(&mut self.scratch);
        for &conn in conns {
            self.send_frame(conn, &frame);
        }
        self.scratch = frame;
    }

    /// Sends a frame that the connection's reader made: a pong, or the reply to a close.
    pub(crate) fn send_frame(&mut self, conn: ConnId, frame: &[u8]) {
        let Some(&slot) = self.slots.get(&conn) else {
            return;
        };
        self.collect_unsent(slot);
        if self.outbounds[slot].is_open() {
            self.outbounds[slot].outbox.push(frame);
            self.mark_dirty(slot);
        }
    }

    /// Sends a message to all subscribers of a room, except one connection if given.
    pub fn broadcast(&mut self, room: RoomId, message: &ServerMessage, except: Option<ConnId>) {
        let number = room.0 as usize;
        if self.buffers.get(number).is_none_or(RoomBuffer::is_empty) {
            return;
        }
        let excepted = except.and_then(|conn| self.slots.get(&conn).copied());
        if let Some(slot) = excepted {
            self.collect_unsent(slot);
        }
        self.encode(message);
        let buffer = &mut self.buffers[number];
        if buffer.append(&self.scratch, &mut self.spare_buffer) {
            self.dirty_rooms.push(room);
        }
        if let Some(index) = excepted.and_then(|slot| self.outbounds[slot].subscription_index(room))
        {
            buffer.take_unsent(index);
        }
    }

    /// Sends connections their `bye`, encoded once, and closes them with this code.
    pub fn close(&mut self, conns: &[ConnId], code: u16, bye: &ServerMessage, now: Instant) {
        self.encode_closing(code, bye);
        for conn in conns {
            let Some(&slot) = self.slots.get(conn) else {
                continue;
            };
            self.collect_unsent(slot);
            if self.outbounds[slot].is_open() {
                self.start_closing(slot, now);
                self.schedule_retry(slot, now);
            }
        }
    }

    /// Queues the last frames that were encoded behind those that still wait.
    fn start_closing(&mut self, slot: usize, now: Instant) {
        let deadline = now + self.limits.closing_timeout;
        self.outbounds[slot].start_closing(&self.scratch, deadline, now);
        self.refresh_direct(slot);
    }

    /// Ends the turn: one send to each socket with new frames.
    pub fn flush(&mut self, now: Instant) {
        for room in std::mem::take(&mut self.dirty_rooms) {
            self.flush_room(room, now);
        }
        for slot in std::mem::take(&mut self.dirty_outbounds) {
            let outbound = &mut self.outbounds[slot];
            outbound.dirty = false;
            outbound.flush(now);
            self.after_send(slot, now);
        }
    }

    fn handle(&self, conn: ConnId) -> Option<&ConnHandle> {
        self.slots
            .get(&conn)
            .map(|&slot| &*self.outbounds[slot].handle)
    }

    /// To be called after every change of an `Outbound`.
    fn refresh_direct(&mut self, slot: usize) {
        self.direct[slot] = self.outbounds[slot].is_direct();
    }

    fn encode(&mut self, message: &ServerMessage) {
        self.json.clear();
        message.write_json(&mut self.json);
        self.scratch.clear();
        frame::write(&mut self.scratch, Opcode::Text, &self.json);
    }

    /// Encodes the last frames of a connection: its `bye` and the close frame.
    fn encode_closing(&mut self, code: u16, bye: &ServerMessage) {
        self.encode(bye);
        frame::write_close(&mut self.scratch, code, "");
    }

    fn mark_dirty(&mut self, slot: usize) {
        if !std::mem::replace(&mut self.outbounds[slot].dirty, true) {
            self.dirty_outbounds.push(slot);
        }
        self.refresh_direct(slot);
    }

    /// Moves the connection's part of its rooms' buffers into its outbox, so that the next frame comes after it.
    fn collect_unsent(&mut self, slot: usize) {
        let outbound = &mut self.outbounds[slot];
        let mut moved = false;
        for subscription in &outbound.subscriptions {
            let missed = self.buffers[subscription.room.0 as usize].take_unsent(subscription.index);
            if outbound.closing.is_none() {
                outbound.outbox.push(missed);
            }
            moved |= !missed.is_empty();
        }
        if moved {
            self.mark_dirty(slot);
        }
    }

    fn remove_subscription(&mut self, slot: usize, room: RoomId) {
        let Some(index) = self.outbounds[slot].unsubscribe(room) else {
            return;
        };
        // The last subscriber has moved to the free index.
        if let Some(moved) = self.buffers[room.0 as usize].unsubscribe(index) {
            self.outbounds[moved].reindex(room, index);
        }
        self.refresh_direct(slot);
    }

    /// Sends each subscriber its part of the room's buffer, directly when its outbox is empty.
    fn flush_room(&mut self, room: RoomId, now: Instant) {
        // Taken out because the closure borrows `self`.
        let mut buffer = std::mem::take(&mut self.buffers[room.0 as usize]);
        let mut spare = std::mem::take(&mut self.spare_buffer);
        buffer.for_each_subscriber(&mut spare, |slot, socket, frames| {
            debug_assert_eq!(
                self.direct[slot],
                self.outbounds[slot].is_direct(),
                "refresh_direct was not called after a change"
            );
            if self.direct[slot] {
                let sent = socket.try_send(frames);
                if !matches!(sent, Ok(all) if all == frames.len()) {
                    self.outbounds[slot].after_direct_send(sent, frames, now);
                    self.after_send(slot, now);
                }
            } else if self.outbounds[slot].dirty || self.outbounds[slot].subscriptions.len() > 1 {
                // A connection in several rooms, or with frames of its own, gets all in one send later.
                self.outbounds[slot].queue(frames);
                self.mark_dirty(slot);
            } else {
                self.outbounds[slot].queue(frames);
                self.outbounds[slot].flush(now);
                self.after_send(slot, now);
            }
        });
        self.buffers[room.0 as usize] = buffer;
        self.spare_buffer = spare;
    }
}

#[cfg(test)]
mod tests;
