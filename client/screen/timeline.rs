//! One room as the screen remembers it: what was shown, where reading stopped, and how far back the person has gone.
//!
//! Knows the order of entries; never knows rows, columns or colours.

use crate::line::{MessageChange, Output};
use std::collections::VecDeque;

/// Most entries kept in a room; what is older can be asked for again.
pub const MAX_ENTRIES: usize = 5000;
/// Stands above the first of them.
const FULL: &str =
    "Aqui cabem 5.000 mensagens. As mais antigas continuam no servidor: procure com /buscar.";
/// Most comings and goings told in one entry.
const MAX_MOVES: usize = 100;

/// One thing that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Rises down the room; earlier pages go below zero.
    pub id: i64,
    /// Unix milliseconds.
    pub at: u64,
    pub what: What,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A message, a whisper or words of the client.
    Said(Output),
    /// Who came (`+João`), left (`−Bruno`) or took another name.
    Moves(Vec<(char, String)>),
}

/// A row on the way through a room: the entry and the number of the row in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    pub id: i64,
    pub row: usize,
}

/// One room.
#[derive(Debug, Default)]
pub struct Timeline {
    entries: VecDeque<Entry>,
    first_id: i64,
    /// Messages that came while nobody was looking at this room.
    pub unread: usize,
    /// Some of them speak to the person.
    pub mentioned: bool,
    /// The first entry that is new since reading stopped.
    pub news: Option<i64>,
    /// The uppermost row shown; `None` follows the end.
    pub top: Option<Spot>,
    /// Messages that came below what is shown.
    pub below: usize,
    /// That there is no room for earlier entries has been said.
    full: bool,
    /// The next entry was said while there was no connection.
    missed: bool,
}

impl Timeline {
    pub fn first_id(&self) -> i64 {
        self.first_id
    }

    pub fn end_id(&self) -> i64 {
        self.first_id + self.entries.len() as i64
    }

    pub fn get(&self, id: i64) -> Option<&Entry> {
        usize::try_from(id - self.first_id)
            .ok()
            .and_then(|index| self.entries.get(index))
    }

    /// What comes is read as it comes only if `watched`.
    pub fn push(&mut self, output: Output, now: u64, watched: bool) {
        let (at, own, mention) = match &output {
            Output::Message {
                at, own, mention, ..
            } => (*at, *own, *mention),
            Output::Whisper { at, own, .. } => (*at, *own, true),
            Output::Presence {
                joined,
                left,
                renamed,
                ..
            } => return self.moved(joined, left, renamed, now),
            // The client's own words have no time: they belong to what stands above them.
            _ => {
                return self.add(
                    What::Said(output),
                    self.entries.back().map_or(0, |entry| entry.at),
                );
            }
        };
        let seen = own || (watched && self.top.is_none());
        if self.news.is_none() && ((!seen) || (self.missed && !own)) {
            self.news = Some(self.end_id());
        }
        self.missed &= own;
        if !seen {
            self.below += usize::from(self.top.is_some());
            self.unread += usize::from(!watched);
            self.mentioned |= mention && !watched;
        }
        self.add(What::Said(output), at);
    }

    /// What was said before is not as it was.
    pub fn amend(&mut self, change: &MessageChange) {
        for entry in &mut self.entries {
            match &mut entry.what {
                What::Said(Output::Found { messages, .. }) => messages
                    .iter_mut()
                    .for_each(|message| change.apply(message)),
                What::Said(output) => change.apply(output),
                What::Moves(_) => {}
            }
        }
    }

    /// What comes next was missed while there was no connection.
    pub fn missed(&mut self) {
        self.missed = true;
    }

    /// Puts an earlier page before everything, as much of it as there is room for.
    pub fn earlier(&mut self, messages: Vec<Output>, reached_start: bool) {
        let free = MAX_ENTRIES.saturating_sub(self.entries.len());
        let too_many = messages.len() > free;
        for message in messages.into_iter().rev().take(free) {
            let at = if let Output::Message { at, .. } = &message {
                *at
            } else {
                0
            };
            self.add_before(What::Said(message), at);
        }
        let at = self.entries.front().map_or(0, |entry| entry.at);
        if too_many && !std::mem::replace(&mut self.full, true) {
            self.add_before(What::Said(Output::info(FULL)), at);
        } else if reached_start && free > 0 {
            self.add_before(What::Said(Output::info("Início da conversa")), at);
        }
    }

    /// Takes everything from the screen.
    pub fn clear(&mut self) {
        self.first_id = self.end_id();
        self.entries.clear();
        self.full = false;
        (self.news, self.top, self.below) = (None, None, 0);
    }

    /// Back to the end.
    pub fn follow(&mut self) {
        (self.top, self.below) = (None, 0);
    }

    /// Everything has been read.
    pub fn read(&mut self) {
        (self.unread, self.mentioned) = (0, false);
    }

    fn add(&mut self, what: What, at: u64) {
        self.entries.push_back(Entry {
            id: self.end_id(),
            at,
            what,
        });
        if self.entries.len() > MAX_ENTRIES {
            self.entries.pop_front();
            self.first_id += 1;
        }
    }

    fn add_before(&mut self, what: What, at: u64) {
        self.first_id -= 1;
        self.entries.push_front(Entry {
            id: self.first_id,
            at,
            what,
        });
    }

    /// Comings and goings stand together as long as nothing else happens; whoever comes and goes at once was not there.
    fn moved(
        &mut self,
        joined: &[String],
        left: &[String],
        renamed: &[(String, String)],
        now: u64,
    ) {
        let mut moves = match self.entries.back_mut() {
            Some(Entry {
                what: What::Moves(moves),
                ..
            }) if moves.len() < MAX_MOVES => std::mem::take(moves),
            _ => {
                self.add(What::Moves(Vec::new()), now);
                Vec::new()
            }
        };
        let signs = joined
            .iter()
            .map(|name| ('+', name))
            .chain(left.iter().map(|name| ('−', name)));
        for (sign, name) in signs {
            let other = if sign == '+' { '−' } else { '+' };
            match moves
                .iter()
                .position(|(known, moved)| *known == other && moved == name)
            {
                Some(index) => drop(moves.remove(index)),
                None => moves.push((sign, name.clone())),
            }
        }
        moves.extend(
            renamed
                .iter()
                .map(|(from, to)| ('→', format!("{from} agora é {to}"))),
        );
        if moves.is_empty() {
            self.entries.pop_back();
        } else if let Some(entry) = self.entries.back_mut() {
            entry.what = What::Moves(moves);
        }
    }
}
