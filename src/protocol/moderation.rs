//! What a host does to keep the conversation in order: each act with exactly the fields that it needs, checked.

use super::fields::{Field, Fields};
use super::{ClientMessage, Refusal};
use crate::name::{Name, RoomName};
use serde::Serialize;

/// How long somebody is silenced, and how far back is erased, when it is not said: ten minutes.
const DEFAULT_MUTE_SECONDS: u64 = 600;
/// How long somebody is banned when it is not said: an hour.
const DEFAULT_BAN_SECONDS: u64 = 3600;
/// Longest time that an act may last or reach back: seven days. Nothing is for good by itself.
pub const MAX_SECONDS: u64 = 7 * 24 * 3600;
/// Longest pause between two messages of one person in a slow room: an hour.
pub const MAX_SLOW_SECONDS: u64 = 3600;

/// Erases what a person said in a room in the last so many seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of the protocol's table")]
pub struct EraseRecent {
    pub room: RoomName,
    pub id: String,
    pub name: Name,
    pub seconds: u64,
}

/// One act of a moderator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "act", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are those of the protocol's table")]
pub enum ModerationAction {
    /// That person says nothing for so many seconds, anywhere.
    Mute { name: Name, seconds: u64 },
    /// That person may speak again.
    Unmute { name: Name },
    /// In that room only hosts speak, or everybody again; without `on` the other of what is now.
    ModeratorsOnly {
        room: RoomName,
        #[serde(skip_serializing_if = "Option::is_none")]
        on: Option<bool>,
    },
    /// In that room everybody says one thing per so many seconds; 0 is without a pause.
    Slow { room: RoomName, seconds: u64 },
    /// Nobody new comes in, or everybody again; without `on` the other of what is now.
    Lock {
        #[serde(skip_serializing_if = "Option::is_none")]
        on: Option<bool>,
    },
    /// That person is sent out, and may come back.
    Kick { name: Name },
    /// That person is sent out, and may not come back for so many seconds.
    Ban { name: Name, seconds: u64 },
    /// Who was banned under that name may come back.
    Unban { name: Name },
    /// See [`EraseRecent`].
    Erase(EraseRecent),
    /// Everybody is told this.
    Announce { text: String },
    /// That person becomes a host too.
    Promote { name: Name },
    /// That person is no longer a host.
    Demote { name: Name },
}

impl Fields<'_> {
    pub(super) fn moderate(&self) -> Result<ClientMessage, Refusal> {
        let name = || self.name(Field::Name);
        let act = match self.string(Field::Act)? {
            "mute" => ModerationAction::Mute {
                name: name()?,
                seconds: self.seconds(DEFAULT_MUTE_SECONDS)?,
            },
            "unmute" => ModerationAction::Unmute { name: name()? },
            "moderators_only" => ModerationAction::ModeratorsOnly {
                room: self.room()?,
                on: self.optional_flag(Field::On)?,
            },
            "slow" => ModerationAction::Slow {
                room: self.room()?,
                seconds: self.slow_seconds()?,
            },
            "lock" => ModerationAction::Lock {
                on: self.optional_flag(Field::On)?,
            },
            "kick" => ModerationAction::Kick { name: name()? },
            "ban" => ModerationAction::Ban {
                name: name()?,
                seconds: self.seconds(DEFAULT_BAN_SECONDS)?,
            },
            "unban" => ModerationAction::Unban { name: name()? },
            "erase" => {
                let (id, seconds) = (self.id()?, self.seconds(DEFAULT_MUTE_SECONDS)?);
                ModerationAction::Erase(EraseRecent {
                    room: self.room()?,
                    id,
                    name: name()?,
                    seconds,
                })
            }
            "announce" => ModerationAction::Announce { text: self.text()? },
            "promote" => ModerationAction::Promote { name: name()? },
            "demote" => ModerationAction::Demote { name: name()? },
            _ => {
                return Err(Refusal::bad_field(
                    "act",
                    "uma das ações de quem organiza, por exemplo mute ou kick",
                ));
            }
        };
        Ok(ClientMessage::Moderate(act))
    }

    fn seconds(&self, default: u64) -> Result<u64, Refusal> {
        let seconds = self.number(Field::Seconds)?.unwrap_or(default);
        match seconds {
            1..=MAX_SECONDS => Ok(seconds),
            _ => Err(Refusal::bad_field(
                "seconds",
                &format!("um número de segundos de 1 a {MAX_SECONDS}"),
            )),
        }
    }

    fn slow_seconds(&self) -> Result<u64, Refusal> {
        let expected = || {
            Refusal::bad_field(
                "seconds",
                &format!("um número de segundos de 0 a {MAX_SLOW_SECONDS}"),
            )
        };
        self.number(Field::Seconds)?
            .filter(|seconds| *seconds <= MAX_SLOW_SECONDS)
            .ok_or_else(expected)
    }

    fn optional_flag(&self, field: Field) -> Result<Option<bool>, Refusal> {
        if self.is_absent(field) {
            Ok(None)
        } else {
            self.flag(field).map(Some)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ErrorCode;

    fn parse(json: &str) -> Result<ClientMessage, Refusal> {
        ClientMessage::parse(json)
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
