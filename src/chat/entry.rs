//! Entry: authorizes a person by bans, password, lock and moderator key, in this order, and admits them into a room.
//!
//! Nothing is changed before all of it has passed and the room is open, so an entry succeeds as a whole or not at all.

use crate::auth::TokenHash;
use crate::chat::completion::{Completion, Progress};
use crate::chat::message_budget::MessageBudget;
use crate::chat::moderation::acts::{PendingChange, promotion};
use crate::chat::moderation::passwords::PasswordCheck;
use crate::chat::people::{Person, PersonKey};
use crate::chat::{Chat, Now, Speaker, ceil_millis};
use crate::history::{RequestId, SavedModerator};
use crate::ids::ConnId;
use crate::name::{MAX_NAME, MAX_ROOM, Name, RoomName};
use crate::protocol::{
    ClientMessage, Credentials, Enter, ErrorCode, HEARTBEAT_MS, Limits, MAX_TEXT, PROTOCOL,
    Password, Refusal, ServerMessage, Token,
};

/// A person who asks to enter.
struct Applicant<'a> {
    conn: ConnId,
    name: &'a Name,
    token_hash: TokenHash,
    /// The person, if present already or dropped a moment ago.
    present: Option<PersonKey>,
    credentials: &'a Credentials,
}

/// As what a person enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Guest,
    Moderator,
    /// By the moderator key; the role is still to be stored.
    NewModerator,
}

impl Chat {
    /// Admits a person into the chat and a first room, or refuses both. While something is missing (the room's log, the
    /// check of its password, a stored role) the request waits, and there is no person yet.
    pub(super) fn enter(
        &mut self,
        enter: Enter,
        completion: &Completion,
        request: RequestId,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let conn = completion.conn();
        // The connection's thread made a token if the client sent none.
        let token = enter.token.clone();
        let token = token.ok_or_else(|| Refusal::bad_field("token", "um segredo"))?;
        let token_hash = TokenHash::of(&token);
        let lobby = RoomName::lobby();
        let room_name = enter.room.as_ref().unwrap_or(&lobby);
        let named = self.people.named(&enter.name);
        let applicant = Applicant {
            conn,
            name: &enter.name,
            token_hash,
            present: named.filter(|&person| self.people[person].token_hash == token_hash),
            credentials: &enter.credentials,
        };
        let role = self.authorize_entry(&applicant, now)?;
        self.check_name(&applicant)?;
        if role == Role::Guest {
            let check = PasswordCheck {
                conn,
                person: applicant.present,
                given: enter.credentials.room_password.as_ref(),
            };
            if let Some(running) = self.check_room_password(&check, room_name, now)? {
                return Ok(Progress::AwaitCheck(running, ClientMessage::Enter(enter)));
            }
        }
        let room = self.room_to_join(conn, room_name)?;
        if !self.rooms[room].log.is_open() {
            return Ok(Progress::AwaitRoom(room, ClientMessage::Enter(enter)));
        }
        if self.claims_rollback(room, &enter.resume, completion) {
            return Ok(Progress::AwaitEpoch(ClientMessage::Enter(enter)));
        }
        if role == Role::NewModerator {
            return Ok(self.save_role(conn, token_hash, enter, request, now));
        }
        let speaker = self.admit(&applicant, token, now);
        self.send_welcome(speaker, completion.id());
        self.complete_join(speaker, room, &enter.resume, now, completion.id());
        self.warn_of_space(speaker, now);
        Ok(Progress::Done)
    }

    /// Stores the role of a person who shows the moderator key; they enter after that.
    fn save_role(
        &mut self,
        conn: ConnId,
        token_hash: TokenHash,
        enter: Enter,
        request: RequestId,
        now: Now,
    ) -> Progress {
        self.moderation.moderator_key_owner = Some(token_hash);
        self.conns[conn].waiting_requests += 1;
        let moderator = SavedModerator {
            token_hash,
            name: enter.name.clone(),
            at: now.unix_ms,
        };
        let changes = promotion(&moderator);
        let then = PendingChange::Entry(Box::new(enter), moderator);
        self.save_changes(request, changes, then)
    }

    /// Makes an authorized applicant the person of their connection.
    fn admit(&mut self, applicant: &Applicant, token: Token, now: Now) -> Speaker {
        let conn = applicant.conn;
        let token_hash = applicant.token_hash;
        let key = applicant.present.unwrap_or_else(|| {
            let budget = MessageBudget::new(&self.rules, now.instant);
            let name = applicant.name.clone();
            self.people.add(Person::new(token_hash, name, budget))
        });
        // The key of a person who is a moderator already is spent all the same.
        let given = applicant.credentials.moderator_key.as_ref();
        if given.is_some_and(|given| self.check_moderator_key(given, &token_hash).is_ok()) {
            self.moderation.moderator_key_owner = Some(token_hash);
        }
        let state = &mut self.conns[conn];
        state.person = Some(key);
        state.token = Some(token);
        let person = &mut self.people[key];
        person.muted_until = self.moderation.mutes.active_for(&token_hash, now.instant);
        person.moderator = self.moderation.moderators.contains_key(&token_hash);
        person.conns.push(conn);
        person.grace_until = None;
        person.address = state.address;
        self.remember_moderator_name(key);
        Speaker { conn, person: key }
    }

    /// Refuses a name that another person has, or that looks like it.
    fn check_name(&self, applicant: &Applicant) -> Result<(), Refusal> {
        self.reject_confusable(applicant.name, &applicant.token_hash)?;
        match self.people.named(applicant.name) {
            Some(_) if applicant.present.is_none() => {
                Err(Refusal::name_taken(applicant.name.as_str()))
            }
            _ => Ok(()),
        }
    }

    /// Whether the person enters as a moderator.
    fn authorize_entry(&mut self, applicant: &Applicant, now: Now) -> Result<Role, Refusal> {
        let Applicant {
            conn,
            token_hash,
            present,
            credentials,
            ..
        } = applicant;
        let key = credentials.moderator_key.as_ref();
        let key_check = key.map(|key| self.check_moderator_key(key, token_hash));
        let role = match key_check {
            // A moderator is known by the token, whatever key it comes with.
            _ if self.moderation.moderators.contains_key(token_hash) => Role::Moderator,
            Some(Ok(())) => Role::NewModerator,
            _ => Role::Guest,
        };
        if role == Role::Guest {
            self.check_ban(*conn, token_hash, now)?;
        }
        let check = PasswordCheck {
            conn: *conn,
            person: *present,
            given: credentials.password.as_ref(),
        };
        self.check_password(&check, now)?;
        if self.moderation.locked && role == Role::Guest && present.is_none() {
            return Err(Refusal::new(ErrorCode::Locked));
        }
        match key_check {
            // Reject an invalid moderator key instead of ignoring it.
            Some(Err(refusal)) if role == Role::Guest => Err(refusal),
            _ => Ok(role),
        }
    }

    fn check_ban(&self, conn: ConnId, token_hash: &TokenHash, now: Now) -> Result<(), Refusal> {
        let bans = &self.moderation.bans;
        let address = self.conns[conn].address;
        // A proxy on this machine connects for people from everywhere.
        let by_address = match address.is_local() {
            true => None,
            false => bans.active_for_address(address, now.instant),
        };
        let until = bans.active_for(token_hash, now.instant).max(by_address);
        until.map_or(Ok(()), |until| {
            let left = until.saturating_duration_since(now.instant);
            Err(Refusal::banned(ceil_millis(left)))
        })
    }

    /// The key is valid for one person only: the first who showed it.
    fn check_moderator_key(&self, given: &Password, token_hash: &TokenHash) -> Result<(), Refusal> {
        let wrong = |text: &str| Err(Refusal::with_text(ErrorCode::ModeratorKeyWrong, text));
        if !self
            .rules
            .moderator_key
            .is_some_and(|key| key.matches(given.expose_secret()))
        {
            return wrong(
                "Esta chave de organização não vale. Confira o endereço que o servidor mostrou ao ligar, ou entre sem a \
                 chave.",
            );
        }
        match self.moderation.moderator_key_owner {
            Some(owner) if owner != *token_hash => wrong(
                "Esta chave de organização não vale mais, porque outra pessoa já entrou com ela. Entre sem a chave e \
                 peça a quem organiza a conversa que promova você.",
            ),
            _ => Ok(()),
        }
    }

    /// Refuses a name that looks like that of another person who is present.
    pub(super) fn reject_confusable(
        &self,
        name: &Name,
        token_hash: &TokenHash,
    ) -> Result<(), Refusal> {
        match self.people.confusable_with(name, token_hash) {
            // The very same name is refused as taken.
            Some(present) if present != name => {
                Err(Refusal::name_confusable(name.as_str(), present.as_str()))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn send_welcome(&mut self, speaker: Speaker, id: Option<String>) {
        let person = &self.people[speaker.person];
        let token = self.conns[speaker.conn].token.clone();
        let welcome = ServerMessage::Welcome {
            name: person.name.display(),
            tag: person.tag.clone(),
            token: token.expect("a connection that entered has a token"),
            protocol: PROTOCOL,
            server: format!("papo {}", env!("CARGO_PKG_VERSION")),
            limits: Limits {
                text: MAX_TEXT,
                name: MAX_NAME,
                room: MAX_ROOM,
                rate: self.rules.rate.unwrap_or(0.0),
                burst: self.rules.burst,
            },
            heartbeat_ms: HEARTBEAT_MS,
            moderator: person.moderator,
            locked: self.moderation.locked,
            id,
        };
        self.send(speaker.conn, welcome);
    }
}
