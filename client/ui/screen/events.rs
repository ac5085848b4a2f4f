//! Keys and pastes: what they do to the input, to the view, or to the conversation.
//!
//! Knows what an action does to the screen; never knows how it is drawn.

use crate::app::AppEvent;
use crate::ui::complete::{Candidates, WordCompletion};
use crate::ui::editor::Direction;
use crate::ui::keymap;
use crate::ui::keymap::KeyAction;
use crate::ui::screen::Screen;
use crate::ui::screen::drafts::DraftKey;
use crossterm::event::{KeyCode, KeyEvent};

impl Screen {
    pub(super) fn on_key(&mut self, key: KeyEvent) -> Option<AppEvent> {
        self.dirty = true;
        self.view.hint = None;
        if self.view.people_shown && key.code == KeyCode::Esc {
            // Esc only closes the list; a text of several lines is kept.
            self.view.people_shown = false;
            return None;
        }
        let before = self.editor.text().to_owned();
        let action = keymap::apply_key(&mut self.editor, key);
        if !matches!(action, Some(KeyAction::Complete(_))) {
            self.completion = None;
        }
        match action {
            Some(action) => self.apply_action(action),
            None if before == self.editor.text() => None,
            None => self.typing_event(),
        }
    }

    /// Typing is reported only for text that others will read.
    fn typing_event(&self) -> Option<AppEvent> {
        let text = self.editor.text();
        let private = text.is_empty() || (text.starts_with('/') && !text.starts_with("/eu "));
        (!private && self.model.prompt.is_none()).then_some(AppEvent::Typing)
    }

    fn apply_action(&mut self, action: KeyAction) -> Option<AppEvent> {
        match action {
            KeyAction::Submit(text) => {
                self.view.on_sent();
                return Some(AppEvent::Submitted(text));
            }
            KeyAction::Interrupt => return Some(AppEvent::Interrupt),
            KeyAction::Leave => return Some(AppEvent::Leave),
            KeyAction::Repaint => self.invalidate(),
            KeyAction::Suspend => self.suspend_requested = true,
            KeyAction::ScrollPage(direction) => return self.scroll(direction, None),
            KeyAction::ScrollRow(direction) => return self.scroll(direction, Some(1)),
            KeyAction::JumpToEnd => self.view.jump_to_end(),
            KeyAction::TogglePeople => self.view.people_shown = !self.view.people_shown,
            KeyAction::Complete(direction) => self.complete(direction),
            KeyAction::SwitchRoom(number) => {
                return self.switch_room(self.model.rooms.get(number).cloned());
            }
            KeyAction::AdjacentRoom(direction) => {
                return self.switch_room(self.view.adjacent_room(direction, &self.model));
            }
            KeyAction::NextActiveRoom => {
                return self.switch_room(self.view.next_active_room(&self.model));
            }
        }
        None
    }

    /// Switches to another open room; the draft stays with its room.
    fn switch_room(&mut self, room: Option<String>) -> Option<AppEvent> {
        let room = room?;
        let current = self.model.rooms.get(self.model.current)?.clone();
        if room != current {
            self.drafts.swap(
                &mut self.editor,
                DraftKey::Room(current),
                &DraftKey::Room(room.clone()),
            );
        }
        Some(AppEvent::SwitchRoom(room))
    }

    fn scroll(&mut self, direction: Direction, rows: Option<usize>) -> Option<AppEvent> {
        self.view.people_shown = false;
        self.view
            .scroll(direction, rows, &self.model)
            .then_some(AppEvent::LoadEarlier)
    }

    fn complete(&mut self, direction: Direction) {
        let completion = match self.completion.take() {
            Some(completion) => completion.next(direction),
            None => {
                let others = self
                    .model
                    .people
                    .iter()
                    .filter(|person| !person.me)
                    .map(|person| person.name.clone());
                let candidates = Candidates {
                    speakers: self.view.recent_speakers(),
                    people: others.collect(),
                    open_rooms: &self.model.rooms,
                    known_rooms: &self.model.known_rooms,
                };
                WordCompletion::of(self.editor.before_cursor(), &candidates)
            }
        };
        if let Some(text) = completion.text() {
            self.editor.replace_from(completion.start(), text);
            self.completion = Some(completion);
        }
    }

    pub(super) fn on_paste(&mut self, text: &str) -> Option<AppEvent> {
        self.dirty = true;
        self.completion = None;
        let text = text.trim_end_matches(['\r', '\n']);
        let whole = self.editor.insert(text);
        let lines = papo::text::clean(text).lines().count();
        self.view.hint = match lines {
            _ if !whole => {
                Some("O texto colado é longo demais: só o começo coube. Ctrl+C descarta.".into())
            }
            2.. => Some(format!(
                "Colou {lines} linhas. Enter envia tudo, Esc descarta."
            )),
            _ => None,
        };
        self.typing_event()
    }
}
