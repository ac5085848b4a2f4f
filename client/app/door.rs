//! What is asked at the door: a name, the server's password, a room's.

use super::{App, Phase, Prompt};
use crate::command::{self, Kind, Typed};
use crate::line::Output;
use papo::name::{Name, RoomName};
use papo::protocol::{ClientMessage, Credentials, ErrorCode, Password, ResumePoint};
use std::time::Instant;

/// Why a password does not serve, and what would.
pub fn bad_password() -> String {
    format!(
        "Esta senha não serve: use de 1 a {} caracteres.",
        Password::MAX
    )
}

impl App {
    /// What the person has to show besides a name.
    pub fn show_at_the_door(&mut self, secrets: Credentials) {
        self.secrets = secrets;
    }

    /// The person has answered.
    pub(super) fn answer(&mut self, question: Prompt, raw: &str, connected: bool, now: Instant) {
        if matches!(command::parse(raw.trim()), Typed::Run(Kind::Quit, _)) {
            return self.leave(now);
        }
        let taken = match question {
            Prompt::Name => self.take_name(raw),
            Prompt::Password | Prompt::RoomPassword => match Password::new(raw) {
                Some(password) if question == Prompt::Password => {
                    self.secrets.password = Some(password);
                    Ok(())
                }
                Some(password) => {
                    let room = self
                        .rooms
                        .first()
                        .map_or(&self.lobby, |room| &room.name)
                        .clone();
                    self.know(&room, Some(password));
                    Ok(())
                }
                None => Err(bad_password()),
            },
        };
        match taken {
            Ok(()) if connected => self.enter(now),
            Ok(()) => self.connect(),
            Err(sentence) => self.show(Output::problem(sentence)),
        }
    }

    fn take_name(&mut self, raw: &str) -> Result<(), String> {
        self.name = Some(Name::new(raw).map_err(super::bad_name)?);
        Ok(())
    }

    /// What to ask for after a refusal, if an answer may help.
    pub(super) fn asks_for(&self, code: ErrorCode, of_room: bool) -> Option<Prompt> {
        let question = match code {
            ErrorCode::NameTaken | ErrorCode::NameInvalid => Prompt::Name,
            ErrorCode::PasswordRequired | ErrorCode::PasswordWrong if of_room => {
                Prompt::RoomPassword
            }
            // Too many tries: the person sees how long to wait.
            ErrorCode::PasswordRequired | ErrorCode::PasswordWrong | ErrorCode::TooFast => {
                Prompt::Password
            }
            _ => return None,
        };
        self.habits.interactive.then_some(question)
    }

    pub(super) fn ask_for(&mut self, question: Prompt) {
        self.phase = Phase::Asking {
            question,
            connected: true,
        };
    }

    /// Remembers the password of a room, or that it has none.
    pub(super) fn know(&mut self, room: &RoomName, password: Option<Password>) {
        match password {
            Some(password) => drop(self.passwords.insert(room.key().to_string(), password)),
            None => drop(self.passwords.remove(&*room.key().to_string())),
        }
    }

    pub(super) fn password_of(&self, room: &RoomName) -> Option<Password> {
        self.passwords.get(&*room.key().to_string()).cloned()
    }

    /// What opens a room, with its password if one is known.
    pub(super) fn joining(&self, room: RoomName, since: ResumePoint) -> ClientMessage {
        ClientMessage::Join {
            room_password: self.password_of(&room),
            room,
            resume: since,
        }
    }
}
