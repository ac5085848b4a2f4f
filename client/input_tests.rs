//! Somebody writes: accents, emoji, corrections, second thoughts.

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
fn one_backspace_deletes_what_looks_like_one_character() {
    for last in ["ã", "a\u{303}\u{323}", "👩‍👩‍👧", "🇧🇷", "❤️", "漢"] {
        let mut editor = editor_with(&format!("oi {last}"));
        editor.delete(Direction::Backward);
        assert_eq!(with_cursor(&editor), "oi |", "{last}");
    }
}

#[test]
fn the_cursor_steps_over_whole_characters() {
    let mut editor = editor_with("a👩‍👩‍👧b");
    editor.step(Direction::Backward);
    editor.step(Direction::Backward);
    assert_eq!(with_cursor(&editor), "a|👩‍👩‍👧b");
    editor.delete(Direction::Forward);
    assert_eq!(with_cursor(&editor), "a|b");
}

#[test]
fn an_accent_typed_into_the_middle_joins_its_letter() {
    let mut editor = editor_with("Joo");
    editor.step(Direction::Backward);
    editor.insert("a");
    editor.insert("\u{303}");
    editor.insert("!");
    assert_eq!(editor.text(), "Joa\u{303}!o");
}

#[test]
fn words_go_back_and_forth_and_away() {
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
fn the_arrows_bring_back_what_was_sent_and_then_the_draft() {
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
fn a_discarded_line_can_be_brought_back() {
    let mut editor = editor_with("quase enviei");
    editor.discard();
    assert!(editor.is_empty());
    editor.recall(Direction::Backward);
    assert_eq!(with_cursor(&editor), "quase enviei|");
}

#[test]
fn a_paste_is_one_text_without_escapes() {
    let editor = editor_with("um\r\ndois\rtrês \x1b[31m");
    assert_eq!(editor.text(), "um\ndois\ntrês [31m");
    assert_eq!(
        editor.rows(40, 6),
        (vec!["um".into(), "dois".into(), "três [31m".into()], (2, 9))
    );
}

#[test]
fn a_long_text_takes_several_rows_and_those_around_the_cursor_are_seen() {
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
fn wide_characters_never_overflow_the_row() {
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
fn a_word_is_put_in_the_place_of_its_beginning() {
    let mut editor = editor_with("oi, @jo");
    editor.replace_from("oi, ".len(), "@João ");
    assert_eq!(with_cursor(&editor), "oi, @João |");
}

#[test]
fn the_arrows_move_between_the_lines_of_a_text_before_they_leave_it() {
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
    (0..6).for_each(|_| editor.step(Direction::Forward));
    assert!(
        editor.step_line(Direction::Forward)
            && editor.step_line(Direction::Forward)
            && !editor.step_line(Direction::Forward)
    );
    assert_eq!(with_cursor(&editor), "ação 🙂 um\n\n|dois e três");
}

#[test]
fn a_paste_of_a_whole_book_is_cut_and_said_to_be() {
    let mut editor = Editor::default();
    assert!(!editor.insert(&"ã".repeat(MAX_TEXT)));
    assert_eq!(editor.text().len(), MAX_TEXT);
    assert!(!editor.insert("é"));
}

#[test]
fn a_text_that_is_put_aside_comes_back_with_its_cursor() {
    let mut editor = editor_with("para a sala");
    editor.step_word(Direction::Backward);
    let draft = editor.swap_draft(Draft::default());
    assert!(editor.is_empty());
    editor.insert("outra coisa");
    editor.swap_draft(draft);
    assert_eq!(with_cursor(&editor), "para a |sala");
}

#[test]
fn a_password_is_shown_as_dots_and_not_kept() {
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
