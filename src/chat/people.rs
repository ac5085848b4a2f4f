//! The people who are there: one for each (token, name), whatever the number of their connections.

use crate::auth::{PersonId, TokenHash};
use crate::chat::limits::MAX_REMEMBERED_WHISPERS;
use crate::ids::{ClientAddr, ConnId, RoomId};
use crate::name::Name;
use crate::protocol::Member;
use crate::rate::TokenBucket;
use slab::Slab;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

/// A person's number while they are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonKey(u32);

/// One person.
pub struct Person {
    pub id: PersonId,
    pub token_hash: TokenHash,
    pub name: Name,
    pub tag: Arc<str>,
    /// Whether they keep the conversation in order.
    pub moderator: bool,
    /// Until when a host took the word from them.
    pub muted_until: Option<Instant>,
    /// Where they last entered from.
    pub address: ClientAddr,
    pub conns: Vec<ConnId>,
    pub memberships: Vec<Membership>,
    /// Until when the name is held although no connection is left.
    pub grace_until: Option<Instant>,
    /// `None` is without limit.
    pub message_bucket: Option<TokenBucket>,
    /// When their typing was last passed on.
    pub typing_sent_at: Option<Instant>,
    /// The last whispers, so that a resend is not delivered twice.
    pub recent_whispers: VecDeque<SentWhisper>,
}

/// A whisper that was delivered.
pub struct SentWhisper {
    pub id: String,
    /// When it was said, in Unix milliseconds.
    pub at: u64,
    /// Tells another text under the same id.
    pub fingerprint: u64,
}

/// A person's place in a room.
pub struct Membership {
    pub room_id: RoomId,
    /// How many of the person's connections are in the room.
    pub conns: usize,
    /// Until when the place is held although none is.
    pub grace_until: Option<Instant>,
}

impl Person {
    /// Somebody who just came, with no connection and no place yet.
    pub fn new(token_hash: TokenHash, name: Name, message_bucket: Option<TokenBucket>) -> Self {
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
            message_bucket,
            typing_sent_at: None,
            recent_whispers: VecDeque::new(),
        }
    }

    /// The person as others see them.
    pub fn member(&self) -> Member {
        Member {
            name: self.name.display(),
            tag: self.tag.clone(),
            moderator: self.moderator,
        }
    }

    pub fn membership(&mut self, room_id: RoomId) -> Option<&mut Membership> {
        self.memberships
            .iter_mut()
            .find(|membership| membership.room_id == room_id)
    }

    /// The whisper with this id, if it is remembered.
    pub fn find_whisper(&self, id: &str) -> Option<&SentWhisper> {
        self.recent_whispers.iter().find(|known| known.id == id)
    }

    pub fn remember_whisper(&mut self, whisper: SentWhisper) {
        if self.recent_whispers.len() >= MAX_REMEMBERED_WHISPERS {
            self.recent_whispers.pop_front();
        }
        self.recent_whispers.push_back(whisper);
    }
}

/// Everybody, findable by number, by name and by what a name looks like.
#[derive(Default)]
pub struct People {
    by_key: Slab<Person>,
    by_name: HashMap<Arc<str>, PersonKey>,
    /// Of several people whose names look the same, which only those of one token can have, the first.
    by_skeleton: HashMap<Arc<str>, PersonKey>,
}

impl People {
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    pub fn connected(&self) -> usize {
        self.by_key
            .iter()
            .filter(|(_, person)| !person.conns.is_empty())
            .count()
    }

    pub fn get(&self, who: PersonKey) -> Option<&Person> {
        self.by_key.get(who.0 as usize)
    }

    pub fn get_mut(&mut self, who: PersonKey) -> Option<&mut Person> {
        self.by_key.get_mut(who.0 as usize)
    }

    /// Everybody who holds this secret, under whatever name.
    pub fn with_token_hash(&self, token_hash: &TokenHash) -> Vec<PersonKey> {
        let holders = self
            .by_key
            .iter()
            .filter(|(_, person)| person.token_hash == *token_hash);
        holders
            .map(|(number, _)| PersonKey(number as u32))
            .collect()
    }

    pub fn named(&self, name: &Name) -> Option<PersonKey> {
        self.by_name.get(name.key()).copied()
    }

    /// Somebody else's name that can't be told from this one.
    pub fn confusable_with(&self, name: &Name, token_hash: &TokenHash) -> Option<&Name> {
        let person = self
            .by_skeleton
            .get(name.skeleton())
            .and_then(|&who| self.get(who));
        person
            .filter(|person| person.token_hash != *token_hash)
            .map(|person| &person.name)
    }

    pub fn add(&mut self, person: Person) -> PersonKey {
        let name = person.name.clone();
        let who = PersonKey(self.by_key.insert(person) as u32);
        self.index(&name, who);
        who
    }

    fn index(&mut self, name: &Name, who: PersonKey) {
        self.by_name.insert(name.key().clone(), who);
        self.by_skeleton
            .entry(name.skeleton().clone())
            .or_insert(who);
    }

    fn unindex(&mut self, name: &Name, who: PersonKey) {
        self.by_name.remove(name.key());
        if self.by_skeleton.get(name.skeleton()) == Some(&who) {
            self.by_skeleton.remove(name.skeleton());
        }
    }

    pub fn remove(&mut self, who: PersonKey) -> Option<Person> {
        let person = self.by_key.try_remove(who.0 as usize)?;
        self.unindex(&person.name, who);
        Some(person)
    }

    /// Gives a person another name; the caller made sure that nobody else has it.
    pub fn rename(&mut self, who: PersonKey, name: Name) {
        let Some(before) = self.get(who).map(|person| person.name.clone()) else {
            return;
        };
        self.unindex(&before, who);
        self.index(&name, who);
        let Some(person) = self.get_mut(who) else {
            return;
        };
        person.id = person.token_hash.person_id(&name);
        person.tag = person.token_hash.tag(&name);
        person.name = name;
    }
}
