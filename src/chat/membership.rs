//! Membership of rooms: joining, leaving, and what a disconnect ends.

use crate::chat::completion::{Completion, Progress};
use crate::chat::limits::{
    MAX_MEMBERS_LARGE_ROOM, MAX_NAMED_ROOM, MAX_ROOMS, MAX_ROOMS_PER_CONNECTION,
};
use crate::chat::moderation::passwords::PasswordCheck;
use crate::chat::moderation::speaking::RoomMode;
use crate::chat::people::{Membership, PersonKey};
use crate::chat::presence::PresenceChange;
use crate::chat::room_log::Backfill;
use crate::chat::{Chat, Effect, Now, Speaker};
use crate::history::{HistoryRequest, RoomHead};
use crate::ids::{ConnId, RoomId};
use crate::name::RoomName;
use crate::protocol::{
    ClientMessage, ErrorCode, Join, Leave, MAX_MEMBERS, MAX_ROOMS_LISTED, Refusal, ResumePoint,
    RoomInfo, ServerMessage,
};
use std::cmp::{Ordering, Reverse};

/// What `joined` says of the log, and the id of the request that it answers.
pub(super) struct JoinAnswer {
    pub backfill: Backfill,
    pub id: Option<String>,
}

impl Chat {
    pub(super) fn join(
        &mut self,
        speaker: Speaker,
        join: Join,
        completion: &Completion,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let check = PasswordCheck {
            conn: speaker.conn,
            person: Some(speaker.person),
            given: join.room_password.as_ref(),
        };
        if let Some(running) = self.check_room_password(&check, &join.room, now)? {
            return Ok(Progress::AwaitCheck(running, ClientMessage::Join(join)));
        }
        let room = self.room_to_join(speaker.conn, &join.room)?;
        if !self.rooms[room].log.is_open() {
            return Ok(Progress::AwaitRoom(room, ClientMessage::Join(join)));
        }
        if self.claims_rollback(room, &join.resume, completion) {
            return Ok(Progress::AwaitEpoch(ClientMessage::Join(join)));
        }
        self.complete_join(speaker, room, &join.resume, now, completion.id());
        Ok(Progress::Done)
    }

    /// The room of this name, for one more join of this connection. If it is closed, the history is asked for its log.
    pub(super) fn room_to_join(
        &mut self,
        conn: ConnId,
        name: &RoomName,
    ) -> Result<RoomId, Refusal> {
        let state = &self.conns[conn];
        let known = self.rooms.named(name);
        let already_in = known.is_some_and(|room| state.rooms.contains(&room));
        if !already_in && state.rooms.len() + state.waiting_requests >= MAX_ROOMS_PER_CONNECTION {
            return Err(Refusal::new(ErrorCode::TooManyRooms));
        }
        match known {
            Some(id) => Ok(id),
            None => self.open_room(name),
        }
    }

    /// Adds a room and asks the history for its log.
    fn open_room(&mut self, name: &RoomName) -> Result<RoomId, Refusal> {
        if self.rooms.len() >= MAX_ROOMS {
            let text = "Há salas demais abertas neste servidor. Entre em uma que já existe.";
            return Err(Refusal::with_text(ErrorCode::TooManyRooms, text));
        }
        self.effects
            .push(Effect::Submit(HistoryRequest::RoomHead(name.clone())));
        Ok(self.rooms.add(name.clone()))
    }

    /// Handles the head of a room's log, `None` if it can't be read: decides or refuses the requests that waited.
    pub(super) fn room_loaded(&mut self, name: &RoomName, head: Option<RoomHead>, now: Now) {
        let id = self.rooms.named(name);
        let id = id.expect("a room stays while its log is being read");
        let waiting = self.rooms[id].log.take_waiting();
        let Some(head) = head else {
            self.rooms.remove(id);
            return waiting
                .into_iter()
                .for_each(|request| self.refuse_waiting(request, room_unreadable()));
        };
        self.rooms.open(id, head);
        let record = self.moderation.rooms.get(name.key());
        self.rooms[id].mode = record.and_then(|record| RoomMode::of(&record.settings));
        for request in waiting {
            self.resume_request(request, now);
        }
        self.close_room_if_unused(id);
    }

    /// Puts a connection into a room whose log is open, and answers with `joined`. It can't fail.
    pub(super) fn complete_join(
        &mut self,
        speaker: Speaker,
        id: RoomId,
        resume: &ResumePoint,
        now: Now,
        request_id: Option<String>,
    ) {
        let conn = speaker.conn;
        self.rooms[id].claim(self.people[speaker.person].token_hash);
        if !self.conns[conn].rooms.contains(&id) {
            self.acquire_membership(speaker.person, id, now);
            // Subscribed only now, so that the person does not receive their own arrival.
            self.subscribe(conn, id);
            self.conns[conn].rooms.push(id);
        }
        let log = self.rooms[id].log.opened();
        let answer = JoinAnswer {
            backfill: log.backfill(resume, self.epoch.id()),
            id: request_id,
        };
        self.send_joined(speaker, id, answer, now);
        if std::mem::take(&mut self.conns[conn].unsaved_role) {
            self.warn_unsaved(conn, now);
        }
    }

    fn subscribe(&mut self, conn: ConnId, id: RoomId) {
        self.rooms[id].listeners += 1;
        self.effects.push(Effect::Subscribe(conn, id));
    }

    pub(super) fn unsubscribe(&mut self, conn: ConnId, id: RoomId) {
        self.rooms[id].listeners -= 1;
        self.effects.push(Effect::Unsubscribe(conn, id));
    }

    /// Sends `joined` to a connection that is in the room.
    pub(super) fn send_joined(
        &mut self,
        speaker: Speaker,
        id: RoomId,
        answer: JoinAnswer,
        now: Now,
    ) {
        let JoinAnswer {
            backfill,
            id: request_id,
        } = answer;
        let room = &self.rooms[id];
        let max_listed = match room.online() > MAX_NAMED_ROOM {
            true => MAX_MEMBERS_LARGE_ROOM,
            false => MAX_MEMBERS,
        };
        let listed = room.members().take(max_listed);
        let joined = ServerMessage::Joined {
            room: room.display(),
            epoch: self.epoch.id().clone(),
            seq: backfill.seq,
            oldest: backfill.oldest,
            online: room.online(),
            members: listed.map(|member| self.people[member].member()).collect(),
            entries: backfill.entries,
            more: backfill.more,
            reset: backfill.reset,
            state: self.room_state_for(id, speaker.person, now),
            id: request_id,
        };
        self.send(speaker.conn, joined);
    }

    /// Counts one more of a person's connections in a room.
    pub(super) fn acquire_membership(&mut self, key: PersonKey, id: RoomId, now: Now) {
        let person = &mut self.people[key];
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
        let member = person.member();
        self.rooms[id].add_member(key);
        self.record_change(id, PresenceChange::Joined(member), now);
    }

    pub(super) fn leave(
        &mut self,
        speaker: Speaker,
        leave: &Leave,
        id: Option<String>,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let conn = speaker.conn;
        let room_id = self.joined_room(conn, &leave.room)?;
        self.conns[conn].rooms.retain(|&room| room != room_id);
        self.unsubscribe(conn, room_id);
        let room = self.rooms[room_id].display();
        self.send(conn, ServerMessage::Left { room, id });
        self.release_membership(speaker.person, room_id, false, now);
        Ok(Progress::Done)
    }

    /// Counts one less of a person's connections in a room. After the last one the membership ends, at once or after the
    /// grace period.
    fn release_membership(&mut self, key: PersonKey, id: RoomId, with_grace: bool, now: Now) {
        let grace_until = now.instant + self.rules.grace;
        let membership = self.people[key].membership(id);
        let membership = membership.expect("a connection in a room makes its person a member");
        membership.conns -= 1;
        if membership.conns > 0 {
            return;
        }
        if with_grace {
            membership.grace_until = Some(grace_until);
            self.grace_queue.push(Reverse((grace_until, key)));
        } else {
            self.end_membership(key, id, now);
        }
    }

    pub(super) fn disconnected(&mut self, conn: ConnId, clean: bool, now: Now) {
        let state = self.conns.remove(conn);
        let Some(key) = state.person else { return };
        for room in state.rooms {
            self.unsubscribe(conn, room);
            self.release_membership(key, room, !clean, now);
        }
        let person = &mut self.people[key];
        person.conns.retain(|&other| other != conn);
        if !person.conns.is_empty() {
            return;
        }
        if clean {
            self.remove_person(key, now);
        } else {
            let grace_until = now.instant + self.rules.grace;
            person.grace_until = Some(grace_until);
            self.grace_queue.push(Reverse((grace_until, key)));
        }
    }

    /// The room of this name, if the connection is in it.
    pub(super) fn joined_room(&self, conn: ConnId, name: &RoomName) -> Result<RoomId, Refusal> {
        let room = self.rooms.named(name);
        room.filter(|id| self.conns[conn].rooms.contains(id))
            .ok_or_else(|| Refusal::new(ErrorCode::NotInRoom))
    }

    /// Lists the rooms that are open, the busiest first, and those that were used last.
    pub(super) fn list_rooms(&mut self, conn: ConnId, id: Option<String>) -> Progress {
        let open = self.rooms.iter().filter(|room| room.log.is_open());
        let open = open.map(|room| (&room.name, room.online(), room.log.opened().seq()));
        let closed = self.rooms.closed().map(|(name, seq)| (name, 0, seq));
        let mut listed: Vec<Listed> = open.chain(closed).collect();
        // Of thousands of rooms only those that are listed are sorted.
        if listed.len() > MAX_ROOMS_LISTED {
            listed.select_nth_unstable_by(MAX_ROOMS_LISTED, busiest_first);
            listed.truncate(MAX_ROOMS_LISTED);
        }
        listed.sort_unstable_by(busiest_first);
        let info = |&(name, online, seq): &Listed| RoomInfo {
            room: name.display(),
            online,
            seq,
            password: self.has_password(name),
        };
        let rooms = listed.iter().map(info).collect();
        self.send(conn, ServerMessage::Rooms { rooms, id });
        Progress::Done
    }
}

fn room_unreadable() -> Refusal {
    let text = "O servidor não conseguiu ler o histórico desta sala. Tente de novo daqui a pouco.";
    Refusal::with_text(ErrorCode::HistoryUnavailable, text)
}

/// A room in the list: its name, the people in it, and the last seq of its log.
type Listed<'a> = (&'a RoomName, usize, u64);

/// Puts the rooms with the most people first, and those of equal size in the order of their names.
fn busiest_first(a: &Listed, b: &Listed) -> Ordering {
    let by_name = || a.0.as_str().cmp(b.0.as_str());
    b.1.cmp(&a.1).then_with(by_name)
}
