//! A room as delivery sees it: who hears it, and what it says in this turn.

use std::net::TcpStream;
use std::sync::Arc;

/// A buffer that grew beyond this in one turn is given back: there may be ten thousand rooms, and each has one.
const KEEP_BUFFER: usize = 4 * 1024;
/// The largest buffer that is kept as the spare one: as a full turn of a room may leave it.
const SPARE_BUFFER: usize = 1024 * 1024;

/// One room's members and what they are sent in this turn.
#[derive(Default)]
pub struct Channel {
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
    /// The connection's socket once more, one step nearer than in its line.
    socket: Arc<TcpStream>,
}

impl Channel {
    /// Whether nobody hears it.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Bytes said in this turn.
    pub fn gathered(&self) -> usize {
        self.buffer.len()
    }

    /// A line hears what is said from now on; gives its place.
    pub fn seat(&mut self, line: usize, socket: Arc<TcpStream>) -> usize {
        self.members.push(Member {
            line,
            from: self.buffer.len(),
            socket,
        });
        self.members.len() - 1
    }

    /// Empties a place. The last member takes it; this is that member's line, unless it was the last place.
    pub fn leave(&mut self, place: usize) -> Option<usize> {
        self.members.swap_remove(place);
        if self.members.is_empty() {
            // The room may never be opened again.
            *self = Self::default();
        }
        self.members.get(place).map(|member| member.line)
    }

    /// Says something to everybody; true if it is the first in this turn. A room without a buffer takes the spare one.
    pub fn say(&mut self, frame: &[u8], spare: &mut Vec<u8>) -> bool {
        let first = self.buffer.is_empty();
        if self.buffer.capacity() == 0 {
            self.buffer = std::mem::take(spare);
        }
        self.buffer.extend_from_slice(frame);
        first
    }

    /// What was said and not yet taken at this place; with this it is taken.
    pub fn catch_up(&mut self, place: usize) -> &[u8] {
        let end = self.buffer.len();
        let from = std::mem::replace(&mut self.members[place].from, end);
        &self.buffer[from..]
    }

    /// Hands everybody what is for them, by line and socket, and begins the next turn. A large buffer becomes the spare
    /// one: a room that is flooded finds it there again, and ten thousand rooms that once were keep nothing.
    pub fn walk(&mut self, spare: &mut Vec<u8>, mut hand: impl FnMut(usize, &TcpStream, &[u8])) {
        // People may have left since the last walk.
        let start = self.start.min(self.members.len());
        self.start = (start + 1) % self.members.len().max(1);
        let (before, after) = self.members.split_at_mut(start);
        for member in after.iter_mut().chain(before) {
            let from = std::mem::take(&mut member.from);
            if from < self.buffer.len() {
                hand(member.line, &member.socket, &self.buffer[from..]);
            }
        }
        self.buffer.clear();
        if self.buffer.capacity() > KEEP_BUFFER {
            let large = std::mem::take(&mut self.buffer);
            if (spare.capacity()..=SPARE_BUFFER).contains(&large.capacity()) {
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
    fn a_room_keeps_no_large_buffer_and_an_empty_one_keeps_nothing() {
        let (mut channel, mut spare) = (Channel::default(), Vec::new());
        channel.seat(1, socket());
        channel.say(&[b'x'; 20_000], &mut spare);
        channel.walk(&mut spare, |_, _, frames| assert_eq!(frames.len(), 20_000));
        assert!(channel.buffer.capacity() <= KEEP_BUFFER && spare.capacity() >= 20_000);
        channel.say(b"short", &mut Vec::new());
        channel.leave(0);
        assert_eq!(
            (
                channel.buffer.capacity(),
                channel.members.capacity(),
                channel.gathered()
            ),
            (0, 0, 0)
        );
    }

    #[test]
    fn the_next_flood_takes_the_buffer_that_the_last_one_left() {
        let (mut flooded, mut other, mut spare) =
            (Channel::default(), Channel::default(), Vec::new());
        flooded.say(&[b'x'; 20_000], &mut spare);
        flooded.walk(&mut spare, |_, _, _| {});
        let left = spare.as_ptr();
        other.say(b"x", &mut spare);
        assert_eq!((other.buffer.as_ptr(), spare.capacity()), (left, 0));
        other.walk(&mut spare, |_, _, _| {});
        assert_eq!(spare.as_ptr(), left);
    }
}
