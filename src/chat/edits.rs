//! Changing what was said: messages that edit or erase earlier ones, on the same way through the history as the others.

use crate::chat::limits::MAX_BULK_ERASE;
use crate::chat::messages::new_append;
use crate::chat::people::PersonKey;
use crate::chat::{AUDIT_LOG, Chat, Effect, Now};
use crate::history::{Amendment, Append, HistoryRequest};
use crate::ids::{ConnId, RoomId};
use crate::name::{Name, RoomName};
use crate::protocol::{ClientMessage, ErrorCode, Refusal};
use crate::pt::duration;

impl Chat {
    /// Somebody edits or erases one of their own messages. Whether it is theirs, the history knows; a host may erase
    /// everybody's.
    pub(super) fn amend(
        &mut self,
        conn: ConnId,
        who: PersonKey,
        message: ClientMessage,
        now: Now,
    ) -> Result<(), Refusal> {
        let (room, id, seq, text, amendment) = match message {
            ClientMessage::Edit {
                room,
                id,
                seq,
                text,
            } => (room, id, seq, text, Amendment::Edit(seq)),
            ClientMessage::Erase { room, id, seq } => {
                (room, id, seq, String::new(), Amendment::Erase(seq))
            }
            _ => return Ok(()),
        };
        let room_id = self.joined_room(conn, &room)?;
        if self
            .rooms
            .get(room_id)
            .is_none_or(|room| seq == 0 || seq > room.log.seq())
        {
            return Err(Refusal::new(ErrorCode::NoSuchEntry));
        }
        let is_edit = matches!(amendment, Amendment::Edit(_));
        if is_edit {
            self.authorize_edit(who, room_id, now)?;
        }
        self.check_message_rate(who, now)?;
        let any_author = !is_edit && self.people.get(who).is_some_and(|person| person.moderator);
        self.append_amendment(conn, room_id, (id, text), amendment, any_author, now);
        Ok(())
    }

    /// A host takes back what somebody said in a room lately, whether they are still there or not.
    pub(super) fn erase_recent(
        &mut self,
        conn: ConnId,
        room: &RoomName,
        id: String,
        name: Name,
        seconds: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        let room_id = self.joined_room(conn, room)?;
        let who = self.conns.get(&conn).and_then(|state| state.person);
        let Some((who, by)) = who.and_then(|who| Some((who, self.people.get(who)?.name.display())))
        else {
            return Ok(());
        };
        self.check_message_rate(who, now)?;
        let time = duration(seconds);
        log::info!(target: AUDIT_LOG, "{by} pediu para apagar o que {name} disse em {time} na sala {room}.");
        let since_ms = now.unix_ms.saturating_sub(seconds.saturating_mul(1000));
        let amendment = Amendment::EraseByAuthor {
            name,
            since_ms,
            limit: MAX_BULK_ERASE,
        };
        self.append_amendment(conn, room_id, (id, String::new()), amendment, true, now);
        Ok(())
    }

    /// Asks the history to change earlier entries of a room; `any_author` if others' may be erased too.
    pub(super) fn append_amendment(
        &mut self,
        conn: ConnId,
        room_id: RoomId,
        (id, text): (String, String),
        amendment: Amendment,
        any_author: bool,
        now: Now,
    ) {
        let who = self.conns.get(&conn).and_then(|state| state.person);
        let person = who.and_then(|who| self.people.get(who));
        let (Some(person), Some(room)) = (person, self.rooms.get_mut(room_id)) else {
            return;
        };
        room.pending_appends += 1;
        let append = Append {
            amends: Some(amendment),
            any_author,
            ..new_append(conn, person, room, (id, text), now)
        };
        self.effects
            .push(Effect::Submit(HistoryRequest::Append(append)));
    }
}
