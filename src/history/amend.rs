//! Messages that change earlier ones: what both homes of the log have to agree on.

use super::{Append, Outcome};
use crate::auth::PersonId;
use crate::name::Name;
use crate::protocol::Entry;
use sha2::{Digest, Sha256};

/// Which earlier entries of its room a message changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amendment {
    /// This one gets the message's text.
    Edit(u64),
    /// This one becomes empty.
    Erase(u64),
    /// Whatever somebody of this name said becomes empty. The history looks for it when it stores the message, so that
    /// nothing said meanwhile escapes.
    EraseByAuthor {
        /// The name, in any spelling.
        name: Name,
        /// Nothing older than this, in Unix milliseconds.
        since_ms: u64,
        /// Only so many, the latest.
        limit: usize,
    },
}

/// Most entries that are looked through for those of one person: a few dozen milliseconds of work.
pub const SCAN_LIMIT: usize = 50_000;

/// What a home knows of an entry that is to be changed.
pub struct Target {
    /// Who said it.
    pub person: PersonId,
    /// Whether it changes others itself.
    pub is_amendment: bool,
    /// Whether it is empty already.
    pub erased: bool,
}

impl Target {
    /// Whether this message may change it.
    ///
    /// # Errors
    /// The outcome when it may not.
    pub fn authorize(&self, append: &Append) -> Result<(), Outcome> {
        // Words in somebody's mouth are for nobody, not even for who may erase everything.
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

/// Tells whether two messages under one id are the same message, also after the text itself was changed or is gone.
pub type Fingerprint = [u8; 16];

/// What this message says. When the entries of a person are to be erased, the time is left out: it is another one when
/// the same is sent again.
pub fn fingerprint(append: &Append) -> Fingerprint {
    match &append.amends {
        None => digest(u8::from(append.action), append.reply_to, &append.text),
        Some(Amendment::Edit(seq)) => digest(2, Some(*seq), &append.text),
        Some(Amendment::Erase(seq)) => digest(3, Some(*seq), ""),
        Some(Amendment::EraseByAuthor { name, .. }) => digest(4, None, name.key()),
    }
}

/// What an entry said that nothing has changed yet.
pub fn entry_fingerprint(entry: &Entry) -> Fingerprint {
    digest(u8::from(entry.action), entry.reply_to, &entry.text)
}

/// The files hold these: the form for ordinary messages must stay.
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
