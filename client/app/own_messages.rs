//! Own messages, which can be edited or erased, and the people whose messages are hidden.

use super::{App, AppEffect};
use crate::app::command;
use crate::app::command::CommandKind;
use crate::app::output::{MessageChange, MessageState, Output};
use crate::app::send_queue::SendTarget;
use papo::name::RoomName;
use papo::text::fold;
use std::time::Instant;

/// Most own messages kept for editing and erasing.
const MAX_OWN_MESSAGES: usize = 200;

/// The own messages shown, newest last.
#[derive(Debug, Default)]
pub struct OwnMessages(Vec<Output>);

impl OwnMessages {
    fn record(&mut self, output: &Output) {
        match output {
            Output::Message { own: true, .. } => self.0.push(output.clone()),
            Output::Amended {
                room: amended_room,
                change,
                ..
            } => {
                for message in &mut self.0 {
                    if matches!(message, Output::Message { room, .. } if room == amended_room) {
                        change.apply(message);
                    }
                }
            }
            _ => {}
        }
        self.0.retain(|message| {
            !matches!(
                message,
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

    /// The last one in a room, without those that are being erased.
    fn last_in(&self, current_room: &str, being_erased: &[u64]) -> Option<(u64, &str)> {
        self.0.iter().rev().find_map(|message| match message {
            Output::Message {
                seq, room, text, ..
            } if room == current_room && !being_erased.contains(seq) => Some((*seq, &**text)),
            _ => None,
        })
    }
}

impl App {
    /// Records own messages and drops the messages of ignored people.
    pub(super) fn post_process(&mut self, effects: &mut Vec<AppEffect>) {
        effects.retain_mut(|effect| match effect {
            AppEffect::Show(output) => {
                self.own_messages.record(output);
                if let Output::EarlierPage { messages, .. } | Output::Found { messages, .. } =
                    output
                {
                    messages.retain(|message| !self.is_from_ignored(message));
                }
                !self.is_from_ignored(output)
            }
            _ => true,
        });
    }

    /// Changes the last own message, or puts its text into the input line.
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
        let is_unconfirmed = self
            .queue
            .iter()
            .any(|pending| matches!(&pending.to, SendTarget::Room { room: of, .. } if *of == room));
        if is_unconfirmed {
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

    /// Shows a change that the server has stored.
    pub(super) fn on_change_stored(&mut self, to: SendTarget, text: String, seq: u64, at: u64) {
        let (room, change) = match to {
            SendTarget::Edit { room, seq } => (room, MessageChange::Edited { seq, text }),
            SendTarget::Erase { room, seq } => (room, MessageChange::Erased(vec![seq])),
            SendTarget::EraseRecent { room, .. } => {
                // Only the log knows which messages were erased.
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
        let amended = self.amended_output(index, at, self.my_name(), change);
        let shown = self.rooms[index].receive(seq, amended);
        self.show_all(shown);
    }

    /// Forgets a room's own messages and pending changes: after a reset of its log, its seqs denote other messages.
    pub(super) fn on_log_reset(&mut self, index: usize) {
        let room = self.rooms[index].name.clone();
        let name = room.to_string();
        self.own_messages
            .0
            .retain(|message| !matches!(message, Output::Message { room, .. } if *room == name));
        if self.queue.drop_changes(&room) > 0 {
            self.show(Output::problem(
                "O que você queria mudar não está mais guardado no servidor.",
            ));
        }
    }

    /// Hides a person's messages, or shows them again.
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

    fn is_from_ignored(&self, output: &Output) -> bool {
        matches!(output, Output::Message { own: false, from, .. } if self.ignored.contains(&fold(from)))
    }
}
