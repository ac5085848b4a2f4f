//! Sanctions: mutes and bans, each for a time.
//!
//! Kept in a list that is read from end to end: it is short, and a full one costs an `enter` a few microseconds.

use crate::auth::TokenHash;
use crate::chat::limits::{MAX_ADDRESS_BAN, MAX_SANCTIONS};
use crate::chat::moderation::{Moderator, notices};
use crate::chat::people::PersonKey;
use crate::chat::{Chat, Now, ceil_millis};
use crate::ids::ClientAddr;
use crate::name::Name;
use crate::protocol::{ErrorCode, Refusal};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// One sanction against one person.
pub(crate) struct Sanction {
    /// The name that the person had.
    pub name: Name,
    pub token_hash: TokenHash,
    pub until: Instant,
    /// The person's addresses, if the sanction extends to them.
    pub addresses: Vec<ClientAddr>,
    /// Until when it extends to the addresses.
    pub addresses_until: Instant,
}

/// All sanctions of one kind, the oldest first.
#[derive(Default)]
pub(crate) struct Sanctions(VecDeque<Sanction>);

impl Sanctions {
    /// Adds a sanction; it replaces an earlier one against the same person.
    pub(crate) fn impose(&mut self, sanction: Sanction, now: Instant) {
        self.0
            .retain(|known| known.until > now && known.token_hash != sanction.token_hash);
        if self.0.len() >= MAX_SANCTIONS {
            self.0.pop_front();
        }
        self.0.push_back(sanction);
    }

    /// When the sanction against this token ends, if there is one.
    pub(crate) fn active_for(&self, token_hash: &TokenHash, now: Instant) -> Option<Instant> {
        let known = self
            .0
            .iter()
            .find(|known| known.token_hash == *token_hash)?;
        (known.until > now).then_some(known.until)
    }

    /// When the last sanction against this address ends, if there is one.
    pub(crate) fn active_for_address(&self, address: ClientAddr, now: Instant) -> Option<Instant> {
        let known = self
            .0
            .iter()
            .filter(|known| known.addresses.contains(&address));
        known
            .map(|known| known.addresses_until)
            .filter(|until| *until > now)
            .max()
    }

    /// The people with a sanction under this name.
    pub(crate) fn named(&self, name: &Name, now: Instant) -> Vec<(Name, TokenHash)> {
        let known = self
            .0
            .iter()
            .filter(|known| known.until > now && known.name.key() == name.key());
        known
            .map(|known| (known.name.clone(), known.token_hash))
            .collect()
    }

    /// Ends the sanction against this token.
    pub(crate) fn lift(&mut self, token_hash: &TokenHash) {
        self.0.retain(|known| known.token_hash != *token_hash);
    }
}

impl Chat {
    /// Refuses everything that a person says for some time.
    pub(super) fn mute(
        &mut self,
        by: &Moderator,
        name: &Name,
        seconds: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        let key = self.moderatable(name)?;
        let person = &self.people[key];
        let display_name = person.name.display();
        let token_hash = person.token_hash;
        let until = now.instant + Duration::from_secs(seconds);
        let sanction = Sanction {
            name: person.name.clone(),
            token_hash,
            until,
            addresses: Vec::new(),
            addresses_until: now.instant,
        };
        self.moderation.mutes.impose(sanction, now.instant);
        self.set_muted(&token_hash, Some(until));
        let notice = notices::muted(&by.name, &display_name, seconds);
        self.announce_moderation(by, notice, None, now);
        self.send_room_states_to(&token_hash, now);
        Ok(())
    }

    /// Unmutes everyone who has this name now or had it when muted.
    pub(super) fn unmute(&mut self, by: &Moderator, name: &Name, now: Now) -> Result<(), Refusal> {
        let mut targets = self.moderation.mutes.named(name, now.instant);
        if let Some(key) = self.people.named(name) {
            let person = &self.people[key];
            targets.retain(|(_, token_hash)| *token_hash != person.token_hash);
            targets.push((person.name.clone(), person.token_hash));
        }
        for (_, token_hash) in &targets {
            self.moderation.mutes.lift(token_hash);
            self.set_muted(token_hash, None);
        }
        let (display_name, _) = targets
            .last()
            .ok_or_else(|| Refusal::new(ErrorCode::NoSuchPerson))?;
        let notice = notices::unmuted(&by.name, display_name.as_str());
        self.announce_moderation(by, notice, None, now);
        for (_, token_hash) in &targets {
            self.send_room_states_to(token_hash, now);
        }
        Ok(())
    }

    /// Sets when the mute of everyone with this token ends.
    pub(super) fn set_muted(&mut self, token_hash: &TokenHash, until: Option<Instant>) {
        for key in self.people.with_token_hash(token_hash) {
            self.people[key].muted_until = until;
        }
    }

    /// Disconnects a person under every name, and refuses the token for some time. The addresses too, for a shorter
    /// time, but never this machine.
    pub(super) fn ban(
        &mut self,
        by: &Moderator,
        name: &Name,
        seconds: u64,
        now: Now,
    ) -> Result<(), Refusal> {
        let key = self.moderatable(name)?;
        let person = &self.people[key];
        let display_name = person.name.display();
        let token_hash = person.token_hash;
        let time = Duration::from_secs(seconds);
        let targets = self.people.with_token_hash(&token_hash);
        let addresses = targets
            .iter()
            .flat_map(|&target| self.addresses_of(target))
            .filter(|at| !at.is_local())
            .collect();
        let sanction = Sanction {
            name: person.name.clone(),
            token_hash,
            until: now.instant + time,
            addresses,
            addresses_until: now.instant + time.min(MAX_ADDRESS_BAN),
        };
        self.moderation.bans.impose(sanction, now.instant);
        let bye = notices::bye_banned(Some(ceil_millis(time)));
        for target in targets {
            if !self.people[target].moderator {
                self.disconnect_person(target, &bye, now);
            }
        }
        let notice = notices::banned(&by.name, &display_name, seconds);
        self.announce_moderation(by, notice, None, now);
        Ok(())
    }

    /// The addresses of all of a person's connections, and the last one.
    fn addresses_of(&self, key: PersonKey) -> Vec<ClientAddr> {
        let person = &self.people[key];
        let conns = person.conns.iter();
        let mut addresses: Vec<ClientAddr> = conns.map(|&conn| self.conns[conn].address).collect();
        addresses.push(person.address);
        addresses
    }

    /// Lifts the bans of everyone who had this name when banned.
    pub(super) fn unban(&mut self, by: &Moderator, name: &Name, now: Now) -> Result<(), Refusal> {
        let targets = self.moderation.bans.named(name, now.instant);
        for (_, token_hash) in &targets {
            self.moderation.bans.lift(token_hash);
        }
        let (display_name, _) = targets.last().ok_or_else(|| {
            let text = "Não há nenhum banimento com este nome.";
            Refusal::with_text(ErrorCode::NoSuchPerson, text)
        })?;
        let notice = notices::unbanned(&by.name, display_name.as_str());
        self.announce_moderation(by, notice, None, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Token;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_hours(1);

    fn token_hash(number: usize) -> TokenHash {
        TokenHash::of(&Token::new(&format!("secret-number-{number:08}")).unwrap())
    }

    fn sanction(number: usize, now: Instant) -> Sanction {
        let until = now + HOUR;
        Sanction {
            name: Name::new("Bruno").unwrap(),
            token_hash: token_hash(number),
            until,
            addresses: Vec::new(),
            addresses_until: until,
        }
    }

    #[test]
    fn sanction_expires_at_its_end() {
        let mut sanctions = Sanctions::default();
        let now = Instant::now();
        sanctions.impose(sanction(1, now), now);
        assert_eq!(sanctions.active_for(&token_hash(1), now), Some(now + HOUR));
        assert_eq!(sanctions.active_for(&token_hash(2), now), None);
        assert_eq!(sanctions.active_for(&token_hash(1), now + HOUR), None);
        assert!(
            sanctions
                .named(&Name::new("Bruno").unwrap(), now + HOUR)
                .is_empty()
        );
    }

    #[test]
    fn later_sanction_replaces_the_earlier_one() {
        let mut sanctions = Sanctions::default();
        let now = Instant::now();
        sanctions.impose(sanction(1, now + HOUR), now);
        sanctions.impose(sanction(1, now), now);
        assert_eq!(sanctions.active_for(&token_hash(1), now), Some(now + HOUR));
    }

    #[test]
    fn address_sanction_ends_before_the_persons() {
        let mut sanctions = Sanctions::default();
        let now = Instant::now();
        let address = ClientAddr::from_ip("203.0.113.7".parse().unwrap());
        let addresses_until = now + HOUR / 2;
        sanctions.impose(
            Sanction {
                addresses: vec![address],
                addresses_until,
                ..sanction(1, now)
            },
            now,
        );
        assert_eq!(
            sanctions.active_for_address(address, now),
            Some(addresses_until)
        );
        assert_eq!(sanctions.active_for_address(ClientAddr::LOCAL, now), None);
        assert_eq!(sanctions.active_for_address(address, addresses_until), None);
        assert!(
            sanctions
                .active_for(&token_hash(1), addresses_until)
                .is_some()
        );
    }

    #[test]
    fn sanctions_are_found_by_name_and_lifted_one_by_one() {
        let mut sanctions = Sanctions::default();
        let now = Instant::now();
        sanctions.impose(sanction(1, now), now);
        sanctions.impose(sanction(2, now), now);
        let found = sanctions.named(&Name::new("BRUNO").unwrap(), now);
        assert_eq!(
            found
                .iter()
                .map(|(_, token_hash)| *token_hash)
                .collect::<Vec<_>>(),
            [token_hash(1), token_hash(2)]
        );
        sanctions.lift(&token_hash(1));
        assert!(
            sanctions.active_for(&token_hash(1), now).is_none()
                && sanctions.active_for(&token_hash(2), now).is_some()
        );
    }

    #[test]
    fn full_list_drops_the_oldest_sanction() {
        let mut sanctions = Sanctions::default();
        let now = Instant::now();
        sanctions.0 = (0..MAX_SANCTIONS)
            .map(|number| sanction(number, now))
            .collect();
        sanctions.impose(sanction(MAX_SANCTIONS, now), now);
        assert_eq!(sanctions.0.len(), MAX_SANCTIONS);
        assert!(sanctions.active_for(&token_hash(0), now).is_none());
        assert!(
            sanctions.active_for(&token_hash(1), now).is_some()
                && sanctions
                    .active_for(&token_hash(MAX_SANCTIONS), now)
                    .is_some()
        );
    }
}
