//! Edits: messages that edit or erase earlier ones; the history stores them like all others.

use crate::chat::completion::Progress;
use crate::chat::limits::MAX_BULK_ERASE;
use crate::chat::messages::NewMessage;
use crate::chat::{AUDIT_LOG, Chat, Now, Speaker};
use crate::history::{Amendment, Append, RequestId};
use crate::ids::RoomId;
use crate::protocol::{Edit, Erase, EraseRecent, ErrorCode, Refusal};
use crate::pt::duration;

impl Chat {
    /// Replaces the text of a message. Only its author may; the history checks that.
    pub(super) fn edit(
        &mut self,
        speaker: Speaker,
        edit: Edit,
        request: RequestId,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let room_id = self.joined_room(speaker.conn, &edit.room)?;
        self.check_seq(room_id, edit.seq)?;
        let allowed = self.authorize_edit(speaker.person, room_id, now);
        self.check_message_rate(speaker.person, edit.text.len(), now)?;
        let message = NewMessage {
            request,
            id: edit.id,
            text: edit.text,
        };
        let append = Append {
            amends: Some(Amendment::Edit(edit.seq)),
            refused: allowed.err().map(Box::new),
            ..self.new_append(speaker.person, room_id, message, now)
        };
        Ok(self.append(room_id, append))
    }

    /// Erases a message. Its author and moderators may; the history checks that.
    pub(super) fn erase(
        &mut self,
        speaker: Speaker,
        erase: Erase,
        request: RequestId,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let room_id = self.joined_room(speaker.conn, &erase.room)?;
        self.check_seq(room_id, erase.seq)?;
        self.check_message_rate(speaker.person, 0, now)?;
        let message = NewMessage {
            request,
            id: erase.id,
            text: String::new(),
        };
        let append = Append {
            amends: Some(Amendment::Erase(erase.seq)),
            any_author: self.people[speaker.person].moderator,
            ..self.new_append(speaker.person, room_id, message, now)
        };
        Ok(self.append(room_id, append))
    }

    /// Erases a person's recent messages in a room, whether or not the person is still present.
    pub(super) fn erase_recent(
        &mut self,
        speaker: Speaker,
        erase: EraseRecent,
        request: RequestId,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let EraseRecent {
            room,
            id,
            name,
            seconds,
        } = erase;
        let room_id = self.joined_room(speaker.conn, &room)?;
        self.check_message_rate(speaker.person, 0, now)?;
        let by = &self.people[speaker.person].name;
        let time = duration(seconds);
        log::info!(target: AUDIT_LOG, "{by} pediu para apagar o que {name} disse em {time} na sala {room}.");
        let message = NewMessage {
            request,
            id,
            text: String::new(),
        };
        let amendment = Amendment::EraseByAuthor {
            name,
            since_ms: now.unix_ms.saturating_sub(seconds.saturating_mul(1000)),
            limit: MAX_BULK_ERASE,
        };
        let append = Append {
            amends: Some(amendment),
            any_author: true,
            ..self.new_append(speaker.person, room_id, message, now)
        };
        Ok(self.append(room_id, append))
    }

    /// Refuses a seq that the room's log does not have yet.
    pub(super) fn check_seq(&self, room_id: RoomId, seq: u64) -> Result<(), Refusal> {
        match self.rooms[room_id].log.opened().seq() {
            last if (1..=last).contains(&seq) => Ok(()),
            _ => Err(Refusal::new(ErrorCode::NoSuchEntry)),
        }
    }
}
