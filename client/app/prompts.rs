//! Prompts before entering: a name, the server's password, a room's password.

use super::{App, Phase, Prompt};
use crate::app::command;
use crate::app::command::{CommandKind, Parsed};
use crate::app::output::Output;
use papo::name::{Name, RoomName};
use papo::protocol::{ClientMessage, ErrorCode, Join, Password, ResumePoint};
use std::time::Instant;

/// Why a password is invalid, and what would be valid.
pub fn bad_password() -> String {
    format!(
        "Esta senha não serve: use de 1 a {} caracteres.",
        Password::MAX
    )
}

impl App {
    /// Handles the answer to a prompt.
    pub(super) fn on_prompt_answer(
        &mut self,
        prompt: Prompt,
        raw: &str,
        connected: bool,
        now: Instant,
    ) {
        if matches!(
            command::parse(raw.trim()),
            Parsed::Command(CommandKind::Quit, _)
        ) {
            return self.start_leaving(now);
        }
        let accepted = match prompt {
            Prompt::Name => self.set_name(raw),
            Prompt::Password | Prompt::RoomPassword => match Password::new(raw) {
                Some(password) if prompt == Prompt::Password => {
                    self.credentials.password = Some(password);
                    Ok(())
                }
                Some(password) => {
                    let room = self
                        .rooms
                        .first()
                        .map_or(&self.initial_room, |room| &room.name)
                        .clone();
                    self.remember_password(&room, Some(password));
                    Ok(())
                }
                None => Err(bad_password()),
            },
        };
        match accepted {
            Ok(()) if connected => self.send_enter(now),
            Ok(()) => self.connect(),
            Err(sentence) => self.show(Output::problem(sentence)),
        }
    }

    fn set_name(&mut self, raw: &str) -> Result<(), String> {
        self.name = Some(Name::new(raw).map_err(super::bad_name)?);
        Ok(())
    }

    /// The prompt after a refusal, if an answer may help.
    pub(super) fn prompt_after_refusal(&self, code: ErrorCode, of_room: bool) -> Option<Prompt> {
        let prompt = match code {
            ErrorCode::NameTaken | ErrorCode::NameConfusable | ErrorCode::NameInvalid => {
                Prompt::Name
            }
            ErrorCode::PasswordRequired | ErrorCode::PasswordWrong if of_room => {
                Prompt::RoomPassword
            }
            ErrorCode::PasswordRequired | ErrorCode::PasswordWrong => Prompt::Password,
            _ => return None,
        };
        self.mode.interactive.then_some(prompt)
    }

    pub(super) fn start_prompt(&mut self, prompt: Prompt) {
        self.phase = Phase::Prompting {
            prompt,
            connected: true,
        };
    }

    /// Remembers a room's password, or that it has none.
    pub(super) fn remember_password(&mut self, room: &RoomName, password: Option<Password>) {
        match password {
            Some(password) => drop(self.room_passwords.insert(room.key().to_string(), password)),
            None => drop(self.room_passwords.remove(&*room.key().to_string())),
        }
    }

    pub(super) fn password_of(&self, room: &RoomName) -> Option<Password> {
        self.room_passwords.get(&*room.key().to_string()).cloned()
    }

    /// A `join` with the room's password if one is known.
    pub(super) fn join_message(&self, room: RoomName, resume: ResumePoint) -> ClientMessage {
        ClientMessage::Join(Join {
            room_password: self.password_of(&room),
            room,
            resume,
        })
    }
}
