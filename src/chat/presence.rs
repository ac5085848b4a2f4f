//! Presence announcements: immediate in small rooms, coalesced in larger ones, delayed by a grace period after a drop.

use crate::chat::limits::{MAX_NAMED_ROOM, MAX_SMALL_ROOM, presence_interval};
use crate::chat::people::PersonKey;
use crate::chat::rooms::PendingPresence;
use crate::chat::{Chat, Effect, Now};
use crate::ids::RoomId;
use crate::name::LOBBY;
use crate::protocol::{Member, Renamed, ServerMessage};
use std::cmp::Reverse;
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
    /// Publishes a change at once if the room is small and nothing was published a moment ago, else collects it.
    pub(super) fn record_change(&mut self, id: RoomId, change: PresenceChange, now: Now) {
        let room = &mut self.rooms[id];
        room.pending_presence.merge(change);
        if room.online() <= MAX_SMALL_ROOM {
            self.publish(id, now);
            return;
        }
        let due_at = match room.pending_presence.published_at {
            Some(at) => at + presence_interval(room.online()),
            None => now.instant,
        };
        if due_at <= now.instant && !room.pending_presence.scheduled {
            self.publish(id, now);
        } else if !std::mem::replace(&mut room.pending_presence.scheduled, true) {
            let position = self.presence_queue.partition_point(|(at, _)| *at <= due_at);
            self.presence_queue.insert(position, (due_at, id));
        }
    }

    /// Publishes the collected changes that are due.
    pub(super) fn publish_due(&mut self, now: Now) {
        while let Some((at, id)) = self.presence_queue.front().copied() {
            if at > now.instant {
                return;
            }
            self.presence_queue.pop_front();
            self.rooms[id].pending_presence.scheduled = false;
            self.publish(id, now);
        }
    }

    fn publish(&mut self, id: RoomId, now: Now) {
        let room = &mut self.rooms[id];
        let online = room.online();
        let display_name = room.display();
        let pending = &mut room.pending_presence;
        let mut joined = std::mem::take(&mut pending.joined);
        let mut left = std::mem::take(&mut pending.left);
        let mut renamed = std::mem::take(&mut pending.renamed);
        let unchanged = joined.is_empty() && left.is_empty() && renamed.is_empty();
        if unchanged && pending.published_online == online {
            return;
        }
        pending.published_at = Some(now.instant);
        pending.published_online = online;
        if online > MAX_NAMED_ROOM {
            joined.clear();
            left.clear();
            renamed.clear();
        }
        let message = ServerMessage::Presence {
            room: display_name,
            online,
            joined,
            left,
            renamed,
        };
        self.effects.push(Effect::Broadcast(id, message, None));
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
            if room.pending_presence.scheduled {
                self.presence_queue.retain(|(_, other)| *other != id);
            }
            self.rooms.close(id);
        }
    }
}
