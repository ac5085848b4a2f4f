//! One open room: who is in it, and how far its log has been shown.
//!
//! Numbers only rise, and the last one seen is enough to catch up: an entry at or below it has been shown. While a long
//! absence is being fetched in pages, what is said meanwhile waits, so everything appears in its order.
//!
//! Knows one room; never knows which one is being written in, or how a line looks.

use crate::app::output::Output;
use crate::app::sanitize;
use papo::name::RoomName;
use papo::protocol::{Member, Renamed, ResumePoint};
use papo::text::fold;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long somebody counts as writing after the last sign of it.
const TYPING_EXPIRY: Duration = Duration::from_secs(5);
/// Most entries that wait for earlier ones: a page that never comes must not fill the memory.
const MAX_BUFFERED: usize = 5000;
/// Most people who are told of as writing; of a crowd nobody wants the list.
const MAX_TYPING: usize = 8;

/// Somebody who is in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    pub name: String,
    pub tag: String,
    /// Keeps the conversation in order.
    pub moderator: bool,
}

/// An open room.
#[derive(Debug)]
pub struct OpenRoom {
    pub name: RoomName,
    /// Which log `last` counts in; `None` until the room has been joined.
    epoch: Option<String>,
    last: u64,
    people: Vec<Participant>,
    pub online: usize,
    /// What must wait for earlier entries that are still being fetched.
    buffered: BTreeMap<u64, Output>,
    catching_up: bool,
    /// The first entry that was shown; 0 while there is none.
    first_shown: u64,
    /// The first entry that the server still has.
    pub oldest: u64,
    /// Entries before the first are on their way.
    pub fetching_earlier: bool,
    /// Who is writing, and until when to believe it.
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
            typing: Vec::new(),
        }
    }

    /// What to say when joining again.
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

    /// The room is open on this connection. Returns whether this is the log that was known before.
    pub fn on_joined(
        &mut self,
        epoch: &str,
        online: usize,
        members: &[Member],
        reset: bool,
    ) -> bool {
        let same_log = self.epoch.as_deref() == Some(epoch) && !reset;
        if !same_log {
            (self.last, self.first_shown, self.buffered) = (0, 0, BTreeMap::new());
        }
        self.epoch = Some(epoch.to_owned());
        (self.catching_up, self.fetching_earlier) = (false, false);
        self.typing.clear();
        self.people = members.iter().map(Participant::from).collect();
        self.online = online;
        self.sort_people();
        same_log
    }

    /// The log begins here for us: what is at or below was never missed.
    pub fn skip_to(&mut self, seq: u64) {
        self.last = self.last.max(seq);
    }

    /// Earlier entries are being fetched.
    pub fn start_catching_up(&mut self) {
        self.catching_up = true;
    }

    /// Whether earlier entries are being fetched.
    pub fn is_catching_up(&self) -> bool {
        self.catching_up
    }

    /// An entry arrived by any way; returns what can be shown now.
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

    /// What has come up to now was not shown to anybody.
    pub fn reset_first_shown(&mut self) {
        self.first_shown = self.last.saturating_add(1);
    }

    /// Where the entries before those that were shown end, if there are any.
    pub fn earlier_cursor(&self) -> Option<u64> {
        let first = if self.first_shown == 0 {
            self.last.saturating_add(1)
        } else {
            self.first_shown
        };
        (first > self.oldest.max(1)).then_some(first)
    }

    /// Earlier entries were shown, down to this one.
    pub fn set_first_shown(&mut self, seq: u64) {
        self.first_shown = seq;
    }

    /// Somebody is writing.
    pub fn start_typing(&mut self, name: String, now: Instant) {
        self.stop_typing(&name);
        if self.typing.len() < MAX_TYPING {
            self.typing.push((name, now + TYPING_EXPIRY));
        }
    }

    /// Somebody has written.
    pub fn stop_typing(&mut self, name: &str) {
        self.typing.retain(|(known, _)| known != name);
    }

    /// Who is writing now.
    pub fn typing(&self, now: Instant) -> Vec<String> {
        self.typing
            .iter()
            .filter(|(_, until)| now < *until)
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// When the first of those who are writing stops to count as such.
    pub fn next_typing_expiry(&self, now: Instant) -> Option<Instant> {
        self.typing
            .iter()
            .map(|(_, until)| *until)
            .filter(|&until| until > now)
            .min()
    }

    /// Nothing earlier will come; returns what was waiting.
    pub fn finish_catching_up(&mut self) -> Vec<Output> {
        self.catching_up = false;
        let buffered = std::mem::take(&mut self.buffered);
        let mut shown = Vec::new();
        for (seq, output) in buffered {
            shown.extend(self.receive(seq, output));
        }
        shown
    }

    /// People came, left or took another name.
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
        // After the renames: gathered changes of a large room add up to who is there only in this order.
        self.people
            .retain(|person| !left.iter().any(|gone| *gone.tag == *person.tag));
        for new in joined {
            self.people.retain(|person| person.tag != *new.tag);
            self.people.push(Participant::from(new));
        }
        self.sort_people();
    }

    /// Somebody keeps the conversation in order from now on, or no longer.
    pub fn set_moderator(&mut self, tag: &str, moderator: bool) {
        self.people
            .iter_mut()
            .filter(|person| person.tag == tag)
            .for_each(|person| person.moderator = moderator);
    }

    /// Everybody whose name is known, in alphabetical order.
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
