//! One's own messages, to be edited or taken back; and the words of those whom one does not want to read.

use super::{App, AppEffect};
use crate::app::command;
use crate::app::command::CommandKind;
use crate::app::output::{MessageChange, MessageState, Output};
use crate::app::send_queue::SendTarget;
use papo::name::RoomName;
use papo::text::fold;
use std::time::Instant;

/// Most own messages that can be changed without looking for them.
const MAX_OWN_MESSAGES: usize = 200;

/// The own messages that were shown, the last one last.
#[derive(Debug, Default)]
pub struct OwnMessages(Vec<Output>);

impl OwnMessages {
    fn record(&mut self, output: &Output) {
        match output {
            Output::Message { own: true, .. } => self.0.push(output.clone()),
            Output::Amended {
                room: here, change, ..
            } => {
                let in_room = |line: &&mut Output| matches!(line, Output::Message { room, .. } if room == here);
                self.0
                    .iter_mut()
                    .filter(in_room)
                    .for_each(|line| change.apply(line));
            }
            _ => {}
        }
        self.0.retain(|line| {
            !matches!(
                line,
                Output::Message {
                    state: MessageState::Erased,
                    ..
                }
            )
        });
        if self.0.len() > MAX_OWN_MESSAGES {
            self.0.remove(0);
        }
    }

    /// The last one in a room, but for those that are being taken back.
    fn last_in(&self, current_room: &str, being_erased: &[u64]) -> Option<(u64, &str)> {
        self.0.iter().rev().find_map(|line| match line {
            Output::Message {
                seq, room, text, ..
            } if room == current_room && !being_erased.contains(seq) => Some((*seq, &**text)),
            _ => None,
        })
    }
}

impl App {
    /// Keeps in mind what is shown, and leaves out what is not wanted.
    pub(super) fn post_process(&mut self, effects: &mut Vec<AppEffect>) {
        effects.retain_mut(|effect| match effect {
            AppEffect::Show(output) => {
                self.own_messages.record(output);
                if let Output::EarlierPage { messages, .. } | Output::Found { messages, .. } =
                    output
                {
                    messages.retain(|line| {
                        !is_from_other(line, |from| self.ignored.contains(&fold(from)))
                    });
                }
                !is_from_other(output, |from| self.ignored.contains(&fold(from)))
            }
            _ => true,
        });
    }

    /// Gives the last own message another text, or puts it under the person's hands.
    pub(super) fn edit_last(&mut self, text: &str, now: Instant) {
        let Some((room, seq, old)) = self.last_own_message() else {
            return;
        };
        if !text.is_empty() {
            return self.enqueue(SendTarget::Edit { room, seq }, text, now);
        }
        if !self.mode.interactive {
            return self.usage_error(command::usage(CommandKind::Edit));
        }
        self.effects
            .push(AppEffect::RestoreInput(format!("/editar {old}")));
    }

    pub(super) fn erase_last(&mut self, now: Instant) {
        if let Some((room, seq, _)) = self.last_own_message() {
            self.queue
                .push(SendTarget::Erase { room, seq }, String::new(), now);
        }
    }

    /// The last own message in this room, if it can be changed.
    fn last_own_message(&mut self) -> Option<(RoomName, u64, String)> {
        let room = self.rooms.get(self.current)?.name.clone();
        let unconfirmed =
            |to: &SendTarget| matches!(to, SendTarget::Room { room: of, .. } if *of == room);
        if self.queue.iter().any(|pending| unconfirmed(&pending.to)) {
            self.usage_error(
                "Sua última mensagem ainda não foi confirmada. Tente de novo daqui a pouco.".into(),
            );
            return None;
        }
        let being_erased = self.queue.iter().filter_map(|pending| match &pending.to {
            SendTarget::Erase { room: of, seq } if *of == room => Some(*seq),
            _ => None,
        });
        let being_erased: Vec<u64> = being_erased.collect();
        match self.own_messages.last_in(&room.to_string(), &being_erased) {
            Some((seq, text)) => Some((room, seq, text.to_owned())),
            None => {
                self.usage_error("Não há mensagem sua aqui para mudar.".into());
                None
            }
        }
    }

    /// The server has stored a change.
    pub(super) fn on_change_stored(&mut self, to: SendTarget, text: String, seq: u64, at: u64) {
        let (room, change) = match to {
            SendTarget::Edit { room, seq } => (room, MessageChange::Edited { seq, text }),
            SendTarget::Erase { room, seq } => (room, MessageChange::Erased(vec![seq])),
            SendTarget::EraseRecent { room, .. } => {
                // Which messages these were, only the log knows.
                if let Some(index) = self.room_index(room.as_str()) {
                    self.rooms[index].start_catching_up();
                    self.request_next_page(index);
                }
                return;
            }
            SendTarget::Room { .. } | SendTarget::Person(_) => return,
        };
        let Some(index) = self.room_index(room.as_str()) else {
            return;
        };
        let line = self.amended_output(index, at, self.my_name(), change);
        let lines = self.rooms[index].receive(seq, line);
        self.effects.extend(lines.into_iter().map(AppEffect::Show));
    }

    /// The numbers of a room's messages mean others now.
    pub(super) fn on_log_reset(&mut self, index: usize) {
        let room = self.rooms[index].name.clone();
        let name = room.to_string();
        self.own_messages
            .0
            .retain(|line| !matches!(line, Output::Message { room, .. } if *room == name));
        if self.queue.drop_changes(&room) > 0 {
            self.show(Output::problem(
                "O que você queria mudar não está mais guardado no servidor.",
            ));
        }
    }

    /// Hides what somebody writes, or shows it again.
    pub(super) fn toggle_ignored(&mut self, name: &str) {
        if name.is_empty() {
            return self.usage_error(command::usage(CommandKind::Ignore));
        }
        let name = self.find_person(name).unwrap_or(name).to_owned();
        let text = if self.ignored.remove(&fold(&name)) {
            format!("Você volta a ver o que {name} escreve.")
        } else {
            self.ignored.insert(fold(&name));
            format!("Você não verá mais o que {name} escreve. Para voltar a ver: /ignorar {name}")
        };
        self.show(Output::answer(text));
    }
}

/// Whether the line is of somebody else, who is of this kind.
fn is_from_other(output: &Output, kind: impl Fn(&str) -> bool) -> bool {
    matches!(output, Output::Message { own: false, from, .. } if kind(from))
}
