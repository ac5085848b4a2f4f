//! The restrictions in force in a room, as its members are told: in `joined`, and again when they change.

use crate::auth::TokenHash;
use crate::chat::people::PersonKey;
use crate::chat::room_updates::UpdateKind;
use crate::chat::{Chat, Effect, Now};
use crate::ids::{ConnId, RoomId};
use crate::protocol::{RoomState, ServerMessage};

impl Chat {
    /// The state of a room for one person.
    pub(in crate::chat) fn room_state_for(
        &self,
        id: RoomId,
        key: PersonKey,
        now: Now,
    ) -> RoomState {
        RoomState {
            muted_until: self.people[key].muted_until_ms(now),
            ..self.shared_room_state(id)
        }
    }

    /// The state of a room, without what concerns one person only.
    fn shared_room_state(&self, id: RoomId) -> RoomState {
        let room = &self.rooms[id];
        let mode = room.mode.as_deref();
        RoomState {
            moderators_only: mode.is_some_and(|mode| mode.moderators_only),
            slow_ms: mode.map_or(0, |mode| mode.interval().as_millis() as u64),
            password: self.has_password(&room.name),
            locked: self.moderation.locked,
            muted_until: None,
        }
    }

    /// The restrictions of a room have changed.
    pub(super) fn room_state_changed(&mut self, id: RoomId, now: Now) {
        if self.rooms[id].log.is_open() {
            self.room_changed(id, UpdateKind::RoomState, now);
        }
    }

    /// Sends a room its state: one frame for all, and then to each muted member the own one, which replaces it.
    pub(in crate::chat) fn broadcast_room_state(&mut self, id: RoomId, now: Now) {
        let message = ServerMessage::RoomState {
            room: self.rooms[id].display(),
            state: self.shared_room_state(id),
        };
        self.effects.push(Effect::Broadcast(id, message, None));
        let muted: Vec<PersonKey> = self.rooms[id]
            .members()
            .filter(|&member| self.people[member].is_muted(now.instant))
            .collect();
        for key in muted {
            self.send_room_state(id, key, now);
        }
    }

    /// Something that concerns every open room has changed.
    pub(super) fn room_states_changed(&mut self, now: Now) {
        for id in self.rooms.ids() {
            self.room_state_changed(id, now);
        }
    }

    /// Sends everyone with this token the state of each of their rooms, on each connection.
    pub(super) fn send_room_states_to(&mut self, token_hash: &TokenHash, now: Now) {
        for key in self.people.with_token_hash(token_hash) {
            for id in self.people[key].room_ids() {
                self.send_room_state(id, key, now);
            }
        }
    }

    /// Sends a person the state of a room, on each connection that is in it.
    fn send_room_state(&mut self, id: RoomId, key: PersonKey, now: Now) {
        let message = ServerMessage::RoomState {
            room: self.rooms[id].display(),
            state: self.room_state_for(id, key, now),
        };
        let in_room = |conn: &ConnId| self.conns[*conn].rooms.contains(&id);
        let conns = self.people[key].conns.iter().copied().filter(in_room);
        self.multicast(conns.collect(), message);
    }
}
