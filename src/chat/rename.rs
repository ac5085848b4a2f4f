//! Taking another name; with one token under both names, two persons become one.

use crate::chat::people::PersonKey;
use crate::chat::presence::PresenceChange;
use crate::chat::{Chat, Now};
use crate::ids::{ConnId, RoomId};
use crate::name::Name;
use crate::protocol::{Refusal, Renamed};

impl Chat {
    /// Gives whoever speaks from this connection another name, unless it belongs to somebody else.
    pub(super) fn rename(&mut self, conn: ConnId, name: Name, now: Now) -> Result<(), Refusal> {
        let Some(who) = self.conns.get(&conn).and_then(|state| state.person) else {
            return Ok(());
        };
        let Some(person) = self.people.get(who) else {
            return Ok(());
        };
        if person.name.as_str() == name.as_str() {
            self.send_welcome(conn, who);
            return Ok(());
        }
        self.reject_confusable(&name, &person.token_hash)?;
        match self.people.named(&name) {
            Some(other) if other != who => {
                let same_token = self
                    .people
                    .get(other)
                    .is_some_and(|other| other.token_hash == person.token_hash);
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
        let (from, old_id) = (person.name.display(), person.id);
        self.people.rename(who, name);
        let Some(person) = self.people.get(who) else {
            return Ok(());
        };
        let renamed = Renamed {
            from,
            to: person.name.display(),
            tag: person.tag.clone(),
        };
        let conns = person.conns.clone();
        let rooms: Vec<RoomId> = person
            .memberships
            .iter()
            .map(|membership| membership.room_id)
            .collect();
        for conn in conns {
            self.send_welcome(conn, who);
        }
        for room in rooms {
            self.record_change(room, PresenceChange::Renamed(renamed.clone()), now);
        }
        self.carry_role_over(who, old_id);
        Ok(())
    }

    /// Two persons of one token become one: the connections and places of `gone` go over to `who`.
    fn merge_into(&mut self, who: PersonKey, absorbed: PersonKey, now: Now) {
        let Some(person) = self.people.remove(absorbed) else {
            return;
        };
        let member = person.member();
        for membership in &person.memberships {
            if let Some(room) = self.rooms.get_mut(membership.room_id) {
                room.remove_member(absorbed);
            }
            self.record_change(
                membership.room_id,
                PresenceChange::Left(member.clone()),
                now,
            );
            for _ in 0..membership.conns {
                self.acquire_membership(who, membership.room_id, now);
            }
            self.close_room_if_unused(membership.room_id);
        }
        for conn in &person.conns {
            if let Some(state) = self.conns.get_mut(conn) {
                state.person = Some(who);
            }
        }
        if let Some(remaining) = self.people.get_mut(who) {
            remaining.conns.extend(person.conns);
        }
    }
}
