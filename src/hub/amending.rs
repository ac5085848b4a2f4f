//! Changing what was said: messages that edit or erase earlier ones, on the same way through the history as the others.

use super::people::Who;
use super::{Effect, Hub, Now};
use crate::delivery::ChannelId;
use crate::history::{Amendment, Append, Job, Ticket};
use crate::link::ConnId;
use crate::protocol::{ClientMessage, ErrorCode, Refusal};

impl Hub {
    /// Somebody edits or erases one of their own messages. Whether it is theirs, the history knows.
    pub(super) fn amend(&mut self, conn: ConnId, who: Who, message: ClientMessage, now: Now) -> Result<(), Refusal> {
        let (room, id, seq, text, amendment) = match message {
            ClientMessage::Edit { room, id, seq, text } => (room, id, seq, text, Amendment::Edit(seq)),
            ClientMessage::Erase { room, id, seq } => (room, id, seq, String::new(), Amendment::Erase(seq)),
            _ => return Ok(()),
        };
        let channel = self.room_of(conn, &room)?;
        if self.rooms.get(channel).is_none_or(|room| seq == 0 || seq > room.seq()) {
            return Err(Refusal::new(ErrorCode::NoSuchEntry));
        }
        self.count_speech(who, now)?;
        self.ask_to_amend(conn, channel, (id, text), amendment, false, now);
        Ok(())
    }

    /// Asks the history to change earlier entries of a room; `any_author` if others' may be erased too.
    pub(super) fn ask_to_amend(
        &mut self,
        conn: ConnId,
        channel: ChannelId,
        (id, text): (String, String),
        amendment: Amendment,
        any_author: bool,
        now: Now,
    ) {
        let who = self.conns.get(&conn).and_then(|state| state.who);
        let person = who.and_then(|who| self.people.get(who));
        let (Some(person), Some(room)) = (person, self.rooms.get_mut(channel)) else { return };
        room.appending += 1;
        let append = Append {
            ticket: Ticket(conn.0),
            person: person.id,
            id,
            room: room.name.clone(),
            from: person.name.shown(),
            tag: person.tag.clone(),
            text,
            action: false,
            reply_to: None,
            amends: Some(amendment),
            any_author,
            at: now.unix_ms,
        };
        self.effects.push(Effect::Ask(Job::Append(append)));
    }
}
