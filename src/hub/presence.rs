//! Who is there, as far as the others hear of it: at once in a small room, gathered in a larger one, and after a grace
//! for those who only dropped out.

use super::limits::{NAMED_ROOM, SMALL_ROOM, presence_every};
use super::people::Who;
use super::room::News;
use super::tail::Log;
use super::{Effect, Hub, Now};
use crate::delivery::RoomId;
use crate::name::LOBBY;
use crate::protocol::{Member, Renamed, ServerMessage};
use std::cmp::Reverse;

/// One thing to be told of a person in a room.
pub enum Change {
    Joined(Member),
    Left(Member),
    Renamed(Renamed),
}

impl News {
    /// Takes in a change, so that whoever applies first `renamed`, then `left`, then `joined` knows who is there, whether
    /// or not they knew of it before: some came in the middle of what is gathered.
    fn gather(&mut self, change: Change) {
        match change {
            Change::Joined(member) => self.joined.push(member),
            Change::Left(member) => {
                self.joined.retain(|other| other.tag != member.tag);
                if !self.left.contains(&member) {
                    self.left.push(member);
                }
            }
            Change::Renamed(renamed) => match self
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

impl Hub {
    /// Tells a room of a change: at once if the room is small and nothing was told a moment ago, else gathered.
    pub(super) fn announce(&mut self, id: RoomId, change: Change, now: Now) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        room.news.gather(change);
        if room.online() <= SMALL_ROOM {
            self.tell(id, now);
            return;
        }
        let due = room
            .news
            .told_at
            .map_or(now.instant, |told| told + presence_every(room.online()));
        if due <= now.instant && !room.news.due {
            self.tell(id, now);
        } else if !std::mem::replace(&mut room.news.due, true) {
            let place = self.news.partition_point(|(at, _)| *at <= due);
            self.news.insert(place, (due, id));
        }
    }

    /// Tells the gathered changes whose time has come.
    pub(super) fn tell_news(&mut self, now: Now) {
        while let Some((at, id)) = self.news.front().copied() {
            if at > now.instant {
                return;
            }
            self.news.pop_front();
            if let Some(room) = self.rooms.get_mut(id) {
                room.news.due = false;
                self.tell(id, now);
            }
        }
    }

    fn tell(&mut self, id: RoomId, now: Now) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        let (shown, online) = (room.shown(), room.online());
        let news = &mut room.news;
        let (joined, left) = (
            std::mem::take(&mut news.joined),
            std::mem::take(&mut news.left),
        );
        let renamed = std::mem::take(&mut news.renamed);
        let nothing = joined.is_empty() && left.is_empty() && renamed.is_empty();
        if nothing && news.told_online == online {
            return;
        }
        news.told_at = Some(now.instant);
        news.told_online = online;
        let message = if online > NAMED_ROOM {
            let (joined, left, renamed) = (Vec::new(), Vec::new(), Vec::new());
            ServerMessage::Presence {
                room: shown,
                online,
                joined,
                left,
                renamed,
            }
        } else {
            ServerMessage::Presence {
                room: shown,
                online,
                joined,
                left,
                renamed,
            }
        };
        self.effects.push(Effect::Broadcast(id, message, None));
    }

    /// Gives up the names and places of those who dropped out and did not come back.
    pub(super) fn give_up_held(&mut self, now: Now) {
        while let Some(Reverse((at, who))) = self.held.peek().copied() {
            if at > now.instant {
                return;
            }
            self.held.pop();
            let Some(person) = self.people.get(who) else {
                continue;
            };
            let over =
                |until: Option<std::time::Instant>| until.is_some_and(|until| until <= now.instant);
            if person.conns.is_empty() && over(person.held_until) {
                self.remove_person(who, now);
                continue;
            }
            let seats = person
                .seats
                .iter()
                .filter(|seat| seat.conns == 0 && over(seat.held_until));
            for room in seats.map(|seat| seat.room_id).collect::<Vec<_>>() {
                self.give_up_seat(who, room, now);
            }
        }
    }

    /// A person has left a room, and the others hear of it.
    pub(super) fn give_up_seat(&mut self, who: Who, id: RoomId, now: Now) {
        let Some(person) = self.people.get_mut(who) else {
            return;
        };
        person.seats.retain(|seat| seat.room_id != id);
        let member = person.member();
        if let Some(room) = self.rooms.get_mut(id) {
            room.remove_member(who);
        }
        self.announce(id, Change::Left(member), now);
        self.forget_if_empty(id);
    }

    /// A person has left altogether: their places and their name are free.
    pub(super) fn remove_person(&mut self, who: Who, now: Now) {
        let Some(person) = self.people.get(who) else {
            return;
        };
        for room in person
            .seats
            .iter()
            .map(|seat| seat.room_id)
            .collect::<Vec<_>>()
        {
            self.give_up_seat(who, room, now);
        }
        self.people.remove(who);
    }

    /// Closes a room that nobody is in and nothing is on its way to; its log stays with the history.
    pub(super) fn forget_if_empty(&mut self, id: RoomId) {
        let Some(room) = self.rooms.get(id) else {
            return;
        };
        let in_use = room.online() > 0 || room.appending > 0 || matches!(room.log, Log::Opening(_));
        if !in_use && room.name.as_str() != LOBBY {
            if room.news.due {
                self.news.retain(|(_, other)| *other != id);
            }
            self.rooms.remove(id);
        }
    }
}
