//! Finds a mention (`@name`) in a text.
//!
//! Knows names and spellings; never knows what a mention causes.

use crate::app::room::Participant;
use papo::text::fold;

/// Whether a text mentions `me`. After an `@` the longest name of a person present counts: “@Ana Maria” mentions Ana only
/// while no Ana Maria is present.
pub fn mentions(text: &str, me: &str, people: &[Participant]) -> bool {
    let me = fold(me);
    if me.is_empty() || !text.contains('@') {
        return false;
    }
    let text = fold(text);
    let candidates: Vec<&str> = text
        .match_indices('@')
        .map(|(at, _)| &text[at + 1..])
        .filter(|rest| starts_with_word(rest, &me))
        .collect();
    if candidates.is_empty() {
        return false;
    }
    let longer_names: Vec<String> = people
        .iter()
        .filter(|person| person.name.len() > me.len())
        .map(|person| fold(&person.name))
        .filter(|name| name.len() > me.len() && name.starts_with(&me))
        .collect();
    candidates
        .iter()
        .any(|rest| !longer_names.iter().any(|name| starts_with_word(rest, name)))
}

/// Whether the text begins with the name as a whole word.
fn starts_with_word(rest: &str, name: &str) -> bool {
    let after = rest.strip_prefix(name).map(|after| after.chars().next());
    after.is_some_and(|next| next.is_none_or(|c| !c.is_alphanumeric() && c != '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(names: &[&str]) -> Vec<Participant> {
        names
            .iter()
            .map(|name| Participant {
                name: (*name).into(),
                tag: "t".into(),
                moderator: false,
            })
            .collect()
    }

    #[test]
    fn mention_ignores_accents_and_case() {
        assert!(mentions("oi, @joao!", "João", &[]));
        assert!(mentions("@JOÃO", "João", &[]));
        assert!(!mentions("oi, João", "João", &[]));
        assert!(!mentions("@joaozinho", "João", &[]));
    }

    #[test]
    fn mention_matches_the_longest_name_present() {
        let both = people(&["Ana", "Ana Maria"]);
        assert!(!mentions("@ana maria, viu?", "Ana", &both));
        assert!(mentions("@ana maria, viu?", "Ana Maria", &both));
        assert!(mentions("@ana maria, viu?", "Ana", &people(&["Ana"])));
        assert!(mentions("@ana e @ana maria", "Ana", &both));
    }
}
