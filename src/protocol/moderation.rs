//! The actions of moderators, each with exactly the fields that it needs, checked.

use super::ClientMessage;
use super::fields::{Checked, Field, Fields, bad_field};
use crate::name::{Name, RoomName};
use serde::Serialize;

/// How long a mute lasts and how far back an erase reaches by default: ten minutes.
const DEFAULT_MUTE_SECONDS: u64 = 600;
/// How long a ban lasts by default: an hour.
const DEFAULT_BAN_SECONDS: u64 = 3600;
/// Longest time that an action may last or reach back: seven days. No sanction is permanent.
pub(super) const MAX_SECONDS: u64 = 7 * 24 * 3600;
/// Longest interval of slow mode: an hour.
pub(super) const MAX_SLOW_SECONDS: u64 = 3600;

/// Erases a person's messages of the last so many seconds in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EraseRecent {
    /// The room, which the connection must have joined.
    pub room: RoomName,
    /// 1 to 64 characters, unique per moderator.
    pub id: String,
    /// The author's name, in any spelling.
    pub name: Name,
    /// How far back to erase: 1 to 604,800 seconds, by default 600.
    pub seconds: u64,
}

/// One action of a moderator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "act", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are those of the protocol's table")]
pub enum ModerationAction {
    /// Refuses what the person says, anywhere, for so many seconds.
    Mute { name: Name, seconds: u64 },
    /// Ends a mute.
    Unmute { name: Name },
    /// Lets only moderators speak in the room, or everyone again; without `on`, switches.
    ModeratorsOnly {
        room: RoomName,
        #[serde(skip_serializing_if = "Option::is_none")]
        on: Option<bool>,
    },
    /// Allows one message per person and so many seconds in the room; 0 ends that.
    Slow { room: RoomName, seconds: u64 },
    /// Lets no new person enter, or everyone again; without `on`, switches.
    Lock {
        #[serde(skip_serializing_if = "Option::is_none")]
        on: Option<bool>,
    },
    /// Disconnects the person, who may come back.
    Kick { name: Name },
    /// Disconnects the person, who may not come back for so many seconds.
    Ban { name: Name, seconds: u64 },
    /// Ends the bans of this name.
    Unban { name: Name },
    /// See [`EraseRecent`].
    Erase(EraseRecent),
    /// Sends a notice to everyone.
    Announce { text: String },
    /// Makes the person a moderator.
    Promote { name: Name },
    /// Revokes the person's moderator role.
    Demote { name: Name },
}

impl Fields<'_> {
    pub(super) fn moderate(&self) -> Checked<ClientMessage> {
        let name = || self.name(Field::Name);
        let act = match self.required_text(Field::Act)? {
            "mute" => ModerationAction::Mute {
                name: name()?,
                seconds: self.seconds(DEFAULT_MUTE_SECONDS)?,
            },
            "unmute" => ModerationAction::Unmute { name: name()? },
            "moderators_only" => ModerationAction::ModeratorsOnly {
                room: self.room()?,
                on: self.flag(Field::On)?,
            },
            "slow" => ModerationAction::Slow {
                room: self.room()?,
                seconds: self.slow_seconds()?,
            },
            "lock" => ModerationAction::Lock {
                on: self.flag(Field::On)?,
            },
            "kick" => ModerationAction::Kick { name: name()? },
            "ban" => ModerationAction::Ban {
                name: name()?,
                seconds: self.seconds(DEFAULT_BAN_SECONDS)?,
            },
            "unban" => ModerationAction::Unban { name: name()? },
            "erase" => ModerationAction::Erase(EraseRecent {
                id: self.id()?,
                seconds: self.seconds(DEFAULT_MUTE_SECONDS)?,
                room: self.room()?,
                name: name()?,
            }),
            "announce" => ModerationAction::Announce { text: self.text()? },
            "promote" => ModerationAction::Promote { name: name()? },
            "demote" => ModerationAction::Demote { name: name()? },
            _ => {
                return Err(bad_field(
                    Field::Act,
                    "uma das ações de quem organiza, por exemplo mute ou kick",
                ));
            }
        };
        Ok(ClientMessage::Moderate(act))
    }

    fn seconds(&self, default: u64) -> Checked<u64> {
        let seconds = self.number(Field::Seconds)?.unwrap_or(default);
        match seconds {
            1..=MAX_SECONDS => Ok(seconds),
            _ => Err(bad_field(
                Field::Seconds,
                &format!("um número de segundos de 1 a {MAX_SECONDS}"),
            )),
        }
    }

    fn slow_seconds(&self) -> Checked<u64> {
        let expected = || {
            bad_field(
                Field::Seconds,
                &format!("um número de segundos de 0 a {MAX_SLOW_SECONDS}"),
            )
        };
        self.number(Field::Seconds)?
            .filter(|seconds| *seconds <= MAX_SLOW_SECONDS)
            .ok_or_else(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{ErrorCode, Refusal};

    fn parse(json: &str) -> Result<ClientMessage, Refusal> {
        ClientMessage::parse(json).map(|request| request.message)
    }

    #[test]
    fn moderation_actions_round_trip_through_json() {
        for json in [
            r#"{"type":"moderate","act":"mute","name":"Bruno","seconds":60}"#,
            r#"{"type":"moderate","act":"unmute","name":"Bruno"}"#,
            r#"{"type":"moderate","act":"moderators_only","room":"geral","on":true}"#,
            r#"{"type":"moderate","act":"slow","room":"geral","seconds":0}"#,
            r#"{"type":"moderate","act":"lock","on":false}"#,
            r#"{"type":"moderate","act":"lock"}"#,
            r#"{"type":"moderate","act":"moderators_only","room":"geral"}"#,
            r#"{"type":"moderate","act":"kick","name":"Bruno"}"#,
            r#"{"type":"moderate","act":"ban","name":"Bruno","seconds":604800}"#,
            r#"{"type":"moderate","act":"unban","name":"Bruno"}"#,
            r#"{"type":"moderate","act":"erase","room":"geral","id":"a1","name":"Bruno","seconds":600}"#,
            r#"{"type":"moderate","act":"announce","text":"pausa de dez minutos"}"#,
            r#"{"type":"moderate","act":"promote","name":"Bruno"}"#,
            r#"{"type":"moderate","act":"demote","name":"Bruno"}"#,
        ] {
            let message = parse(json).expect(json);
            assert_eq!(message.to_json(), json);
        }
    }

    #[test]
    fn mute_and_ban_without_seconds_use_their_defaults() {
        let seconds = |json: &str| match parse(json) {
            Ok(ClientMessage::Moderate(
                ModerationAction::Mute { seconds, .. } | ModerationAction::Ban { seconds, .. },
            )) => seconds,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            seconds(r#"{"type":"moderate","act":"mute","name":"Bruno"}"#),
            600
        );
        assert_eq!(
            seconds(r#"{"type":"moderate","act":"ban","name":"Bruno"}"#),
            3600
        );
    }

    #[test]
    fn moderation_action_with_a_bad_field_is_refused() {
        for (json, code) in [
            (r#"{"type":"moderate"}"#, ErrorCode::BadField),
            (r#"{"type":"moderate","act":"dance"}"#, ErrorCode::BadField),
            (r#"{"type":"moderate","act":"mute"}"#, ErrorCode::BadField),
            (
                r#"{"type":"moderate","act":"kick","name":"<b>"}"#,
                ErrorCode::NameInvalid,
            ),
            (
                r#"{"type":"moderate","act":"mute","name":"Bruno","seconds":0}"#,
                ErrorCode::BadField,
            ),
            (
                r#"{"type":"moderate","act":"ban","name":"Bruno","seconds":604801}"#,
                ErrorCode::BadField,
            ),
            (
                r#"{"type":"moderate","act":"slow","room":"geral"}"#,
                ErrorCode::BadField,
            ),
            (
                r#"{"type":"moderate","act":"slow","room":"geral","seconds":3601}"#,
                ErrorCode::BadField,
            ),
            (
                r#"{"type":"moderate","act":"lock","on":1}"#,
                ErrorCode::BadField,
            ),
            (
                r#"{"type":"moderate","act":"moderators_only","on":true}"#,
                ErrorCode::BadField,
            ),
            (
                r#"{"type":"moderate","act":"erase","room":"geral","name":"Bruno"}"#,
                ErrorCode::BadField,
            ),
            (
                r#"{"type":"moderate","act":"announce","text":" "}"#,
                ErrorCode::TextEmpty,
            ),
        ] {
            assert_eq!(parse(json).expect_err(json).code, code, "{json}");
        }
    }
}
