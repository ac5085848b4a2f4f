//! Who is there, as far as the others hear of it: at once in a small room, gathered in a larger one, and after a grace
//! for those who only dropped out.

use crate::chat::limits::{MAX_NAMED_ROOM, MAX_SMALL_ROOM, presence_interval};
use crate::chat::people::PersonKey;
use crate::chat::room_log::RoomLog;
use crate::chat::rooms::PendingPresence;
use crate::chat::{Chat, Effect, Now};
use crate::ids::RoomId;
use crate::name::LOBBY;
use crate::protocol::{Member, Renamed, ServerMessage};
use std::cmp::Reverse;

/// One thing to be told of a person in a room.
pub enum PresenceChange {
    Joined(Member),
    Left(Member),
    Renamed(Renamed),
}

impl PendingPresence {
    /// Takes in a change, so that whoever applies first `renamed`, then `left`, then `joined` knows who is there, whether
    /// or not they knew of it before: some came in the middle of what is gathered.
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
                    *member = Member {
                        name: renamed.to,
                        tag: renamed.tag,
                        moderator: member.moderator,
                    }
                }
                None => self.renamed.push(renamed),
            },
        }
    }
}

impl Chat {
    /// Tells a room of a change: at once if the room is small and nothing was told a moment ago, else gathered.
    pub(super) fn record_change(&mut self, id: RoomId, change: PresenceChange, now: Now) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        room.pending_presence.merge(change);
        if room.online() <= MAX_SMALL_ROOM {
            self.publish(id, now);
            return;
        }
        let due_at = room
            .pending_presence
            .published_at
            .map_or(now.instant, |told| told + presence_interval(room.online()));
        if due_at <= now.instant && !room.pending_presence.scheduled {
            self.publish(id, now);
        } else if !std::mem::replace(&mut room.pending_presence.scheduled, true) {
            let position = self.presence_queue.partition_point(|(at, _)| *at <= due_at);
            self.presence_queue.insert(position, (due_at, id));
        }
    }

    /// Tells the gathered changes whose time has come.
    pub(super) fn publish_due(&mut self, now: Now) {
        while let Some((at, id)) = self.presence_queue.front().copied() {
            if at > now.instant {
                return;
            }
            self.presence_queue.pop_front();
            if let Some(room) = self.rooms.get_mut(id) {
                room.pending_presence.scheduled = false;
                self.publish(id, now);
            }
        }
    }

    fn publish(&mut self, id: RoomId, now: Now) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        let (display_name, online) = (room.display(), room.online());
        let pending = &mut room.pending_presence;
        let (joined, left) = (
            std::mem::take(&mut pending.joined),
            std::mem::take(&mut pending.left),
        );
        let renamed = std::mem::take(&mut pending.renamed);
        let nothing = joined.is_empty() && left.is_empty() && renamed.is_empty();
        if nothing && pending.published_online == online {
            return;
        }
        pending.published_at = Some(now.instant);
        pending.published_online = online;
        let message = if online > MAX_NAMED_ROOM {
            let (joined, left, renamed) = (Vec::new(), Vec::new(), Vec::new());
            ServerMessage::Presence {
                room: display_name,
                online,
                joined,
                left,
                renamed,
            }
        } else {
            ServerMessage::Presence {
                room: display_name,
                online,
                joined,
                left,
                renamed,
            }
        };
        self.effects.push(Effect::Broadcast(id, message, None));
    }

    /// Gives up the names and places of those who dropped out and did not come back.
    pub(super) fn expire_grace(&mut self, now: Now) {
        while let Some(Reverse((at, who))) = self.grace_queue.peek().copied() {
            if at > now.instant {
                return;
            }
            self.grace_queue.pop();
            let Some(person) = self.people.get(who) else {
                continue;
            };
            let expired =
                |until: Option<std::time::Instant>| until.is_some_and(|until| until <= now.instant);
            if person.conns.is_empty() && expired(person.grace_until) {
                self.remove_person(who, now);
                continue;
            }
            let expired_memberships = person
                .memberships
                .iter()
                .filter(|membership| membership.conns == 0 && expired(membership.grace_until));
            for room in expired_memberships
                .map(|membership| membership.room_id)
                .collect::<Vec<_>>()
            {
                self.end_membership(who, room, now);
            }
        }
    }

    /// A person has left a room, and the others hear of it.
    pub(super) fn end_membership(&mut self, who: PersonKey, id: RoomId, now: Now) {
        let Some(person) = self.people.get_mut(who) else {
            return;
        };
        person
            .memberships
            .retain(|membership| membership.room_id != id);
        let member = person.member();
        if let Some(room) = self.rooms.get_mut(id) {
            room.remove_member(who);
        }
        self.record_change(id, PresenceChange::Left(member), now);
        self.close_room_if_unused(id);
    }

    /// A person has left altogether: their places and their name are free.
    pub(super) fn remove_person(&mut self, who: PersonKey, now: Now) {
        let Some(person) = self.people.get(who) else {
            return;
        };
        for room in person
            .memberships
            .iter()
            .map(|membership| membership.room_id)
            .collect::<Vec<_>>()
        {
            self.end_membership(who, room, now);
        }
        self.people.remove(who);
    }

    /// Closes a room that nobody is in and nothing is on its way to; its log stays with the history.
    pub(super) fn close_room_if_unused(&mut self, id: RoomId) {
        let Some(room) = self.rooms.get(id) else {
            return;
        };
        let in_use = room.online() > 0
            || room.pending_appends > 0
            || matches!(room.log, RoomLog::Opening(_));
        if !in_use && room.name.as_str() != LOBBY {
            if room.pending_presence.scheduled {
                self.presence_queue.retain(|(_, other)| *other != id);
            }
            self.rooms.remove(id);
        }
    }
}
