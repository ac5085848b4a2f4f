//! The key bindings, those of readline: each edits the text or requests an action.
//!
//! Knows keys and the editor; never knows what is on the screen.

use crate::ui::editor::{Direction, Editor};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key requests beyond editing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyAction {
    Submit(String),
    /// Ctrl+C with nothing to delete.
    Interrupt,
    /// Ctrl+D with nothing to delete.
    Leave,
    Repaint,
    Suspend,
    ScrollPage(Direction),
    ScrollRow(Direction),
    JumpToEnd,
    TogglePeople,
    Complete(Direction),
    /// By index.
    SwitchRoom(usize),
    AdjacentRoom(Direction),
    /// The next room with unread messages.
    NextActiveRoom,
}

/// The keys in the help; those that every text field has are left out.
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
pub fn apply_key(editor: &mut Editor, key: KeyEvent) -> Option<KeyAction> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let shift = key.modifiers.contains(KeyModifiers::SHIFT);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    match key.code {
        // Some systems report AltGr as Ctrl+Alt: it types signs. A letter with both is Esc followed by Ctrl and a letter.
        KeyCode::Char(c) if control && (!alt || c.is_ascii_alphabetic()) => {
            return apply_control(editor, c.to_ascii_lowercase());
        }
        KeyCode::Char(c) if alt && !control => return apply_alt(editor, c.to_ascii_lowercase()),
        KeyCode::Char(c) => insert_char(editor, c),
        KeyCode::Enter if alt || shift => insert_char(editor, '\n'),
        KeyCode::Enter => return Some(KeyAction::Submit(editor.take())),
        KeyCode::Backspace if alt || control => editor.delete_word(Direction::Backward),
        KeyCode::Backspace => editor.delete(Direction::Backward),
        KeyCode::Delete if control => editor.delete_word(Direction::Forward),
        KeyCode::Delete => editor.delete(Direction::Forward),
        KeyCode::Left if control || alt => editor.step_word(Direction::Backward),
        KeyCode::Right if control || alt => editor.step_word(Direction::Forward),
        KeyCode::Left => editor.step(Direction::Backward),
        KeyCode::Right => editor.step(Direction::Forward),
        KeyCode::Home => editor.jump(Direction::Backward),
        KeyCode::End if editor.is_empty() => return Some(KeyAction::JumpToEnd),
        KeyCode::End => editor.jump(Direction::Forward),
        KeyCode::PageUp => return Some(KeyAction::ScrollPage(Direction::Backward)),
        KeyCode::PageDown => return Some(KeyAction::ScrollPage(Direction::Forward)),
        KeyCode::Up if shift => return Some(KeyAction::ScrollRow(Direction::Backward)),
        KeyCode::Down if shift => return Some(KeyAction::ScrollRow(Direction::Forward)),
        KeyCode::Tab => return Some(KeyAction::Complete(Direction::Forward)),
        KeyCode::BackTab => return Some(KeyAction::Complete(Direction::Backward)),
        KeyCode::F(2) => return Some(KeyAction::TogglePeople),
        KeyCode::Up if editor.step_line(Direction::Backward) => {}
        KeyCode::Down if editor.step_line(Direction::Forward) => {}
        KeyCode::Up => editor.recall(Direction::Backward),
        KeyCode::Down => editor.recall(Direction::Forward),
        // Discards a paste of several lines; ↑ recalls it.
        KeyCode::Esc if editor.text().contains('\n') => editor.discard(),
        KeyCode::Esc => return Some(KeyAction::JumpToEnd),
        _ => {}
    }
    None
}

/// Inserts a typed character; a full text simply does not grow.
fn insert_char(editor: &mut Editor, c: char) {
    editor.insert(c.encode_utf8(&mut [0; 4]));
}

fn apply_control(editor: &mut Editor, letter: char) -> Option<KeyAction> {
    match letter {
        'a' => editor.jump(Direction::Backward),
        'e' => editor.jump(Direction::Forward),
        'b' => editor.step(Direction::Backward),
        'f' => editor.step(Direction::Forward),
        'w' => editor.delete_word(Direction::Backward),
        'u' => editor.delete_all(Direction::Backward),
        'k' => editor.delete_all(Direction::Forward),
        'h' => editor.delete(Direction::Backward),
        'p' => return Some(KeyAction::AdjacentRoom(Direction::Backward)),
        'n' => return Some(KeyAction::AdjacentRoom(Direction::Forward)),
        'j' => insert_char(editor, '\n'),
        'l' => return Some(KeyAction::Repaint),
        'z' => return Some(KeyAction::Suspend),
        'c' if editor.is_empty() => return Some(KeyAction::Interrupt),
        'c' => editor.discard(),
        'd' if editor.is_empty() => return Some(KeyAction::Leave),
        'd' => editor.delete(Direction::Forward),
        _ => {}
    }
    None
}

fn apply_alt(editor: &mut Editor, letter: char) -> Option<KeyAction> {
    match letter {
        'b' => editor.step_word(Direction::Backward),
        'f' => editor.step_word(Direction::Forward),
        'd' => editor.delete_word(Direction::Forward),
        'a' => return Some(KeyAction::NextActiveRoom),
        '1'..='9' => {
            return letter
                .to_digit(10)
                .map(|digit| KeyAction::SwitchRoom(digit as usize - 1));
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

    fn editor_with(text: &str) -> Editor {
        let mut editor = Editor::default();
        for c in text.chars() {
            assert_eq!(apply_key(&mut editor, plain(KeyCode::Char(c))), None);
        }
        editor
    }

    #[test]
    fn enter_sends_and_alt_enter_breaks_the_line() {
        let mut editor = editor_with("um");
        apply_key(
            &mut editor,
            KeyEvent::new(KeyCode::Enter, KeyModifiers::ALT),
        );
        apply_key(&mut editor, plain(KeyCode::Char('é')));
        assert_eq!(
            apply_key(&mut editor, plain(KeyCode::Enter)),
            Some(KeyAction::Submit("um\né".into()))
        );
        assert!(editor.is_empty());
    }

    #[test]
    fn ctrl_c_discards_text_then_interrupts() {
        let mut editor = editor_with("oi");
        assert_eq!(apply_key(&mut editor, control('c')), None);
        assert!(editor.is_empty());
        assert_eq!(
            apply_key(&mut editor, control('c')),
            Some(KeyAction::Interrupt)
        );
        assert_eq!(apply_key(&mut editor, control('d')), Some(KeyAction::Leave));
    }

    #[test]
    fn ctrl_d_deletes_forward_while_there_is_text() {
        let mut editor = editor_with("oi");
        apply_key(&mut editor, control('a'));
        assert_eq!(apply_key(&mut editor, control('d')), None);
        assert_eq!(editor.text(), "i");
    }

    #[test]
    fn esc_followed_by_ctrl_u_inserts_no_letter() {
        let mut editor = editor_with("oi");
        apply_key(
            &mut editor,
            KeyEvent::new(
                KeyCode::Char('u'),
                KeyModifiers::CONTROL | KeyModifiers::ALT,
            ),
        );
        assert_eq!(editor.text(), "");
        apply_key(
            &mut editor,
            KeyEvent::new(
                KeyCode::Char('@'),
                KeyModifiers::CONTROL | KeyModifiers::ALT,
            ),
        );
        assert_eq!(editor.text(), "@");
    }

    #[test]
    fn key_release_does_nothing() {
        let mut editor = editor_with("oi");
        let mut key = plain(KeyCode::Backspace);
        key.kind = KeyEventKind::Release;
        apply_key(&mut editor, key);
        assert_eq!(editor.text(), "oi");
    }
}
