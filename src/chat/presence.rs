//! Presence announcements: coalesced, and delayed by a grace period after a drop.

use crate::chat::limits::MAX_NAMED_ROOM;
use crate::chat::people::PersonKey;
use crate::chat::room_updates::UpdateKind;
use crate::chat::rooms::PendingPresence;
use crate::chat::{Chat, Effect, Now};
use crate::ids::RoomId;
use crate::name::LOBBY;
use crate::protocol::{Member, Renamed, ServerMessage};
use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Instant;

/// One change of a room's members.
pub(super) enum PresenceChange {
    Joined(Member),
    Left(Member),
    Renamed(Renamed),
}

impl PendingPresence {
    /// Adds a change, so that a client that applies `renamed`, then `left`, then `joined` has the right members, whether
    /// it knew the earlier ones or joined in the middle of these changes.
    fn merge(&mut self, change: PresenceChange) {
        match change {
            PresenceChange::Joined(member) => self.joined.push(member),
            PresenceChange::Left(member) => {
                self.joined.retain(|other| other.tag != member.tag);
                if !self.left.contains(&member) {
                    self.left.push(member);
                }
            }
            PresenceChange::Renamed(renamed) => match self
                .joined
                .iter_mut()
                .find(|member| member.name == renamed.from)
            {
                Some(member) => {
                    member.name = renamed.to;
                    member.tag = renamed.tag;
                }
                None => self.renamed.push(renamed),
            },
        }
    }
}

impl Chat {
    /// Adds a change of a room's members to those that are sent next.
    pub(super) fn record_change(&mut self, id: RoomId, change: PresenceChange, now: Now) {
        self.rooms[id].pending_presence.merge(change);
        self.room_changed(id, UpdateKind::Presence, now);
    }

    /// Sends a room the changes of its members.
    pub(super) fn broadcast_presence(&mut self, id: RoomId) {
        let room = &mut self.rooms[id];
        let online = room.online();
        let mut changes = std::mem::take(&mut room.pending_presence);
        if online > MAX_NAMED_ROOM {
            changes = PendingPresence::default();
        }
        let message = ServerMessage::Presence {
            room: room.display(),
            online,
            joined: changes.joined,
            left: changes.left,
            renamed: changes.renamed,
        };
        self.effects.push(Effect::Broadcast(id, message, None));
    }

    /// Sends now that the author of what comes next is there, or has another name, if that was not sent yet.
    pub(super) fn announce_author(&mut self, id: RoomId, tag: &Arc<str>, now: Now) {
        let room = &self.rooms[id];
        if room.online() > MAX_NAMED_ROOM {
            return;
        }
        let pending = &room.pending_presence;
        if pending.joined.iter().any(|member| member.tag == *tag)
            || pending.renamed.iter().any(|renamed| renamed.tag == *tag)
        {
            self.send_changes_now(id, now);
        }
    }

    /// Sends a person's new name now where it was not sent yet, because what follows is told under the new tag.
    pub(super) fn send_pending_rename(&mut self, key: PersonKey, now: Now) {
        let person = &self.people[key];
        let tag = person.tag.clone();
        for id in person.room_ids() {
            let mut renamed = self.rooms[id].pending_presence.renamed.iter();
            if renamed.any(|renamed| renamed.tag == tag) {
                self.send_changes_now(id, now);
            }
        }
    }

    /// Frees the names and memberships of people who dropped and did not come back.
    pub(super) fn expire_grace(&mut self, now: Now) {
        let expired = |until: Option<Instant>| until.is_some_and(|until| until <= now.instant);
        while let Some(Reverse((at, key))) = self.grace_queue.peek().copied() {
            if at > now.instant {
                return;
            }
            self.grace_queue.pop();
            // The key may be outdated: its person may be gone, and it may belong to another one now.
            let Some(person) = self.people.get(key) else {
                continue;
            };
            if person.conns.is_empty() && expired(person.grace_until) {
                self.remove_person(key, now);
                continue;
            }
            let ended = person
                .memberships
                .iter()
                .filter(|membership| membership.conns == 0 && expired(membership.grace_until));
            let ended: Vec<RoomId> = ended.map(|membership| membership.room_id).collect();
            for room in ended {
                self.end_membership(key, room, now);
            }
        }
    }

    /// Ends a person's membership in a room, and publishes that.
    pub(super) fn end_membership(&mut self, key: PersonKey, id: RoomId, now: Now) {
        let person = &mut self.people[key];
        person
            .memberships
            .retain(|membership| membership.room_id != id);
        let member = person.member();
        self.rooms[id].remove_member(key);
        self.record_change(id, PresenceChange::Left(member), now);
        self.close_room_if_unused(id);
    }

    /// Removes a person from the chat: ends the memberships and frees the name.
    pub(super) fn remove_person(&mut self, key: PersonKey, now: Now) {
        for room in self.people[key].room_ids() {
            self.end_membership(key, room, now);
        }
        self.people.remove(key);
    }

    /// Closes a room without members and without messages on their way; its log stays in the history.
    pub(super) fn close_room_if_unused(&mut self, id: RoomId) {
        let room = &self.rooms[id];
        let in_use = room.online() > 0 || room.pending_appends > 0 || !room.log.is_open();
        if !in_use && room.name.as_str() != LOBBY {
            self.drop_updates(id);
            self.rooms.close(id);
        }
    }
}
