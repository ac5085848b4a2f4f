//! The keys: what each does to the line being typed, or asks of the program. Those of readline, because hands know them.
//!
//! Knows keys and the editor; never knows what is on the screen.

use crate::input::{Editor, Way};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for beyond editing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    Submit(String),
    /// Ctrl+C with nothing to delete.
    Interrupt,
    /// Ctrl+D with nothing to delete.
    Leave,
    Repaint,
    Suspend,
    /// A page back or on.
    Page(Way),
    /// A row back or on.
    Row(Way),
    /// To the end, where everything is read.
    Latest,
    /// The list of people, or the conversation again.
    People,
    Complete(Way),
    /// The room of this number, from 0.
    Room(usize),
    /// The room before or after.
    Neighbour(Way),
    /// The next room where something happened.
    Active,
}

/// The keys that nobody would guess, for the help.
pub fn help() -> String {
    const KEYS: [(&str, &str); 4] = [
        (
            "Tab, Alt+Enter",
            "completa nomes, comandos e salas; quebra a linha",
        ),
        ("PgUp, PgDn, End", "sobe, desce e volta ao fim"),
        ("Alt+1…9, Alt+A", "muda de sala; vai à que tem novidade"),
        (
            "F2, Ctrl+C, Ctrl+D",
            "mostra as pessoas; apaga a linha; sai",
        ),
    ];
    let rows = KEYS.map(|(keys, what)| format!("\n{keys:18}  {what}"));
    format!("Teclas:{}", rows.concat())
}

/// Applies one key.
pub fn press(editor: &mut Editor, key: KeyEvent) -> Option<Wish> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let shift = key.modifiers.contains(KeyModifiers::SHIFT);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    match key.code {
        // AltGr comes as both on some systems, and writes signs. Letters with both are Esc and, at once, Ctrl with a letter.
        KeyCode::Char(c) if control && (!alt || c.is_ascii_alphabetic()) => {
            return with_control(editor, c.to_ascii_lowercase());
        }
        KeyCode::Char(c) if alt && !control => return with_alt(editor, c.to_ascii_lowercase()),
        KeyCode::Char(c) => drop_in(editor, c),
        KeyCode::Enter if alt || shift => drop_in(editor, '\n'),
        KeyCode::Enter => return Some(Wish::Submit(editor.take())),
        KeyCode::Backspace if alt || control => editor.delete_word(Way::Back),
        KeyCode::Backspace => editor.delete(Way::Back),
        KeyCode::Delete if control => editor.delete_word(Way::On),
        KeyCode::Delete => editor.delete(Way::On),
        KeyCode::Left if control || alt => editor.step_word(Way::Back),
        KeyCode::Right if control || alt => editor.step_word(Way::On),
        KeyCode::Left => editor.step(Way::Back),
        KeyCode::Right => editor.step(Way::On),
        KeyCode::Home => editor.jump(Way::Back),
        KeyCode::End if editor.is_empty() => return Some(Wish::Latest),
        KeyCode::End => editor.jump(Way::On),
        KeyCode::PageUp => return Some(Wish::Page(Way::Back)),
        KeyCode::PageDown => return Some(Wish::Page(Way::On)),
        KeyCode::Up if shift => return Some(Wish::Row(Way::Back)),
        KeyCode::Down if shift => return Some(Wish::Row(Way::On)),
        KeyCode::Tab => return Some(Wish::Complete(Way::On)),
        KeyCode::BackTab => return Some(Wish::Complete(Way::Back)),
        KeyCode::F(2) => return Some(Wish::People),
        KeyCode::Up if editor.step_line(Way::Back) => {}
        KeyCode::Down if editor.step_line(Way::On) => {}
        KeyCode::Up => editor.recall(Way::Back),
        KeyCode::Down => editor.recall(Way::On),
        // A paste of several lines is thrown away with it; ↑ has it still.
        KeyCode::Esc if editor.text().contains('\n') => editor.discard(),
        KeyCode::Esc => return Some(Wish::Latest),
        _ => {}
    }
    None
}

/// A character as it is typed; where the text is full there is nothing to say that the line does not show.
fn drop_in(editor: &mut Editor, c: char) {
    editor.insert(c.encode_utf8(&mut [0; 4]));
}

fn with_control(editor: &mut Editor, letter: char) -> Option<Wish> {
    match letter {
        'a' => editor.jump(Way::Back),
        'e' => editor.jump(Way::On),
        'b' => editor.step(Way::Back),
        'f' => editor.step(Way::On),
        'w' => editor.delete_word(Way::Back),
        'u' => editor.delete_all(Way::Back),
        'k' => editor.delete_all(Way::On),
        'h' => editor.delete(Way::Back),
        'p' => return Some(Wish::Neighbour(Way::Back)),
        'n' => return Some(Wish::Neighbour(Way::On)),
        'j' => drop_in(editor, '\n'),
        'l' => return Some(Wish::Repaint),
        'z' => return Some(Wish::Suspend),
        'c' if editor.is_empty() => return Some(Wish::Interrupt),
        'c' => editor.discard(),
        'd' if editor.is_empty() => return Some(Wish::Leave),
        'd' => editor.delete(Way::On),
        _ => {}
    }
    None
}

fn with_alt(editor: &mut Editor, letter: char) -> Option<Wish> {
    match letter {
        'b' => editor.step_word(Way::Back),
        'f' => editor.step_word(Way::On),
        'd' => editor.delete_word(Way::On),
        'a' => return Some(Wish::Active),
        '1'..='9' => {
            return letter
                .to_digit(10)
                .map(|digit| Wish::Room(digit as usize - 1));
        }
        _ => {}
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(letter: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)
    }

    fn plain(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    fn typed(text: &str) -> Editor {
        let mut editor = Editor::default();
        for c in text.chars() {
            assert_eq!(press(&mut editor, plain(KeyCode::Char(c))), None);
        }
        editor
    }

    #[test]
    fn enter_sends_and_alt_enter_breaks_the_line() {
        let mut editor = typed("um");
        press(
            &mut editor,
            KeyEvent::new(KeyCode::Enter, KeyModifiers::ALT),
        );
        press(&mut editor, plain(KeyCode::Char('é')));
        assert_eq!(
            press(&mut editor, plain(KeyCode::Enter)),
            Some(Wish::Submit("um\né".into()))
        );
        assert!(editor.is_empty());
    }

    #[test]
    fn ctrl_c_deletes_first_and_asks_then() {
        let mut editor = typed("oi");
        assert_eq!(press(&mut editor, control('c')), None);
        assert!(editor.is_empty());
        assert_eq!(press(&mut editor, control('c')), Some(Wish::Interrupt));
        assert_eq!(press(&mut editor, control('d')), Some(Wish::Leave));
    }

    #[test]
    fn ctrl_d_in_a_line_deletes_and_never_leaves() {
        let mut editor = typed("oi");
        press(&mut editor, control('a'));
        assert_eq!(press(&mut editor, control('d')), None);
        assert_eq!(editor.text(), "i");
    }

    #[test]
    fn esc_and_at_once_ctrl_u_writes_no_u() {
        let mut editor = typed("oi");
        press(
            &mut editor,
            KeyEvent::new(
                KeyCode::Char('u'),
                KeyModifiers::CONTROL | KeyModifiers::ALT,
            ),
        );
        assert_eq!(editor.text(), "");
        press(
            &mut editor,
            KeyEvent::new(
                KeyCode::Char('@'),
                KeyModifiers::CONTROL | KeyModifiers::ALT,
            ),
        );
        assert_eq!(editor.text(), "@");
    }

    #[test]
    fn a_key_that_is_let_go_does_nothing() {
        let mut editor = typed("oi");
        let mut key = plain(KeyCode::Backspace);
        key.kind = KeyEventKind::Release;
        press(&mut editor, key);
        assert_eq!(editor.text(), "oi");
    }
}
