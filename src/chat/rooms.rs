//! The open rooms, found by id and by name: each with its log, its members and its pending presence.

use crate::auth::TokenHash;
use crate::chat::completion::WaitingRequest;
use crate::chat::moderation::speaking::RoomMode;
use crate::chat::people::PersonKey;
use crate::chat::room_log::{OpenLog, RoomLog};
use crate::history::RoomHead;
use crate::ids::RoomId;
use crate::name::RoomName;
use crate::protocol::{Member, Renamed};
use indexmap::IndexSet;
use slab::Slab;
use std::collections::HashMap;
use std::ops::{Index, IndexMut};
use std::sync::Arc;
use std::time::Instant;

/// Presence changes that were not published yet.
#[derive(Default)]
pub(super) struct PendingPresence {
    pub joined: Vec<Member>,
    pub left: Vec<Member>,
    pub renamed: Vec<Renamed>,
    /// When something was last published.
    pub published_at: Option<Instant>,
    /// How many people were online at that time.
    pub published_online: usize,
    /// A presence update is scheduled.
    pub scheduled: bool,
}

/// One room.
pub(super) struct Room {
    pub name: RoomName,
    pub log: RoomLog,
    pub pending_presence: PendingPresence,
    /// Messages on their way through the history; the room stays open for them.
    pub pending_appends: usize,
    /// The person who opened the room: its first member, unless its password has an owner already.
    pub owner: Option<TokenHash>,
    /// Speaking restrictions; most rooms have none.
    pub mode: Option<Box<RoomMode>>,
    members: IndexSet<PersonKey>,
}

impl Room {
    fn new(name: RoomName) -> Self {
        Self {
            name,
            log: RoomLog::Opening(Vec::new()),
            pending_presence: PendingPresence::default(),
            pending_appends: 0,
            owner: None,
            mode: None,
            members: IndexSet::new(),
        }
    }

    /// The room's name as it is shown.
    pub(super) fn display(&self) -> Arc<str> {
        self.name.display()
    }

    pub(super) fn online(&self) -> usize {
        self.members.len()
    }

    pub(super) fn members(&self) -> impl Iterator<Item = PersonKey> {
        self.members.iter().copied()
    }

    pub(super) fn add_member(&mut self, person: PersonKey) {
        self.members.insert(person);
    }

    pub(super) fn remove_member(&mut self, person: PersonKey) {
        self.members.swap_remove(&person);
    }

    /// Opens the log, and takes over the spelling of the name that it was first opened with.
    pub(super) fn open(&mut self, head: RoomHead) {
        self.name = head.name.clone();
        self.log = RoomLog::Open(OpenLog::new(head));
    }
}

/// All open rooms. Indexing is for those that must be open, and panics for others.
#[derive(Default)]
pub(super) struct Rooms {
    by_id: Slab<Room>,
    by_name: HashMap<Arc<str>, RoomId>,
}

impl Rooms {
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(super) fn named(&self, name: &RoomName) -> Option<RoomId> {
        self.by_name.get(name.key()).copied()
    }

    /// Adds a room whose log is still to be opened.
    pub(super) fn add(&mut self, name: RoomName) -> RoomId {
        let key = name.key().clone();
        let id = RoomId(self.by_id.insert(Room::new(name)) as u32);
        self.by_name.insert(key, id);
        id
    }

    pub(super) fn remove(&mut self, id: RoomId) {
        let room = self.by_id.remove(id.0 as usize);
        self.by_name.remove(room.name.key());
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.by_id.iter().map(|(_, room)| room)
    }

    pub(super) fn ids(&self) -> Vec<RoomId> {
        let rooms = self.by_id.iter();
        rooms.map(|(number, _)| RoomId(number as u32)).collect()
    }

    /// The requests that wait for any room's log.
    pub(super) fn take_waiting(&mut self) -> impl Iterator<Item = WaitingRequest> {
        let rooms = self.by_id.iter_mut();
        rooms.flat_map(|(_, room)| room.log.take_waiting())
    }
}

impl Index<RoomId> for Rooms {
    type Output = Room;

    fn index(&self, id: RoomId) -> &Room {
        &self.by_id[id.0 as usize]
    }
}

impl IndexMut<RoomId> for Rooms {
    fn index_mut(&mut self, id: RoomId) -> &mut Room {
        &mut self.by_id[id.0 as usize]
    }
}
