//! Identity and secrets: one-way hashes of tokens and passwords, and random values.
//!
//! A person is the pair (token, name). The [`PersonId`] in the history and the public tag are hashes of that pair, so
//! neither lets a reader enter as that person.
//! Knows hashes and randomness; never knows connections or rooms.

use crate::name::Name;
use crate::protocol::Token;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Random bytes of a token that the server makes: 160 bits.
const TOKEN_BYTES: usize = 20;
/// Characters of a tag. 40 bits: enough to tell people apart on a screen, and useless for guessing a random token.
const TAG_LENGTH: usize = 8;

/// The hash of a password or a key. Compared in constant time, so that the response time reveals nothing about it.
#[derive(Clone, Copy)]
pub struct PasswordHash([u8; 32]);

impl PasswordHash {
    /// Hashes a password or a key.
    pub fn of(plain: &str) -> Self {
        Self(digest(b"papo key", &[plain.as_bytes()]))
    }

    /// Whether this is the hash of `plain`.
    pub fn matches(&self, plain: &str) -> bool {
        *self == Self::of(plain)
    }
}

impl PartialEq for PasswordHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for PasswordHash {}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// The salted slow hash of a room's password, in PHC form: what is stored of it. Neither printed nor logged.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword(Arc<str>);

impl StoredPassword {
    /// Takes over a hash in PHC form, without checking it.
    pub fn new(phc: &str) -> Self {
        Self(phc.into())
    }

    /// The PHC form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoredPassword(…)")
    }
}

/// The hash of a token: tells whether two connections hold the same token, without keeping it.
///
/// Compared byte by byte: the hash of a long random token leaves nothing to guess.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TokenHash([u8; 32]);

/// A person in the history: the same for the same token and name, also after a restart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct PersonId(pub [u8; 16]);

impl TokenHash {
    /// Hashes a token.
    pub fn of(token: &Token) -> Self {
        Self(digest(b"papo secret", &[token.expose_secret().as_bytes()]))
    }

    /// Takes over a hash that was stored.
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash, to be stored.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The person with this token and this name.
    pub(crate) fn person_id(&self, name: &Name) -> PersonId {
        let digest = digest(b"papo person", &[&self.0, name.key().as_bytes()]);
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        PersonId(id)
    }

    /// The public tag of this token and this name, in letters and digits that don't look alike.
    pub fn tag(&self, name: &Name) -> Arc<str> {
        const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
        let digest = digest(b"papo tag", &[&self.0, name.key().as_bytes()]);
        let tag: String = digest
            .iter()
            .take(TAG_LENGTH)
            .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
            .collect();
        tag.into()
    }
}

/// SHA-256 over a purpose and its parts, each preceded by its length so that different parts never hash alike.
fn digest(purpose: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in std::iter::once(&purpose).chain(parts) {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// A new token.
///
/// # Errors
/// When the operating system provides no random bytes.
pub(crate) fn random_token() -> Result<Token, getrandom::Error> {
    let hex = random_hex::<TOKEN_BYTES>()?;
    Ok(Token::new(&hex).expect("40 hexadecimal digits have the form of a token"))
}

/// A new epoch for a history: 64 random bits.
///
/// # Errors
/// When the operating system provides no random bytes.
pub(crate) fn random_epoch() -> Result<Arc<str>, getrandom::Error> {
    random_hex::<8>().map(Into::into)
}

/// A new key, for moderators or for the local page: 160 random bits in hexadecimal.
///
/// # Errors
/// When the operating system provides no random bytes.
pub fn random_key() -> Result<String, getrandom::Error> {
    random_hex::<TOKEN_BYTES>()
}

/// Random bytes from the operating system, in hexadecimal.
///
/// # Errors
/// When the operating system provides no random bytes.
pub fn random_hex<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_hash(token: &str) -> TokenHash {
        TokenHash::of(&Token::new(token).unwrap())
    }

    #[test]
    fn person_and_tag_ignore_the_spelling_of_the_name() {
        let jose = Name::new("José").unwrap();
        let plain = Name::new("JOSE").unwrap();
        let ana = token_hash("0123456789abcdef");
        assert_eq!(ana.person_id(&jose), ana.person_id(&plain));
        assert_eq!(ana.tag(&jose), ana.tag(&plain));
    }

    #[test]
    fn other_token_or_other_name_is_another_person() {
        let ana = Name::new("Ana").unwrap();
        let bruno = Name::new("Bruno").unwrap();
        let one = token_hash("0123456789abcdef");
        let two = token_hash("0123456789abcdeg");
        assert_ne!(one.person_id(&ana), two.person_id(&ana));
        assert_ne!(one.person_id(&ana), one.person_id(&bruno));
        assert_ne!(one.tag(&ana), one.tag(&bruno));
        assert_eq!(one.tag(&ana).chars().count(), TAG_LENGTH);
    }

    #[test]
    fn password_hash_matches_only_itself_and_hides_in_debug() {
        let key = PasswordHash::of("segredo");
        assert!(key.matches("segredo") && !key.matches("Segredo") && !key.matches(""));
        assert_eq!(format!("{key:?}"), "PasswordHash(…)");
    }

    #[test]
    fn random_tokens_are_long_and_distinct() {
        let one = random_token().unwrap();
        let two = random_token().unwrap();
        assert_eq!(one.expose_secret().len(), 2 * TOKEN_BYTES);
        assert_ne!(one, two);
        assert_eq!(format!("{one:?}"), "Token(…)");
    }
}
