//! One's own messages, to be edited or taken back; and the words of those whom one does not want to read.

use super::{App, AppEffect};
use crate::command::{self, Kind};
use crate::line::{MessageChange, MessageState, Output};
use crate::pending::Recipient;
use papo::name::RoomName;
use papo::text::fold;
use std::time::Instant;

/// Most own messages that can be changed without looking for them.
const MAX_MINE: usize = 200;

/// The own messages that were shown, the last one last.
#[derive(Debug, Default)]
pub struct Mine(Vec<Output>);

impl Mine {
    fn note(&mut self, output: &Output) {
        match output {
            Output::Message { own: true, .. } => self.0.push(output.clone()),
            Output::Amended {
                room: here, change, ..
            } => {
                let in_room = |line: &&mut Output| matches!(line, Output::Message { room, .. } if place == here);
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
        if self.0.len() > MAX_MINE {
            self.0.remove(0);
        }
    }

    /// The last one in a room, but for those that are being taken back.
    fn last(&self, current_room: &str, going: &[u64]) -> Option<(u64, &str)> {
        self.0.iter().rev().find_map(|line| match line {
            Output::Message {
                seq, room, text, ..
            } if room == current_room && !going.contains(seq) => Some((*seq, &**text)),
            _ => None,
        })
    }
}

impl App {
    /// Keeps in mind what is shown, and leaves out what is not wanted.
    pub(super) fn look_through(&mut self, effects: &mut Vec<AppEffect>) {
        effects.retain_mut(|effect| match effect {
            AppEffect::Show(output) => {
                self.mine.note(output);
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
    pub(super) fn edit(&mut self, text: &str, now: Instant) {
        let Some((room, seq, old)) = self.last_of_mine() else {
            return;
        };
        if !text.is_empty() {
            return self.say(Recipient::Edit { room, seq }, text, now);
        }
        if !self.habits.interactive {
            return self.misused(command::usage(Kind::Edit));
        }
        self.effects
            .push(AppEffect::RestoreInput(format!("/editar {old}")));
    }

    pub(super) fn erase(&mut self, now: Instant) {
        if let Some((room, seq, _)) = self.last_of_mine() {
            self.queue
                .push(Recipient::Erase { room, seq }, String::new(), now);
        }
    }

    /// The last own message in this room, if it can be changed.
    fn last_of_mine(&mut self) -> Option<(RoomName, u64, String)> {
        let room = self.rooms.get(self.current)?.name.clone();
        let unconfirmed =
            |to: &Recipient| matches!(to, Recipient::Room { room: of, .. } if *of == room);
        if self.queue.iter().any(|pending| unconfirmed(&pending.to)) {
            self.misused(
                "Sua última mensagem ainda não foi confirmada. Tente de novo daqui a pouco.".into(),
            );
            return None;
        }
        let going = self.queue.iter().filter_map(|pending| match &pending.to {
            Recipient::Erase { room: of, seq } if *of == room => Some(*seq),
            _ => None,
        });
        let going: Vec<u64> = going.collect();
        match self.mine.last(&room.to_string(), &going) {
            Some((seq, text)) => Some((room, seq, text.to_owned())),
            None => {
                self.misused("Não há mensagem sua aqui para mudar.".into());
                None
            }
        }
    }

    /// The server has stored a change.
    pub(super) fn changed(&mut self, to: Recipient, text: String, seq: u64, at: u64) {
        let (room, change) = match to {
            Recipient::Edit { room, seq } => (room, MessageChange::Edited { seq, text }),
            Recipient::Erase { room, seq } => (room, MessageChange::Erased(vec![seq])),
            Recipient::EraseOf { room, .. } => {
                // Which messages these were, only the log knows.
                if let Some(index) = self.find(room.as_str()) {
                    self.rooms[index].catch_up();
                    self.fetch_more(index);
                }
                return;
            }
            Recipient::Room { .. } | Recipient::Person(_) => return,
        };
        let Some(index) = self.find(room.as_str()) else {
            return;
        };
        let line = self.amended_output(index, at, self.my_name(), change);
        let lines = self.rooms[index].hear(seq, line);
        self.effects.extend(lines.into_iter().map(AppEffect::Show));
    }

    /// The numbers of a room's messages mean others now.
    pub(super) fn log_is_new(&mut self, index: usize) {
        let room = self.rooms[index].name.clone();
        let name = room.to_string();
        self.mine
            .0
            .retain(|line| !matches!(line, Output::Message { room, .. } if *index == name));
        if self.queue.forget_changes(&room) > 0 {
            self.show(Output::problem(
                "O que você queria mudar não está mais guardado no servidor.",
            ));
        }
    }

    /// Hides what somebody writes, or shows it again.
    pub(super) fn ignore(&mut self, name: &str) {
        if name.is_empty() {
            return self.misused(command::usage(Kind::Ignore));
        }
        let name = self.present(name).unwrap_or(name).to_owned();
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
