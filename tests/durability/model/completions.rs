//! Counts the requests that the server still has to answer: each is completed exactly once.

use papo::protocol::ClientMessage;
use papo::testing::ConnId;
use std::collections::HashMap;

/// Requests that were sent and not completed yet, by connection.
#[derive(Default)]
pub struct Completions {
    with_id: HashMap<ConnId, usize>,
    bulk: HashMap<ConnId, usize>,
}

impl Completions {
    pub fn requested(&mut self, conn: ConnId, message: &ClientMessage) {
        *self.with_id.entry(conn).or_default() += usize::from(message.id().is_some());
        *self.bulk.entry(conn).or_default() += usize::from(message.is_bulk());
    }

    pub fn request_done(&mut self, conn: ConnId) {
        complete(&mut self.with_id, conn);
    }

    pub fn bulk_done(&mut self, conn: ConnId) {
        complete(&mut self.bulk, conn);
    }

    pub fn assert_complete(&self) {
        for (conn, outstanding) in self.with_id.iter().chain(&self.bulk) {
            assert_eq!(*outstanding, 0, "requests of {conn:?} without a completion");
        }
    }
}

fn complete(outstanding: &mut HashMap<ConnId, usize>, conn: ConnId) {
    let outstanding = outstanding.entry(conn).or_default();
    *outstanding = outstanding
        .checked_sub(1)
        .expect("a request was completed twice");
}
