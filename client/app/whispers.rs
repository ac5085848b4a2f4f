//! Whispers: messages to one person, which the server does not store.

use super::{App, AppEffect};
use crate::app::command::CommandKind;
use crate::app::output::Output;
use crate::app::send_queue::SendTarget;
use crate::app::{command, sanitize};
use papo::name::{MAX_NAME, Name};
use papo::text::fold;
use std::time::Instant;

/// Most words that a name of [`MAX_NAME`] characters can have.
const MAX_NAME_WORDS: usize = MAX_NAME / 2;

impl App {
    pub(super) fn whisper(&mut self, arguments: &str, now: Instant) {
        let (name, text) = self.split_addressee(arguments);
        match Name::new(&name) {
            Ok(_) if text.trim().is_empty() => {
                self.usage_error(command::usage(CommandKind::Whisper));
            }
            Ok(name) => {
                self.whisper_partner = Some(name.to_string());
                self.enqueue(SendTarget::Person(name), &text, now);
            }
            Err(_) => self.usage_error("Ninguém com esse nome está aqui.".into()),
        }
    }

    pub(super) fn reply(&mut self, text: &str, now: Instant) {
        match self.whisper_partner.as_deref().map(Name::new) {
            Some(Ok(name)) => self.enqueue(SendTarget::Person(name), text, now),
            _ => self.usage_error(
                "Ainda não há conversa particular para responder. Comece uma com /msg NOME TEXTO"
                    .into(),
            ),
        }
    }

    /// Splits off the name: the part in quotes, else the longest name of a person present, else the first word.
    fn split_addressee(&self, arguments: &str) -> (String, String) {
        for (open, close) in [('"', '"'), ('“', '”')] {
            if let Some((name, text)) = arguments
                .strip_prefix(open)
                .and_then(|rest| rest.split_once(close))
            {
                return (
                    self.find_person(name).unwrap_or(name).to_owned(),
                    text.trim_start().to_owned(),
                );
            }
        }
        let word_ends: Vec<usize> = arguments
            .char_indices()
            .filter(|(_, c)| c.is_whitespace())
            .map(|(at, _)| at)
            .take(MAX_NAME_WORDS)
            .chain([arguments.len()])
            .collect();
        let longest = word_ends
            .iter()
            .rev()
            .find_map(|&end| Some((end, self.find_person(&arguments[..end])?)));
        let first_word = word_ends[0];
        let (end, name) = longest.unwrap_or((first_word, &arguments[..first_word]));
        (name.to_owned(), arguments[end..].trim_start().to_owned())
    }

    /// The name of a person present, as it is shown; case and accents are ignored.
    pub(super) fn find_person(&self, written: &str) -> Option<&str> {
        let key = fold(&papo::text::clean_line(written));
        let mut people = self.rooms.iter().flat_map(|room| room.people());
        people
            .find(|person| fold(&person.name) == key)
            .map(|person| person.name.as_str())
    }

    pub(super) fn on_whisper(&mut self, from: &str, tag: &str, to: &str, at: u64, text: &str) {
        let from = sanitize::message(from);
        let to = sanitize::message(to);
        let text = sanitize::text(text);
        if self.ignored.contains(&fold(&from)) {
            return;
        }
        if self.is_me(tag) {
            // Sent from another device of the same person.
            return self.show(Output::Whisper {
                at,
                own: true,
                from: "você".into(),
                to,
                text,
            });
        }
        self.whisper_partner = Some(from.clone());
        if self.alerts {
            self.effects.push(AppEffect::Alert);
        }
        self.show(Output::Whisper {
            at,
            own: false,
            from,
            to: "você".into(),
            text,
        });
        self.explain_whispers();
    }

    /// Explains how to answer, after the first whisper only.
    pub(super) fn explain_whispers(&mut self) {
        if !std::mem::replace(&mut self.whisper_hint_shown, true) {
            self.show(Output::info(
                "Só vocês dois veem as linhas com →, e elas não ficam guardadas. Para responder: /r TEXTO",
            ));
        }
    }
}
