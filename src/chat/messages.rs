//! Messages: through the history to everyone in a room, whispers, typing, and reading back.

use crate::chat::completion::{Completion, Progress};
use crate::chat::limits::{MAX_SMALL_ROOM, TYPING_INTERVAL};
use crate::chat::people::{PersonKey, SentWhisper};
use crate::chat::{Chat, Effect, Now, Speaker, too_fast};
use crate::history::{Append, HistoryRequest, Outcome, Page, RequestId};
use crate::ids::{ConnId, RoomId};
use crate::name::RoomName;
use crate::protocol::{
    Entry, ErrorCode, FetchHistory, MAX_PAGE, Refusal, Say, Search, ServerMessage, Typing, Whisper,
};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// A message to be stored: its request, the author's id for it, and its text.
pub(super) struct NewMessage {
    pub request: RequestId,
    pub id: String,
    pub text: String,
}

/// Where an entry was stored, now or by an earlier request with the same id.
struct Receipt {
    seq: u64,
    at: u64,
    duplicate: bool,
}

impl Chat {
    pub(super) fn say(
        &mut self,
        speaker: Speaker,
        say: Say,
        request: RequestId,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let Speaker { conn, person } = speaker;
        let room_id = self.joined_room(conn, &say.room)?;
        if let Some(seq) = say.reply_to {
            self.check_seq(room_id, seq)?;
        }
        let allowed = self.authorize_speech(person, room_id, now);
        self.check_message_rate(person, say.text.len(), now)?;
        if let Some(mode) = &mut self.rooms[room_id].mode
            && allowed.is_ok()
        {
            mode.record(self.people[person].token_hash, now.instant);
        }
        let message = NewMessage {
            request,
            id: say.id,
            text: say.text,
        };
        let append = Append {
            action: say.action,
            reply_to: say.reply_to,
            refused: allowed.err().map(Box::new),
            ..self.new_append(person, room_id, message, now)
        };
        Ok(self.append(room_id, append))
    }

    /// A plain message of a person in a room.
    pub(super) fn new_append(
        &self,
        person: PersonKey,
        room_id: RoomId,
        message: NewMessage,
        now: Now,
    ) -> Append {
        let person = &self.people[person];
        let room = &self.rooms[room_id];
        let is_first = room.log.opened().seq() == 0;
        Append {
            request_id: message.request,
            person: person.id,
            id: message.id,
            room: room.name.clone(),
            room_owner: room.owner.filter(|_| is_first).map(Box::new),
            from: person.name.display(),
            tag: person.tag.clone(),
            text: message.text,
            action: false,
            reply_to: None,
            amends: None,
            any_author: false,
            refused: None,
            at: now.unix_ms,
        }
    }

    /// Asks the history to store a message; its room stays open until then.
    pub(super) fn append(&mut self, room_id: RoomId, append: Append) -> Progress {
        self.rooms[room_id].pending_appends += 1;
        Progress::AwaitReply(HistoryRequest::Append(append))
    }

    /// Broadcasts a message that the history stored, or refuses one that it did not.
    pub(super) fn appended(
        &mut self,
        completion: Completion,
        id: String,
        room: &RoomName,
        outcome: Outcome,
        now: Now,
    ) {
        let room_id = self.rooms.named(room);
        let room_id = room_id.expect("a room stays open while messages are on their way to it");
        self.rooms[room_id].pending_appends -= 1;
        let stored = match outcome {
            Outcome::Stored(entry) => {
                self.announce_author(room_id, &entry.tag, now);
                Ok(self.broadcast_entry(completion.conn(), room_id, entry))
            }
            Outcome::Duplicate { seq, at } => Ok(Receipt {
                seq,
                at,
                duplicate: true,
            }),
            Outcome::IdReused => Err(Refusal::new(ErrorCode::IdReused)),
            Outcome::NoSuchEntry => Err(Refusal::new(ErrorCode::NoSuchEntry)),
            Outcome::NothingToErase => Err(nothing_to_erase()),
            Outcome::Forbidden => Err(not_editable()),
            Outcome::Refused(refusal) => Err(*refusal),
            Outcome::Unavailable => Err(Refusal::new(ErrorCode::HistoryUnavailable)),
            Outcome::NoSpace(fault) => Err(Refusal::with_text(
                ErrorCode::HistoryUnavailable,
                fault.describe_refusal(),
            )),
        };
        match stored {
            Ok(receipt) => {
                let ack = ServerMessage::Ack {
                    id,
                    room: Some(self.rooms[room_id].display()),
                    seq: Some(receipt.seq),
                    at: receipt.at,
                    text: completion.changed_text(),
                    duplicate: receipt.duplicate,
                };
                self.send(completion.conn(), ack);
                completion.done(&mut self.effects);
            }
            Err(refusal) => self.refuse(completion, refusal),
        }
        self.close_room_if_unused(room_id);
    }

    /// Broadcasts a stored entry. Its sender gets the `ack` instead, in the same position.
    fn broadcast_entry(&mut self, sender: ConnId, room_id: RoomId, entry: Arc<Entry>) -> Receipt {
        let receipt = Receipt {
            seq: entry.seq,
            at: entry.at,
            duplicate: false,
        };
        self.space.count(&entry);
        let log = self.rooms[room_id].log.opened_mut();
        log.push(entry.clone());
        let sender = self.conns.contains(sender).then_some(sender);
        let message = ServerMessage::Message(entry);
        self.effects
            .push(Effect::Broadcast(room_id, message, sender));
        receipt
    }

    pub(super) fn whisper(
        &mut self,
        speaker: Speaker,
        whisper: Whisper,
        changed_text: Option<String>,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let id = whisper.id.clone();
        let fingerprint = fingerprint(&whisper);
        let (at, duplicate) = match self.people[speaker.person].find_whisper(&id) {
            Some(first) if first.fingerprint != fingerprint => {
                return Err(Refusal::new(ErrorCode::IdReused));
            }
            Some(first) => (first.at, true),
            None => {
                self.deliver_whisper(speaker, whisper, fingerprint, now)?;
                (now.unix_ms, false)
            }
        };
        let ack = ServerMessage::Ack {
            id,
            room: None,
            seq: None,
            at,
            text: changed_text,
            duplicate,
        };
        self.send(speaker.conn, ack);
        Ok(Progress::Done)
    }

    /// Sends a whisper to every connection of both people, except the sending one, which gets the `ack`.
    fn deliver_whisper(
        &mut self,
        speaker: Speaker,
        whisper: Whisper,
        fingerprint: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        // Whispers are not stored: a person without a connection would never get this one.
        let target = self.people.named(&whisper.to);
        let target = target.map(|person| &self.people[person]);
        let target = target.filter(|target| !target.conns.is_empty());
        let target = target.ok_or_else(|| Refusal::new(ErrorCode::NoSuchPerson))?;
        let bytes = whisper.text.len();
        let person = &self.people[speaker.person];
        let mut recipients = [&target.conns[..], &person.conns[..]].concat();
        recipients.sort_unstable();
        recipients.dedup();
        recipients.retain(|&recipient| recipient != speaker.conn);
        let sent = SentWhisper {
            fingerprint,
            id: whisper.id,
            at: now.unix_ms,
        };
        let message = ServerMessage::Whisper {
            from: person.name.display(),
            tag: person.tag.clone(),
            to: target.name.display(),
            at: now.unix_ms,
            text: whisper.text,
        };
        self.authorize_whisper(speaker.person, now)?;
        self.check_message_rate(speaker.person, bytes, now)?;
        self.multicast(recipients, message);
        self.people[speaker.person].remember_whisper(sent);
        Ok(())
    }

    /// Broadcasts that a person is typing; throttled, and only in small rooms.
    pub(super) fn typing(
        &mut self,
        speaker: Speaker,
        typing: &Typing,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let room_id = self.joined_room(speaker.conn, &typing.room)?;
        let room = &self.rooms[room_id];
        let person = &mut self.people[speaker.person];
        let recently = person
            .typing_sent_at
            .is_some_and(|at| now.instant < at + TYPING_INTERVAL);
        if !recently && room.online() <= MAX_SMALL_ROOM && !person.is_muted(now.instant) {
            person.typing_sent_at = Some(now.instant);
            let message = ServerMessage::Typing {
                room: room.display(),
                name: person.name.display(),
            };
            self.effects
                .push(Effect::Broadcast(room_id, message, Some(speaker.conn)));
        }
        Ok(Progress::Done)
    }

    pub(super) fn fetch_page(
        &mut self,
        speaker: Speaker,
        fetch: FetchHistory,
        request: RequestId,
    ) -> Result<Progress, Refusal> {
        self.joined_room(speaker.conn, &fetch.room)?;
        let limit = page_size(fetch.limit);
        let page = HistoryRequest::Page(request, fetch.room, fetch.page, limit);
        Ok(Progress::AwaitReply(page))
    }

    pub(super) fn search(
        &mut self,
        speaker: Speaker,
        search: Search,
        request: RequestId,
    ) -> Result<Progress, Refusal> {
        self.joined_room(speaker.conn, &search.room)?;
        let limit = page_size(search.limit);
        let search = HistoryRequest::Search(request, search.room, search.query, limit);
        Ok(Progress::AwaitReply(search))
    }

    pub(super) fn page_loaded(
        &mut self,
        completion: Completion,
        room: &RoomName,
        page: Option<Page>,
    ) {
        let Some(mut page) = page else {
            return self.refuse(completion, history_unreadable());
        };
        self.drop_unpublished(room, &mut page);
        let history = ServerMessage::History {
            room: self.room_display_name(room),
            epoch: self.epoch.of_request(completion.made_before_epoch()),
            oldest: page.oldest,
            entries: page.entries,
            more: page.more,
            id: completion.id(),
        };
        self.send(completion.conn(), history);
        completion.done(&mut self.effects);
    }

    /// The reader of the log may be ahead of the writer's replies, and what it read may still be taken back: an entry is
    /// seen first as a message. Those that are dropped here follow the page.
    fn drop_unpublished(&self, room: &RoomName, page: &mut Page) {
        let room = self.rooms.named(room).map(|id| &self.rooms[id]);
        let Some(room) = room.filter(|room| room.log.is_open()) else {
            return;
        };
        let published = room.log.opened().seq();
        page.entries.retain(|entry| entry.seq <= published);
        page.more &= !page.entries.is_empty();
    }

    pub(super) fn search_done(
        &mut self,
        completion: Completion,
        room: &RoomName,
        query: String,
        page: Option<Page>,
    ) {
        let Some(mut page) = page else {
            return self.refuse(completion, history_unreadable());
        };
        self.drop_unpublished(room, &mut page);
        let found = ServerMessage::Found {
            room: self.room_display_name(room),
            query,
            entries: page.entries,
            more: page.more,
            id: completion.id(),
        };
        self.send(completion.conn(), found);
        completion.done(&mut self.effects);
    }

    /// The room's name as it is shown, or as it was asked for when the room is no longer open.
    fn room_display_name(&self, name: &RoomName) -> Arc<str> {
        match self.rooms.named(name) {
            Some(id) => self.rooms[id].display(),
            None => name.display(),
        }
    }

    pub(super) fn check_message_rate(
        &mut self,
        person: PersonKey,
        bytes: usize,
        now: Now,
    ) -> Result<(), Refusal> {
        match &mut self.people[person].message_budget {
            Some(budget) => budget.try_take(bytes, now.instant).map_err(too_fast),
            None => Ok(()),
        }
    }
}

/// Tells apart two whispers with one id.
fn fingerprint(whisper: &Whisper) -> u64 {
    let mut hasher = DefaultHasher::new();
    (whisper.to.key(), &whisper.text).hash(&mut hasher);
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

fn history_unreadable() -> Refusal {
    let text = "O servidor não conseguiu ler o histórico. Tente de novo daqui a pouco.";
    Refusal::with_text(ErrorCode::HistoryUnavailable, text)
}
