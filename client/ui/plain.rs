//! Plain lines, for scripts, pipes, screen readers and terminals that can do nothing else: a line in is a message, a
//! message is a line out, with its moment, its sender and its text between tabs.
//!
//! Messages and answers go to standard output, everything else to standard error. Knows streams; never knows what is
//! decided behind it.

use crate::app::output::{MessageChange, MessageState, Output, Severity};
use crate::app::{AppEvent, Prompt, ViewModel, sanitize, strings};
use crate::ui::clock::Clock;
use crate::ui::{Ui, UiInput};
use std::io::{self, Write};

/// Standard output and standard error.
pub struct PlainUi {
    clock: Clock,
    /// Where what happened by itself is told: to a person at a terminal, never to a script.
    notices: Option<NoticeStream>,
    prompted: Option<Prompt>,
}

/// Where news are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeStream {
    Stdout,
    Stderr,
}

impl PlainUi {
    pub fn new(clock: Clock, notices: Option<NoticeStream>) -> Self {
        Self {
            clock,
            notices,
            prompted: None,
        }
    }
}

impl Ui for PlainUi {
    fn map_input(&mut self, input: UiInput) -> Option<AppEvent> {
        match input {
            UiInput::Line(text) => Some(AppEvent::Submitted(text)),
            UiInput::End => Some(AppEvent::InputEnded),
            UiInput::Terminal(_) | UiInput::Suspend | UiInput::Resume => None,
        }
    }

    fn show(&mut self, output: &Output) -> io::Result<()> {
        if let Output::EarlierPage { messages, .. } = output {
            return messages.iter().try_for_each(|message| self.show(message));
        }
        let mut text = render(output, &self.clock);
        if text.is_empty() {
            return Ok(());
        }
        text.push('\n');
        match output {
            Output::Notice(Severity::Problem, _) => write_stderr(&text),
            Output::Notice(Severity::Info, _)
            | Output::RoomNotice { .. }
            | Output::Presence { .. } => match self.notices {
                Some(NoticeStream::Stdout) => return write_stdout(&text),
                Some(NoticeStream::Stderr) => write_stderr(&text),
                None => {}
            },
            _ => return write_stdout(&text),
        }
        Ok(())
    }

    fn restore_input(&mut self, _: &str) {}

    fn refresh(&mut self, model: &ViewModel) -> io::Result<()> {
        if let Some(prompt) = model.prompt.filter(|_| model.prompt != self.prompted) {
            write_stderr(&format!("{} ", strings::prompt(prompt)));
        }
        self.prompted = model.prompt;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One line of text, whatever the message holds.
fn render(output: &Output, clock: &Clock) -> String {
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
                MessageState::Unchanged => escape_line_breaks(text),
                MessageState::Edited => {
                    format!("{} {}", escape_line_breaks(text), strings::EDITED_MARK)
                }
                MessageState::Erased => strings::ERASED_MARK.into(),
            };
            format_record(
                clock.timestamp(*at),
                label.as_deref(),
                &format!("{star}{}", sanitize::message(from)),
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
                MessageChange::Edited { text, .. } => {
                    format!("(editou) {}", escape_line_breaks(text))
                }
                MessageChange::Erased(seqs) => strings::erased_messages(seqs.len()),
                MessageChange::Superseded => return String::new(),
            };
            format_record(
                clock.timestamp(*at),
                label.as_deref(),
                &sanitize::message(from),
                &text,
            )
        }
        Output::Whisper {
            at, from, to, text, ..
        } => {
            format!(
                "{}\t{} → {}\t{}",
                clock.timestamp(*at),
                sanitize::message(from),
                sanitize::message(to),
                escape_line_breaks(text)
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
                .map(|room| format!("{}: ", sanitize::message(room)))
                .unwrap_or_default();
            let sentences = strings::presence_sentences(joined, left, renamed);
            sentences
                .iter()
                .map(|text| format!("{room}{}", sanitize::message(text)))
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
                .map(|line| format!("\n{}", render(line, clock)))
                .collect::<String>();
            format!(
                "{}{hits}",
                strings::search_heading(&sanitize::message(query), messages.len(), *more)
            )
        }
        Output::EarlierPage { .. } | Output::MissedMarker { .. } | Output::RoomSwitched { .. } => {
            String::new()
        }
        // Our own words may have several lines, as the help does; those of others were made into one before.
        Output::Notice(_, text) | Output::People(text) | Output::Help(text) => sanitize::text(text),
        Output::RoomNotice {
            label: room, text, ..
        } => {
            let room = room
                .as_ref()
                .map(|room| format!("{}: ", sanitize::message(room)))
                .unwrap_or_default();
            format!("{room}{}", sanitize::text(text))
        }
    }
}

/// Three fields.
fn format_record(stamp: String, room: Option<&str>, from: &str, text: &str) -> String {
    let room = room
        .map(|room| format!("{} ", sanitize::message(room)))
        .unwrap_or_default();
    format!("{stamp}\t{room}{from}\t{text}")
}

fn escape_line_breaks(text: &str) -> String {
    sanitize::text(text)
        .replace('\n', "\\n")
        .replace('\t', "\\t")
}

/// One write for each line: whoever reads never sees half of one.
fn write_stdout(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

fn write_stderr(text: &str) {
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

    fn rendered(line: &Output) -> String {
        render(line, &Clock::brasilia())
    }

    #[test]
    fn message_has_three_fields() {
        assert_eq!(
            rendered(&message("Célia", "oi, gente")),
            "2026-03-03T14:05:12-03:00\tCélia\toi, gente"
        );
    }

    #[test]
    fn multiline_text_stays_one_record() {
        let line = message("Célia\n2026", "um\ndois\ttrês\x1b[2J");
        assert_eq!(
            rendered(&line),
            "2026-03-03T14:05:12-03:00\tCélia␊2026\tum\\ndois\\ttrês␛[2J"
        );
    }

    #[test]
    fn edits_and_erasures_are_separate_records() {
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
            rendered(&edited),
            "2026-03-03T14:05:12-03:00\tAna\t(editou) novo\\ntexto"
        );
        assert!(
            rendered(&amended(MessageChange::Erased(vec![1])))
                .ends_with("\tAna\t(apagou uma mensagem)")
        );
        assert!(
            rendered(&amended(MessageChange::Erased(vec![1, 4])))
                .ends_with("\tAna\t(apagou 2 mensagens)")
        );
        assert_eq!(rendered(&amended(MessageChange::Superseded)), "");
    }

    #[test]
    fn rooms_whispers_and_actions_are_distinguished() {
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
        assert!(rendered(&line).ends_with("\t#lab * Ana\tacena"));
        let line = Output::Whisper {
            at: AT,
            own: false,
            from: "Ana".into(),
            to: "você".into(),
            text: "psiu".into(),
        };
        assert!(rendered(&line).ends_with("\tAna → você\tpsiu"));
    }
}
