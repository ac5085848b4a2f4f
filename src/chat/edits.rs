//! Changing what was said: messages that edit or erase earlier ones, on the same way through the history as the others.

use crate::chat::limits::MAX_BULK_ERASE;
use crate::chat::messages::new_append;
use crate::chat::people::PersonKey;
use crate::chat::{AUDIT_LOG, Chat, Effect, Now};
use crate::history::{Amendment, Append, HistoryRequest};
use crate::ids::{ConnId, RoomId};
use crate::protocol::{Edit, Erase, EraseRecent, ErrorCode, Refusal};
use crate::pt::duration;

impl Chat {
    /// Gives a message another text. Only its author may, which the history checks.
    pub(super) fn edit(
        &mut self,
        conn: ConnId,
        who: PersonKey,
        edit: Edit,
        now: Now,
    ) -> Result<(), Refusal> {
        let room_id = self.joined_room(conn, &edit.room)?;
        self.check_seq(room_id, edit.seq)?;
        self.authorize_edit(who, room_id, now)?;
        self.check_message_rate(who, now)?;
        let amendment = Amendment::Edit(edit.seq);
        self.append_amendment(conn, room_id, (edit.id, edit.text), amendment, false, now);
        Ok(())
    }

    /// Erases a message: its author's own, or any if a moderator asks. Whose it is, the history knows.
    pub(super) fn erase(
        &mut self,
        conn: ConnId,
        who: PersonKey,
        erase: Erase,
        now: Now,
    ) -> Result<(), Refusal> {
        let room_id = self.joined_room(conn, &erase.room)?;
        self.check_seq(room_id, erase.seq)?;
        self.check_message_rate(who, now)?;
        let any_author = self.people.get(who).is_some_and(|person| person.moderator);
        let amendment = Amendment::Erase(erase.seq);
        let text = String::new();
        self.append_amendment(conn, room_id, (erase.id, text), amendment, any_author, now);
        Ok(())
    }

    /// Refuses a seq that the room's log does not have yet.
    fn check_seq(&self, room_id: RoomId, seq: u64) -> Result<(), Refusal> {
        match self.rooms.get(room_id) {
            Some(room) if (1..=room.log.seq()).contains(&seq) => Ok(()),
            _ => Err(Refusal::new(ErrorCode::NoSuchEntry)),
        }
    }

    /// Erases what a person said in a room lately, whether or not the person is still there.
    pub(super) fn erase_recent(
        &mut self,
        conn: ConnId,
        erase: EraseRecent,
        now: Now,
    ) -> Result<(), Refusal> {
        let EraseRecent {
            room,
            id,
            name,
            seconds,
        } = erase;
        let room_id = self.joined_room(conn, &room)?;
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
