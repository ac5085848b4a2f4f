//! Amendments: messages that edit or erase earlier ones. The rules that both backends share.

use super::clock::is_plausible;
use super::{Append, Outcome};
use crate::auth::PersonId;
use crate::name::Name;
use crate::protocol::Entry;
use sha2::{Digest, Sha256};

/// The earlier entries of its room that a message changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amendment {
    /// This entry gets the message's text.
    Edit(u64),
    /// This entry becomes empty.
    Erase(u64),
    /// The latest entries by this name become empty. They are looked up when the message is stored, so that those sent
    /// in the meantime are included.
    EraseByAuthor {
        /// The name, in any spelling.
        name: Name,
        /// The time of the oldest one, in Unix milliseconds.
        since_ms: u64,
        /// How many at most.
        limit: usize,
    },
}

/// Most entries that are scanned for those of one name: a few dozen milliseconds of work.
pub(super) const SCAN_LIMIT: usize = 50_000;

/// An entry to be changed, as the rules need it.
pub(super) struct Target {
    /// The author.
    pub person: PersonId,
    /// Whether it is an amendment itself.
    pub is_amendment: bool,
    /// Whether it is empty already.
    pub erased: bool,
}

impl Target {
    /// Whether this message may change it.
    ///
    /// # Errors
    /// The outcome when it may not.
    pub(super) fn authorize(&self, append: &Append) -> Result<(), Outcome> {
        // Nobody may edit another person's message, not even a moderator.
        let any_author = append.any_author && !matches!(append.amends, Some(Amendment::Edit(_)));
        let permitted =
            !self.is_amendment && !self.erased && (any_author || self.person == append.person);
        if permitted {
            Ok(())
        } else {
            Err(Outcome::Forbidden)
        }
    }
}

/// Finds the targets of [`Amendment::EraseByAuthor`] among a room's entries, newest first.
///
/// An entry with an impossible time counts if it stands between two entries of the window.
pub(super) struct RecentWindow<T> {
    since_ms: u64,
    now_ms: u64,
    limit: usize,
    found: Vec<T>,
    /// Those with an impossible time since the last that was found.
    undated: Vec<T>,
}

impl<T> RecentWindow<T> {
    /// From a time on until now, both in Unix milliseconds.
    pub(super) fn new(since_ms: u64, now_ms: u64, limit: usize) -> Self {
        Self {
            since_ms,
            now_ms,
            limit,
            found: Vec::new(),
            undated: Vec::new(),
        }
    }

    /// Takes the time of the next older entry, and the entry if it is a target. Returns false when the search is over.
    pub(super) fn take(&mut self, at: u64, target: Option<T>) -> bool {
        let is_dated = is_plausible(at, self.now_ms);
        if is_dated && at < self.since_ms {
            return false;
        }
        if is_dated || (self.since_ms..=self.now_ms).contains(&at) {
            self.found.append(&mut self.undated);
            self.found.extend(target);
        } else {
            self.undated.extend(target);
        }
        self.found.len() < self.limit
    }

    /// The targets, oldest first.
    pub(super) fn finish(mut self) -> Vec<T> {
        self.found.truncate(self.limit);
        self.found.reverse();
        self.found
    }
}

/// Tells whether two messages with one id are the same message, also after the text was changed or erased.
pub(super) type Fingerprint = [u8; 16];

/// The fingerprint of a message. It leaves out the time of [`Amendment::EraseByAuthor`], which differs in a resend.
pub(super) fn fingerprint(append: &Append) -> Fingerprint {
    match &append.amends {
        None => digest(u8::from(append.action), append.reply_to, &append.text),
        Some(Amendment::Edit(seq)) => digest(2, Some(*seq), &append.text),
        Some(Amendment::Erase(seq)) => digest(3, Some(*seq), ""),
        Some(Amendment::EraseByAuthor { name, .. }) => digest(4, None, name.key()),
    }
}

/// The fingerprint of the message that became this entry, if no amendment has changed it.
pub(super) fn entry_fingerprint(entry: &Entry) -> Fingerprint {
    digest(u8::from(entry.action), entry.reply_to, &entry.text)
}

/// Stored in files: the form for ordinary messages must stay.
fn digest(kind: u8, number: Option<u64>, text: &str) -> Fingerprint {
    let mut hasher = Sha256::new();
    hasher.update([kind]);
    hasher.update(number.unwrap_or(0).to_be_bytes());
    hasher.update(text.as_bytes());
    let mut fingerprint = [0; 16];
    fingerprint.copy_from_slice(&hasher.finalize()[..16]);
    fingerprint
}

#[cfg(test)]
#[path = "amend_tests.rs"]
mod tests;
