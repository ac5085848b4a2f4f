//! What a host may do against somebody: silence them, send them out, keep them out for a time. Never against a host.

use crate::auth::TokenHash;
use crate::chat::limits::MAX_ADDRESS_BAN;
use crate::chat::moderation::notices;
use crate::chat::moderation::sanctions::Sanction;
use crate::chat::moderation::speaking::ceil_millis;
use crate::chat::people::PersonKey;
use crate::chat::{Chat, Effect, Now};
use crate::ids::ClientAddr;
use crate::name::Name;
use crate::protocol::{ErrorCode, Refusal, ServerMessage};
use std::time::{Duration, Instant};

impl Chat {
    /// The person of this name, whom a host may act against.
    fn moderatable(&self, name: &Name) -> Result<PersonKey, Refusal> {
        let who = self
            .people
            .named(name)
            .ok_or_else(|| Refusal::new(ErrorCode::NoSuchPerson))?;
        match self.people.get(who) {
            Some(person) if person.moderator => {
                let text = format!(
                    "{} também organiza a conversa. Para isto, use antes /rebaixar.",
                    person.name
                );
                Err(Refusal::with_text(ErrorCode::Forbidden, text))
            }
            _ => Ok(who),
        }
    }

    /// Nothing that this person says is passed on for some time.
    pub(in crate::chat) fn mute(
        &mut self,
        by: &str,
        name: &Name,
        seconds: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        let who = self.moderatable(name)?;
        let until = now.instant + Duration::from_secs(seconds);
        let Some(person) = self.people.get(who) else {
            return Ok(());
        };
        let (name, token_hash) = (person.name.clone(), person.token_hash);
        let display_name = name.display();
        let sanction = Sanction {
            name,
            token_hash,
            until,
            addresses: Vec::new(),
            addresses_until: now.instant,
        };
        self.moderation.mutes.impose(sanction, now.instant);
        self.set_muted(&token_hash, Some(until));
        self.announce_moderation(notices::muted(by, &display_name, seconds), None, now);
        Ok(())
    }

    /// Gives the word back to who has this name, or had it when it was taken.
    pub(in crate::chat) fn unmute(
        &mut self,
        by: &str,
        name: &Name,
        now: Now,
    ) -> Result<(), Refusal> {
        let mut targets = self.moderation.mutes.named(name, now.instant);
        if let Some(person) = self.people.named(name).and_then(|who| self.people.get(who)) {
            targets.push((person.name.clone(), person.token_hash));
        }
        for (_, token_hash) in &targets {
            self.moderation.mutes.lift(token_hash);
            self.set_muted(token_hash, None);
        }
        let (display_name, _) = targets
            .last()
            .ok_or_else(|| Refusal::new(ErrorCode::NoSuchPerson))?;
        self.announce_moderation(notices::unmuted(by, display_name.as_str()), None, now);
        Ok(())
    }

    /// Sets until when everybody who holds this secret is silenced.
    pub(in crate::chat) fn set_muted(&mut self, token_hash: &TokenHash, until: Option<Instant>) {
        for who in self.people.with_token_hash(token_hash) {
            if let Some(person) = self.people.get_mut(who) {
                person.muted_until = until;
            }
        }
    }

    pub(in crate::chat) fn kick(&mut self, by: &str, name: &Name, now: Now) -> Result<(), Refusal> {
        let who = self.moderatable(name)?;
        let display_name = self
            .people
            .get(who)
            .map_or_else(|| name.display(), |person| person.name.display());
        self.disconnect_person(who, &notices::bye_kicked(by), now);
        self.announce_moderation(notices::kicked(by, &display_name), None, now);
        Ok(())
    }

    /// Sends somebody out under every name that they have here, and keeps them out; their address too, for a shorter
    /// time, unless it is this machine.
    pub(in crate::chat) fn ban(
        &mut self,
        by: &str,
        name: &Name,
        seconds: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        let who = self.moderatable(name)?;
        let Some(person) = self.people.get(who) else {
            return Ok(());
        };
        let (name, token_hash) = (person.name.clone(), person.token_hash);
        let display_name = name.display();
        let time = Duration::from_secs(seconds);
        let (until, addresses_until) =
            (now.instant + time, now.instant + time.min(MAX_ADDRESS_BAN));
        let holders = self.people.with_token_hash(&token_hash);
        let addresses = holders
            .iter()
            .flat_map(|&who| self.addresses_of(who))
            .filter(|at| !at.is_local())
            .collect();
        self.moderation.bans.impose(
            Sanction {
                name,
                token_hash,
                until,
                addresses,
                addresses_until,
            },
            now.instant,
        );
        let bye = notices::bye_banned(Some(ceil_millis(time)));
        for who in holders {
            if self.people.get(who).is_some_and(|person| !person.moderator) {
                self.disconnect_person(who, &bye, now);
            }
        }
        self.announce_moderation(notices::banned(by, &display_name, seconds), None, now);
        Ok(())
    }

    /// Where somebody is: the addresses of all their connections, or the last one.
    fn addresses_of(&self, who: PersonKey) -> Vec<ClientAddr> {
        let Some(person) = self.people.get(who) else {
            return Vec::new();
        };
        let conns = person.conns.iter().filter_map(|conn| self.conns.get(conn));
        let mut addresses: Vec<ClientAddr> = conns.map(|state| state.address).collect();
        addresses.push(person.address);
        addresses
    }

    /// Lets in again whoever was banned under this name.
    pub(in crate::chat) fn unban(
        &mut self,
        by: &str,
        name: &Name,
        now: Now,
    ) -> Result<(), Refusal> {
        let targets = self.moderation.bans.named(name, now.instant);
        for (_, token_hash) in &targets {
            self.moderation.bans.lift(token_hash);
        }
        let not_banned = || {
            Refusal::with_text(
                ErrorCode::NoSuchPerson,
                "Não há nenhum banimento com este nome.",
            )
        };
        let (display_name, _) = targets.last().ok_or_else(not_banned)?;
        self.announce_moderation(notices::unbanned(by, display_name.as_str()), None, now);
        Ok(())
    }

    /// Closes every connection of a person; the name and the places are free at once.
    fn disconnect_person(&mut self, who: PersonKey, bye: &ServerMessage, now: Now) {
        let conns = self
            .people
            .get(who)
            .map_or(Vec::new(), |person| person.conns.clone());
        for conn in conns {
            let Some(state) = self.conns.get_mut(&conn) else {
                continue;
            };
            // What is still to come from this connection comes from nobody.
            state.person = None;
            for room in std::mem::take(&mut state.rooms) {
                self.effects.push(Effect::Unsubscribe(conn, room));
            }
            self.close_with(conn, 1008, bye.clone());
        }
        self.remove_person(who, now);
    }
}
