//! Muting and banning a person, and ending both.

use crate::auth::TokenHash;
use crate::chat::limits::MAX_ADDRESS_BAN;
use crate::chat::moderation::acts::ActKind;
use crate::chat::moderation::sanctions::{Sanction, Target};
use crate::chat::moderation::{Actor, notices};
use crate::chat::people::PersonKey;
use crate::chat::{Chat, Now, ceil_millis};
use crate::ids::ClientAddr;
use crate::name::Name;
use crate::protocol::{ErrorCode, Refusal};
use std::time::{Duration, Instant};

impl Chat {
    /// Checks a mute of this person.
    pub(super) fn plan_mute(
        &self,
        name: &Name,
        seconds: u64,
        now: Now,
    ) -> Result<ActKind, Refusal> {
        let person = &self.people[self.moderatable(name)?];
        let time = Duration::from_secs(seconds);
        let sanction = Sanction {
            name: person.name.clone(),
            token_hash: person.token_hash,
            until: now.instant + time,
            addresses: Vec::new(),
            addresses_until: now.instant,
        };
        Ok(ActKind::Mute(sanction, time))
    }

    /// Refuses everything that a person says for some time.
    pub(super) fn mute(&mut self, by: &Actor, sanction: Sanction, time: Duration, now: Now) {
        let token_hash = sanction.token_hash;
        let until = sanction.until;
        let notice = notices::muted(&by.name, sanction.name.as_str(), time.as_secs());
        self.moderation.mutes.impose(sanction, now.instant);
        self.set_muted(&token_hash, Some(until));
        self.announce_moderation(by, notice, None, now);
        self.send_room_states_to(&token_hash, now);
    }

    /// Finds everyone who has this name now or had it when muted.
    pub(super) fn plan_unmute(&self, name: &Name, now: Now) -> Result<ActKind, Refusal> {
        let mut targets = self.moderation.mutes.named(name, now.instant);
        if let Some(key) = self.people.named(name) {
            let person = &self.people[key];
            targets.retain(|target| target.token_hash != person.token_hash);
            targets.push(person.as_target());
        }
        if targets.is_empty() {
            return Err(Refusal::new(ErrorCode::NoSuchPerson));
        }
        Ok(ActKind::Unmute(targets))
    }

    /// Ends the mutes of these people.
    pub(super) fn unmute(&mut self, by: &Actor, targets: &[Target], now: Now) {
        for target in targets {
            self.moderation.mutes.lift(&target.token_hash);
            self.set_muted(&target.token_hash, None);
        }
        if let Some(target) = targets.last() {
            let notice = notices::unmuted(&by.name, target.name.as_str());
            self.announce_moderation(by, notice, None, now);
        }
        for target in targets {
            self.send_room_states_to(&target.token_hash, now);
        }
    }

    /// Sets when the mute of everyone with this token ends.
    pub(super) fn set_muted(&mut self, token_hash: &TokenHash, until: Option<Instant>) {
        for key in self.people.with_token_hash(token_hash) {
            self.people[key].muted_until = until;
        }
    }

    /// Checks a ban of this person. It extends to the addresses for a shorter time, but never to this machine.
    pub(super) fn plan_ban(&self, name: &Name, seconds: u64, now: Now) -> Result<ActKind, Refusal> {
        let person = &self.people[self.moderatable(name)?];
        let time = Duration::from_secs(seconds);
        let targets = self.people.with_token_hash(&person.token_hash);
        let addresses = targets
            .iter()
            .flat_map(|&target| self.addresses_of(target))
            .filter(|at| !at.is_local())
            .collect();
        let sanction = Sanction {
            name: person.name.clone(),
            token_hash: person.token_hash,
            until: now.instant + time,
            addresses,
            addresses_until: now.instant + time.min(MAX_ADDRESS_BAN),
        };
        Ok(ActKind::Ban(sanction, time))
    }

    /// Disconnects a person under every name, if still present, and refuses the token for some time.
    pub(super) fn ban(&mut self, by: &Actor, sanction: Sanction, time: Duration, now: Now) {
        let targets = self.people.with_token_hash(&sanction.token_hash);
        let notice = notices::banned(&by.name, sanction.name.as_str(), time.as_secs());
        self.moderation.bans.impose(sanction, now.instant);
        let bye = notices::bye_banned(Some(ceil_millis(time)));
        for target in targets {
            if !self.people[target].moderator {
                self.disconnect_person(target, bye.clone(), now);
            }
        }
        self.announce_moderation(by, notice, None, now);
    }

    /// The addresses of all of a person's connections, and the last one.
    fn addresses_of(&self, key: PersonKey) -> Vec<ClientAddr> {
        let person = &self.people[key];
        let conns = person.conns.iter();
        let mut addresses: Vec<ClientAddr> = conns.map(|&conn| self.conns[conn].address).collect();
        addresses.push(person.address);
        addresses
    }

    /// Finds everyone who had this name when banned.
    pub(super) fn plan_unban(&self, name: &Name, now: Now) -> Result<ActKind, Refusal> {
        let targets = self.moderation.bans.named(name, now.instant);
        if targets.is_empty() {
            let text = "Não há nenhum banimento com este nome.";
            return Err(Refusal::with_text(ErrorCode::NoSuchPerson, text));
        }
        Ok(ActKind::Unban(targets))
    }

    /// Lifts the bans of these people.
    pub(super) fn unban(&mut self, by: &Actor, targets: &[Target], now: Now) {
        for target in targets {
            self.moderation.bans.lift(&target.token_hash);
        }
        if let Some(target) = targets.last() {
            let notice = notices::unbanned(&by.name, target.name.as_str());
            self.announce_moderation(by, notice, None, now);
        }
    }
}
