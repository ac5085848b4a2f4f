//! Sentences as people write them: what a message costs in the search index depends on its words.

use std::fmt::Write as _;

/// Words of a conversation: a few are frequent, many are rare.
const COMMON: [&str; 16] = [
    "que", "não", "de", "a", "o", "e", "com", "para", "hoje", "amanhã", "reunião", "conversa",
    "café", "você", "gente", "projeto",
];
/// The other words are made of these and a number.
const SYLLABLES: [&str; 5] = ["la", "me", "ri", "to", "nu"];
const RARE_WORDS: usize = 20_000;

/// A source of sentences, the same in every run.
pub struct Sentences(fastrand::Rng);

impl Sentences {
    /// A source of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// Appends words until the text has at least so many bytes: half of them common, half from a large vocabulary.
    pub fn extend(&mut self, text: &mut String, bytes: usize) {
        while text.len() < bytes {
            if self.0.bool() {
                text.push_str(COMMON[self.0.usize(..COMMON.len())]);
            } else {
                let word = self.0.usize(..RARE_WORDS);
                text.push_str(SYLLABLES[word % SYLLABLES.len()]);
                let _ = write!(text, "{:x}", word * 7919);
            }
            text.push(' ');
        }
    }

    /// A sentence of exactly so many bytes.
    pub fn exactly(&mut self, bytes: usize) -> String {
        let mut text = String::new();
        self.extend(&mut text, bytes);
        text.truncate(text.floor_char_boundary(bytes));
        text.truncate(text.trim_end().len());
        text.extend(std::iter::repeat_n('.', bytes - text.len()));
        text
    }
}
