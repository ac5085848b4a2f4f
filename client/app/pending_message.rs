//! One message or change that the server has not acknowledged.

use papo::name::{Name, RoomName};
use papo::protocol::{ClientMessage, Edit, Erase, EraseRecent, ModerationAction, Say, Whisper};
use std::time::Instant;

/// A message or a change, until it is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingMessage {
    pub id: String,
    pub to: SendTarget,
    pub text: String,
    pub queued_at: Instant,
    /// It was sent, and has no answer yet.
    pub in_flight: bool,
    /// How often it was sent without any answer.
    pub unanswered_sends: u32,
}

/// Where it goes, or what it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendTarget {
    Room {
        room: RoomName,
        action: bool,
    },
    Person(Name),
    /// Replaces the text of this own message.
    Edit {
        room: RoomName,
        seq: u64,
    },
    /// Erases this own message.
    Erase {
        room: RoomName,
        seq: u64,
    },
    /// Erases a person's recent messages.
    EraseRecent {
        room: RoomName,
        name: Name,
        seconds: u64,
    },
}

impl PendingMessage {
    /// The room that it goes to; `None` for a whisper.
    pub fn room(&self) -> Option<&RoomName> {
        match &self.to {
            SendTarget::Person(_) => None,
            SendTarget::Room { room, .. }
            | SendTarget::Edit { room, .. }
            | SendTarget::Erase { room, .. }
            | SendTarget::EraseRecent { room, .. } => Some(room),
        }
    }

    /// Whether it waits to be sent, and not for one of these rooms.
    pub fn is_sendable(&self, held: &[RoomName]) -> bool {
        !self.in_flight && self.room().is_none_or(|room| !held.contains(room))
    }

    pub fn to_message(&self) -> ClientMessage {
        let id = self.id.clone();
        let text = self.text.clone();
        match &self.to {
            SendTarget::Room { room, action } => ClientMessage::Say(Say {
                room: room.clone(),
                id,
                text,
                action: *action,
                reply_to: None,
            }),
            SendTarget::Person(to) => ClientMessage::Whisper(Whisper {
                to: to.clone(),
                id,
                text,
            }),
            SendTarget::Edit { room, seq } => ClientMessage::Edit(Edit {
                room: room.clone(),
                id,
                seq: *seq,
                text,
            }),
            SendTarget::Erase { room, seq } => ClientMessage::Erase(Erase {
                room: room.clone(),
                id,
                seq: *seq,
            }),
            SendTarget::EraseRecent {
                room,
                name,
                seconds,
            } => ClientMessage::Moderate(ModerationAction::Erase(EraseRecent {
                room: room.clone(),
                id,
                name: name.clone(),
                seconds: *seconds,
            })),
        }
    }
}
