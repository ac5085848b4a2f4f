//! Typing: accents, emoji, corrections, recalled texts.

use super::*;

/// The text with `|` where the cursor is.
fn with_cursor(editor: &Editor) -> String {
    format!(
        "{}|{}",
        &editor.text[..editor.cursor],
        &editor.text[editor.cursor..]
    )
}

fn editor_with(text: &str) -> Editor {
    let mut editor = Editor::default();
    editor.insert(text);
    editor
}

#[test]
fn backspace_deletes_one_grapheme() {
    for last in ["ã", "a\u{303}\u{323}", "👩‍👩‍👧", "🇧🇷", "❤️", "漢"] {
        let mut editor = editor_with(&format!("oi {last}"));
        editor.delete(Direction::Backward);
        assert_eq!(with_cursor(&editor), "oi |", "{last}");
    }
}

#[test]
fn cursor_steps_over_whole_graphemes() {
    let mut editor = editor_with("a👩‍👩‍👧b");
    editor.step(Direction::Backward);
    editor.step(Direction::Backward);
    assert_eq!(with_cursor(&editor), "a|👩‍👩‍👧b");
    editor.delete(Direction::Forward);
    assert_eq!(with_cursor(&editor), "a|b");
}

#[test]
fn combining_accent_joins_the_letter_before_the_cursor() {
    let mut editor = editor_with("Joo");
    editor.step(Direction::Backward);
    editor.insert("a");
    editor.insert("\u{303}");
    editor.insert("!");
    assert_eq!(editor.text(), "Joa\u{303}!o");
}

#[test]
fn word_motions_and_deletions_stop_at_word_boundaries() {
    let mut editor = editor_with("não  é bem assim");
    editor.delete_word(Direction::Backward);
    assert_eq!(with_cursor(&editor), "não  é bem |");
    editor.step_word(Direction::Backward);
    editor.step_word(Direction::Backward);
    assert_eq!(with_cursor(&editor), "não  |é bem ");
    editor.delete_word(Direction::Backward);
    assert_eq!(with_cursor(&editor), "|é bem ");
    editor.step_word(Direction::Forward);
    editor.delete_all(Direction::Forward);
    assert_eq!(with_cursor(&editor), "é|");
    editor.delete_all(Direction::Backward);
    assert_eq!(with_cursor(&editor), "|");
}

#[test]
fn recall_walks_history_and_returns_to_the_draft() {
    let mut editor = editor_with("um");
    editor.take();
    editor.insert("dois");
    editor.take();
    editor.insert("rascunho");
    editor.recall(Direction::Backward);
    editor.recall(Direction::Backward);
    editor.recall(Direction::Backward);
    assert_eq!(with_cursor(&editor), "um|");
    editor.recall(Direction::Forward);
    assert_eq!(with_cursor(&editor), "dois|");
    editor.recall(Direction::Forward);
    editor.recall(Direction::Forward);
    assert_eq!(with_cursor(&editor), "rascunho|");
}

#[test]
fn discarded_text_can_be_recalled() {
    let mut editor = editor_with("quase enviei");
    editor.discard();
    assert!(editor.is_empty());
    editor.recall(Direction::Backward);
    assert_eq!(with_cursor(&editor), "quase enviei|");
}

#[test]
fn paste_keeps_line_breaks_and_drops_escapes() {
    let editor = editor_with("um\r\ndois\rtrês \x1b[31m");
    assert_eq!(editor.text(), "um\ndois\ntrês [31m");
    assert_eq!(
        editor.rows(40, 6),
        (vec!["um".into(), "dois".into(), "três [31m".into()], (2, 9))
    );
}

#[test]
fn long_text_shows_the_rows_around_the_cursor() {
    let mut editor = editor_with("abcdefghijklmno");
    assert_eq!(editor.rows(6, 6).0, ["abcde", "fghij", "klmno"]);
    assert_eq!(
        editor.rows(6, 2),
        (vec!["fghij".into(), "klmno".into()], (1, 5))
    );
    editor.jump(Direction::Backward);
    assert_eq!(
        editor.rows(6, 2),
        (vec!["abcde".into(), "fghij".into()], (0, 0))
    );
    assert_eq!(Editor::default().rows(6, 2), (vec![String::new()], (0, 0)));
}

#[test]
fn rows_with_wide_characters_never_exceed_the_width() {
    let mut editor = editor_with("漢字かな🙂🇧🇷ação\n漢字かな");
    for columns in 3..24 {
        for _ in 0..20 {
            let (rows, (row, column)) = editor.rows(columns, 3);
            assert!(
                rows.iter().all(|row| row.width() < columns),
                "{columns}: {rows:?}"
            );
            assert!(
                row < rows.len() && column < columns,
                "{columns}: {rows:?} {row} {column}"
            );
            editor.step(Direction::Backward);
        }
        editor.jump(Direction::Forward);
    }
}

#[test]
fn replacement_ends_at_the_cursor() {
    let mut editor = editor_with("oi, @jo");
    editor.replace_from("oi, ".len(), "@João ");
    assert_eq!(with_cursor(&editor), "oi, @João |");
}

#[test]
fn arrows_move_between_lines_of_a_multiline_text() {
    let mut editor = editor_with("enviada");
    editor.take();
    editor.insert("ação 🙂 um\n\ndois e três");
    assert!(
        editor.step_line(Direction::Backward)
            && editor.step_line(Direction::Backward)
            && !editor.step_line(Direction::Backward)
    );
    assert_eq!(with_cursor(&editor), "|ação 🙂 um\n\ndois e três");
    editor.jump(Direction::Backward);
    for _ in 0..6 {
        editor.step(Direction::Forward);
    }
    assert!(
        editor.step_line(Direction::Forward)
            && editor.step_line(Direction::Forward)
            && !editor.step_line(Direction::Forward)
    );
    assert_eq!(with_cursor(&editor), "ação 🙂 um\n\n|dois e três");
}

#[test]
fn oversized_paste_is_truncated_and_reported() {
    let mut editor = Editor::default();
    assert!(!editor.insert(&"ã".repeat(MAX_TEXT)));
    assert_eq!(editor.text().len(), MAX_TEXT);
    assert!(!editor.insert("é"));
}

#[test]
fn swapped_draft_returns_with_its_cursor() {
    let mut editor = editor_with("para a sala");
    editor.step_word(Direction::Backward);
    let draft = editor.swap_draft(Draft::default());
    assert!(editor.is_empty());
    editor.insert("outra coisa");
    editor.swap_draft(draft);
    assert_eq!(with_cursor(&editor), "para a |sala");
}

#[test]
fn password_is_masked_and_not_recalled() {
    let mut editor = Editor {
        secret: true,
        ..Editor::default()
    };
    editor.insert("maçã");
    assert_eq!(editor.rows(20, 1), (vec!["••••".to_owned()], (0, 4)));
    assert_eq!(editor.take(), "maçã");
    editor.recall(Direction::Backward);
    assert!(editor.is_empty());
}
