//! Taking another name; with one token under both names, two persons become one.

use super::people::Who;
use super::presence::PresenceChange;
use super::{Hub, Now};
use crate::delivery::RoomId;
use crate::link::ConnId;
use crate::name::Name;
use crate::protocol::{Refusal, Renamed};

impl Hub {
    /// Gives whoever speaks from this connection another name, unless it belongs to somebody else.
    pub(super) fn rename(&mut self, conn: ConnId, name: Name, now: Now) -> Result<(), Refusal> {
        let Some(who) = self.conns.get(&conn).and_then(|state| state.who) else {
            return Ok(());
        };
        let Some(person) = self.people.get(who) else {
            return Ok(());
        };
        if person.name.as_str() == name.as_str() {
            self.welcome(conn, who);
            return Ok(());
        }
        self.tell_apart(&name, &person.secret)?;
        match self.people.named(&name) {
            Some(other) if other != who => {
                let same_token = self
                    .people
                    .get(other)
                    .is_some_and(|other| other.secret == person.secret);
                if !same_token {
                    return Err(Refusal::name_taken(name.as_str()));
                }
                // The same token under both names: the other one steps aside, as one of two tabs does.
                self.merge_into(who, other, now);
            }
            _ => {}
        }
        let Some(person) = self.people.get(who) else {
            return Ok(());
        };
        let (from, before) = (person.name.shown(), person.id);
        self.people.rename(who, name);
        let Some(person) = self.people.get(who) else {
            return Ok(());
        };
        let renamed = Renamed {
            from,
            to: person.name.shown(),
            tag: person.tag.clone(),
        };
        let conns = person.conns.clone();
        let rooms: Vec<RoomId> = person.seats.iter().map(|seat| seat.room_id).collect();
        for conn in conns {
            self.welcome(conn, who);
        }
        for room in rooms {
            self.record_change(room, PresenceChange::Renamed(renamed.clone()), now);
        }
        self.host_renamed(who, before);
        Ok(())
    }

    /// Two persons of one token become one: the connections and places of `gone` go over to `who`.
    fn merge_into(&mut self, who: Who, gone: Who, now: Now) {
        let Some(person) = self.people.remove(gone) else {
            return;
        };
        let member = person.member();
        for seat in &person.seats {
            if let Some(room) = self.rooms.get_mut(seat.room_id) {
                room.remove_member(gone);
            }
            self.record_change(seat.room_id, PresenceChange::Left(member.clone()), now);
            for _ in 0..seat.conns {
                self.take_seat(who, seat.room_id, now);
            }
            self.forget_if_empty(seat.room_id);
        }
        for conn in &person.conns {
            if let Some(state) = self.conns.get_mut(conn) {
                state.who = Some(who);
            }
        }
        if let Some(heir) = self.people.get_mut(who) {
            heir.conns.extend(person.conns);
        }
    }
}
