//! Plain lines, for scripts, pipes, screen readers and terminals that can do nothing else: a line in is a message, a
//! message is a line out, with its moment, its sender and its text between tabs.
//!
//! Messages and answers go to standard output, everything else to standard error. Knows streams; never knows what is
//! decided behind it.

use crate::app::{Event, Question, ViewModel};
use crate::clock::Clock;
use crate::front::{Front, Input};
use crate::line::{MessageChange, MessageState, Output, Severity};
use crate::{visible, words};
use std::io::{self, Write};

/// Standard output and standard error.
pub struct Lines {
    clock: Clock,
    /// Where what happened by itself is told: to a person at a terminal, never to a script.
    news: Option<News>,
    asking: Option<Question>,
}

/// Where news are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    Output,
    Error,
}

impl Lines {
    pub fn new(clock: Clock, news: Option<News>) -> Self {
        Self {
            clock,
            news,
            asking: None,
        }
    }
}

impl Front for Lines {
    fn understand(&mut self, input: Input) -> Option<Event> {
        match input {
            Input::Line(text) => Some(Event::Submitted(text)),
            Input::End => Some(Event::InputEnded),
            Input::Terminal(_) | Input::Suspend | Input::Resume => None,
        }
    }

    fn show(&mut self, output: &Output) -> io::Result<()> {
        if let Output::EarlierPage { messages, .. } = output {
            return messages.iter().try_for_each(|message| self.show(message));
        }
        let mut text = format(output, &self.clock);
        if text.is_empty() {
            return Ok(());
        }
        text.push('\n');
        match output {
            Output::Notice(Severity::Problem, _) => to_error(&text),
            Output::Notice(Severity::Info, _)
            | Output::RoomNotice { .. }
            | Output::Presence { .. } => match self.news {
                Some(News::Output) => return to_output(&text),
                Some(News::Error) => to_error(&text),
                None => {}
            },
            _ => return to_output(&text),
        }
        Ok(())
    }

    fn give_back(&mut self, _: &str) {}

    fn refresh(&mut self, model: &ViewModel) -> io::Result<()> {
        if let Some(prompt) = model.prompt.filter(|_| model.prompt != self.asking) {
            to_error(&format!("{} ", words::question(prompt)));
        }
        self.asking = model.prompt;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One line of text, whatever the message holds.
fn format(output: &Output, clock: &Clock) -> String {
    match output {
        Output::Message {
            label,
            at,
            from,
            action,
            state,
            text,
            ..
        } => {
            let star = if *action { "* " } else { "" };
            let text = match state {
                MessageState::Unchanged => one_line(text),
                MessageState::Edited => format!("{} {}", one_line(text), words::EDITED),
                MessageState::Erased => words::ERASED.into(),
            };
            record(
                clock.stamp(*at),
                label.as_deref(),
                &format!("{star}{}", visible::message(from)),
                &text,
            )
        }
        Output::Amended {
            label,
            at,
            from,
            change,
            ..
        } => {
            let text = match change {
                MessageChange::Edited { text, .. } => format!("(editou) {}", one_line(text)),
                MessageChange::Erased(seqs) => words::erased(seqs.len()),
                MessageChange::Superseded => return String::new(),
            };
            record(
                clock.stamp(*at),
                label.as_deref(),
                &visible::message(from),
                &text,
            )
        }
        Output::Whisper {
            at, from, to, text, ..
        } => {
            format!(
                "{}\t{} → {}\t{}",
                clock.stamp(*at),
                visible::message(from),
                visible::message(to),
                one_line(text)
            )
        }
        Output::Presence {
            label: room,
            joined,
            left,
            renamed,
            ..
        } => {
            let room = room
                .as_ref()
                .map(|room| format!("{}: ", visible::message(room)))
                .unwrap_or_default();
            let sentences = words::presence(joined, left, renamed);
            sentences
                .iter()
                .map(|text| format!("{room}{}", visible::message(text)))
                .collect::<Vec<_>>()
                .join("\n")
        }
        Output::Found {
            query,
            messages,
            more,
            ..
        } => {
            let hits = messages
                .iter()
                .map(|line| format!("\n{}", format(line, clock)))
                .collect::<String>();
            format!(
                "{}{hits}",
                words::found(&visible::message(query), messages.len(), *more)
            )
        }
        Output::EarlierPage { .. } | Output::MissedMarker { .. } | Output::RoomSwitched { .. } => {
            String::new()
        }
        // Our own words may have several lines, as the help does; those of others were made into one before.
        Output::Notice(_, text) | Output::People(text) | Output::Help(text) => visible::text(text),
        Output::RoomNotice {
            label: room, text, ..
        } => {
            let room = room
                .as_ref()
                .map(|room| format!("{}: ", visible::message(room)))
                .unwrap_or_default();
            format!("{room}{}", visible::text(text))
        }
    }
}

/// Three fields.
fn record(stamp: String, room: Option<&str>, from: &str, text: &str) -> String {
    let room = room
        .map(|room| format!("{} ", visible::message(room)))
        .unwrap_or_default();
    format!("{stamp}\t{room}{from}\t{text}")
}

fn one_line(text: &str) -> String {
    visible::text(text)
        .replace('\n', "\\n")
        .replace('\t', "\\t")
}

/// One write for each line: whoever reads never sees half of one.
fn to_output(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

fn to_error(text: &str) {
    // There is nobody left to tell that nobody listens.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 March 2026, 14:05:12 in Brasília.
    const AT: u64 = 1_772_557_512_345;

    fn message(from: &str, text: &str) -> Output {
        Output::Message {
            seq: 1,
            state: MessageState::Unchanged,
            label: None,
            room: "geral".into(),
            at: AT,
            from: from.into(),
            own: false,
            action: false,
            mention: false,
            text: text.into(),
        }
    }

    fn shown(line: &Output) -> String {
        format(line, &Clock::brasilia())
    }

    #[test]
    fn a_message_is_three_fields() {
        assert_eq!(
            shown(&message("Célia", "oi, gente")),
            "2026-03-03T14:05:12-03:00\tCélia\toi, gente"
        );
    }

    #[test]
    fn a_text_of_several_lines_stays_one_record() {
        let line = message("Célia\n2026", "um\ndois\ttrês\x1b[2J");
        assert_eq!(
            shown(&line),
            "2026-03-03T14:05:12-03:00\tCélia␊2026\tum\\ndois\\ttrês␛[2J"
        );
    }

    #[test]
    fn changes_are_records_of_their_own() {
        let amended = |change| Output::Amended {
            label: None,
            room: "geral".into(),
            at: AT,
            from: "Ana".into(),
            change,
        };
        let edited = amended(MessageChange::Edited {
            seq: 1,
            text: "novo\ntexto".into(),
        });
        assert_eq!(
            shown(&edited),
            "2026-03-03T14:05:12-03:00\tAna\t(editou) novo\\ntexto"
        );
        assert!(
            shown(&amended(MessageChange::Erased(vec![1])))
                .ends_with("\tAna\t(apagou uma mensagem)")
        );
        assert!(
            shown(&amended(MessageChange::Erased(vec![1, 4])))
                .ends_with("\tAna\t(apagou 2 mensagens)")
        );
        assert_eq!(shown(&amended(MessageChange::Superseded)), "");
    }

    #[test]
    fn rooms_whispers_and_deeds_are_told_apart() {
        let line = Output::Message {
            seq: 1,
            state: MessageState::Unchanged,
            label: Some("#lab".into()),
            room: "lab".into(),
            at: AT,
            from: "Ana".into(),
            own: true,
            action: true,
            mention: false,
            text: "acena".into(),
        };
        assert!(shown(&line).ends_with("\t#lab * Ana\tacena"));
        let line = Output::Whisper {
            at: AT,
            own: false,
            from: "Ana".into(),
            to: "você".into(),
            text: "psiu".into(),
        };
        assert!(shown(&line).ends_with("\tAna → você\tpsiu"));
    }
}
