//! Talking: messages on their way through the history to everybody, whispers, typing, and reading back.

use crate::chat::limits::{MAX_SMALL_ROOM, TYPING_INTERVAL};
use crate::chat::people::{Person, PersonKey, SentWhisper};
use crate::chat::rooms::Room;
use crate::chat::{Chat, Effect, Now, too_fast};
use crate::history::{Append, HistoryRequest, Outcome, Page, RequestId};
use crate::ids::{ConnId, RoomId};
use crate::name::{Name, RoomName};
use crate::protocol::{
    ClientMessage, Entry, ErrorCode, FetchHistory, MAX_PAGE, Refusal, Say, Search, ServerMessage,
    Typing, Whisper,
};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

impl Chat {
    /// What people say once they are in.
    pub(super) fn dispatch_message(
        &mut self,
        conn: ConnId,
        message: ClientMessage,
        now: Now,
    ) -> Result<(), Refusal> {
        let Some(who) = self.conns.get(&conn).and_then(|state| state.person) else {
            return Ok(());
        };
        match message {
            ClientMessage::Whisper(whisper) => self.whisper(conn, who, whisper, now),
            ClientMessage::Typing(typing) => self.typing(conn, who, &typing, now),
            ClientMessage::History(fetch) => self.fetch_page(conn, fetch),
            ClientMessage::Search(search) => self.search(conn, search),
            ClientMessage::Say(say) => self.say(conn, who, say, now),
            ClientMessage::Edit(edit) => self.edit(conn, who, edit, now),
            ClientMessage::Erase(erase) => self.erase(conn, who, erase, now),
            _ => Ok(()),
        }
    }

    fn say(&mut self, conn: ConnId, who: PersonKey, say: Say, now: Now) -> Result<(), Refusal> {
        let room_id = self.joined_room(conn, &say.room)?;
        let Some(room) = self.rooms.get(room_id) else {
            return Ok(());
        };
        if say
            .reply_to
            .is_some_and(|seq| seq == 0 || seq > room.log.seq())
        {
            return Err(Refusal::new(ErrorCode::NoSuchEntry));
        }
        self.authorize_speech(who, room_id, now)?;
        self.check_message_rate(who, now)?;
        let (Some(person), Some(room)) = (self.people.get(who), self.rooms.get_mut(room_id)) else {
            return Ok(());
        };
        if let Some(mode) = &mut room.mode {
            mode.record(person.token_hash, now.instant);
        }
        room.pending_appends += 1;
        let append = Append {
            action: say.action,
            reply_to: say.reply_to,
            ..new_append(conn, person, room, (say.id, say.text), now)
        };
        self.effects
            .push(Effect::Submit(HistoryRequest::Append(append)));
        Ok(())
    }

    /// The history stored a message, or did not: now it may be shown, or must be refused.
    pub(super) fn appended(&mut self, conn: ConnId, id: String, room: &RoomName, outcome: Outcome) {
        let Some(room_id) = self.rooms.named(room) else {
            return;
        };
        if let Some(room) = self.rooms.get_mut(room_id) {
            room.pending_appends = room.pending_appends.saturating_sub(1);
        }
        match outcome {
            Outcome::Stored(entry) => self.broadcast_entry(conn, id, room_id, entry),
            Outcome::Duplicate { seq, at } => self.send_ack(conn, id, room_id, seq, at, true),
            Outcome::IdReused => self.send_refusal(conn, &id, Refusal::new(ErrorCode::IdReused)),
            Outcome::NoSuchEntry => {
                self.send_refusal(conn, &id, Refusal::new(ErrorCode::NoSuchEntry))
            }
            Outcome::NothingToErase => self.send_refusal(conn, &id, nothing_to_erase()),
            Outcome::Forbidden => self.send_refusal(conn, &id, not_editable()),
            Outcome::Unavailable => {
                self.send_refusal(conn, &id, Refusal::new(ErrorCode::HistoryUnavailable))
            }
        }
        self.effects.push(Effect::RequestDone(conn));
        self.close_room_if_unused(room_id);
    }

    /// Shows a stored entry to the room; its sender gets the `ack` at the very place of the message.
    fn broadcast_entry(&mut self, conn: ConnId, id: String, room_id: RoomId, entry: Arc<Entry>) {
        if let Some(room) = self.rooms.get_mut(room_id) {
            room.log.push(entry.clone());
        }
        let (seq, at) = (entry.seq, entry.at);
        let sender = self.conns.contains_key(&conn).then_some(conn);
        self.effects.push(Effect::Broadcast(
            room_id,
            ServerMessage::Message(entry),
            sender,
        ));
        self.send_ack(conn, id, room_id, seq, at, false);
    }

    fn send_ack(
        &mut self,
        conn: ConnId,
        id: String,
        room_id: RoomId,
        seq: u64,
        at: u64,
        duplicate: bool,
    ) {
        let room = self.rooms.get(room_id).map(|room| room.display());
        self.send(
            conn,
            ServerMessage::Ack {
                id,
                room,
                seq: Some(seq),
                at,
                duplicate,
            },
        );
    }

    fn send_refusal(&mut self, conn: ConnId, id: &str, refusal: Refusal) {
        self.send(conn, ServerMessage::Error(refusal.with_id(id)));
    }

    fn whisper(
        &mut self,
        conn: ConnId,
        who: PersonKey,
        whisper: Whisper,
        now: Now,
    ) -> Result<(), Refusal> {
        let Whisper { to, id, text } = whisper;
        let Some(person) = self.people.get(who) else {
            return Ok(());
        };
        let fingerprint = whisper_fingerprint(&to, &text);
        if let Some(first) = person.find_whisper(&id) {
            if first.fingerprint != fingerprint {
                return Err(Refusal::new(ErrorCode::IdReused));
            }
            let at = first.at;
            self.send(
                conn,
                ServerMessage::Ack {
                    id,
                    room: None,
                    seq: None,
                    at,
                    duplicate: true,
                },
            );
            self.effects.push(Effect::RequestDone(conn));
            return Ok(());
        }
        // Whispers are not stored, so somebody who just dropped out would never get this one.
        let target = self.people.named(&to).and_then(|who| self.people.get(who));
        let Some(target) = target.filter(|target| !target.conns.is_empty()) else {
            return Err(Refusal::new(ErrorCode::NoSuchPerson));
        };
        let whisper = ServerMessage::Whisper {
            from: person.name.display(),
            tag: person.tag.clone(),
            to: target.name.display(),
            at: now.unix_ms,
            text,
        };
        self.authorize_whisper(who, now)?;
        // The sender's other connections see it too; this one gets the ack.
        let mut recipients = [&target.conns[..], &person.conns[..]].concat();
        recipients.sort_unstable();
        recipients.dedup();
        recipients.retain(|&recipient| recipient != conn);
        self.check_message_rate(who, now)?;
        for recipient in recipients {
            self.send(recipient, whisper.clone());
        }
        if let Some(person) = self.people.get_mut(who) {
            person.remember_whisper(SentWhisper {
                id: id.clone(),
                at: now.unix_ms,
                fingerprint,
            });
        }
        self.send(
            conn,
            ServerMessage::Ack {
                id,
                room: None,
                seq: None,
                at: now.unix_ms,
                duplicate: false,
            },
        );
        self.effects.push(Effect::RequestDone(conn));
        Ok(())
    }

    /// Passes on that somebody is writing, now and then, and only where few enough are there to care.
    fn typing(
        &mut self,
        conn: ConnId,
        who: PersonKey,
        typing: &Typing,
        now: Now,
    ) -> Result<(), Refusal> {
        let room_id = self.joined_room(conn, &typing.room)?;
        let (Some(room), Some(person)) = (self.rooms.get(room_id), self.people.get_mut(who)) else {
            return Ok(());
        };
        if person.is_muted(now.instant) {
            return Ok(());
        }
        let recently = person
            .typing_sent_at
            .is_some_and(|at| now.instant < at + TYPING_INTERVAL);
        if recently || room.online() > MAX_SMALL_ROOM {
            return Ok(());
        }
        person.typing_sent_at = Some(now.instant);
        let typing = ServerMessage::Typing {
            room: room.display(),
            name: person.name.display(),
        };
        self.effects
            .push(Effect::Broadcast(room_id, typing, Some(conn)));
        Ok(())
    }

    fn fetch_page(&mut self, conn: ConnId, fetch: FetchHistory) -> Result<(), Refusal> {
        self.joined_room(conn, &fetch.room)?;
        let limit = page_size(fetch.limit);
        let request = HistoryRequest::Page(RequestId(conn.0), fetch.room, fetch.page, limit);
        self.effects.push(Effect::Submit(request));
        Ok(())
    }

    fn search(&mut self, conn: ConnId, search: Search) -> Result<(), Refusal> {
        self.joined_room(conn, &search.room)?;
        let limit = page_size(search.limit);
        let request = HistoryRequest::Search(RequestId(conn.0), search.room, search.query, limit);
        self.effects.push(Effect::Submit(request));
        Ok(())
    }

    pub(super) fn page_loaded(&mut self, conn: ConnId, room: &RoomName, page: Option<Page>) {
        let message = match page {
            Some(Page {
                oldest,
                entries,
                more,
            }) => ServerMessage::History {
                room: self.room_display_name(room),
                epoch: self.epoch.clone(),
                oldest,
                entries,
                more,
            },
            None => history_unreadable(),
        };
        self.send(conn, message);
        self.effects.push(Effect::BulkDone(conn));
    }

    pub(super) fn search_done(
        &mut self,
        conn: ConnId,
        room: &RoomName,
        query: String,
        page: Option<Page>,
    ) {
        let message = match page {
            Some(Page { entries, more, .. }) => ServerMessage::Found {
                room: self.room_display_name(room),
                query,
                entries,
                more,
            },
            None => history_unreadable(),
        };
        self.send(conn, message);
        self.effects.push(Effect::BulkDone(conn));
    }

    /// The room's name as it is shown, or as it was asked for when it is no longer open.
    fn room_display_name(&self, name: &RoomName) -> Arc<str> {
        let open = self.rooms.named(name).and_then(|id| self.rooms.get(id));
        open.map_or_else(|| name.display(), |room| room.display())
    }

    /// The room of this name that the connection is in.
    pub(super) fn joined_room(&self, conn: ConnId, name: &RoomName) -> Result<RoomId, Refusal> {
        let room = self.rooms.named(name);
        room.filter(|id| {
            self.conns
                .get(&conn)
                .is_some_and(|state| state.rooms.contains(id))
        })
        .ok_or_else(|| Refusal::new(ErrorCode::NotInRoom))
    }

    pub(super) fn check_message_rate(&mut self, who: PersonKey, now: Now) -> Result<(), Refusal> {
        let person = self.people.get_mut(who);
        match person.and_then(|person| person.message_bucket.as_mut()) {
            Some(bucket) => bucket.try_take(now.instant).map_err(too_fast),
            None => Ok(()),
        }
    }
}

/// What somebody says in a room, as the history is asked to store it: plain words that change nothing before them.
pub(super) fn new_append(
    conn: ConnId,
    person: &Person,
    room: &Room,
    (id, text): (String, String),
    now: Now,
) -> Append {
    Append {
        request_id: RequestId(conn.0),
        person: person.id,
        id,
        room: room.name.clone(),
        from: person.name.display(),
        tag: person.tag.clone(),
        text,
        action: false,
        reply_to: None,
        amends: None,
        any_author: false,
        at: now.unix_ms,
    }
}

/// Tells two whispers under one id apart.
fn whisper_fingerprint(to: &Name, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (to.key(), text).hash(&mut hasher);
    hasher.finish()
}

fn page_size(limit: Option<u64>) -> usize {
    limit.map_or(MAX_PAGE, |limit| {
        usize::try_from(limit).unwrap_or(MAX_PAGE).min(MAX_PAGE)
    })
}

fn not_editable() -> Refusal {
    let text = "Você só pode editar ou apagar uma mensagem sua que ainda não foi apagada.";
    Refusal::with_text(ErrorCode::Forbidden, text)
}

fn nothing_to_erase() -> Refusal {
    let text = "Ninguém com este nome disse algo nesta sala neste tempo. Confira o nome, ou volte mais: /apagar Ana 1h";
    Refusal::with_text(ErrorCode::NoSuchEntry, text)
}

fn history_unreadable() -> ServerMessage {
    let text = "O servidor não conseguiu ler o histórico. Tente de novo daqui a pouco.";
    ServerMessage::Error(Refusal::with_text(ErrorCode::HistoryUnavailable, text))
}
