//! From encoded frames to sockets: the only writer of every upgraded connection.
//!
//! A broadcast is encoded once and appended to its room's buffer of the turn. At the end of the turn each member gets
//! one nonblocking send of that shared buffer. A frame for one connection alone first copies the connection's part of
//! its rooms' buffers into its own outbox, so the order in which things were said holds for every connection.
//!
//! Knows connections, outboxes and numbered channels; never knows people, names or rules.

mod conn_handle;
mod limits;
mod liveness;
mod outbound;
pub mod outbox;
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

/// All upgraded connections and what they still have to be sent.
pub struct Fanout {
    limits: DeliveryLimits,
    outbounds: Slab<Outbound>,
    /// Of each line, whether what its room says may go straight to its socket. A walk over a large room reads these few
    /// bytes and no line: what is not in the processor's cache costs more than all of our own work for a delivery.
    direct: Vec<bool>,
    slots: HashMap<ConnId, usize>,
    buffers: Vec<RoomBuffer>,
    /// Rooms with something in their buffer.
    dirty_rooms: Vec<RoomId>,
    /// Connections whose outbox got something in this turn.
    dirty_outbounds: Vec<usize>,
    /// Connections to be tried again: what the kernel did not take, and goodbyes.
    retry_queue: Vec<usize>,
    retry_at: Option<Instant>,
    sweep_at: Instant,
    sweep_part: usize,
    /// A large buffer for the next room that says much.
    spare_buffer: Vec<u8>,
    /// One message's JSON, then its frame; kept only to spare allocations.
    json: Vec<u8>,
    scratch: Vec<u8>,
}

impl Fanout {
    /// Nobody is connected yet.
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

    /// The bounds, to be changed while the server runs.
    pub fn limits_mut(&mut self) -> &mut DeliveryLimits {
        &mut self.limits
    }

    /// Connections at hand.
    pub fn connections(&self) -> usize {
        self.slots.len()
    }

    /// Whether something is to be sent at the end of this turn.
    pub fn has_pending(&self) -> bool {
        !self.dirty_rooms.is_empty() || !self.dirty_outbounds.is_empty()
    }

    /// Whether something for a whole room is among it.
    pub fn has_broadcasts(&self) -> bool {
        !self.dirty_rooms.is_empty()
    }

    /// Bytes gathered for rooms in this turn.
    pub fn buffered_bytes(&self) -> usize {
        self.dirty_rooms
            .iter()
            .map(|room| self.buffers[room.0 as usize].buffered_bytes())
            .sum()
    }

    /// A connection was upgraded; from here on only this type writes to its socket.
    pub fn add(&mut self, handle: Arc<ConnHandle>) {
        let conn = handle.id;
        let slot = self.outbounds.insert(Outbound::new(handle));
        if self.direct.len() <= slot {
            self.direct.resize(slot + 1, false);
        }
        self.refresh_direct(slot);
        self.slots.insert(conn, slot);
    }

    /// A connection's reader is done: what waits gets one last chance, then the writing side is shut.
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

    /// Somebody entered through the connection.
    pub fn mark_entered(&self, conn: ConnId) {
        if let Some(handle) = self.handle(conn) {
            handle.mark_entered();
        }
    }

    /// One of the connection's messages was answered: it may send another.
    pub fn request_done(&self, conn: ConnId) {
        if let Some(handle) = self.handle(conn) {
            handle.in_flight.release();
        }
    }

    /// One of the connection's errands was answered: it may ask for more once the answer is sent.
    pub fn bulk_done(&mut self, conn: ConnId) {
        if let Some(&slot) = self.slots.get(&conn) {
            self.outbounds[slot].unsent_bulk += 1;
            self.mark_dirty(slot);
        }
    }

    /// From now on the connection gets what is broadcast to the channel.
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

    /// From now on the connection gets nothing more of the channel; what was said before still reaches it.
    pub fn unsubscribe(&mut self, conn: ConnId, room: RoomId) {
        let Some(&slot) = self.slots.get(&conn) else {
            return;
        };
        self.collect_unsent(slot);
        self.remove_subscription(slot, room);
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
        let Some(&slot) = self.slots.get(&conn) else {
            return;
        };
        self.collect_unsent(slot);
        if self.outbounds[slot].is_open() {
            self.outbounds[slot].outbox.push(frame);
            self.mark_dirty(slot);
        }
    }

    /// Sends a message to everybody in a channel but, if given, one connection.
    pub fn broadcast(&mut self, room: RoomId, message: &ServerMessage, except: Option<ConnId>) {
        let number = room.0 as usize;
        if self
            .buffers
            .get(number)
            .is_none_or(|buffer| buffer.is_empty())
        {
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

    /// Says the last words to a connection and closes it with this code.
    pub fn close(&mut self, conn: ConnId, code: u16, bye: &ServerMessage, now: Instant) {
        let Some(&slot) = self.slots.get(&conn) else {
            return;
        };
        self.collect_unsent(slot);
        if self.outbounds[slot].is_open() {
            self.start_closing(slot, code, bye, now);
            self.schedule_retry(slot, now);
        }
    }

    /// Queues the last words behind whatever still waits.
    fn start_closing(&mut self, slot: usize, code: u16, bye: &ServerMessage, now: Instant) {
        self.encode(bye);
        frame::write_close(&mut self.scratch, code, "");
        let deadline = now + self.limits.closing_timeout;
        self.outbounds[slot].start_closing(&self.scratch, deadline, now);
        self.refresh_direct(slot);
    }

    /// Ends the turn: one send for each socket concerned.
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

    /// To be called after every change of a line.
    fn refresh_direct(&mut self, slot: usize) {
        self.direct[slot] = self.outbounds[slot].is_direct();
    }

    fn encode(&mut self, message: &ServerMessage) {
        self.json.clear();
        message.write_json(&mut self.json);
        self.scratch.clear();
        frame::write(&mut self.scratch, Opcode::Text, &self.json);
    }

    fn mark_dirty(&mut self, slot: usize) {
        if !std::mem::replace(&mut self.outbounds[slot].dirty, true) {
            self.dirty_outbounds.push(slot);
        }
        self.refresh_direct(slot);
    }

    /// Moves the connection's part of its rooms' buffers into its own outbox, so that what follows comes after it.
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
        // The last member took the empty place.
        if let Some(moved) = self.buffers[room.0 as usize].unsubscribe(index) {
            self.outbounds[moved].reindex(room, index);
        }
        self.refresh_direct(slot);
    }

    /// Sends each member its part of the room's buffer: straight from the buffer when nothing of its own is pending.
    fn flush_room(&mut self, room: RoomId, now: Instant) {
        // Taken out for the walk, in which nothing looks at it.
        let mut buffer = std::mem::take(&mut self.buffers[room.0 as usize]);
        let mut spare = std::mem::take(&mut self.spare_buffer);
        buffer.for_each_subscriber(&mut spare, |slot, socket, frames| {
            debug_assert_eq!(
                self.direct[slot],
                self.outbounds[slot].is_direct(),
                "a change of a line was not looked at"
            );
            if self.direct[slot] {
                let sent = socket.try_send(frames);
                if !matches!(sent, Ok(all) if all == frames.len()) {
                    self.outbounds[slot].after_direct_send(sent, frames, now);
                    self.after_send(slot, now);
                }
            } else if self.outbounds[slot].dirty || self.outbounds[slot].subscriptions.len() > 1 {
                // Somebody in several rooms, or with frames of their own, gets everything in one send later.
                self.outbounds[slot].queue(frames);
                self.mark_dirty(slot);
            } else {
                self.outbounds[slot].queue(frames);
                self.outbounds[slot].flush(now);
                self.after_send(slot, now);
            }
        });
        (self.buffers[room.0 as usize], self.spare_buffer) = (buffer, spare);
    }
}

#[cfg(test)]
mod tests;
