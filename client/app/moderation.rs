//! The moderation commands.

use super::{App, Phase};
use crate::app::command;
use crate::app::command::CommandKind;
use crate::app::output::Output;
use crate::app::send_queue::SendTarget;
use papo::name::Name;
use papo::protocol::{ClientMessage, ModerationAction, Password, SetRoomPassword};
use papo::text::fold;
use std::time::Instant;

/// Length of a mute, and how far back to erase, where none is given.
const DEFAULT_SECONDS: u64 = 600;
/// Length of a ban where none is given.
const DEFAULT_BAN_SECONDS: u64 = 3600;

impl App {
    pub(super) fn moderate(&mut self, kind: CommandKind, arguments: &str, now: Instant) {
        match kind {
            CommandKind::RoomPassword => return self.set_room_password(arguments),
            CommandKind::ModeratorsOnly | CommandKind::Lock => return self.toggle(kind, arguments),
            CommandKind::Slow => return self.set_slow_mode(arguments),
            _ if arguments.is_empty() => return self.usage_error(command::usage(kind)),
            CommandKind::Announce => {
                return self.action(ModerationAction::Announce {
                    text: arguments.to_owned(),
                });
            }
            _ => {}
        }
        let timed = matches!(
            kind,
            CommandKind::Mute | CommandKind::Ban | CommandKind::Erase
        );
        let (name, seconds) = self.parse_target(arguments, timed);
        let Ok(name) = Name::new(name) else {
            return self.usage_error("Ninguém com esse nome está aqui.".into());
        };
        if kind == CommandKind::Erase {
            return self.erase_recent(name, seconds, now);
        }
        self.action(action_on_person(kind, name, seconds));
    }

    fn erase_recent(&mut self, name: Name, seconds: Option<u64>, now: Instant) {
        let Some(room) = self.rooms.get(self.current) else {
            return;
        };
        let target = SendTarget::EraseRecent {
            room: room.name.clone(),
            name,
            seconds: seconds.unwrap_or(DEFAULT_SECONDS),
        };
        self.queue.push(target, String::new(), now);
    }

    /// The name, and the time if one is given: the last word, unless it belongs to the name of a person present.
    fn parse_target<'a>(&self, arguments: &'a str, timed: bool) -> (&'a str, Option<u64>) {
        let (name, time) = arguments
            .rsplit_once(char::is_whitespace)
            .unwrap_or((arguments, ""));
        match parse_seconds(time).filter(|_| timed && self.find_person(arguments).is_none()) {
            Some(seconds) => (unquoted(name), Some(seconds)),
            None => (unquoted(arguments), None),
        }
    }

    /// Sends an action. Its answer is a notice to everyone, so the reply to a `ping` shows that it has been handled.
    fn action(&mut self, action: ModerationAction) {
        if self.phase == Phase::Online {
            self.send(ClientMessage::Moderate(action));
        }
        self.request(ClientMessage::Ping);
    }

    /// Switches a mode on or off; without a value, to the opposite of its state, which the server knows.
    fn toggle(&mut self, kind: CommandKind, value: &str) {
        let Some(room) = self.rooms.get(self.current).map(|room| room.name.clone()) else {
            return;
        };
        let on = match fold(value).as_str() {
            "" => None,
            "sim" | "s" | "on" | "yes" => Some(true),
            "nao" | "n" | "off" | "no" => Some(false),
            _ => return self.usage_error(command::usage(kind)),
        };
        self.action(if kind == CommandKind::Lock {
            ModerationAction::Lock { on }
        } else {
            ModerationAction::ModeratorsOnly { room, on }
        });
    }

    fn set_slow_mode(&mut self, time: &str) {
        let Some(room) = self.rooms.get(self.current).map(|room| room.name.clone()) else {
            return;
        };
        match parse_seconds(time) {
            Some(seconds) => self.action(ModerationAction::Slow { room, seconds }),
            None => self.usage_error(command::usage(CommandKind::Slow)),
        }
    }

    /// Sets the current room's password, or removes it.
    fn set_room_password(&mut self, word: &str) {
        let Some(room) = self.rooms.get(self.current).map(|room| room.name.clone()) else {
            return;
        };
        let password = Password::new(word);
        if password.is_none() && !word.is_empty() {
            return self.show(Output::problem(super::bad_password()));
        }
        if self.phase == Phase::Online {
            self.remember_password(&room, password.clone());
            self.send(ClientMessage::RoomPassword(SetRoomPassword {
                room,
                password,
            }));
        }
        self.request(ClientMessage::Ping);
    }
}

/// An action that concerns one person.
///
/// # Panics
/// For any other command.
fn action_on_person(kind: CommandKind, name: Name, seconds: Option<u64>) -> ModerationAction {
    match kind {
        CommandKind::Mute => ModerationAction::Mute {
            name,
            seconds: seconds.unwrap_or(DEFAULT_SECONDS),
        },
        CommandKind::Ban => ModerationAction::Ban {
            name,
            seconds: seconds.unwrap_or(DEFAULT_BAN_SECONDS),
        },
        CommandKind::Unmute => ModerationAction::Unmute { name },
        CommandKind::Kick => ModerationAction::Kick { name },
        CommandKind::Unban => ModerationAction::Unban { name },
        CommandKind::Promote => ModerationAction::Promote { name },
        CommandKind::Demote => ModerationAction::Demote { name },
        _ => unreachable!("{kind:?} concerns no single person"),
    }
}

fn unquoted(name: &str) -> &str {
    name.trim().trim_matches(['"', '“', '”'])
}

/// `30s`, `10m`, `1h`; a number alone means minutes.
fn parse_seconds(time: &str) -> Option<u64> {
    let end = time
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(time.len());
    let unit = match &time[end..] {
        "s" => 1,
        "" | "m" | "min" => 60,
        "h" => 3600,
        _ => return None,
    };
    time[..end].parse::<u64>().ok()?.checked_mul(unit)
}
