//! Breaks text into rows by columns: between words where possible, never inside a grapheme.
//!
//! Knows widths; never knows what a text means.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What a tab becomes.
const TAB: &str = "    ";

/// The rows of a text, each at most `columns` wide; at least one row.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut rows = Vec::new();
    for paragraph in text.replace('\t', TAB).split('\n') {
        wrap_paragraph(paragraph, columns, &mut rows);
    }
    rows
}

fn wrap_paragraph(paragraph: &str, columns: usize, rows: &mut Vec<String>) {
    let mut row = String::new();
    let mut used = 0;
    for piece in paragraph
        .split_word_bounds()
        .flat_map(|piece| split_to_fit(piece, columns))
    {
        let width = width(piece);
        if used + width > columns {
            // Spaces at a break are dropped.
            let blank = piece.trim().is_empty();
            let rest = carry_last_word(&mut row, piece);
            rows.push(row.trim_end().to_owned());
            row = rest;
            used = self::width(&row);
            if blank {
                continue;
            }
        }
        row.push_str(piece);
        used += width;
    }
    rows.push(row);
}

/// Keeps punctuation with its word: splits off what follows the last space, for the next row, unless that is half of the
/// row or more.
fn carry_last_word(row: &mut String, next: &str) -> String {
    if next.trim().is_empty() {
        return String::new();
    }
    match row
        .rfind(' ')
        .map(|at| at + 1)
        .filter(|&at| !row[..at].trim().is_empty() && width(&row[at..]) < width(row) / 2)
    {
        Some(at) => row.split_off(at),
        None => String::new(),
    }
}

/// Cuts a piece that is wider than a row into graphemes.
fn split_to_fit(piece: &str, columns: usize) -> Vec<&str> {
    if width(piece) <= columns {
        vec![piece]
    } else {
        piece.graphemes(true).collect()
    }
}

/// Columns of a text, grapheme by grapheme, as the screen counts them.
pub fn width(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// As much of a text as fits, with a mark if it was cut.
pub fn truncate(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut left = columns.saturating_sub(1);
    for grapheme in text.graphemes(true) {
        let Some(rest) = left.checked_sub(grapheme.width()) else {
            break;
        };
        left = rest;
        cut.push_str(grapheme);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_break_between_words() {
        assert_eq!(
            wrap("alguém revisa o hub.rs?", 10),
            ["alguém", "revisa o", "hub.rs?"]
        );
        assert_eq!(wrap("um\n\ndois", 10), ["um", "", "dois"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn oversized_word_breaks_between_characters() {
        assert_eq!(wrap("漢字漢字", 5), ["漢字", "漢字"]);
        assert_eq!(wrap("aaaaaaa", 3), ["aaa", "aaa", "a"]);
        assert_eq!(wrap("👩‍👩‍👧👩‍👩‍👧", 3), ["👩‍👩‍👧", "👩‍👩‍👧"]);
    }

    #[test]
    fn rows_never_exceed_the_width() {
        let text = "uma frase, com vírgulas; e “aspas” (e parênteses)… https://exemplo.org/um/caminho/bem/comprido fim";
        for columns in 2..90 {
            for row in wrap(text, columns) {
                assert!(width(&row) <= columns, "{columns}: {row:?}");
            }
        }
    }

    #[test]
    fn truncation_counts_columns_and_is_marked() {
        assert_eq!(truncate("Conceição", 9), "Conceição");
        assert_eq!(truncate("Conceição", 8), "Conceiç…");
        assert_eq!(truncate("漢字漢字", 4), "漢…");
    }
}
