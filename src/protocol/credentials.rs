//! Passwords and keys that a client sends. None of them is ever printed.

use serde::Serialize;
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// A password or a key, as it was typed. Its `Debug` form never shows it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Password(Box<str>);

impl Password {
    /// Longest password, in characters.
    pub const MAX: usize = 128;

    /// Checks the form of a password: 1 to [`Password::MAX`] characters, none of them a control character. The same
    /// letters are the same password, however a keyboard composes its accents.
    pub fn new(raw: &str) -> Option<Self> {
        let text: String = raw.nfc().take(Self::MAX + 1).collect();
        let well_formed =
            (1..=Self::MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        well_formed.then(|| Self(text.into()))
    }

    /// The password itself, to be sent or hashed, never printed.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What an `enter` carries besides the token.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Credentials {
    /// The server's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// The key that makes the first person who shows it a moderator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderator_key: Option<Password>,
    /// The password of the room to join.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_password: Option<Password>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_is_normalized_and_absent_from_debug() {
        let composed = Password::new("maçã").unwrap();
        let decomposed = Password::new("mac\u{327}a\u{303}").unwrap();
        assert_eq!(composed, decomposed);
        let credentials = Credentials {
            password: Some(composed),
            ..Credentials::default()
        };
        assert!(!format!("{credentials:?}").contains("maçã"));
    }

    #[test]
    fn empty_overlong_or_control_password_is_refused() {
        for bad in ["", "a\nb", "\0", &"x".repeat(Password::MAX + 1)] {
            assert_eq!(Password::new(bad), None);
        }
        assert!(Password::new(&"x".repeat(Password::MAX)).is_some());
    }
}
