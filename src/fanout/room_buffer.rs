//! A room as delivery sees it: who hears it, and what it says in this turn.

use std::net::TcpStream;
use std::sync::Arc;

/// A buffer that grew beyond this in one turn is given back: there may be ten thousand rooms, and each has one.
const MAX_KEPT_CAPACITY: usize = 4 * 1024;
/// The largest buffer that is kept as the spare one: as a full turn of a room may leave it.
const MAX_SPARE_CAPACITY: usize = 1024 * 1024;

/// One room's members and what they are sent in this turn.
#[derive(Default)]
pub struct RoomBuffer {
    subscribers: Vec<Subscriber>,
    buffer: Vec<u8>,
    /// Where the next walk over the members begins, so that nobody is always last.
    next_start: usize,
}

/// A connection's place in a room.
struct Subscriber {
    slot: usize,
    /// From where on the room's buffer is for this connection.
    unsent_from: usize,
    /// The connection's socket once more, one step nearer than in its line.
    socket: Arc<TcpStream>,
}

impl RoomBuffer {
    /// Whether nobody hears it.
    pub fn is_empty(&self) -> bool {
        self.subscribers.is_empty()
    }

    /// Bytes said in this turn.
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// A line hears what is said from now on; gives its place.
    pub fn subscribe(&mut self, slot: usize, socket: Arc<TcpStream>) -> usize {
        self.subscribers.push(Subscriber {
            slot,
            unsent_from: self.buffer.len(),
            socket,
        });
        self.subscribers.len() - 1
    }

    /// Empties a place. The last member takes it; this is that member's line, unless it was the last place.
    pub fn unsubscribe(&mut self, index: usize) -> Option<usize> {
        self.subscribers.swap_remove(index);
        if self.subscribers.is_empty() {
            // The room may never be opened again.
            *self = Self::default();
        }
        self.subscribers
            .get(index)
            .map(|subscriber| subscriber.slot)
    }

    /// Says something to everybody; true if it is the first in this turn. A room without a buffer takes the spare one.
    pub fn append(&mut self, frame: &[u8], spare: &mut Vec<u8>) -> bool {
        let first = self.buffer.is_empty();
        if self.buffer.capacity() == 0 {
            self.buffer = std::mem::take(spare);
        }
        self.buffer.extend_from_slice(frame);
        first
    }

    /// What was said and not yet taken at this place; with this it is taken.
    pub fn take_unsent(&mut self, index: usize) -> &[u8] {
        let end = self.buffer.len();
        let from = std::mem::replace(&mut self.subscribers[index].unsent_from, end);
        &self.buffer[from..]
    }

    /// Hands everybody what is for them, by line and socket, and begins the next turn. A large buffer becomes the spare
    /// one: a room that is flooded finds it there again, and ten thousand rooms that once were keep nothing.
    pub fn for_each_subscriber(
        &mut self,
        spare: &mut Vec<u8>,
        mut deliver: impl FnMut(usize, &TcpStream, &[u8]),
    ) {
        // People may have left since the last walk.
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

    /// One long message in each of many rooms once cost a buffer of its size for each, for as long as the server ran.
    #[test]
    fn room_keeps_no_large_buffer_and_none_when_empty() {
        let (mut room, mut spare) = (RoomBuffer::default(), Vec::new());
        room.subscribe(1, socket());
        room.append(&[b'x'; 20_000], &mut spare);
        room.for_each_subscriber(&mut spare, |_, _, frames| assert_eq!(frames.len(), 20_000));
        assert!(room.buffer.capacity() <= MAX_KEPT_CAPACITY && spare.capacity() >= 20_000);
        room.append(b"short", &mut Vec::new());
        room.unsubscribe(0);
        assert_eq!(
            (
                room.buffer.capacity(),
                room.subscribers.capacity(),
                room.buffered_bytes()
            ),
            (0, 0, 0)
        );
    }

    #[test]
    fn spare_buffer_is_reused_by_the_next_busy_room() {
        let (mut flooded, mut other, mut spare) =
            (RoomBuffer::default(), RoomBuffer::default(), Vec::new());
        flooded.append(&[b'x'; 20_000], &mut spare);
        flooded.for_each_subscriber(&mut spare, |_, _, _| {});
        let left = spare.as_ptr();
        other.append(b"x", &mut spare);
        assert_eq!((other.buffer.as_ptr(), spare.capacity()), (left, 0));
        other.for_each_subscriber(&mut spare, |_, _, _| {});
        assert_eq!(spare.as_ptr(), left);
    }
}
