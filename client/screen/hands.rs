//! What the person does with keys and pastes: to the line being typed, to what is looked at, or to the conversation.
//!
//! Knows what a wish does to the screen; never knows how it is drawn.

use super::Screen;
use super::drafts::Desk;
use crate::app::AppEvent;
use crate::complete::{Candidates, Completion};
use crate::input::Direction;
use crate::keys::{self, KeyAction};
use crossterm::event::{KeyCode, KeyEvent};

impl Screen {
    pub(super) fn pressed(&mut self, key: KeyEvent) -> Option<AppEvent> {
        self.changed = true;
        self.view.hint = None;
        if self.view.people && key.code == KeyCode::Esc {
            // A text of several lines is not meant by this key now.
            self.view.people = false;
            return None;
        }
        let before = self.editor.text().to_owned();
        let wish = keys::apply_key(&mut self.editor, key);
        if !matches!(wish, Some(KeyAction::Complete(_))) {
            self.completion = None;
        }
        match wish {
            Some(wish) => self.wished(wish),
            None if before == self.editor.text() => None,
            None => self.writing(),
        }
    }

    /// Others are told that something is being written for them.
    fn writing(&self) -> Option<AppEvent> {
        let text = self.editor.text();
        let private = text.is_empty() || (text.starts_with('/') && !text.starts_with("/eu "));
        (!private && self.model.prompt.is_none()).then_some(AppEvent::Typing)
    }

    fn wished(&mut self, wish: KeyAction) -> Option<AppEvent> {
        match wish {
            KeyAction::Submit(text) => {
                self.view.sent();
                return Some(AppEvent::Submitted(text));
            }
            KeyAction::Interrupt => return Some(AppEvent::Interrupt),
            KeyAction::Leave => return Some(AppEvent::Leave),
            KeyAction::Repaint => self.forget(),
            KeyAction::Suspend => self.suspend = true,
            KeyAction::ScrollPage(way) => return self.scroll(way, None),
            KeyAction::ScrollRow(way) => return self.scroll(way, Some(1)),
            KeyAction::JumpToEnd => self.view.latest(),
            KeyAction::TogglePeople => self.view.people = !self.view.people,
            KeyAction::Complete(way) => self.complete(way),
            KeyAction::SwitchRoom(number) => return self.go(self.model.rooms.get(number).cloned()),
            KeyAction::AdjacentRoom(way) => return self.go(self.view.neighbour(way, &self.model)),
            KeyAction::NextActiveRoom => return self.go(self.view.active(&self.model)),
        }
        None
    }

    /// To another of the open rooms; what was being written stays where it was.
    fn go(&mut self, room: Option<String>) -> Option<AppEvent> {
        let (room, here) = (room?, self.model.rooms.get(self.model.current)?.clone());
        if room != here {
            self.drafts.turn(
                &mut self.editor,
                Desk::Room(here),
                &Desk::Room(room.clone()),
            );
        }
        Some(AppEvent::SwitchRoom(room))
    }

    fn scroll(&mut self, way: Direction, rows: Option<usize>) -> Option<AppEvent> {
        self.view.people = false;
        self.view
            .scroll(way, rows, &self.model)
            .then_some(AppEvent::LoadEarlier)
    }

    fn complete(&mut self, way: Direction) {
        let completion = match self.completion.take() {
            Some(completion) => completion.next(way),
            None => {
                let others = self
                    .model
                    .people
                    .iter()
                    .filter(|person| !person.me)
                    .map(|face| face.name.clone());
                let (open_rooms, known_rooms) = (&self.model.rooms, &self.model.known_rooms);
                let candidates = Candidates {
                    speakers: self.view.speakers(),
                    people: others.collect(),
                    open_rooms,
                    known_rooms,
                };
                Completion::of(self.editor.before_cursor(), &candidates)
            }
        };
        if let Some(text) = completion.text() {
            self.editor.replace_from(completion.start(), text);
            self.completion = Some(completion);
        }
    }

    pub(super) fn pasted(&mut self, text: &str) -> Option<AppEvent> {
        (self.changed, self.completion) = (true, None);
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
        self.writing()
    }
}
