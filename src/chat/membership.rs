//! Coming and going: entering with a name, opening and leaving rooms, dropping out.

use crate::auth::TokenHash;
use crate::chat::limits::{
    MAX_MEMBERS_LARGE_ROOM, MAX_NAMED_ROOM, MAX_ROOMS, MAX_ROOMS_PER_CONNECTION,
};
use crate::chat::people::{Membership, Person, PersonKey};
use crate::chat::presence::PresenceChange;
use crate::chat::room_log::RoomLog;
use crate::chat::rooms::Room;
use crate::chat::{Chat, Effect, Now};
use crate::history::{HistoryRequest, RoomHead};
use crate::ids::{ClientAddr, ConnId, RoomId};
use crate::name::{MAX_NAME, MAX_ROOM, Name, RoomName};
use crate::protocol::{
    Enter, ErrorCode, HEARTBEAT_MS, Limits, MAX_MEMBERS, MAX_ROOMS_LISTED, MAX_TEXT, PROTOCOL,
    Refusal, ResumePoint, RoomInfo, ServerMessage,
};
use std::cmp::Reverse;

impl Chat {
    pub(super) fn enter(&mut self, conn: ConnId, enter: Enter, now: Now) -> Result<(), Refusal> {
        let Enter {
            name,
            token,
            room,
            resume: since,
            credentials,
            ..
        } = enter;
        // The connection's thread made a token if the client brought none.
        let token = token.ok_or_else(|| Refusal::bad_field("token", "um segredo"))?;
        let token_hash = TokenHash::of(&token);
        let room = room.unwrap_or_else(RoomName::lobby);
        let named = self.people.named(&name);
        let present = named.filter(|&who| {
            self.people
                .get(who)
                .is_some_and(|person| person.token_hash == token_hash)
        });
        let moderator =
            self.authorize_entry(conn, &name, &token_hash, present, &credentials, now)?;
        self.reject_confusable(&name, &token_hash)?;
        if named.is_some() && present.is_none() {
            return Err(Refusal::name_taken(name.as_str()));
        }
        if !moderator {
            self.check_room_password(
                conn,
                present,
                &room,
                credentials.room_password.as_ref(),
                now,
            )?;
        }
        let who = present.unwrap_or_else(|| {
            let bucket = self.rules.message_bucket(now.instant);
            self.people.add(Person::new(token_hash, name, bucket))
        });
        self.apply_role(who, moderator, credentials.moderator_key.is_some(), now);
        let address = self
            .conns
            .get(&conn)
            .map_or(ClientAddr::LOCAL, |state| state.address);
        if let Some(person) = self.people.get_mut(who) {
            person.conns.push(conn);
            person.grace_until = None;
            person.address = address;
        }
        if let Some(state) = self.conns.get_mut(&conn) {
            state.person = Some(who);
            state.token = Some(token);
        }
        self.send_welcome(conn, who);
        self.join(conn, room, since, now)
    }

    /// Refuses a name that looks like that of somebody else who is there.
    pub(super) fn reject_confusable(
        &self,
        name: &Name,
        token_hash: &TokenHash,
    ) -> Result<(), Refusal> {
        match self.people.confusable_with(name, token_hash) {
            // The very same name is refused as such.
            Some(present) if present != name => {
                Err(Refusal::name_confusable(name.as_str(), present.as_str()))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn send_welcome(&mut self, conn: ConnId, who: PersonKey) {
        let (Some(person), Some(state)) = (self.people.get(who), self.conns.get(&conn)) else {
            return;
        };
        let Some(token) = state.token.clone() else {
            return;
        };
        let limits = Limits {
            text: MAX_TEXT,
            name: MAX_NAME,
            room: MAX_ROOM,
            rate: self.rules.rate.unwrap_or(0.0),
            burst: self.rules.burst,
        };
        let welcome = ServerMessage::Welcome {
            name: person.name.display(),
            tag: person.tag.clone(),
            token,
            protocol: PROTOCOL,
            server: format!("papo {}", env!("CARGO_PKG_VERSION")),
            limits,
            heartbeat_ms: HEARTBEAT_MS,
            moderator: person.moderator,
        };
        self.send(conn, welcome);
    }

    pub(super) fn join(
        &mut self,
        conn: ConnId,
        name: RoomName,
        since: ResumePoint,
        now: Now,
    ) -> Result<(), Refusal> {
        let Some(state) = self.conns.get(&conn) else {
            return Ok(());
        };
        let known = self.rooms.named(&name);
        let already_in = known.is_some_and(|room| state.rooms.contains(&room));
        if !already_in && state.rooms.len() + state.pending_joins >= MAX_ROOMS_PER_CONNECTION {
            return Err(Refusal::new(ErrorCode::TooManyRooms));
        }
        let room = match known {
            Some(room) => room,
            None if self.rooms.len() >= MAX_ROOMS => {
                let text = "Há salas demais abertas neste servidor. Entre em uma que já existe.";
                return Err(Refusal::with_text(ErrorCode::TooManyRooms, text));
            }
            None => {
                self.effects
                    .push(Effect::Submit(HistoryRequest::RoomHead(name.clone())));
                let owner = self.owner_of(&name, state.person);
                self.rooms.add(name, owner)
            }
        };
        if let Some(RoomLog::Opening(waiting)) = self.rooms.get_mut(room).map(|room| &mut room.log)
        {
            waiting.push((conn, since));
            if let Some(state) = self.conns.get_mut(&conn) {
                state.pending_joins += 1;
            }
            return Ok(());
        }
        self.complete_join(conn, room, &since, now);
        Ok(())
    }

    /// The history told where a room's log stands: whoever waited for it is let in.
    pub(super) fn room_loaded(&mut self, name: &RoomName, head: Option<RoomHead>, now: Now) {
        let Some(id) = self.rooms.named(name) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        let (waiting, loaded) = match (head, &mut room.log) {
            (Some(tail), _) => (room.open(tail), true),
            (None, RoomLog::Opening(waiting)) => (std::mem::take(waiting), false),
            (None, RoomLog::Open { .. }) => return,
        };
        for (conn, since) in waiting {
            let Some(state) = self.conns.get_mut(&conn) else {
                continue;
            };
            state.pending_joins -= 1;
            if loaded {
                self.complete_join(conn, id, &since, now);
            } else {
                let text = "O servidor não conseguiu ler o histórico desta sala. Tente de novo daqui a pouco.";
                self.send(
                    conn,
                    ServerMessage::Error(Refusal::with_text(ErrorCode::HistoryUnavailable, text)),
                );
                self.effects.push(Effect::BulkDone(conn));
            }
        }
        if !loaded {
            self.rooms.remove(id);
        }
        self.close_room_if_unused(id);
    }

    fn complete_join(&mut self, conn: ConnId, id: RoomId, since: &ResumePoint, now: Now) {
        let Some(who) = self.conns.get(&conn).and_then(|state| state.person) else {
            return;
        };
        if !self.conns[&conn].rooms.contains(&id) {
            self.acquire_membership(who, id, now);
            // Only now, so that nobody hears of their own coming.
            self.effects.push(Effect::Subscribe(conn, id));
            if let Some(state) = self.conns.get_mut(&conn) {
                state.rooms.push(id);
            }
        }
        let Some(room) = self.rooms.get(id) else {
            return;
        };
        let backfill = room.log.backfill(since, &self.epoch);
        let max_listed = if room.online() > MAX_NAMED_ROOM {
            MAX_MEMBERS_LARGE_ROOM
        } else {
            MAX_MEMBERS
        };
        let listed = room.members().iter().take(max_listed);
        let joined = ServerMessage::Joined {
            room: room.display(),
            epoch: self.epoch.clone(),
            seq: backfill.seq,
            oldest: backfill.oldest,
            online: room.online(),
            members: listed
                .filter_map(|&who| self.people.get(who))
                .map(Person::member)
                .collect(),
            entries: backfill.entries,
            more: backfill.more,
            reset: backfill.reset,
        };
        self.send(conn, joined);
        self.effects.push(Effect::BulkDone(conn));
    }

    /// One more of a person's connections is in a room.
    pub(super) fn acquire_membership(&mut self, who: PersonKey, id: RoomId, now: Now) {
        let (Some(person), Some(room)) = (self.people.get_mut(who), self.rooms.get_mut(id)) else {
            return;
        };
        if let Some(membership) = person.membership(id) {
            membership.conns += 1;
            membership.grace_until = None;
            return;
        }
        person.memberships.push(Membership {
            room_id: id,
            conns: 1,
            grace_until: None,
        });
        room.add_member(who);
        let member = person.member();
        self.record_change(id, PresenceChange::Joined(member), now);
    }

    pub(super) fn leave(&mut self, conn: ConnId, name: &RoomName, now: Now) -> Result<(), Refusal> {
        let id = self.joined_room(conn, name)?;
        let Some(state) = self.conns.get_mut(&conn) else {
            return Ok(());
        };
        state.rooms.retain(|&room| room != id);
        let who = state.person;
        self.effects.push(Effect::Unsubscribe(conn, id));
        let display_name = self.rooms.get(id).map(|room| room.display());
        if let Some(room) = display_name {
            self.send(conn, ServerMessage::Left { room });
        }
        if let Some(who) = who {
            self.release_membership(who, id, false, now);
        }
        Ok(())
    }

    /// One of a person's connections is no longer in a room; if it was the last, the place is held or given up.
    fn release_membership(&mut self, who: PersonKey, id: RoomId, with_grace: bool, now: Now) {
        let grace_until = now.instant + self.rules.grace;
        let Some(membership) = self
            .people
            .get_mut(who)
            .and_then(|person| person.membership(id))
        else {
            return;
        };
        membership.conns = membership.conns.saturating_sub(1);
        if membership.conns > 0 {
            return;
        }
        if with_grace {
            membership.grace_until = Some(grace_until);
            self.grace_queue.push(Reverse((grace_until, who)));
        } else {
            self.end_membership(who, id, now);
        }
    }

    pub(super) fn disconnected(&mut self, conn: ConnId, clean: bool, now: Now) {
        let Some(state) = self.conns.remove(&conn) else {
            return;
        };
        let Some(who) = state.person else { return };
        for room in state.rooms {
            self.effects.push(Effect::Unsubscribe(conn, room));
            self.release_membership(who, room, !clean, now);
        }
        let grace_until = now.instant + self.rules.grace;
        let Some(person) = self.people.get_mut(who) else {
            return;
        };
        person.conns.retain(|&other| other != conn);
        if !person.conns.is_empty() {
            return;
        }
        if clean {
            self.remove_person(who, now);
        } else {
            person.grace_until = Some(grace_until);
            self.grace_queue.push(Reverse((grace_until, who)));
        }
    }

    pub(super) fn list_rooms(&mut self, conn: ConnId) -> Result<(), Refusal> {
        let mut listed: Vec<&Room> = self
            .rooms
            .iter()
            .filter(|room| matches!(room.log, RoomLog::Open { .. }))
            .collect();
        let busiest_first = |a: &&Room, b: &&Room| {
            b.online()
                .cmp(&a.online())
                .then_with(|| a.name.as_str().cmp(b.name.as_str()))
        };
        // Of thousands of rooms only those that are listed are put in order.
        if listed.len() > MAX_ROOMS_LISTED {
            listed.select_nth_unstable_by(MAX_ROOMS_LISTED, busiest_first);
            listed.truncate(MAX_ROOMS_LISTED);
        }
        listed.sort_unstable_by(busiest_first);
        let info = |room: &&Room| RoomInfo {
            room: room.display(),
            online: room.online(),
            seq: room.log.seq(),
        };
        let rooms = listed.iter().map(info).collect();
        self.send(conn, ServerMessage::Rooms { rooms });
        Ok(())
    }
}
