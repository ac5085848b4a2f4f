//! Completion of a word to a person, a command or a room.
//!
//! Accents and case are ignored: `@joao` finds João. Knows words; never knows keys or the screen.

use crate::app::command::{COMMANDS, CommandSpec};
use crate::ui::editor::Direction;
use papo::text::fold;

/// Most words of a name.
const MAX_NAME_WORDS: usize = 4;

/// The names that can be completed.
pub struct Candidates<'a> {
    /// Recent senders, the last one first.
    pub speakers: Vec<String>,
    /// The other people present.
    pub people: Vec<String>,
    pub open_rooms: &'a [String],
    /// Rooms named in messages and lists.
    pub known_rooms: &'a [String],
}

/// The possible words, one of them selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordCompletion {
    /// Where the word begins, in bytes.
    start: usize,
    words: Vec<String>,
    selected: usize,
}

impl WordCompletion {
    /// Completes the text before the cursor.
    pub fn of(before: &str, candidates: &Candidates<'_>) -> Self {
        let start = word_start(before);
        let word = &before[start..];
        let words = if start == 0 && word.starts_with('/') {
            commands(&word[1..])
        } else if let Some(prefix) = word.strip_prefix('#') {
            rooms(prefix, "#", candidates)
        } else if expects_room(before) {
            rooms(word, "", candidates)
        } else {
            return complete_name(before, candidates);
        };
        Self {
            start,
            words,
            selected: 0,
        }
    }

    /// Selects the next or previous word, cyclically.
    pub fn next(mut self, direction: Direction) -> Self {
        let count = self.words.len().max(1);
        let step = match direction {
            Direction::Forward => 1,
            Direction::Backward => count - 1,
        };
        self.selected = (self.selected + step) % count;
        self
    }

    pub fn start(&self) -> usize {
        self.start
    }

    /// The selected word, if there is any.
    pub fn text(&self) -> Option<&str> {
        self.words.get(self.selected).map(String::as_str)
    }
}

/// Where the last word begins, in bytes.
fn word_start(before: &str) -> usize {
    before
        .char_indices()
        .rev()
        .find(|(_, c)| c.is_whitespace())
        .map_or(0, |(at, c)| at + c.len_utf8())
}

/// The commands; English names only where no other command matches.
fn commands(prefix: &str) -> Vec<String> {
    let key = fold(prefix);
    let names: Vec<String> = COMMANDS
        .iter()
        .filter(|command| command.name.starts_with(&key))
        .map(|command| command_word(command, command.name))
        .collect();
    if !names.is_empty() {
        return names;
    }
    COMMANDS
        .iter()
        .flat_map(|command| command.aliases.iter().map(move |alias| (command, *alias)))
        .filter(|(_, alias)| alias.starts_with(&key))
        .map(|(command, alias)| command_word(command, alias))
        .collect()
}

fn command_word(command: &CommandSpec, name: &str) -> String {
    let space = if command.arguments.is_empty() {
        ""
    } else {
        " "
    };
    format!("/{name}{space}")
}

/// Whether the command's argument is a room.
fn expects_room(before: &str) -> bool {
    ["/entrar ", "/deixar ", "/join ", "/part "]
        .iter()
        .any(|command| before.starts_with(command))
}

/// The open rooms first.
fn rooms(prefix: &str, sign: &str, candidates: &Candidates<'_>) -> Vec<String> {
    let key = fold(prefix);
    let is_open = |name: &&String| {
        candidates
            .open_rooms
            .iter()
            .any(|open| fold(open) == fold(name))
    };
    let others = candidates.known_rooms.iter().filter(|name| !is_open(name));
    candidates
        .open_rooms
        .iter()
        .chain(others)
        .filter(|room| fold(room).starts_with(&key))
        .map(|room| format!("{sign}{room} "))
        .collect()
}

/// People, for as many words before the cursor as match the start of a name, such as “Maria C”.
fn complete_name(before: &str, candidates: &Candidates<'_>) -> WordCompletion {
    let mut start = word_start(before);
    let mut best = WordCompletion {
        start,
        words: people(&before[start..], start == 0, candidates),
        selected: 0,
    };
    for _ in 1..MAX_NAME_WORDS {
        let earlier = before[..start].trim_end();
        if earlier.is_empty() {
            break;
        }
        start = word_start(earlier);
        let words = people(&before[start..], start == 0, candidates);
        if !words.is_empty() && before[start..].trim_end().contains(' ') {
            best = WordCompletion {
                start,
                words,
                selected: 0,
            };
        }
    }
    best
}

fn people(word: &str, at_start: bool, candidates: &Candidates<'_>) -> Vec<String> {
    if word.is_empty() && !at_start {
        return Vec::new();
    }
    let (sign, prefix) = match word.strip_prefix('@') {
        Some(prefix) => ("@", prefix),
        None => ("", word),
    };
    let key = fold(prefix);
    let end = if at_start { ", " } else { " " };
    let speakers = candidates
        .speakers
        .iter()
        .filter(|name| candidates.people.contains(name));
    let others = candidates
        .people
        .iter()
        .filter(|name| !candidates.speakers.contains(name));
    speakers
        .chain(others)
        .filter(|name| fold(name).starts_with(&key))
        .map(|name| format!("{sign}{name}{end}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn completed(before: &str) -> Vec<String> {
        let candidates = Candidates {
            speakers: names(&["Rita", "João", "Foi Embora"]),
            people: names(&["Célia", "João", "Joana Dark", "Rita"]),
            open_rooms: &names(&["geral", "Laboratório"]),
            known_rooms: &names(&["laboratorio", "garagem"]),
        };
        let completion = WordCompletion::of(before, &candidates);
        completion
            .words
            .iter()
            .map(|word| format!("{}{word}", &before[..completion.start]))
            .collect()
    }

    #[test]
    fn people_complete_without_accents_last_speaker_first() {
        assert_eq!(completed("joa"), ["João, ", "Joana Dark, "]);
        assert_eq!(completed("oi, @CEL"), ["oi, @Célia "]);
        assert_eq!(completed("@j"), ["@João, ", "@Joana Dark, "]);
        assert_eq!(
            completed(""),
            ["Rita, ", "João, ", "Célia, ", "Joana Dark, "]
        );
        assert_eq!(completed("/msg ri"), ["/msg Rita "]);
        assert!(completed("oi ").is_empty());
    }

    #[test]
    fn commands_and_rooms_complete() {
        assert_eq!(
            completed("/a"),
            ["/ajuda ", "/apagar ", "/avisos ", "/antes", "/avisar "]
        );
        assert_eq!(completed("/entrar lab"), ["/entrar Laboratório "]);
        assert_eq!(
            completed("veja #g"),
            ["veja #geral ", "veja #garagem "],
            "also rooms that were only named"
        );
    }

    #[test]
    fn english_alias_completes_when_no_other_name_matches() {
        assert_eq!(completed("/sa"), ["/salas", "/sair"]);
        assert_eq!(completed("/sea"), ["/search "]);
        assert_eq!(completed("/wh"), ["/who", "/whisper "]);
        assert_eq!(completed("/ni"), ["/nick "]);
    }

    #[test]
    fn name_of_several_words_completes_from_the_second() {
        assert_eq!(completed("joana d"), ["Joana Dark, "]);
        assert_eq!(completed("oi, @joana d"), ["oi, @Joana Dark "]);
        assert_eq!(
            completed("viu, joana r"),
            ["viu, joana Rita "],
            "no such person: the last word alone counts"
        );
    }

    #[test]
    fn completion_cycles_in_both_directions() {
        let candidates = Candidates {
            speakers: vec![],
            people: vec!["Ana".into(), "Bia".into()],
            open_rooms: &[],
            known_rooms: &[],
        };
        let completion = WordCompletion::of("", &candidates);
        assert_eq!(
            completion
                .clone()
                .next(Direction::Forward)
                .next(Direction::Forward),
            completion
        );
        assert_eq!(completion.next(Direction::Backward).text(), Some("Bia, "));
    }
}
