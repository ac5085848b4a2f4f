//! What hosts do to keep the conversation in order. Every act is told to whoever it concerns, and logged.

use super::limits::MAX_HOSTS;
use super::measures::Measures;
use super::passwords::{AttemptLimiter, RoomPasswords};
use super::people::{Person, PersonKey};
use super::{HOSTS_LOG, Hub, Now, notices};
use crate::delivery::RoomId;
use crate::identity::{PersonId, TokenHash};
use crate::link::ConnId;
use crate::name::Name;
use crate::protocol::{ErrorCode, ModerationAction, Refusal, ServerMessage};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// What keeps the conversation in order while the server runs. Nothing of it is stored.
#[derive(Default)]
pub struct Order {
    /// Who keeps it, there or not.
    pub hosts: HashSet<PersonId>,
    /// To whom the host key belongs: the first who showed it.
    pub key_holder: Option<TokenHash>,
    /// Nobody new comes in.
    pub locked: bool,
    pub mutes: Measures,
    pub bans: Measures,
    pub attempts: AttemptLimiter,
    pub room_passwords: RoomPasswords,
}

impl Hub {
    /// Does what a host asks for.
    pub(super) fn host_acts(
        &mut self,
        conn: ConnId,
        act: ModerationAction,
        now: Now,
    ) -> Result<(), Refusal> {
        let who = self.conns.get(&conn).and_then(|state| state.person);
        let Some(person) = who.and_then(|who| self.people.get(who)) else {
            return Ok(());
        };
        if !person.host {
            let text = "Só quem organiza a conversa pode fazer isto.";
            return Err(Refusal::with_text(ErrorCode::Forbidden, text));
        }
        let by = person.name.shown();
        match act {
            ModerationAction::Mute { name, seconds } => self.mute(&by, &name, seconds, now),
            ModerationAction::Unmute { name } => self.unmute(&by, &name, now),
            ModerationAction::ModeratorsOnly { room, on } => {
                self.mute_all(&by, conn, &room, on, now)
            }
            ModerationAction::Slow { room, seconds } => self.slow(&by, conn, &room, seconds, now),
            ModerationAction::Kick { name } => self.kick(&by, &name, now),
            ModerationAction::Ban { name, seconds } => self.ban(&by, &name, seconds, now),
            ModerationAction::Unban { name } => self.unban(&by, &name, now),
            ModerationAction::Erase {
                room,
                id,
                name,
                seconds,
            } => self.erase_of(conn, &room, id, name, seconds, now),
            ModerationAction::Lock { on } => {
                self.lock(&by, on, now);
                Ok(())
            }
            ModerationAction::Announce { text } => {
                self.notify(by, text, now);
                Ok(())
            }
            ModerationAction::Promote { name } => self.promote(&by, &name, now),
            ModerationAction::Demote { name } => self.demote(&by, &name, now),
        }
    }

    fn lock(&mut self, by: &str, on: Option<bool>, now: Now) {
        self.order.locked = on.unwrap_or(!self.order.locked);
        self.proclaim(notices::locked(by, self.order.locked), None, now);
    }

    /// The one act whose words are the host's own, which no log has to know.
    fn notify(&mut self, by: Arc<str>, text: String, now: Now) {
        log::info!(target: HOSTS_LOG, "{by} deu um aviso a todo mundo.");
        self.tell_all(text, Some(by), now);
    }

    /// Makes somebody who was let in what they are: a host, or silenced as before.
    pub(super) fn empower(&mut self, who: PersonKey, host: bool, with_key: bool, now: Now) {
        let Some(person) = self.people.get_mut(who) else {
            return;
        };
        let token_hash = person.token_hash;
        person.muted_until = self.order.mutes.against(&token_hash, now.instant);
        if host {
            if with_key {
                self.order.key_holder = Some(token_hash);
            }
            self.set_host(who, true);
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
        let (shown, token_hash) = (person.name.shown(), person.token_hash);
        if person.host {
            return Err(Refusal::with_text(
                ErrorCode::Forbidden,
                format!("{shown} já organiza a conversa."),
            ));
        }
        if self.order.hosts.len() >= MAX_HOSTS {
            let text = "Há gente demais organizando a conversa. Rebaixe alguém antes.";
            return Err(Refusal::with_text(ErrorCode::Forbidden, text));
        }
        self.order.mutes.forgive(&token_hash);
        self.set_muted(&token_hash, None);
        self.set_host(who, true);
        self.proclaim(notices::promoted(by, &shown), None, now);
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
        let shown = person.name.shown();
        if !person.host {
            return Err(Refusal::with_text(
                ErrorCode::Forbidden,
                format!("{shown} não organiza a conversa."),
            ));
        }
        self.set_host(who, false);
        self.proclaim(notices::demoted(by, &shown), None, now);
        Ok(())
    }

    /// Somebody becomes a host or no longer is one; whoever shares a room with them hears of it, once.
    pub(super) fn set_host(&mut self, who: PersonKey, host: bool) {
        let Some(person) = self.people.get_mut(who) else {
            return;
        };
        let before = std::mem::replace(&mut person.host, host);
        let Person {
            id,
            name,
            tag,
            memberships,
            conns,
            ..
        } = person;
        match host {
            true => self.order.hosts.insert(*id),
            false => self.order.hosts.remove(id),
        };
        if before == host {
            return;
        }
        let message = ServerMessage::Role {
            name: name.shown(),
            tag: tag.clone(),
            moderator: host,
        };
        let mut hearers: BTreeSet<ConnId> = conns.iter().copied().collect();
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
                .for_each(|member| member.moderator = host);
            let people = room
                .members()
                .iter()
                .filter_map(|&member| self.people.get(member));
            let conns = people.flat_map(|person| &person.conns);
            hearers.extend(conns.filter(|conn| {
                self.conns
                    .get(conn)
                    .is_some_and(|state| state.rooms.contains(&id))
            }));
        }
        for conn in hearers {
            self.send(conn, message.clone());
        }
    }

    /// A person took another name, and is another person to everything that was remembered: a host stays one.
    pub(super) fn host_renamed(&mut self, who: PersonKey, before: PersonId) {
        let Some(person) = self.people.get(who) else {
            return;
        };
        let (id, host) = (person.id, person.host);
        if host && id != before {
            self.order.hosts.remove(&before);
            self.order.hosts.insert(id);
        } else if !host && self.order.hosts.contains(&id) {
            self.set_host(who, true);
        }
    }
}
