//! Cleaning and folding of text that people write.
//!
//! Text is cleaned where it enters: control, bidirectional and invisible characters are removed, the rest becomes NFC,
//! and combining marks are limited. Cleaning is idempotent, so client and server both do it.
//! Knows Unicode; never knows authors, rooms or transport.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class as class, is_combining_mark};

/// Most combining marks on one base character: enough for every living script (Vietnamese and pointed Hebrew need three),
/// too few to cover the lines above and below.
pub const MAX_MARKS_PER_BASE: usize = 4;

/// Cleans a text of several lines: keeps `\n` and tabs, makes `\r\n`, `\r` and the Unicode line ends into `\n`.
///
/// The result is NFC, holds no control, bidirectional or invisible character (except the joiners that emoji and some
/// scripts are spelled with) and at most [`MAX_MARKS_PER_BASE`] marks in a row.
pub fn clean(text: &str) -> String {
    if text.bytes().all(is_plain_ascii) {
        return text.to_owned();
    }
    limit_marks(normalize_line_ends(text).filter(|&c| !is_unwanted(c)).nfc())
}

/// Cleans a text for one line: as [`clean`], and every run of white space becomes one space, none at the ends.
pub fn clean_line(text: &str) -> String {
    // The fast path for most names, which are cleaned with each message.
    if text.bytes().all(|b| b.is_ascii_graphic()) {
        return text.to_owned();
    }
    let cleaned = clean(text);
    let mut line = String::with_capacity(cleaned.len());
    for word in cleaned.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// The form under which two spellings count as the same: compatibility decomposed, accents dropped, case folded.
///
/// Only marks that sit above, below or across a letter are dropped (canonical combining class 1 or from 200): the vowel
/// signs of Indic scripts are marks too, and without them different words would become one.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkd()
        .filter(|&c| !matches!(class(c), 1 | 200..))
        // Upper, then lower, folds ß to ss and both forms of sigma to one.
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        // Case mapping may bring a decomposed accent back (the dot of İ).
        .filter(|&c| !matches!(class(c), 1 | 200..))
        .collect()
}

/// Whether a character must not reach a screen: it moves the cursor, changes the reading direction or is invisible.
pub fn is_unwanted(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // The joiners are part of emoji sequences and of the spelling of several scripts.
        '\u{200C}' | '\u{200D}' => false,
        // Variation selectors choose between the text and the emoji form.
        '\u{FE00}'..='\u{FE0F}' => false,
        _ => c.is_control() || is_bidi_control(c) || is_invisible(c),
    }
}

/// Characters that change the direction of the text around them.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Characters that draw nothing (Unicode's `Default_Ignorable_Code_Point`, plus the empty Braille cell, the interlinear
/// annotation marks and the object replacement character).
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFC}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// ASCII that cleaning does not change.
fn is_plain_ascii(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\t')
}

/// Turns every kind of line end into `\n`.
fn normalize_line_ends(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut after_return = false;
    text.chars().filter_map(move |c| {
        let completes_pair = c == '\n' && after_return;
        after_return = c == '\r';
        match c {
            _ if completes_pair => None,
            '\r' | '\u{0085}' | '\u{2028}' | '\u{2029}' => Some('\n'),
            _ => Some(c),
        }
    })
}

/// Drops the marks beyond [`MAX_MARKS_PER_BASE`] in a row.
fn limit_marks(chars: impl Iterator<Item = char>) -> String {
    let mut marks = 0;
    chars
        .filter(|&c| {
            marks = if is_combining_mark(c) { marks + 1 } else { 0 };
            marks <= MAX_MARKS_PER_BASE
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn clean_keeps_portuguese_and_emoji_unchanged() {
        let text = "Olá, João!\n\tÇa va? 👩‍👩‍👧 🇧🇷 ❤️";
        assert_eq!(clean(text), text);
    }

    #[test]
    fn decomposed_accents_are_composed() {
        assert_eq!(clean("Joa\u{303}o"), "João");
    }

    #[test]
    fn control_bidi_and_invisible_characters_are_removed() {
        assert_eq!(
            clean("a\x1b[31mb\u{9b}c\u{202E}d\u{200B}e\u{FEFF}f\u{7f}"),
            "a[31mbcdef"
        );
    }

    #[test]
    fn line_ends_become_newlines() {
        assert_eq!(clean("a\r\nb\rc\u{2028}d\u{85}e\n"), "a\nb\nc\nd\ne\n");
    }

    #[test]
    fn combining_marks_are_limited_per_base() {
        let tower = format!("x{}", "\u{0316}".repeat(40));
        assert_eq!(clean(&tower).chars().count(), 1 + MAX_MARKS_PER_BASE);
    }

    #[test]
    fn ascii_fast_path_gives_the_same_result() {
        let all: String = (' '..='~').collect();
        let full_fold = all
            .nfkd()
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
            .collect::<String>();
        assert_eq!(fold(&all), full_fold);
        assert_eq!(clean_line(&all), clean_line(&format!("{all}\u{200B}")));
    }

    #[test]
    fn fold_drops_case_and_accents_but_keeps_vowel_signs() {
        assert_eq!(fold("José"), fold("jose"));
        assert_eq!(fold("CONCEIÇÃO"), "conceicao");
        assert_eq!(fold("Straße"), fold("STRASSE"));
        assert_eq!(fold("İstanbul"), "istanbul");
        assert_ne!(fold("कि"), fold("की"));
    }

    proptest! {
        #[test]
        fn clean_is_idempotent(text in any::<String>()) {
            let once = clean(&text);
            prop_assert_eq!(clean(&once), once.clone());
            let line = clean_line(&text);
            prop_assert_eq!(clean_line(&line), line);
        }

        #[test]
        fn clean_removes_every_unwanted_character(text in any::<String>()) {
            prop_assert!(!clean(&text).chars().any(is_unwanted));
        }
    }
}
