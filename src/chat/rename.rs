//! Renaming a person. If the same token already uses the new name, the two people are merged.

use crate::chat::completion::Progress;
use crate::chat::people::PersonKey;
use crate::chat::presence::PresenceChange;
use crate::chat::{Chat, Now, Speaker};
use crate::protocol::{Refusal, Rename, Renamed};

impl Chat {
    pub(super) fn rename(
        &mut self,
        speaker: Speaker,
        rename: Rename,
        id: Option<String>,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let name = rename.name;
        let key = speaker.person;
        let person = &self.people[key];
        if person.name.as_str() == name.as_str() {
            self.send_welcome(speaker, id);
            return Ok(Progress::Done);
        }
        self.reject_confusable(&name, &person.token_hash)?;
        if let Some(other) = self.people.named(&name).filter(|&other| other != key) {
            if self.people[other].token_hash != person.token_hash {
                return Err(Refusal::name_taken(name.as_str()));
            }
            self.merge_into(key, other, now);
        }
        let from = self.people[key].name.display();
        self.people.rename(key, name);
        let person = &self.people[key];
        let renamed = Renamed {
            from,
            to: person.name.display(),
            tag: person.tag.clone(),
        };
        let rooms = person.room_ids();
        for conn in person.conns.clone() {
            let id = id.clone().filter(|_| conn == speaker.conn);
            self.send_welcome(Speaker { conn, person: key }, id);
        }
        for room in rooms {
            self.record_change(room, PresenceChange::Renamed(renamed.clone()), now);
        }
        self.remember_moderator_name(key);
        Ok(Progress::Done)
    }

    /// Merges two people of one token: `key` takes over the connections and memberships of `absorbed`.
    fn merge_into(&mut self, key: PersonKey, absorbed: PersonKey, now: Now) {
        let person = self.people.remove(absorbed);
        let member = person.member();
        for membership in &person.memberships {
            let room = membership.room_id;
            self.rooms[room].remove_member(absorbed);
            self.record_change(room, PresenceChange::Left(member.clone()), now);
            for _ in 0..membership.conns {
                self.acquire_membership(key, room, now);
            }
            self.close_room_if_unused(room);
        }
        for &conn in &person.conns {
            self.conns[conn].person = Some(key);
        }
        self.people[key].conns.extend(person.conns);
    }
}
