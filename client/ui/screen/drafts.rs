//! Texts begun and left for a while: what was being written in one room must not be sent to another.
//!
//! Knows texts and where they belong; never knows why the person went elsewhere.

use crate::ui::editor::{Draft, Editor};
use std::collections::HashMap;

/// Where a text was begun.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DraftKey {
    Room(String),
    /// Behind the question for a name.
    Prompt,
}

/// The texts that are not in the editor.
#[derive(Debug, Default)]
pub struct Drafts(HashMap<DraftKey, Draft>);

impl Drafts {
    /// Puts what is in the editor aside, and what was begun in the other place under the person's hands.
    pub fn swap(&mut self, editor: &mut Editor, from: DraftKey, to: &DraftKey) {
        let draft = editor.swap_draft(self.0.remove(to).unwrap_or_default());
        self.0.insert(from, draft);
    }

    /// The place where the person was going on is the same again.
    pub fn restore(&mut self, editor: &mut Editor) {
        if let Some(draft) = self.0.remove(&DraftKey::Prompt) {
            editor.swap_draft(draft);
        }
    }
}
