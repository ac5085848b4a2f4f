//! What hosts do to keep the conversation in order. Every act is told to whoever it concerns, and logged.

pub mod notices;
pub mod passwords;
mod penalties;
pub mod sanctions;
pub mod speaking;

use crate::auth::{PersonId, TokenHash};
use crate::chat::limits::MAX_MODERATORS;
use crate::chat::moderation::passwords::{AttemptLimiter, RoomPasswords};
use crate::chat::moderation::sanctions::Sanctions;
use crate::chat::people::{Person, PersonKey};
use crate::chat::{AUDIT_LOG, Chat, Now};
use crate::ids::{ConnId, RoomId};
use crate::name::Name;
use crate::protocol::{ErrorCode, ModerationAction, Refusal, ServerMessage};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// What keeps the conversation in order while the server runs. Nothing of it is stored.
#[derive(Default)]
pub struct ModerationState {
    /// Who keeps it, there or not.
    pub moderators: HashSet<PersonId>,
    /// To whom the host key belongs: the first who showed it.
    pub moderator_key_owner: Option<TokenHash>,
    /// Nobody new comes in.
    pub locked: bool,
    pub mutes: Sanctions,
    pub bans: Sanctions,
    pub attempts: AttemptLimiter,
    pub room_passwords: RoomPasswords,
}

impl Chat {
    /// Does what a host asks for.
    pub(in crate::chat) fn moderate(
        &mut self,
        conn: ConnId,
        action: ModerationAction,
        now: Now,
    ) -> Result<(), Refusal> {
        let who = self.conns.get(&conn).and_then(|state| state.person);
        let Some(person) = who.and_then(|who| self.people.get(who)) else {
            return Ok(());
        };
        if !person.moderator {
            let text = "Só quem organiza a conversa pode fazer isto.";
            return Err(Refusal::with_text(ErrorCode::Forbidden, text));
        }
        let by = person.name.display();
        match action {
            ModerationAction::Mute { name, seconds } => self.mute(&by, &name, seconds, now),
            ModerationAction::Unmute { name } => self.unmute(&by, &name, now),
            ModerationAction::ModeratorsOnly { room, on } => {
                self.set_moderators_only(&by, conn, &room, on, now)
            }
            ModerationAction::Slow { room, seconds } => {
                self.set_slow_mode(&by, conn, &room, seconds, now)
            }
            ModerationAction::Kick { name } => self.kick(&by, &name, now),
            ModerationAction::Ban { name, seconds } => self.ban(&by, &name, seconds, now),
            ModerationAction::Unban { name } => self.unban(&by, &name, now),
            ModerationAction::Erase(erase) => self.erase_recent(conn, erase, now),
            ModerationAction::Lock { on } => {
                self.lock(&by, on, now);
                Ok(())
            }
            ModerationAction::Announce { text } => {
                self.announce(by, text, now);
                Ok(())
            }
            ModerationAction::Promote { name } => self.promote(&by, &name, now),
            ModerationAction::Demote { name } => self.demote(&by, &name, now),
        }
    }

    fn lock(&mut self, by: &str, on: Option<bool>, now: Now) {
        self.moderation.locked = on.unwrap_or(!self.moderation.locked);
        self.announce_moderation(notices::locked(by, self.moderation.locked), None, now);
    }

    /// The one act whose words are the host's own, which no log has to know.
    fn announce(&mut self, by: Arc<str>, text: String, now: Now) {
        log::info!(target: AUDIT_LOG, "{by} deu um aviso a todo mundo.");
        self.send_notice_to_all(text, Some(by), now);
    }

    /// Makes somebody who was let in what they are: a host, or silenced as before.
    pub(in crate::chat) fn apply_role(
        &mut self,
        who: PersonKey,
        moderator: bool,
        with_moderator_key: bool,
        now: Now,
    ) {
        let Some(person) = self.people.get_mut(who) else {
            return;
        };
        let token_hash = person.token_hash;
        person.muted_until = self.moderation.mutes.active_for(&token_hash, now.instant);
        if moderator {
            if with_moderator_key {
                self.moderation.moderator_key_owner = Some(token_hash);
            }
            self.set_moderator(who, true);
        }
    }

    fn promote(&mut self, by: &str, name: &Name, now: Now) -> Result<(), Refusal> {
        let who = self
            .people
            .named(name)
            .ok_or_else(|| Refusal::new(ErrorCode::NoSuchPerson))?;
        let Some(person) = self.people.get(who) else {
            return Ok(());
        };
        let (display_name, token_hash) = (person.name.display(), person.token_hash);
        if person.moderator {
            return Err(Refusal::with_text(
                ErrorCode::Forbidden,
                format!("{display_name} já organiza a conversa."),
            ));
        }
        if self.moderation.moderators.len() >= MAX_MODERATORS {
            let text = "Há gente demais organizando a conversa. Rebaixe alguém antes.";
            return Err(Refusal::with_text(ErrorCode::LimitReached, text));
        }
        self.moderation.mutes.lift(&token_hash);
        self.set_muted(&token_hash, None);
        self.set_moderator(who, true);
        self.announce_moderation(notices::promoted(by, &display_name), None, now);
        Ok(())
    }

    fn demote(&mut self, by: &str, name: &Name, now: Now) -> Result<(), Refusal> {
        let who = self
            .people
            .named(name)
            .ok_or_else(|| Refusal::new(ErrorCode::NoSuchPerson))?;
        let Some(person) = self.people.get(who) else {
            return Ok(());
        };
        let display_name = person.name.display();
        if !person.moderator {
            return Err(Refusal::with_text(
                ErrorCode::Forbidden,
                format!("{display_name} não organiza a conversa."),
            ));
        }
        self.set_moderator(who, false);
        self.announce_moderation(notices::demoted(by, &display_name), None, now);
        Ok(())
    }

    /// Somebody becomes a host or no longer is one; whoever shares a room with them hears of it, once.
    pub(in crate::chat) fn set_moderator(&mut self, who: PersonKey, moderator: bool) {
        let Some(person) = self.people.get_mut(who) else {
            return;
        };
        let was_moderator = std::mem::replace(&mut person.moderator, moderator);
        let Person {
            id,
            name,
            tag,
            memberships,
            conns,
            ..
        } = person;
        match moderator {
            true => self.moderation.moderators.insert(*id),
            false => self.moderation.moderators.remove(id),
        };
        if was_moderator == moderator {
            return;
        }
        let message = ServerMessage::Role {
            name: name.display(),
            tag: tag.clone(),
            moderator,
        };
        let mut recipients: BTreeSet<ConnId> = conns.iter().copied().collect();
        let tag = tag.clone();
        let rooms: Vec<RoomId> = memberships
            .iter()
            .map(|membership| membership.room_id)
            .collect();
        for id in rooms {
            let Some(room) = self.rooms.get_mut(id) else {
                continue;
            };
            // Who comes to know the person only by what is gathered must know them as they are now.
            room.pending_presence
                .joined
                .iter_mut()
                .filter(|member| member.tag == tag)
                .for_each(|member| member.moderator = moderator);
            let people = room
                .members()
                .iter()
                .filter_map(|&member| self.people.get(member));
            let conns = people.flat_map(|person| &person.conns);
            recipients.extend(conns.filter(|conn| {
                self.conns
                    .get(conn)
                    .is_some_and(|state| state.rooms.contains(&id))
            }));
        }
        for conn in recipients {
            self.send(conn, message.clone());
        }
    }

    /// A person took another name, and is another person to everything that was remembered: a host stays one.
    pub(in crate::chat) fn carry_role_over(&mut self, who: PersonKey, old_id: PersonId) {
        let Some(person) = self.people.get(who) else {
            return;
        };
        let (id, moderator) = (person.id, person.moderator);
        if moderator && id != old_id {
            self.moderation.moderators.remove(&old_id);
            self.moderation.moderators.insert(id);
        } else if !moderator && self.moderation.moderators.contains(&id) {
            self.set_moderator(who, true);
        }
    }
}
