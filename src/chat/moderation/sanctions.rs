//! Measures that hosts took against people, each for a time: who is silenced, who is banned. Nothing is for good.
//!
//! A list, read from end to end: it is short, and a full one costs an `enter` a few microseconds.

use crate::auth::TokenHash;
use crate::chat::limits::MAX_SANCTIONS;
use crate::ids::ClientAddr;
use crate::name::Name;
use std::collections::VecDeque;
use std::time::Instant;

/// One measure against one person.
pub struct Sanction {
    /// The name that they had.
    pub name: Name,
    pub token_hash: TokenHash,
    pub until: Instant,
    /// Where they were, when the measure concerns that too.
    pub addresses: Vec<ClientAddr>,
    /// Until when it concerns the addresses.
    pub addresses_until: Instant,
}

/// All measures of one kind, the oldest first.
#[derive(Default)]
pub struct Sanctions(VecDeque<Sanction>);

impl Sanctions {
    /// Takes a measure; it replaces an earlier one against the same person.
    pub fn impose(&mut self, sanction: Sanction, now: Instant) {
        self.0
            .retain(|known| known.until > now && known.token_hash != sanction.token_hash);
        if self.0.len() >= MAX_SANCTIONS {
            self.0.pop_front();
        }
        self.0.push_back(sanction);
    }

    /// Until when there is a measure against who holds this secret.
    pub fn active_for(&self, token_hash: &TokenHash, now: Instant) -> Option<Instant> {
        let known = self
            .0
            .iter()
            .find(|known| known.token_hash == *token_hash)?;
        (known.until > now).then_some(known.until)
    }

    /// Until when there is a measure against this address.
    pub fn active_for_address(&self, address: ClientAddr, now: Instant) -> Option<Instant> {
        let known = self
            .0
            .iter()
            .filter(|known| known.addresses.contains(&address));
        known
            .map(|known| known.addresses_until)
            .filter(|until| *until > now)
            .max()
    }

    /// Against whom there are measures under this name.
    pub fn named(&self, name: &Name, now: Instant) -> Vec<(Name, TokenHash)> {
        let known = self
            .0
            .iter()
            .filter(|known| known.until > now && known.name.key() == name.key());
        known
            .map(|known| (known.name.clone(), known.token_hash))
            .collect()
    }

    /// Ends the measure against who holds this secret.
    pub fn lift(&mut self, token_hash: &TokenHash) {
        self.0.retain(|known| known.token_hash != *token_hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Token;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3600);

    fn token_hash(number: usize) -> TokenHash {
        TokenHash::of(&Token::new(&format!("secret-number-{number:08}")).unwrap())
    }

    fn sanction(number: usize, now: Instant) -> Sanction {
        let (name, until) = (Name::new("Bruno").unwrap(), now + HOUR);
        Sanction {
            name,
            token_hash: token_hash(number),
            until,
            addresses: Vec::new(),
            addresses_until: until,
        }
    }

    #[test]
    fn sanction_expires_at_its_end() {
        let (mut sanctions, now) = (Sanctions::default(), Instant::now());
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
        let (mut sanctions, now) = (Sanctions::default(), Instant::now());
        sanctions.impose(sanction(1, now + HOUR), now);
        sanctions.impose(sanction(1, now), now);
        assert_eq!(sanctions.active_for(&token_hash(1), now), Some(now + HOUR));
    }

    #[test]
    fn address_sanction_ends_before_the_persons() {
        let (mut sanctions, now) = (Sanctions::default(), Instant::now());
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
        let (mut sanctions, now) = (Sanctions::default(), Instant::now());
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
        let (mut sanctions, now) = (Sanctions::default(), Instant::now());
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
