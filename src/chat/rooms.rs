//! The open rooms, found by id and by name: each with its log, its members and its pending presence.

use crate::auth::TokenHash;
use crate::chat::completion::WaitingRequest;
use crate::chat::moderation::speaking::RoomMode;
use crate::chat::people::PersonKey;
use crate::chat::room_log::{OpenLog, RoomLog};
use crate::chat::room_updates::RoomUpdates;
use crate::history::RoomHead;
use crate::ids::RoomId;
use crate::name::{LOBBY, RoomName};
use crate::protocol::{MAX_ROOMS_LISTED, Member, Renamed};
use indexmap::{IndexMap, IndexSet};
use slab::Slab;
use std::collections::HashMap;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

/// Presence changes that were not sent yet.
#[derive(Default)]
pub(super) struct PendingPresence {
    pub joined: Vec<Member>,
    pub left: Vec<Member>,
    pub renamed: Vec<Renamed>,
}

/// One room.
pub(super) struct Room {
    pub name: RoomName,
    pub log: RoomLog,
    pub pending_presence: PendingPresence,
    pub updates: RoomUpdates,
    /// Connections that receive the room's broadcasts.
    pub listeners: usize,
    /// Messages and settings on their way through the history; the room stays open for them.
    pub pending_appends: usize,
    /// The person who opened the room first, and may change its password besides the moderators.
    pub owner: Option<TokenHash>,
    /// The room is new and will belong to its first member.
    is_new: bool,
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
            updates: RoomUpdates::default(),
            listeners: 0,
            pending_appends: 0,
            owner: None,
            is_new: false,
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

    /// Makes a person who becomes a member the owner of a new room.
    pub(super) fn claim(&mut self, token_hash: TokenHash) {
        if std::mem::take(&mut self.is_new) {
            self.owner = Some(token_hash);
        }
    }

    /// Opens the log, and takes over the owner, and the spelling of the name that it was first opened with.
    fn open(&mut self, head: RoomHead) {
        self.name = head.name.clone();
        self.owner = head.owner.as_deref().copied();
        // Nobody owns a log of unknown origin, nor the lobby, where everyone lands.
        self.is_new = self.owner.is_none() && head.seq == 0 && self.name.as_str() != LOBBY;
        self.log = RoomLog::Open(OpenLog::new(head));
    }
}

/// All open rooms. Indexing is for those that must be open, and panics for others.
#[derive(Default)]
pub(super) struct Rooms {
    by_id: Slab<Room>,
    by_name: HashMap<Arc<str>, RoomId>,
    /// Rooms that are not open and have a log, each with its last seq, by their keys; the one that was closed last is the
    /// last. As many as a list of rooms may need.
    closed: IndexMap<Arc<str>, (RoomName, u64)>,
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

    /// Opens a room's log.
    pub(super) fn open(&mut self, id: RoomId, head: RoomHead) {
        self.closed.shift_remove(head.name.key());
        self[id].open(head);
    }

    /// Removes a room whose log could not be opened.
    pub(super) fn remove(&mut self, id: RoomId) -> Room {
        let room = self.by_id.remove(id.0 as usize);
        self.by_name.remove(room.name.key());
        room
    }

    /// Closes an open room.
    pub(super) fn close(&mut self, id: RoomId) {
        let room = self.remove(id);
        let seq = room.log.opened().seq();
        self.remember_closed(room.name, seq);
    }

    /// Keeps a room that is not open for the list, if it has a log.
    pub(super) fn remember_closed(&mut self, name: RoomName, seq: u64) {
        if seq == 0 {
            return;
        }
        if self.closed.len() >= MAX_ROOMS_LISTED {
            self.closed.shift_remove_index(0);
        }
        self.closed.insert(name.key().clone(), (name, seq));
    }

    /// The rooms that are not open and have a log, each with its last seq.
    pub(super) fn closed(&self) -> impl Iterator<Item = (&RoomName, u64)> {
        self.closed.values().map(|(name, seq)| (name, *seq))
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
