//! One open room: its people, and how far its log has been shown.
//!
//! Seqs only rise: an entry at or below the last one has been shown. While missed entries are fetched in pages, live
//! entries are buffered, so that everything appears in order.
//! Never knows which room is the current one, or how an output looks.

use crate::app::output::Output;
use crate::app::sanitize;
use papo::name::RoomName;
use papo::protocol::{Member, Renamed, ResumePoint, RoomState};
use papo::text::fold;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a person counts as typing after the last `typing`.
const TYPING_EXPIRY: Duration = Duration::from_secs(5);
/// Most entries buffered while a page is awaited: if it never comes, memory stays bounded.
const MAX_BUFFERED: usize = 5000;
/// Most people tracked as typing; the screen names no more than two.
const MAX_TYPING: usize = 8;

/// A person in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    pub name: String,
    pub tag: String,
    pub moderator: bool,
}

/// An open room.
#[derive(Debug)]
pub struct OpenRoom {
    pub name: RoomName,
    /// The epoch of the log that `last` belongs to; `None` until the room has been joined.
    epoch: Option<String>,
    last: u64,
    people: Vec<Participant>,
    pub online: usize,
    /// Entries that wait for earlier ones, by seq.
    buffered: BTreeMap<u64, Output>,
    catching_up: bool,
    /// The first entry shown; 0 while there is none.
    first_shown: u64,
    /// The first entry that the server still has.
    pub oldest: u64,
    /// A page of earlier entries has been requested.
    pub fetching_earlier: bool,
    /// The restrictions in force in it.
    pub state: RoomState,
    /// The people typing, and when that expires.
    typing: Vec<(String, Instant)>,
}

impl From<&Member> for Participant {
    fn from(member: &Member) -> Self {
        Self {
            name: sanitize::message(&member.name),
            tag: member.tag.to_string(),
            moderator: member.moderator,
        }
    }
}

impl OpenRoom {
    pub fn new(name: RoomName) -> Self {
        Self {
            name,
            epoch: None,
            last: 0,
            people: Vec::new(),
            online: 0,
            buffered: BTreeMap::new(),
            catching_up: false,
            first_shown: 0,
            oldest: 1,
            fetching_earlier: false,
            state: RoomState::default(),
            typing: Vec::new(),
        }
    }

    pub fn resume_point(&self) -> ResumePoint {
        ResumePoint {
            epoch: self.epoch.clone(),
            after: self.epoch.as_ref().map(|_| self.last),
        }
    }

    pub fn is_joined(&self) -> bool {
        self.epoch.is_some()
    }

    pub fn last(&self) -> u64 {
        self.last
    }

    /// Opens the room on this connection. Returns whether its log is the one known before.
    pub fn on_joined(
        &mut self,
        epoch: &str,
        online: usize,
        members: &[Member],
        reset: bool,
    ) -> bool {
        let same_log = self.epoch.as_deref() == Some(epoch) && !reset;
        if !same_log {
            self.last = 0;
            self.first_shown = 0;
            self.buffered.clear();
        }
        self.epoch = Some(epoch.to_owned());
        self.catching_up = false;
        self.fetching_earlier = false;
        self.typing.clear();
        self.people = members.iter().map(Participant::from).collect();
        self.online = online;
        self.sort_people();
        same_log
    }

    /// Counts the entries up to this one as shown.
    pub fn skip_to(&mut self, seq: u64) {
        self.last = self.last.max(seq);
    }

    pub fn start_catching_up(&mut self) {
        self.catching_up = true;
    }

    pub fn is_catching_up(&self) -> bool {
        self.catching_up
    }

    /// Takes a live or a fetched entry; returns what can be shown now.
    pub fn receive(&mut self, seq: u64, output: Output) -> Vec<Output> {
        if seq <= self.last {
            return Vec::new();
        }
        if self.catching_up && seq > self.last.saturating_add(1) {
            self.buffered.insert(seq, output);
            return if self.buffered.len() > MAX_BUFFERED {
                self.finish_catching_up()
            } else {
                Vec::new()
            };
        }
        self.last = seq;
        if self.first_shown == 0 {
            self.first_shown = seq;
        }
        let mut shown = vec![output];
        while let Some(output) = self.buffered.remove(&self.last.saturating_add(1)) {
            self.last = self.last.saturating_add(1);
            shown.push(output);
        }
        shown
    }

    /// Counts everything received so far as not shown.
    pub fn reset_first_shown(&mut self) {
        self.first_shown = self.last.saturating_add(1);
    }

    /// The seq before which to fetch earlier entries, if there are any.
    pub fn earlier_cursor(&self) -> Option<u64> {
        let first = if self.first_shown == 0 {
            self.last.saturating_add(1)
        } else {
            self.first_shown
        };
        (first > self.oldest.max(1)).then_some(first)
    }

    pub fn set_first_shown(&mut self, seq: u64) {
        self.first_shown = seq;
    }

    pub fn start_typing(&mut self, name: String, now: Instant) {
        self.stop_typing(&name);
        if self.typing.len() < MAX_TYPING {
            self.typing.push((name, now + TYPING_EXPIRY));
        }
    }

    pub fn stop_typing(&mut self, name: &str) {
        self.typing.retain(|(known, _)| known != name);
    }

    /// The people typing now.
    pub fn typing(&self, now: Instant) -> Vec<String> {
        self.typing
            .iter()
            .filter(|(_, until)| now < *until)
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// When the next person no longer counts as typing.
    pub fn next_typing_expiry(&self, now: Instant) -> Option<Instant> {
        self.typing
            .iter()
            .map(|(_, until)| *until)
            .filter(|&until| until > now)
            .min()
    }

    /// Stops waiting for pages; returns what was buffered.
    pub fn finish_catching_up(&mut self) -> Vec<Output> {
        self.catching_up = false;
        let buffered = std::mem::take(&mut self.buffered);
        let mut shown = Vec::new();
        for (seq, output) in buffered {
            shown.extend(self.receive(seq, output));
        }
        shown
    }

    /// Applies the people who joined, left or changed their name.
    pub fn apply_presence(
        &mut self,
        online: usize,
        joined: &[Member],
        left: &[Member],
        renamed: &[Renamed],
    ) {
        self.online = online;
        for change in renamed {
            let key = fold(&change.from);
            let is_renamed =
                |person: &Participant| fold(&person.name) == key || person.tag == *change.tag;
            let moderator = self
                .people
                .iter()
                .any(|person| is_renamed(person) && person.moderator);
            self.people.retain(|person| !is_renamed(person));
            self.people.push(Participant {
                name: sanitize::message(&change.to),
                tag: change.tag.to_string(),
                moderator,
            });
        }
        // After the renames: coalesced changes of a large room add up only in this order.
        self.people
            .retain(|person| !left.iter().any(|member| *member.tag == *person.tag));
        for member in joined {
            self.people.retain(|person| person.tag != *member.tag);
            self.people.push(Participant::from(member));
        }
        self.sort_people();
    }

    pub fn set_moderator(&mut self, tag: &str, moderator: bool) {
        for person in &mut self.people {
            if person.tag == tag {
                person.moderator = moderator;
            }
        }
    }

    /// The people that the server has named, in alphabetical order.
    pub fn people(&self) -> &[Participant] {
        &self.people
    }

    fn sort_people(&mut self) {
        self.people.sort_by_cached_key(|person| fold(&person.name));
    }
}

#[cfg(test)]
#[path = "room_tests.rs"]
mod tests;
