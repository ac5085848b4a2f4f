//! Sanctions: mutes and bans, each for a time.
//!
//! Kept in a list that is read from end to end: it is short, and a full one costs an `enter` a few microseconds.

use crate::auth::TokenHash;
use crate::chat::Now;
use crate::chat::limits::MAX_SANCTIONS;
use crate::history::{SanctionKind, SavedSanction};
use crate::ids::ClientAddr;
use crate::name::Name;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A person whom an act of a moderator concerns, present or not.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub name: Name,
    pub token_hash: TokenHash,
}

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

impl Sanction {
    /// The sanction as it is stored, with its end by the wall clock.
    pub(crate) fn to_saved(&self, kind: SanctionKind, now: Now) -> SavedSanction {
        SavedSanction {
            kind,
            token_hash: self.token_hash,
            name: self.name.clone(),
            at: now.unix_ms,
            until: now.unix_ms_of(self.until),
            addresses: self.addresses.clone(),
            addresses_until: now.unix_ms_of(self.addresses_until),
        }
    }

    /// What is left of a stored sanction; `None` if it has ended. A clock that was set back does not lengthen it beyond its
    /// whole length.
    pub(crate) fn from_saved(saved: SavedSanction, now: Now) -> Option<Self> {
        let left = |until: u64| {
            let whole = until.saturating_sub(saved.at);
            Duration::from_millis(until.saturating_sub(now.unix_ms).min(whole))
        };
        let until = left(saved.until);
        (!until.is_zero()).then(|| Self {
            until: now.instant + until,
            addresses_until: now.instant + left(saved.addresses_until),
            name: saved.name,
            token_hash: saved.token_hash,
            addresses: saved.addresses,
        })
    }
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
    pub(crate) fn named(&self, name: &Name, now: Instant) -> Vec<Target> {
        let known = self
            .0
            .iter()
            .filter(|known| known.until > now && known.name.key() == name.key());
        known
            .map(|known| Target {
                name: known.name.clone(),
                token_hash: known.token_hash,
            })
            .collect()
    }

    /// Ends the sanction against this token.
    pub(crate) fn lift(&mut self, token_hash: &TokenHash) {
        self.0.retain(|known| known.token_hash != *token_hash);
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
                .map(|target| target.token_hash)
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
