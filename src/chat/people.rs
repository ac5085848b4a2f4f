//! The people present: one for each pair (token, name), with any number of connections.

use crate::auth::{PersonId, TokenHash};
use crate::chat::limits::MAX_REMEMBERED_WHISPERS;
use crate::chat::message_budget::MessageBudget;
use crate::ids::{ClientAddr, ConnId, RoomId};
use crate::name::Name;
use crate::protocol::Member;
use slab::Slab;
use std::collections::{HashMap, VecDeque};
use std::ops::{Index, IndexMut};
use std::sync::Arc;
use std::time::Instant;

/// A person's number while they are present; used again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct PersonKey(u32);

/// One person.
pub(super) struct Person {
    pub id: PersonId,
    pub token_hash: TokenHash,
    pub name: Name,
    pub tag: Arc<str>,
    pub moderator: bool,
    /// Set by a moderator; may have passed.
    pub muted_until: Option<Instant>,
    /// Where the person last entered from.
    pub address: ClientAddr,
    pub conns: Vec<ConnId>,
    pub memberships: Vec<Membership>,
    /// When the name is freed, if no connection is left.
    pub grace_until: Option<Instant>,
    /// `None` is without limit.
    pub message_budget: Option<MessageBudget>,
    /// When their typing was last broadcast.
    pub typing_sent_at: Option<Instant>,
    /// The last whispers, so that a resend is not delivered twice.
    pub recent_whispers: VecDeque<SentWhisper>,
}

/// A whisper that was delivered.
pub(super) struct SentWhisper {
    pub id: String,
    /// When it was delivered, in Unix milliseconds.
    pub at: u64,
    /// Tells apart two whispers with the same id.
    pub fingerprint: u64,
}

/// A person's membership in a room.
pub(super) struct Membership {
    pub room_id: RoomId,
    /// How many of the person's connections are in the room.
    pub conns: usize,
    /// When the membership ends, if none of them is left.
    pub grace_until: Option<Instant>,
}

impl Person {
    /// A person without a connection and without memberships yet.
    pub(super) fn new(
        token_hash: TokenHash,
        name: Name,
        message_budget: Option<MessageBudget>,
    ) -> Self {
        Self {
            id: token_hash.person_id(&name),
            tag: token_hash.tag(&name),
            token_hash,
            name,
            moderator: false,
            muted_until: None,
            address: ClientAddr::LOCAL,
            conns: Vec::new(),
            memberships: Vec::new(),
            grace_until: None,
            message_budget,
            typing_sent_at: None,
            recent_whispers: VecDeque::new(),
        }
    }

    /// The person as others see them.
    pub(super) fn member(&self) -> Member {
        Member {
            name: self.name.display(),
            tag: self.tag.clone(),
            moderator: self.moderator,
        }
    }

    pub(super) fn is_member(&self, room_id: RoomId) -> bool {
        self.memberships
            .iter()
            .any(|membership| membership.room_id == room_id)
    }

    /// The rooms that the person is a member of.
    pub(super) fn room_ids(&self) -> Vec<RoomId> {
        let rooms = self.memberships.iter();
        rooms.map(|membership| membership.room_id).collect()
    }

    pub(super) fn membership(&mut self, room_id: RoomId) -> Option<&mut Membership> {
        self.memberships
            .iter_mut()
            .find(|membership| membership.room_id == room_id)
    }

    /// The whisper with this id, if it is remembered.
    pub(super) fn find_whisper(&self, id: &str) -> Option<&SentWhisper> {
        self.recent_whispers.iter().find(|known| known.id == id)
    }

    pub(super) fn remember_whisper(&mut self, whisper: SentWhisper) {
        if self.recent_whispers.len() >= MAX_REMEMBERED_WHISPERS {
            self.recent_whispers.pop_front();
        }
        self.recent_whispers.push_back(whisper);
    }
}

/// All people, found by key, by name and by the name's skeleton. Indexing is for those that must be present, and panics
/// for others.
#[derive(Default)]
pub(super) struct People {
    by_key: Slab<Person>,
    by_name: HashMap<Arc<str>, PersonKey>,
    /// The first of several people whose names look the same; only those of one token can have such names.
    by_skeleton: HashMap<Arc<str>, PersonKey>,
}

impl People {
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(super) fn connected(&self) -> usize {
        self.by_key
            .iter()
            .filter(|(_, person)| !person.conns.is_empty())
            .count()
    }

    /// The person of this key, if still present; the key may be outdated.
    pub(super) fn get(&self, person: PersonKey) -> Option<&Person> {
        self.by_key.get(person.0 as usize)
    }

    /// The people who have this token, under any name.
    pub(super) fn with_token_hash(&self, token_hash: &TokenHash) -> Vec<PersonKey> {
        let people = self
            .by_key
            .iter()
            .filter(|(_, person)| person.token_hash == *token_hash);
        people.map(|(number, _)| PersonKey(number as u32)).collect()
    }

    pub(super) fn named(&self, name: &Name) -> Option<PersonKey> {
        self.by_name.get(name.key()).copied()
    }

    /// The name of another person that looks like this one.
    pub(super) fn confusable_with(&self, name: &Name, token_hash: &TokenHash) -> Option<&Name> {
        let person = &self[*self.by_skeleton.get(name.skeleton())?];
        (person.token_hash != *token_hash).then_some(&person.name)
    }

    pub(super) fn add(&mut self, person: Person) -> PersonKey {
        let name = person.name.clone();
        let key = PersonKey(self.by_key.insert(person) as u32);
        self.add_to_indices(&name, key);
        key
    }

    fn add_to_indices(&mut self, name: &Name, key: PersonKey) {
        self.by_name.insert(name.key().clone(), key);
        self.by_skeleton
            .entry(name.skeleton().clone())
            .or_insert(key);
    }

    fn remove_from_indices(&mut self, name: &Name, key: PersonKey) {
        self.by_name.remove(name.key());
        if self.by_skeleton.get(name.skeleton()) == Some(&key) {
            self.by_skeleton.remove(name.skeleton());
        }
    }

    pub(super) fn remove(&mut self, key: PersonKey) -> Person {
        let person = self.by_key.remove(key.0 as usize);
        self.remove_from_indices(&person.name, key);
        person
    }

    /// Gives a person another name; the caller made sure that it is free.
    pub(super) fn rename(&mut self, key: PersonKey, name: Name) {
        let old_name = self[key].name.clone();
        self.remove_from_indices(&old_name, key);
        self.add_to_indices(&name, key);
        let person = &mut self[key];
        person.id = person.token_hash.person_id(&name);
        person.tag = person.token_hash.tag(&name);
        person.name = name;
    }
}

impl Index<PersonKey> for People {
    type Output = Person;

    fn index(&self, key: PersonKey) -> &Person {
        &self.by_key[key.0 as usize]
    }
}

impl IndexMut<PersonKey> for People {
    fn index_mut(&mut self, key: PersonKey) -> &mut Person {
        &mut self.by_key[key.0 as usize]
    }
}
