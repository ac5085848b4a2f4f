//! Matching a query as the file's index does: whole words, of which the last may be a prefix.
//!
//! Knows words; never knows rooms or authors.

use crate::text::fold;

/// A query: each typed word is a phrase of one or more tokens (`x-449` has two).
pub(super) struct Query(Vec<Vec<String>>);

impl Query {
    pub(super) fn new(input: &str) -> Self {
        Self(
            input
                .split_whitespace()
                .map(tokenize)
                .filter(|phrase| !phrase.is_empty())
                .collect(),
        )
    }

    /// Whether a text contains all phrases; a query without any matches nothing.
    pub(super) fn matches(&self, text: &str) -> bool {
        let Some((prefix, whole)) = self.0.split_last() else {
            return false;
        };
        let text = tokenize(text);
        let contains = |phrase: &Vec<String>| text.windows(phrase.len()).any(|row| row == phrase);
        whole.iter().all(contains)
            && text
                .windows(prefix.len())
                .any(|row| starts_with_phrase(row, prefix))
    }
}

/// Whether the words start with this phrase, whose last word may be a prefix.
fn starts_with_phrase(row: &[String], phrase: &[String]) -> bool {
    match (row.split_last(), phrase.split_last()) {
        (Some((last, before)), Some((prefix, whole))) => {
            before == whole && last.starts_with(&**prefix)
        }
        _ => false,
    }
}

fn tokenize(text: &str) -> Vec<String> {
    let folded = fold(text);
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_matches_whole_words_and_a_last_prefix() {
        let found = |typed: &str, text: &str| Query::new(typed).matches(text);
        assert!(found("conc", "a Conceição"));
        assert!(found("maria conc", "Conceição de Maria"));
        assert!(!found("mari conc", "Conceição de Maria"));
        assert!(!found("texto", "o pretexto"));
    }

    #[test]
    fn punctuation_separates_words_and_matches_nothing() {
        let found = |typed: &str, text: &str| Query::new(typed).matches(text);
        assert!(found("\"maria\"", "maria!"));
        assert!(found("maria!", "de Maria"));
        assert!(found("x-44", "o x-449"));
        assert!(!found("x-44", "x e 449"));
        assert!(!found("!", "não, sim!"));
        assert!(!found("", "oi"));
    }
}
