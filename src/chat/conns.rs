//! The upgraded connections, found by id.

use crate::chat::people::PersonKey;
use crate::ids::{ClientAddr, ConnId, RoomId};
use crate::protocol::Token;
use crate::rate::TokenBucket;
use std::collections::HashMap;
use std::ops::{Index, IndexMut};
use std::time::Instant;

/// One upgraded connection.
pub(super) struct Conn {
    pub address: ClientAddr,
    /// The person who entered through it.
    pub person: Option<PersonKey>,
    /// The token it entered with, repeated when the name changes. Never printed, never stored.
    pub token: Option<Token>,
    pub rooms: Vec<RoomId>,
    /// Requests that wait for a room's log.
    pub waiting_requests: usize,
    /// How often its time to enter was prolonged.
    pub entry_extensions: u32,
    /// `None` is without limit.
    pub request_bucket: Option<TokenBucket>,
    pub malformed_count: u32,
    pub malformed_since: Instant,
    pub closing: bool,
}

impl Conn {
    pub(super) fn new(
        address: ClientAddr,
        request_bucket: Option<TokenBucket>,
        now: Instant,
    ) -> Self {
        Self {
            address,
            person: None,
            token: None,
            rooms: Vec::new(),
            waiting_requests: 0,
            entry_extensions: 0,
            request_bucket,
            malformed_count: 0,
            malformed_since: now,
            closing: false,
        }
    }
}

/// All connections. Indexing is for those that must be there, and panics for others.
#[derive(Default)]
pub(super) struct Conns(HashMap<ConnId, Conn>);

impl Conns {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn contains(&self, id: ConnId) -> bool {
        self.0.contains_key(&id)
    }

    pub(super) fn get(&self, id: ConnId) -> Option<&Conn> {
        self.0.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.0.get_mut(&id)
    }

    pub(super) fn insert(&mut self, id: ConnId, conn: Conn) {
        self.0.insert(id, conn);
    }

    pub(super) fn remove(&mut self, id: ConnId) -> Conn {
        self.0.remove(&id).unwrap_or_else(|| unknown(id))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ConnId, &Conn)> {
        self.0.iter().map(|(id, conn)| (*id, conn))
    }
}

impl Index<ConnId> for Conns {
    type Output = Conn;

    fn index(&self, id: ConnId) -> &Conn {
        self.0.get(&id).unwrap_or_else(|| unknown(id))
    }
}

impl IndexMut<ConnId> for Conns {
    fn index_mut(&mut self, id: ConnId) -> &mut Conn {
        self.0.get_mut(&id).unwrap_or_else(|| unknown(id))
    }
}

#[cold]
fn unknown(id: ConnId) -> ! {
    panic!("connection {} is unknown or gone", id.0)
}
