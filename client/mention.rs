//! Who is meant by an `@` in a text.
//!
//! Knows names and spellings; never knows what follows from being meant.

use crate::room::Person;
use papo::text::fold;

/// Whether a text speaks to `me`. After an `@` the longest name counts that somebody present has: in “@Ana Maria” it is
/// Ana only where no Ana Maria is.
pub fn speaks_to(text: &str, me: &str, people: &[Person]) -> bool {
    let me = fold(me);
    if me.is_empty() || !text.contains('@') {
        return false;
    }
    let text = fold(text);
    let means_me = |rest: &str| {
        begins_with(rest, &me) && {
            let longer = people
                .iter()
                .filter(|person| person.name.len() > me.len())
                .map(|person| fold(&person.name));
            !longer.into_iter().any(|name| {
                name.len() > me.len() && name.starts_with(&me) && begins_with(rest, &name)
            })
        }
    };
    text.match_indices('@')
        .any(|(at, _)| means_me(&text[at + 1..]))
}

/// Whether a name stands at the beginning, and not only the beginning of a longer word.
fn begins_with(rest: &str, name: &str) -> bool {
    let after = rest.strip_prefix(name).map(|after| after.chars().next());
    after.is_some_and(|next| next.is_none_or(|c| !c.is_alphanumeric() && c != '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(names: &[&str]) -> Vec<Person> {
        names
            .iter()
            .map(|name| Person {
                name: (*name).into(),
                tag: "t".into(),
                moderator: false,
            })
            .collect()
    }

    #[test]
    fn a_name_after_an_at_is_meant_whatever_its_accents() {
        assert!(speaks_to("oi, @joao!", "João", &[]));
        assert!(speaks_to("@JOÃO", "João", &[]));
        assert!(!speaks_to("oi, João", "João", &[]));
        assert!(!speaks_to("@joaozinho", "João", &[]));
    }

    #[test]
    fn the_longest_name_that_is_there_counts() {
        let both = people(&["Ana", "Ana Maria"]);
        assert!(!speaks_to("@ana maria, viu?", "Ana", &both));
        assert!(speaks_to("@ana maria, viu?", "Ana Maria", &both));
        assert!(speaks_to("@ana maria, viu?", "Ana", &people(&["Ana"])));
        assert!(speaks_to("@ana e @ana maria", "Ana", &both));
    }
}
