//! One room: its log, who is in it, and what is yet to be told of comings and goings.

use crate::auth::TokenHash;
use crate::chat::moderation::speaking::RoomMode;
use crate::chat::people::PersonKey;
use crate::chat::room_log::RoomLog;
use crate::history::RoomHead;
use crate::ids::{ConnId, RoomId};
use crate::name::RoomName;
use crate::protocol::{Member, Renamed, ResumePoint};
use slab::Slab;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// Comings and goings that were not told yet.
#[derive(Default)]
pub struct PendingPresence {
    pub joined: Vec<Member>,
    pub left: Vec<Member>,
    pub renamed: Vec<Renamed>,
    /// When something was last told.
    pub published_at: Option<Instant>,
    /// How many people were told of last.
    pub published_online: usize,
    /// Whether the hub has an appointment to tell.
    pub scheduled: bool,
}

/// One room.
pub struct Room {
    pub name: RoomName,
    pub log: RoomLog,
    pub pending_presence: PendingPresence,
    /// Messages on their way through the history; the room stays open for them.
    pub pending_appends: usize,
    /// Who opened the room.
    pub owner: Option<TokenHash>,
    /// What keeps people from speaking; in most rooms nothing.
    pub mode: Option<Box<RoomMode>>,
    members: Vec<PersonKey>,
    positions: HashMap<PersonKey, usize>,
}

impl Room {
    fn new(name: RoomName, owner: Option<TokenHash>) -> Self {
        let log = RoomLog::Opening(Vec::new());
        Self {
            name,
            log,
            pending_presence: PendingPresence::default(),
            pending_appends: 0,
            owner,
            mode: None,
            members: Vec::new(),
            positions: HashMap::new(),
        }
    }

    /// The room's name as it is shown.
    pub fn display(&self) -> Arc<str> {
        self.name.display()
    }

    pub fn online(&self) -> usize {
        self.members.len()
    }

    pub fn members(&self) -> &[PersonKey] {
        &self.members
    }

    pub fn add_member(&mut self, who: PersonKey) {
        self.positions.insert(who, self.members.len());
        self.members.push(who);
    }

    pub fn remove_member(&mut self, who: PersonKey) {
        let Some(position) = self.positions.remove(&who) else {
            return;
        };
        self.members.swap_remove(position);
        if let Some(&moved) = self.members.get(position) {
            self.positions.insert(moved, position);
        }
    }

    /// The history told where the log stands; gives back who waited for it.
    pub fn open(&mut self, head: RoomHead) -> Vec<(ConnId, ResumePoint)> {
        if matches!(self.log, RoomLog::Open { .. }) {
            return Vec::new();
        }
        self.name = head.name.clone();
        self.log.open(head)
    }
}

/// All open rooms, findable by number and by name.
#[derive(Default)]
pub struct Rooms {
    by_id: Slab<Room>,
    by_name: HashMap<Arc<str>, RoomId>,
}

impl Rooms {
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    pub fn get(&self, id: RoomId) -> Option<&Room> {
        self.by_id.get(id.0 as usize)
    }

    pub fn get_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        self.by_id.get_mut(id.0 as usize)
    }

    pub fn named(&self, name: &RoomName) -> Option<RoomId> {
        self.by_name.get(name.key()).copied()
    }

    /// Makes a place for a room whose log is still to be opened.
    pub fn add(&mut self, name: RoomName, owner: Option<TokenHash>) -> RoomId {
        let key = name.key().clone();
        let id = RoomId(self.by_id.insert(Room::new(name, owner)) as u32);
        self.by_name.insert(key, id);
        id
    }

    pub fn remove(&mut self, id: RoomId) {
        if let Some(room) = self.by_id.try_remove(id.0 as usize) {
            self.by_name.remove(room.name.key());
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Room> {
        self.by_id.iter().map(|(_, room)| room)
    }
}
