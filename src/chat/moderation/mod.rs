//! Moderation: what moderators do. Each action is announced to the people it concerns, and logged.

pub(super) mod acts;
mod mute_and_ban;
pub(super) mod notices;
pub(super) mod password_checks;
pub(super) mod passwords;
mod restore;
mod room_state;
pub(super) mod sanctions;
pub(super) mod speaking;

use crate::auth::TokenHash;
use crate::chat::completion::{Completion, Progress};
use crate::chat::limits::MAX_MODERATORS;
use crate::chat::moderation::acts::{Act, ActKind, PendingChange};
use crate::chat::moderation::password_checks::PasswordChecks;
use crate::chat::moderation::passwords::{AttemptLimiter, RoomRecords};
use crate::chat::moderation::sanctions::{Sanctions, Target};
use crate::chat::people::{Person, PersonKey};
use crate::chat::{AUDIT_LOG, Chat, Now, Speaker};
use crate::history::RequestId;
use crate::ids::ConnId;
use crate::name::Name;
use crate::protocol::{ErrorCode, ModerationAction, Refusal, ServerMessage};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The state of moderation. What outlives a restart was read from the history.
#[derive(Default)]
pub(super) struct ModerationState {
    /// All moderators, present or not, with the name that each had last.
    pub moderators: HashMap<TokenHash, Name>,
    /// The first person who showed the moderator key; it is valid for no other.
    pub moderator_key_owner: Option<TokenHash>,
    /// No new person may enter.
    pub locked: bool,
    pub mutes: Sanctions,
    pub bans: Sanctions,
    pub attempts: AttemptLimiter,
    /// The rooms, open or not, that have a setting.
    pub rooms: RoomRecords,
    pub checks: PasswordChecks,
    /// What waits until a change is stored, by the request that asked for it.
    pub pending: HashMap<RequestId, PendingChange>,
}

/// The person whose act is announced: a moderator, or a room's owner.
struct Actor<'a> {
    name: Arc<str>,
    /// The request that asked for it; its sender's notice is the answer.
    completion: &'a Completion,
}

impl Person {
    fn as_target(&self) -> Target {
        Target {
            name: self.name.clone(),
            token_hash: self.token_hash,
        }
    }
}

impl Chat {
    /// Does what a moderator asks for, at once or when it is stored.
    pub(in crate::chat) fn moderate(
        &mut self,
        speaker: Speaker,
        action: ModerationAction,
        completion: &Completion,
        request: RequestId,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let conn = speaker.conn;
        let person = &self.people[speaker.person];
        if !person.moderator {
            let text = "Só quem organiza a conversa pode fazer isto.";
            return Err(Refusal::with_text(ErrorCode::Forbidden, text));
        }
        let by = Actor {
            name: person.name.display(),
            completion,
        };
        let kind = match action {
            ModerationAction::Mute { name, seconds } => self.plan_mute(&name, seconds, now)?,
            ModerationAction::Unmute { name } => self.plan_unmute(&name, now)?,
            ModerationAction::ModeratorsOnly { room, on } => {
                self.plan_moderators_only(conn, &room, on)?
            }
            ModerationAction::Slow { room, seconds } => {
                self.plan_slow_mode(conn, &room, seconds)?
            }
            ModerationAction::Ban { name, seconds } => self.plan_ban(&name, seconds, now)?,
            ModerationAction::Unban { name } => self.plan_unban(&name, now)?,
            ModerationAction::Lock { on } => ActKind::Lock(on.unwrap_or(!self.moderation.locked)),
            ModerationAction::Promote { name } => self.plan_promotion(&name)?,
            ModerationAction::Demote { name } => self.plan_demotion(&name)?,
            ModerationAction::Kick { name } => return self.kick(&by, &name, now),
            ModerationAction::Announce { text } => return Ok(self.announce(by, text, now)),
            ModerationAction::Erase(erase) => {
                return self.erase_recent(speaker, erase, request, now);
            }
        };
        let act = Act { by: by.name, kind };
        Ok(self.save_act(act, request, now))
    }

    fn lock(&mut self, by: &Actor, on: bool, now: Now) {
        self.moderation.locked = on;
        self.announce_moderation(by, notices::locked(&by.name, on), None, now);
        self.room_states_changed(now);
    }

    /// The text is the moderator's own and not logged.
    fn announce(&mut self, by: Actor, text: String, now: Now) -> Progress {
        log::info!(target: AUDIT_LOG, "{} deu um aviso a todo mundo.", by.name);
        self.send_notice_to_all(text, Some(by.name), by.completion, now);
        Progress::Done
    }

    fn plan_promotion(&self, name: &Name) -> Result<ActKind, Refusal> {
        let person = &self.people[self.person_named(name)?];
        if person.moderator {
            let text = format!("{} já organiza a conversa.", person.name);
            return Err(Refusal::with_text(ErrorCode::Forbidden, text));
        }
        if self.moderation.moderators.len() >= MAX_MODERATORS {
            let text = "Há gente demais organizando a conversa. Rebaixe alguém antes.";
            return Err(Refusal::with_text(ErrorCode::LimitReached, text));
        }
        Ok(ActKind::Promote(person.as_target()))
    }

    fn promote(&mut self, by: &Actor, target: Target, now: Now) {
        let notice = notices::promoted(&by.name, target.name.as_str());
        self.moderation
            .moderators
            .insert(target.token_hash, target.name);
        let was_muted = self.set_moderator(&target.token_hash, true, now);
        self.announce_moderation(by, notice, None, now);
        if was_muted {
            self.send_room_states_to(&target.token_hash, now);
        }
    }

    /// A moderator who is not present is found by the last name.
    fn plan_demotion(&self, name: &Name) -> Result<ActKind, Refusal> {
        if let Some(key) = self.people.named(name) {
            let person = &self.people[key];
            if !person.moderator {
                let text = format!("{} não organiza a conversa.", person.name);
                return Err(Refusal::with_text(ErrorCode::Forbidden, text));
            }
            return Ok(ActKind::Demote(person.as_target()));
        }
        let mut moderators = self.moderation.moderators.iter();
        let absent = moderators.find(|(_, known)| *known == name);
        let (token_hash, name) = absent.ok_or_else(|| Refusal::new(ErrorCode::NoSuchPerson))?;
        Ok(ActKind::Demote(Target {
            name: name.clone(),
            token_hash: *token_hash,
        }))
    }

    fn demote(&mut self, by: &Actor, target: &Target, now: Now) {
        self.moderation.moderators.remove(&target.token_hash);
        self.set_moderator(&target.token_hash, false, now);
        let notice = notices::demoted(&by.name, target.name.as_str());
        self.announce_moderation(by, notice, None, now);
    }

    fn kick(&mut self, by: &Actor, name: &Name, now: Now) -> Result<Progress, Refusal> {
        let key = self.moderatable(name)?;
        let display_name = self.people[key].name.display();
        self.disconnect_person(key, notices::bye_kicked(&by.name), now);
        self.announce_moderation(by, notices::kicked(&by.name, &display_name), None, now);
        Ok(Progress::Done)
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
    fn disconnect_person(&mut self, key: PersonKey, bye: ServerMessage, now: Now) {
        let conns = self.people[key].conns.clone();
        for &conn in &conns {
            let state = &mut self.conns[conn];
            // Requests that are still on their way have no speaker.
            state.person = None;
            let rooms = std::mem::take(&mut state.rooms);
            for room in rooms {
                self.unsubscribe(conn, room);
            }
        }
        self.close_with(conns, 1008, bye);
        self.remove_person(key, now);
    }

    /// Makes everyone with this token a moderator.
    fn grant_role(&mut self, token_hash: &TokenHash, name: Name, now: Now) {
        self.moderation.moderators.insert(*token_hash, name);
        if self.set_moderator(token_hash, true, now) {
            self.send_room_states_to(token_hash, now);
        }
    }

    /// Grants everyone with this token the moderator role and ends their mutes, or revokes the role, and sends the change
    /// to every connection that shares a room. Returns whether somebody was muted until now.
    fn set_moderator(&mut self, token_hash: &TokenHash, moderator: bool, now: Now) -> bool {
        let mut was_muted = false;
        if moderator {
            self.moderation.mutes.lift(token_hash);
        }
        for key in self.people.with_token_hash(token_hash) {
            let person = &mut self.people[key];
            if moderator {
                was_muted |= person.is_muted(now.instant);
                person.muted_until = None;
            }
            if std::mem::replace(&mut person.moderator, moderator) != moderator {
                self.send_role(key, now);
            }
        }
        was_muted
    }

    /// Sends a person's role once to every connection that shares a room, and to their own.
    fn send_role(&mut self, key: PersonKey, now: Now) {
        self.send_pending_rename(key, now);
        let person = &self.people[key];
        let moderator = person.moderator;
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
        self.multicast(recipients.into_iter().collect(), message);
    }

    /// Keeps the name that a moderator has now, to be found by it when no longer present.
    pub(in crate::chat) fn remember_moderator_name(&mut self, key: PersonKey) {
        let person = &self.people[key];
        if let Some(name) = self.moderation.moderators.get_mut(&person.token_hash) {
            name.clone_from(&person.name);
        }
    }
}
