//! Moderation: what moderators do. Each action is announced to the people it concerns, and logged.

pub(super) mod notices;
pub(super) mod passwords;
mod room_state;
pub(super) mod sanctions;
pub(super) mod speaking;

use crate::auth::{PersonId, TokenHash};
use crate::chat::completion::{Completion, Progress};
use crate::chat::limits::MAX_MODERATORS;
use crate::chat::moderation::passwords::{AttemptLimiter, RoomPasswords};
use crate::chat::moderation::sanctions::Sanctions;
use crate::chat::people::PersonKey;
use crate::chat::{AUDIT_LOG, Chat, Effect, Now, Speaker};
use crate::history::RequestId;
use crate::ids::ConnId;
use crate::name::Name;
use crate::protocol::{ErrorCode, ModerationAction, Refusal, ServerMessage};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// The state of moderation; kept in memory only.
#[derive(Default)]
pub(super) struct ModerationState {
    /// All moderators, present or not.
    pub moderators: HashSet<PersonId>,
    /// The first person who showed the moderator key; it is valid for no other.
    pub moderator_key_owner: Option<TokenHash>,
    /// No new person may enter.
    pub locked: bool,
    pub mutes: Sanctions,
    pub bans: Sanctions,
    pub attempts: AttemptLimiter,
    pub room_passwords: RoomPasswords,
}

/// The acting moderator, with the name for the announcement.
struct Moderator<'a> {
    speaker: Speaker,
    name: Arc<str>,
    completion: &'a Completion,
}

impl Chat {
    /// Does what a moderator asks for.
    pub(in crate::chat) fn moderate(
        &mut self,
        speaker: Speaker,
        action: ModerationAction,
        completion: &Completion,
        request: RequestId,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let person = &self.people[speaker.person];
        if !person.moderator {
            let text = "Só quem organiza a conversa pode fazer isto.";
            return Err(Refusal::with_text(ErrorCode::Forbidden, text));
        }
        let by = Moderator {
            speaker,
            name: person.name.display(),
            completion,
        };
        match action {
            ModerationAction::Mute { name, seconds } => self.mute(&by, &name, seconds, now)?,
            ModerationAction::Unmute { name } => self.unmute(&by, &name, now)?,
            ModerationAction::ModeratorsOnly { room, on } => {
                self.set_moderators_only(&by, &room, on, now)?;
            }
            ModerationAction::Slow { room, seconds } => {
                self.set_slow_mode(&by, &room, seconds, now)?;
            }
            ModerationAction::Kick { name } => self.kick(&by, &name, now)?,
            ModerationAction::Ban { name, seconds } => self.ban(&by, &name, seconds, now)?,
            ModerationAction::Unban { name } => self.unban(&by, &name, now)?,
            ModerationAction::Erase(erase) => {
                return self.erase_recent(speaker, erase, request, now);
            }
            ModerationAction::Lock { on } => self.lock(&by, on, now),
            ModerationAction::Announce { text } => self.announce(by, text, now),
            ModerationAction::Promote { name } => self.promote(&by, &name, now)?,
            ModerationAction::Demote { name } => self.demote(&by, &name, now)?,
        }
        Ok(Progress::Done)
    }

    fn lock(&mut self, by: &Moderator, on: Option<bool>, now: Now) {
        let on = on.unwrap_or(!self.moderation.locked);
        self.moderation.locked = on;
        self.announce_moderation(by, notices::locked(&by.name, on), None, now);
        self.publish_room_states(now);
    }

    /// The text is the moderator's own and not logged.
    fn announce(&mut self, by: Moderator, text: String, now: Now) {
        log::info!(target: AUDIT_LOG, "{} deu um aviso a todo mundo.", by.name);
        self.send_notice_to_all(text, Some(by.name), by.completion, now);
    }

    fn promote(&mut self, by: &Moderator, name: &Name, now: Now) -> Result<(), Refusal> {
        let key = self.person_named(name)?;
        let person = &self.people[key];
        let display_name = person.name.display();
        let token_hash = person.token_hash;
        if person.moderator {
            let text = format!("{display_name} já organiza a conversa.");
            return Err(Refusal::with_text(ErrorCode::Forbidden, text));
        }
        if self.moderation.moderators.len() >= MAX_MODERATORS {
            let text = "Há gente demais organizando a conversa. Rebaixe alguém antes.";
            return Err(Refusal::with_text(ErrorCode::LimitReached, text));
        }
        let was_muted = person.is_muted(now.instant);
        self.moderation.mutes.lift(&token_hash);
        self.set_muted(&token_hash, None);
        self.set_moderator(key, true);
        self.announce_moderation(by, notices::promoted(&by.name, &display_name), None, now);
        if was_muted {
            self.send_room_states_to(&token_hash, now);
        }
        Ok(())
    }

    fn demote(&mut self, by: &Moderator, name: &Name, now: Now) -> Result<(), Refusal> {
        let key = self.person_named(name)?;
        let person = &self.people[key];
        let display_name = person.name.display();
        if !person.moderator {
            let text = format!("{display_name} não organiza a conversa.");
            return Err(Refusal::with_text(ErrorCode::Forbidden, text));
        }
        self.set_moderator(key, false);
        self.announce_moderation(by, notices::demoted(&by.name, &display_name), None, now);
        Ok(())
    }

    fn kick(&mut self, by: &Moderator, name: &Name, now: Now) -> Result<(), Refusal> {
        let key = self.moderatable(name)?;
        let display_name = self.people[key].name.display();
        self.disconnect_person(key, &notices::bye_kicked(&by.name), now);
        self.announce_moderation(by, notices::kicked(&by.name, &display_name), None, now);
        Ok(())
    }

    fn person_named(&self, name: &Name) -> Result<PersonKey, Refusal> {
        let person = self.people.named(name);
        person.ok_or_else(|| Refusal::new(ErrorCode::NoSuchPerson))
    }

    /// The person of this name, unless it is a moderator, against whom no moderator may act.
    fn moderatable(&self, name: &Name) -> Result<PersonKey, Refusal> {
        let key = self.person_named(name)?;
        let person = &self.people[key];
        if person.moderator {
            let text = format!(
                "{} também organiza a conversa. Para isto, use antes /rebaixar.",
                person.name
            );
            return Err(Refusal::with_text(ErrorCode::Forbidden, text));
        }
        Ok(key)
    }

    /// Closes every connection of a person, and frees the name and the memberships at once.
    fn disconnect_person(&mut self, key: PersonKey, bye: &ServerMessage, now: Now) {
        for conn in self.people[key].conns.clone() {
            let state = &mut self.conns[conn];
            // Requests that are still on their way have no speaker.
            state.person = None;
            for room in std::mem::take(&mut state.rooms) {
                self.effects.push(Effect::Unsubscribe(conn, room));
            }
            self.close_with(conn, 1008, bye.clone());
        }
        self.remove_person(key, now);
    }

    /// Applies the role and the mute that belong to the token of an entering person.
    pub(in crate::chat) fn apply_role(
        &mut self,
        key: PersonKey,
        moderator: bool,
        with_moderator_key: bool,
        now: Now,
    ) {
        let person = &mut self.people[key];
        let token_hash = person.token_hash;
        person.muted_until = self.moderation.mutes.active_for(&token_hash, now.instant);
        if moderator {
            if with_moderator_key {
                self.moderation.moderator_key_owner = Some(token_hash);
            }
            self.set_moderator(key, true);
        }
    }

    /// Grants or revokes the moderator role, and sends the change once to every connection that shares a room.
    pub(in crate::chat) fn set_moderator(&mut self, key: PersonKey, moderator: bool) {
        let person = &mut self.people[key];
        let was_moderator = std::mem::replace(&mut person.moderator, moderator);
        match moderator {
            true => self.moderation.moderators.insert(person.id),
            false => self.moderation.moderators.remove(&person.id),
        };
        if was_moderator == moderator {
            return;
        }
        let tag = person.tag.clone();
        let message = ServerMessage::Role {
            name: person.name.display(),
            tag: tag.clone(),
            moderator,
        };
        let mut recipients: BTreeSet<ConnId> = person.conns.iter().copied().collect();
        for id in person.room_ids() {
            let room = &mut self.rooms[id];
            // A join that is not published yet must carry the new role.
            room.pending_presence
                .joined
                .iter_mut()
                .filter(|member| member.tag == tag)
                .for_each(|member| member.moderator = moderator);
            let conns = room
                .members()
                .flat_map(|member| self.people[member].conns.iter().copied());
            recipients.extend(conns.filter(|&conn| self.conns[conn].rooms.contains(&id)));
        }
        for conn in recipients {
            self.send(conn, message.clone());
        }
    }

    /// Moves the role to the new id of a renamed person.
    pub(in crate::chat) fn carry_role_over(&mut self, key: PersonKey, old_id: PersonId) {
        let person = &self.people[key];
        let id = person.id;
        if person.moderator && id != old_id {
            self.moderation.moderators.remove(&old_id);
            self.moderation.moderators.insert(id);
        } else if !person.moderator && self.moderation.moderators.contains(&id) {
            self.set_moderator(key, true);
        }
    }
}
