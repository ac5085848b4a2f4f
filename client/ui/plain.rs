//! Plain lines, for scripts, pipes, screen readers and simple terminals: each input line is a message, each message an
//! output line with its time, sender and text between tabs.
//!
//! Messages and answers go to standard output, everything else to standard error. Never knows what the core decides.

use crate::app::output::{MessageChange, MessageState, Output, Severity};
use crate::app::{AppEvent, Prompt, ViewModel, sanitize, strings};
use crate::ui::clock::Clock;
use crate::ui::{Ui, UiInput};
use papo::protocol::RoomState;
use std::io::{self, Write};

/// Standard output and standard error.
pub struct PlainUi {
    clock: Clock,
    /// Where notices go: to a person at a terminal, never to a script.
    notices: Option<NoticeStream>,
    prompted: Option<Prompt>,
    /// While it is more than one, each record names its room.
    open_rooms: usize,
}

/// The stream for notices.
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
            open_rooms: 0,
        }
    }

    /// The room's name with its `#` and a separator, while several rooms are open.
    fn label(&self, room: &str, separator: &str) -> String {
        if self.open_rooms > 1 {
            format!("#{}{separator}", sanitize::message(room))
        } else {
            String::new()
        }
    }

    /// One record, or several sentences; empty where there is nothing to write.
    fn render(&self, output: &Output) -> String {
        match output {
            Output::Message { .. } => self.render_message(output),
            Output::Amended {
                room,
                at,
                from,
                change,
            } => self.render_change(room, *at, from, change),
            Output::Whisper {
                at, from, to, text, ..
            } => {
                let from = sanitize::message(from);
                let to = sanitize::message(to);
                self.record(*at, &format!("{from} → {to}"), &escape_line_breaks(text))
            }
            Output::Presence {
                room,
                joined,
                left,
                renamed,
            } => self.render_presence(room, joined, left, renamed),
            Output::Found {
                query,
                messages,
                more,
                ..
            } => self.render_found(query, messages, *more),
            // The client's own text may have several lines, as the help does; text from the network is one line already.
            Output::Notice(_, text) | Output::People(text) | Output::Help(text) => {
                sanitize::text(text)
            }
            Output::RoomNotice { room, text } => {
                format!("{}{}", self.label(room, ": "), sanitize::text(text))
            }
            Output::RoomState { room, state } => self.render_room_state(room, state),
            Output::EarlierPage { .. }
            | Output::MissedMarker { .. }
            | Output::RoomOpened { .. }
            | Output::RoomClosed { .. }
            | Output::RoomSwitched { .. } => String::new(),
        }
    }

    /// One line; empty without restrictions.
    fn render_room_state(&self, room: &str, state: &RoomState) -> String {
        let mute_end = state.muted_until;
        let mute_end = mute_end.and_then(|until| self.clock.mute_end(until));
        let restrictions = strings::restrictions(state, mute_end.as_deref());
        match restrictions.is_empty() {
            true => String::new(),
            false => format!(
                "{}Nesta sala: {}.",
                self.label(room, ": "),
                restrictions.join(" · ")
            ),
        }
    }

    fn render_message(&self, message: &Output) -> String {
        let Output::Message {
            room,
            at,
            from,
            action,
            state,
            text,
            ..
        } = message
        else {
            unreachable!("not a message: {message:?}")
        };
        let label = self.label(room, " ");
        let star = if *action { "* " } else { "" };
        let text = match state {
            MessageState::Unchanged => escape_line_breaks(text),
            MessageState::Edited => {
                format!("{} {}", escape_line_breaks(text), strings::EDITED_MARK)
            }
            MessageState::Erased => strings::ERASED_MARK.into(),
        };
        let from = sanitize::message(from);
        self.record(*at, &format!("{label}{star}{from}"), &text)
    }

    /// Empty for a change that a later one has replaced.
    fn render_change(&self, room: &str, at: u64, from: &str, change: &MessageChange) -> String {
        let Some(text) = describe_change(change) else {
            return String::new();
        };
        let label = self.label(room, " ");
        let from = sanitize::message(from);
        self.record(at, &format!("{label}{from}"), &text)
    }

    fn render_presence(
        &self,
        room: &str,
        joined: &[String],
        left: &[String],
        renamed: &[(String, String)],
    ) -> String {
        let label = self.label(room, ": ");
        let sentences = strings::presence_sentences(joined, left, renamed);
        let lines: Vec<String> = sentences
            .iter()
            .map(|text| format!("{label}{}", sanitize::message(text)))
            .collect();
        lines.join("\n")
    }

    fn render_found(&self, query: &str, messages: &[Output], more: bool) -> String {
        let query = sanitize::message(query);
        let mut text = strings::search_heading(&query, messages.len(), more);
        for message in messages {
            text.push('\n');
            text.push_str(&self.render(message));
        }
        text
    }

    /// Three fields between tabs.
    fn record(&self, at: u64, from: &str, text: &str) -> String {
        format!("{}\t{from}\t{text}", self.clock.timestamp(at))
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
        match output {
            Output::EarlierPage { messages, .. } => {
                return messages.iter().try_for_each(|message| self.show(message));
            }
            Output::RoomOpened { .. } => self.open_rooms += 1,
            Output::RoomClosed { .. } => self.open_rooms = self.open_rooms.saturating_sub(1),
            _ => {}
        }
        let mut text = self.render(output);
        if text.is_empty() {
            return Ok(());
        }
        text.push('\n');
        match output {
            Output::Notice(Severity::Problem, _) => write_stderr(&text),
            Output::Notice(Severity::Info, _)
            | Output::RoomNotice { .. }
            | Output::RoomState { .. }
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

/// What a change did, in place of a message's text.
fn describe_change(change: &MessageChange) -> Option<String> {
    match change {
        MessageChange::Edited { text, .. } => {
            Some(format!("(editou) {}", escape_line_breaks(text)))
        }
        MessageChange::Erased(seqs) => Some(strings::erased_messages(seqs.len())),
        MessageChange::Superseded => None,
    }
}

fn escape_line_breaks(text: &str) -> String {
    sanitize::text(text)
        .replace('\n', "\\n")
        .replace('\t', "\\t")
}

/// One write for each line, so that a reader never sees half of one.
fn write_stdout(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

fn write_stderr(text: &str) {
    // There is no other stream to report the error on.
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
            room: "geral".into(),
            at: AT,
            from: from.into(),
            own: false,
            action: false,
            mention: false,
            text: text.into(),
        }
    }

    fn plain_ui() -> PlainUi {
        PlainUi::new(Clock::brasilia(), None)
    }

    fn rendered(output: &Output) -> String {
        plain_ui().render(output)
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
    fn restrictions_of_a_joined_room_are_one_line() {
        let restrictions = |state| Output::RoomState {
            room: "geral".into(),
            state,
        };
        assert_eq!(rendered(&restrictions(RoomState::default())), "");
        let state = RoomState {
            moderators_only: true,
            locked: true,
            ..RoomState::default()
        };
        assert_eq!(
            rendered(&restrictions(state)),
            "Nesta sala: só quem organiza fala · conversa trancada."
        );
    }

    #[test]
    fn edits_and_erasures_are_separate_records() {
        let amended = |change| Output::Amended {
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
    fn records_name_their_room_while_several_are_open() {
        let mut ui = plain_ui();
        let opened = |room: &str| Output::RoomOpened { room: room.into() };
        ui.show(&opened("geral")).unwrap();
        let output = message("Ana", "oi");
        assert!(ui.render(&output).ends_with("\tAna\toi"));
        ui.show(&opened("lab")).unwrap();
        assert!(ui.render(&output).ends_with("\t#geral Ana\toi"));
        let notice = Output::RoomNotice {
            room: "lab".into(),
            text: "modo lento".into(),
        };
        assert_eq!(ui.render(&notice), "#lab: modo lento");
        ui.show(&Output::RoomClosed { room: "lab".into() }).unwrap();
        assert!(ui.render(&output).ends_with("\tAna\toi"));
    }

    #[test]
    fn whispers_and_actions_are_distinguished() {
        let action = Output::Message {
            seq: 1,
            state: MessageState::Unchanged,
            room: "lab".into(),
            at: AT,
            from: "Ana".into(),
            own: true,
            action: true,
            mention: false,
            text: "acena".into(),
        };
        assert!(rendered(&action).ends_with("\t* Ana\tacena"));
        let whisper = Output::Whisper {
            at: AT,
            own: false,
            from: "Ana".into(),
            to: "você".into(),
            text: "psiu".into(),
        };
        assert!(rendered(&whisper).ends_with("\tAna → você\tpsiu"));
    }
}
