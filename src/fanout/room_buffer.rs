//! The broadcast buffer of one room: its subscribers, and the frames of this turn.
//!
//! Knows slots, sockets and bytes; never knows who is in the room.

use std::net::TcpStream;
use std::sync::Arc;

/// A larger buffer is not kept after its turn: there may be ten thousand rooms, and each has one.
const MAX_KEPT_CAPACITY: usize = 4 * 1024;
/// The largest buffer that is kept as the spare one; a full turn needs this much.
const MAX_SPARE_CAPACITY: usize = 1024 * 1024;

/// One room's subscribers and the frames for them in this turn.
#[derive(Default)]
pub(super) struct RoomBuffer {
    subscribers: Vec<Subscriber>,
    buffer: Vec<u8>,
    /// The subscriber to begin with next time, so that none is always last.
    next_start: usize,
}

/// One connection in the room.
struct Subscriber {
    slot: usize,
    /// Where this connection's part of the buffer begins.
    unsent_from: usize,
    /// The connection's socket, here too so that a broadcast need not touch its `Outbound`.
    socket: Arc<TcpStream>,
}

impl RoomBuffer {
    /// Whether there are no subscribers.
    pub(super) fn is_empty(&self) -> bool {
        self.subscribers.is_empty()
    }

    /// Bytes broadcast in this turn.
    pub(super) fn buffered_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Adds a connection, which gets what is appended from now on; returns its index.
    pub(super) fn subscribe(&mut self, slot: usize, socket: Arc<TcpStream>) -> usize {
        self.subscribers.push(Subscriber {
            slot,
            unsent_from: self.buffer.len(),
            socket,
        });
        self.subscribers.len() - 1
    }

    /// Removes the subscriber at an index. If another one moves to that index, returns its slot.
    pub(super) fn unsubscribe(&mut self, index: usize) -> Option<usize> {
        self.subscribers.swap_remove(index);
        if self.subscribers.is_empty() {
            // The room may never be used again.
            *self = Self::default();
        }
        self.subscribers
            .get(index)
            .map(|subscriber| subscriber.slot)
    }

    /// Appends a frame for all subscribers; true if it is the first of this turn. A room without a buffer takes the spare.
    pub(super) fn append(&mut self, frame: &[u8], spare: &mut Vec<u8>) -> bool {
        let first = self.buffer.is_empty();
        if self.buffer.capacity() == 0 {
            self.buffer = std::mem::take(spare);
        }
        self.buffer.extend_from_slice(frame);
        first
    }

    /// The frames that this subscriber has not got yet, which count as sent from now on.
    pub(super) fn take_unsent(&mut self, index: usize) -> &[u8] {
        let end = self.buffer.len();
        let from = std::mem::replace(&mut self.subscribers[index].unsent_from, end);
        &self.buffer[from..]
    }

    /// Calls `deliver` with slot, socket and unsent frames of each subscriber, and begins the next turn. A large buffer
    /// becomes the spare one: a busy room takes it back, and ten thousand quiet rooms keep nothing.
    pub(super) fn for_each_subscriber(
        &mut self,
        spare: &mut Vec<u8>,
        mut deliver: impl FnMut(usize, &TcpStream, &[u8]),
    ) {
        // There may be fewer subscribers than last time.
        let start = self.next_start.min(self.subscribers.len());
        self.next_start = (start + 1) % self.subscribers.len().max(1);
        let (before, after) = self.subscribers.split_at_mut(start);
        for subscriber in after.iter_mut().chain(before) {
            let from = std::mem::take(&mut subscriber.unsent_from);
            if from < self.buffer.len() {
                deliver(subscriber.slot, &subscriber.socket, &self.buffer[from..]);
            }
        }
        self.buffer.clear();
        if self.buffer.capacity() > MAX_KEPT_CAPACITY {
            let large = std::mem::take(&mut self.buffer);
            if (spare.capacity()..=MAX_SPARE_CAPACITY).contains(&large.capacity()) {
                *spare = large;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn socket() -> Arc<TcpStream> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Arc::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap())
    }

    /// One long message in each of many rooms once cost a buffer of its size for each until the server stopped.
    #[test]
    fn room_keeps_no_large_buffer_and_none_when_empty() {
        let mut room = RoomBuffer::default();
        let mut spare = Vec::new();
        room.subscribe(1, socket());
        room.append(&[b'x'; 20_000], &mut spare);
        room.for_each_subscriber(&mut spare, |_, _, frames| assert_eq!(frames.len(), 20_000));
        assert!(room.buffer.capacity() <= MAX_KEPT_CAPACITY && spare.capacity() >= 20_000);
        room.append(b"short", &mut Vec::new());
        room.unsubscribe(0);
        assert_eq!(room.buffer.capacity(), 0);
        assert_eq!(room.subscribers.capacity(), 0);
        assert_eq!(room.buffered_bytes(), 0);
    }

    #[test]
    fn spare_buffer_is_reused_by_the_next_busy_room() {
        let mut flooded = RoomBuffer::default();
        let mut other = RoomBuffer::default();
        let mut spare = Vec::new();
        flooded.append(&[b'x'; 20_000], &mut spare);
        flooded.for_each_subscriber(&mut spare, |_, _, _| {});
        let left = spare.as_ptr();
        other.append(b"x", &mut spare);
        assert_eq!(other.buffer.as_ptr(), left);
        assert_eq!(spare.capacity(), 0);
        other.for_each_subscriber(&mut spare, |_, _, _| {});
        assert_eq!(spare.as_ptr(), left);
    }
}
