//! Makes text from the network safe for a terminal: characters that could move the cursor, set a title or change the
//! reading direction become visible marks.
//!
//! The server cleans texts too, but a client can't trust every address. Never knows where a text is shown.

use papo::text;

/// Longest text shown, in characters: four times a server's default limit.
const MAX_TEXT: usize = 16_000;
/// Longest line shown, in characters: a name has at most 24, a sentence of the server little more than a hundred.
const MAX_LINE: usize = 500;
/// Replaces a character that has no control picture.
const REPLACEMENT: char = '\u{FFFD}';

/// A text of several lines: line feeds and tabs stay.
pub fn text(raw: &str) -> String {
    // The second pass limits stacked combining marks, which would overlap the rows around them.
    text::clean(
        &truncate(raw, MAX_TEXT)
            .map(sanitize_char)
            .collect::<String>(),
    )
}

/// A text of one line, such as a name or a sentence: line feeds and tabs become marks too, so that nothing in it can
/// imitate another line.
pub fn message(raw: &str) -> String {
    text::clean(
        &truncate(raw, MAX_LINE)
            .map(|c| {
                if c.is_control() {
                    control_picture(c)
                } else {
                    sanitize_char(c)
                }
            })
            .collect::<String>(),
    )
}

/// The first `max` characters, and a mark if there are more.
fn truncate(raw: &str, max: usize) -> impl Iterator<Item = char> + '_ {
    let rest = raw.chars().nth(max).map(|_| '…');
    raw.chars().take(max).chain(rest)
}

fn sanitize_char(c: char) -> char {
    if text::is_unwanted(c) {
        control_picture(c)
    } else {
        c
    }
}

/// Unicode's picture of a control character, for those that have one.
fn control_picture(c: char) -> char {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(REPLACEMENT),
        '\x7f' => '\u{2421}',
        _ => REPLACEMENT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequence_becomes_visible_marks() {
        assert_eq!(text("\x1b]0;oi\x07 \u{9b}2J\x7f"), "␛]0;oi␇ \u{FFFD}2J␡");
    }

    #[test]
    fn direction_overrides_become_visible_marks() {
        assert_eq!(text("abc\u{202E}def\u{2066}"), "abc\u{FFFD}def\u{FFFD}");
    }

    #[test]
    fn portuguese_and_emoji_are_unchanged() {
        let written = "Olá, João!\n\tÇa va? 👩‍👩‍👧 🇧🇷 ❤️";
        assert_eq!(text(written), written);
    }

    #[test]
    fn name_stays_on_one_line() {
        assert_eq!(message("Ana\n09:05 Bruno\r\t"), "Ana␊09:05 Bruno␍␉");
    }

    #[test]
    fn oversized_text_is_truncated() {
        assert_eq!(text(&"ã".repeat(1 << 20)).chars().count(), MAX_TEXT + 1);
        assert!(message(&"漢".repeat(1 << 16)).ends_with("漢…"));
    }

    #[test]
    fn no_control_character_survives() {
        for code in 0..0x3000 {
            let Some(c) = char::from_u32(code) else {
                continue;
            };
            let shown = message(&c.to_string());
            assert!(
                !shown
                    .chars()
                    .any(|c| c.is_control() || text::is_unwanted(c)),
                "U+{code:04X}"
            );
        }
    }
}
