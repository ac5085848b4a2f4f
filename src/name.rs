//! Names of people and rooms: which are valid, which are equal, and which are confusable.
//!
//! Names are equal when their keys are: `José`, `JOSE` and `Jose\u{301}` all have the key `jose`. They are confusable when
//! their skeletons (UTS 39) are equal: most typefaces draw `Iara` and `lara` alike.
//! Knows Unicode; never knows who has a name.

use crate::text::{clean_line, fold, is_invisible};
use serde::{Serialize, Serializer};
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::{MixedScript, skeleton};

/// Longest name of a person, in characters (Unicode scalar values) after NFC.
pub const MAX_NAME: usize = 24;
/// Longest name of a room, in characters after NFC.
pub const MAX_ROOM: usize = 32;
/// The room that everyone enters first.
pub const LOBBY: &str = "geral";
/// Keys of names that could be taken for the server, its staff or everyone.
const RESERVED: [&str; 28] = [
    "servidor",
    "server",
    "sistema",
    "system",
    "papo",
    "admin",
    "administrador",
    "administradora",
    "administracao",
    "administrator",
    "root",
    "moderador",
    "moderadora",
    "moderacao",
    "moderator",
    "mod",
    "suporte",
    "support",
    "host",
    "anfitriao",
    "anfitria",
    "organizacao",
    "equipe",
    "voce",
    "todos",
    "todas",
    "everyone",
    "ninguem",
];
/// Their skeletons in lower case, upper case and capitalized: `ADMlN` has a different key but looks like one of them.
static RESERVED_SKELETONS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let as_names = |key: &str| format!("{}{}", key[..1].to_uppercase(), &key[1..]);
    RESERVED
        .iter()
        .flat_map(|key| {
            [
                folded_skeleton(key),
                folded_skeleton(&key.to_uppercase()),
                folded_skeleton(&as_names(key)),
            ]
        })
        .collect()
});

/// Why a name is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// Empty after cleaning, or only punctuation.
    Empty,
    /// More characters than [`MAX_NAME`] or [`MAX_ROOM`].
    TooLong,
    /// A character that is not allowed in names.
    InvalidCharacter(char),
    /// Letters of several scripts, some of which look alike.
    MixedScripts,
    /// Could be taken for the server, its staff or everyone.
    Reserved,
}

/// A spelling to display and the key to compare by.
#[derive(Debug, Clone)]
struct Spelling {
    text: Arc<str>,
    key: Arc<str>,
}

impl Spelling {
    fn new(raw: &str, max: usize, allowed: impl Fn(char) -> bool) -> Result<Self, NameError> {
        let text = clean_line(raw);
        if let Some(c) = text.chars().find(|&c| !allowed(c)) {
            return Err(NameError::InvalidCharacter(c));
        }
        if text.chars().count() > max {
            return Err(NameError::TooLong);
        }
        // A mark at the start would combine with the text before the name.
        match text.chars().next() {
            Some(first) if is_mark(first) => return Err(NameError::InvalidCharacter(first)),
            _ => {}
        }
        if !text.chars().any(is_letter_or_digit) {
            return Err(NameError::Empty);
        }
        let key = fold(&text);
        Ok(Self {
            text: text.into(),
            key: key.into(),
        })
    }
}

/// A person's name: 1–24 letters, marks and digits of any script, `.`, `-`, `_`, `'` and single inner spaces.
#[derive(Debug, Clone)]
pub struct Name(Spelling, Arc<str>);

/// A room's name: 1–32 letters, marks and digits of any script, `-` and `_`.
#[derive(Debug, Clone)]
pub struct RoomName(Spelling);

impl Name {
    /// Cleans and checks a name.
    ///
    /// # Errors
    /// The reason why it is no valid name.
    pub fn new(raw: &str) -> Result<Self, NameError> {
        let allowed =
            |c| is_letter_or_digit(c) || is_mark(c) || matches!(c, ' ' | '.' | '-' | '_' | '\'');
        let spelling = Spelling::new(raw, MAX_NAME, allowed)?;
        if !spelling.text.is_single_script() {
            return Err(NameError::MixedScripts);
        }
        let skeleton = folded_skeleton(&spelling.text);
        if RESERVED.contains(&&*spelling.key) || RESERVED_SKELETONS.contains(&skeleton) {
            return Err(NameError::Reserved);
        }
        Ok(Self(spelling, skeleton.into()))
    }

    /// The skeleton: names with equal skeletons can't be told apart on a screen.
    pub(crate) fn skeleton(&self) -> &Arc<str> {
        &self.1
    }
}

/// The text with each character replaced by its prototype, the simplest one that looks like it.
fn folded_skeleton(text: &str) -> String {
    skeleton(text).nfc().collect()
}

impl RoomName {
    /// Cleans and checks a room's name.
    ///
    /// # Errors
    /// The reason why it is no valid name.
    pub fn new(raw: &str) -> Result<Self, NameError> {
        let allowed = |c| is_letter_or_digit(c) || is_mark(c) || matches!(c, '-' | '_');
        Spelling::new(raw, MAX_ROOM, allowed).map(Self)
    }

    /// The room that everyone enters first.
    pub fn lobby() -> Self {
        let text: Arc<str> = LOBBY.into();
        Self(Spelling {
            key: text.clone(),
            text,
        })
    }
}

/// The methods of both kinds of name; they differ only in the characters allowed.
macro_rules! impl_spelling {
    ($kind:ty) => {
        impl $kind {
            /// The spelling to display.
            pub fn as_str(&self) -> &str {
                &self.0.text
            }

            /// The spelling to display, shared instead of copied.
            pub fn display(&self) -> Arc<str> {
                self.0.text.clone()
            }

            /// The form to compare by: case folded, accents dropped.
            pub fn key(&self) -> &Arc<str> {
                &self.0.key
            }
        }

        impl PartialEq for $kind {
            fn eq(&self, other: &Self) -> bool {
                self.key() == other.key()
            }
        }

        impl Eq for $kind {}

        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
impl_spelling!(Name);
impl_spelling!(RoomName);

fn is_letter_or_digit(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    // Several invisible characters are "letters" to Unicode (the Hangul fillers).
    let group = c.general_category_group();
    matches!(
        group,
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
    ) && !is_invisible(c)
}

fn is_mark(c: char) -> bool {
    !c.is_ascii() && c.general_category_group() == GeneralCategoryGroup::Mark && !is_invisible(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(raw: &str) -> Result<String, NameError> {
        Name::new(raw).map(|name| name.as_str().to_owned())
    }

    #[test]
    fn portuguese_and_other_scripts_are_names() {
        for ok in [
            "Ana",
            "João Antônio",
            "D'Ávila",
            "Zé_2",
            "Conceição-Silva",
            "Dr. Ota",
            "Ольга",
            "中村",
            "मीरा",
        ] {
            assert_eq!(name(ok).as_deref(), Ok(ok));
        }
    }

    #[test]
    fn name_key_ignores_case_and_accents() {
        let name = Name::new("José").unwrap();
        assert_eq!(name, Name::new("jose").unwrap());
        assert_eq!(name, Name::new("JOSE\u{301}").unwrap());
        assert_ne!(name, Name::new("Josefa").unwrap());
    }

    #[test]
    fn spaces_are_single_and_inside() {
        assert_eq!(name("  Ana \t Maria "), Ok("Ana Maria".into()));
    }

    #[test]
    fn invalid_name_is_refused_with_its_reason() {
        assert_eq!(name("   "), Err(NameError::Empty));
        assert_eq!(name("..."), Err(NameError::Empty));
        assert_eq!(name(&"a".repeat(25)), Err(NameError::TooLong));
        assert_eq!(name("<b>"), Err(NameError::InvalidCharacter('<')));
        assert_eq!(name("Ana🙂"), Err(NameError::InvalidCharacter('🙂')));
        assert_eq!(name("\u{3164}"), Err(NameError::Empty));
        assert_eq!(
            name("\u{301}Ana"),
            Err(NameError::InvalidCharacter('\u{301}'))
        );
    }

    #[test]
    fn mixed_script_name_is_refused() {
        // Cyrillic А and а among Latin letters.
        for mixed in ["Аna", "Anа", "Ольга Silva", "раypal"] {
            assert_eq!(name(mixed), Err(NameError::MixedScripts), "{mixed}");
        }
        for single in ["Ольга Иванова", "山田たろう", "김민준", "Ana 2", "D'Ávila"]
        {
            assert!(name(single).is_ok(), "{single}");
        }
    }

    #[test]
    fn reserved_names_and_lookalikes_are_refused() {
        for reserved in [
            "Servidor",
            "SISTEMA",
            "admin",
            "ADMlN",
            "Moderação",
            "moderacao",
            "Você",
            "SERVlDOR",
            "Papo",
        ] {
            assert_eq!(name(reserved), Err(NameError::Reserved), "{reserved}");
        }
        for free in ["Adminha", "Papoula", "Modesto", "Vocênia", "Administro"] {
            assert!(name(free).is_ok(), "{free}");
        }
    }

    #[test]
    fn confusable_names_have_the_same_skeleton() {
        let skeleton = |raw: &str| Name::new(raw).unwrap().skeleton().clone();
        assert_eq!(skeleton("Iara"), skeleton("lara"));
        // All Cyrillic.
        assert_eq!(skeleton("Рора"), skeleton("Popa"));
        assert_ne!(skeleton("Lara"), skeleton("Iara"));
        assert_ne!(skeleton("Ana"), skeleton("Anna"));
    }

    #[test]
    fn name_length_is_counted_after_nfc() {
        assert!(name(&"a\u{303}".repeat(24)).is_ok());
    }

    #[test]
    fn room_names_have_no_spaces_or_dots() {
        assert_eq!(
            RoomName::new("laboratório-2").unwrap(),
            RoomName::new("LABORATORIO-2").unwrap()
        );
        assert_eq!(
            RoomName::new("a b").err(),
            Some(NameError::InvalidCharacter(' '))
        );
        assert_eq!(
            RoomName::new("a.b").err(),
            Some(NameError::InvalidCharacter('.'))
        );
        assert!(RoomName::new(&"s".repeat(33)).is_err());
        assert_eq!(RoomName::lobby(), RoomName::new("Geral").unwrap());
    }

    proptest! {
        #[test]
        fn accepted_name_is_accepted_again_unchanged(raw in "\\PC{0,30}") {
            if let Ok(name) = Name::new(&raw) {
                let again = Name::new(name.as_str()).unwrap();
                prop_assert_eq!(again.as_str(), name.as_str());
                prop_assert_eq!((again.key(), again.skeleton()), (name.key(), name.skeleton()));
                prop_assert!(name.as_str().chars().count() <= MAX_NAME);
            }
        }

        #[test]
        fn folding_a_key_changes_nothing(raw in "[\\p{L}\\p{M}\\p{N}]{1,24}") {
            if let Ok(name) = Name::new(&raw) {
                prop_assert_eq!(fold(name.key()), name.key().to_string());
            }
        }
    }
}
