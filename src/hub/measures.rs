//! Measures that hosts took against people, each for a time: who is silenced, who is banned. Nothing is for good.
//!
//! A list, read from end to end: it is short, and a full one costs an `enter` a few microseconds.

use super::limits::MAX_MEASURES;
use crate::identity::TokenHash;
use crate::link::ClientAddr;
use crate::name::Name;
use std::collections::VecDeque;
use std::time::Instant;

/// One measure against one person.
pub struct Measure {
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
pub struct Measures(VecDeque<Measure>);

impl Measures {
    /// Takes a measure; it replaces an earlier one against the same person.
    pub fn take(&mut self, measure: Measure, now: Instant) {
        self.0
            .retain(|known| known.until > now && known.token_hash != measure.token_hash);
        if self.0.len() >= MAX_MEASURES {
            self.0.pop_front();
        }
        self.0.push_back(measure);
    }

    /// Until when there is a measure against who holds this secret.
    pub fn against(&self, token_hash: &TokenHash, now: Instant) -> Option<Instant> {
        let known = self
            .0
            .iter()
            .find(|known| known.token_hash == *token_hash)?;
        (known.until > now).then_some(known.until)
    }

    /// Until when there is a measure against this address.
    pub fn against_address(&self, address: ClientAddr, now: Instant) -> Option<Instant> {
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
    pub fn forgive(&mut self, token_hash: &TokenHash) {
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

    fn measure(number: usize, now: Instant) -> Measure {
        let (name, until) = (Name::new("Bruno").unwrap(), now + HOUR);
        Measure {
            name,
            token_hash: token_hash(number),
            until,
            addresses: Vec::new(),
            addresses_until: until,
        }
    }

    #[test]
    fn a_measure_ends_by_itself() {
        let (mut measures, now) = (Measures::default(), Instant::now());
        measures.take(measure(1, now), now);
        assert_eq!(measures.against(&token_hash(1), now), Some(now + HOUR));
        assert_eq!(measures.against(&token_hash(2), now), None);
        assert_eq!(measures.against(&token_hash(1), now + HOUR), None);
        assert!(
            measures
                .named(&Name::new("Bruno").unwrap(), now + HOUR)
                .is_empty()
        );
    }

    #[test]
    fn a_later_measure_replaces_the_earlier_one() {
        let (mut measures, now) = (Measures::default(), Instant::now());
        measures.take(measure(1, now + HOUR), now);
        measures.take(measure(1, now), now);
        assert_eq!(measures.against(&token_hash(1), now), Some(now + HOUR));
    }

    #[test]
    fn an_address_is_free_sooner_than_the_person() {
        let (mut measures, now) = (Measures::default(), Instant::now());
        let address = ClientAddr::from_ip("203.0.113.7".parse().unwrap());
        let addresses_until = now + HOUR / 2;
        measures.take(
            Measure {
                addresses: vec![address],
                addresses_until,
                ..measure(1, now)
            },
            now,
        );
        assert_eq!(
            measures.against_address(address, now),
            Some(addresses_until)
        );
        assert_eq!(measures.against_address(ClientAddr::LOCAL, now), None);
        assert_eq!(measures.against_address(address, addresses_until), None);
        assert!(measures.against(&token_hash(1), addresses_until).is_some());
    }

    #[test]
    fn everybody_is_found_who_had_a_name_in_any_spelling_and_forgiven_one_by_one() {
        let (mut measures, now) = (Measures::default(), Instant::now());
        measures.take(measure(1, now), now);
        measures.take(measure(2, now), now);
        let found = measures.named(&Name::new("BRUNO").unwrap(), now);
        assert_eq!(
            found
                .iter()
                .map(|(_, token_hash)| *token_hash)
                .collect::<Vec<_>>(),
            [token_hash(1), token_hash(2)]
        );
        measures.forgive(&token_hash(1));
        assert!(
            measures.against(&token_hash(1), now).is_none()
                && measures.against(&token_hash(2), now).is_some()
        );
    }

    #[test]
    fn the_list_is_bounded_and_the_oldest_go_first() {
        let (mut measures, now) = (Measures::default(), Instant::now());
        measures.0 = (0..MAX_MEASURES)
            .map(|number| measure(number, now))
            .collect();
        measures.take(measure(MAX_MEASURES, now), now);
        assert_eq!(measures.0.len(), MAX_MEASURES);
        assert!(measures.against(&token_hash(0), now).is_none());
        assert!(
            measures.against(&token_hash(1), now).is_some()
                && measures.against(&token_hash(MAX_MEASURES), now).is_some()
        );
    }
}
