//! A message appended to the history in memory while it is full, among few rooms and among many.

use divan::Bencher;
use papo::auth::PersonId;
use papo::history::memory::MemoryHistory;
use papo::history::{Append, History, HistoryReply, HistoryRequest, RequestId};
use papo::name::RoomName;

/// So long that the history is full with two messages in each of ten thousand rooms.
const TEXT_BYTES: usize = 3_500;

#[divan::bench(args = [10, 10_000])]
fn append_at_the_memory_bound(bencher: Bencher, rooms: usize) {
    let mut writer = Writer::new(rooms);
    while writer.append() == 0 {}
    bencher.bench_local(|| writer.append());
}

/// Appends to one room after the other.
struct Writer {
    history: MemoryHistory,
    rooms: Vec<RoomName>,
    next: Append,
    appended: usize,
}

impl Writer {
    fn new(rooms: usize) -> Self {
        let next = Append {
            request_id: RequestId(1),
            person: PersonId([1; 16]),
            id: String::new(),
            room: RoomName::lobby(),
            room_owner: None,
            from: "Ana".into(),
            tag: "aaaaaaaa".into(),
            text: "x".repeat(TEXT_BYTES),
            action: false,
            reply_to: None,
            amends: None,
            any_author: false,
            refused: None,
            at: 1_700_000_000_000,
        };
        let room = |n| RoomName::new(&format!("sala-{n}")).expect("a room");
        Self {
            history: MemoryHistory::new().expect("random bytes"),
            rooms: (0..rooms).map(room).collect(),
            next,
            appended: 0,
        }
    }

    /// Appends a message; tells how many entries were dropped for it.
    fn append(&mut self) -> usize {
        let message = Append {
            id: format!("{:016x}", self.appended),
            room: self.rooms[self.appended % self.rooms.len()].clone(),
            ..self.next.clone()
        };
        self.appended += 1;
        self.history.submit(vec![HistoryRequest::Append(message)]);
        let replies = self.history.replies().try_iter();
        replies
            .filter(|reply| matches!(reply, HistoryReply::Trimmed(..)))
            .count()
    }
}
