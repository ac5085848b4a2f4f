//! Drafts: a text begun in one room must not be sent to another.
//!
//! Knows texts and where they belong; never knows why the person switched.

use crate::ui::editor::{Draft, Editor};
use std::collections::HashMap;

/// Where a draft belongs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DraftKey {
    Room(String),
    /// The message draft during a prompt.
    Prompt,
}

/// The drafts that are not in the editor.
#[derive(Debug, Default)]
pub struct Drafts(HashMap<DraftKey, Draft>);

impl Drafts {
    /// Stores the editor's text under `from` and loads the draft of `to`.
    pub fn swap(&mut self, editor: &mut Editor, from: DraftKey, to: &DraftKey) {
        let draft = editor.swap_draft(self.0.remove(to).unwrap_or_default());
        self.0.insert(from, draft);
    }

    /// Loads the draft from before the prompt.
    pub fn restore(&mut self, editor: &mut Editor) {
        if let Some(draft) = self.0.remove(&DraftKey::Prompt) {
            editor.swap_draft(draft);
        }
    }
}
