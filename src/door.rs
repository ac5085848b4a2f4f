//! Who may come in: the ceiling of connections, and how many may stand in the door without having entered.
//!
//! Each connection costs a thread, and past the system's limits the whole process would end before any of our code
//! could say no. So places are counted, as guards that give themselves back.
//!
//! Knows numbers and addresses; never knows what anybody says.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Connections that may be there without having entered: each costs a thread and can do nothing useful yet.
pub const WAITING: usize = 256;
/// Of these, from one address. Addresses of this machine are exempt: a proxy in front of the server is one.
pub const WAITING_PER_ADDRESS: usize = 64;

/// Counts who is inside and who stands in the door.
#[derive(Debug)]
pub struct Door {
    ceiling: usize,
    inside: AtomicUsize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Door {
    /// A door for at most this many connections at the same time.
    pub fn new(ceiling: usize) -> Arc<Self> {
        Arc::new(Self {
            ceiling,
            inside: AtomicUsize::new(0),
            waiting: Mutex::default(),
        })
    }

    /// How many connections there may be.
    pub fn ceiling(&self) -> usize {
        self.ceiling
    }

    /// How many connections there are.
    pub fn inside(&self) -> usize {
        self.inside.load(Ordering::Acquire)
    }

    /// How many more connections there may be.
    pub fn free(&self) -> usize {
        self.ceiling.saturating_sub(self.inside())
    }

    /// Takes a place for a new connection, which stands in the door until it has entered. `None` when there is no place,
    /// or too many stand in the door.
    pub fn come_in(self: &Arc<Self>, address: IpAddr) -> Option<(Place, Ticket)> {
        let place = self.take_place()?;
        Some((place, self.wait(address)?))
    }

    fn take_place(self: &Arc<Self>) -> Option<Place> {
        let taken = self
            .inside
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |inside| {
                (inside < self.ceiling).then_some(inside + 1)
            });
        taken.is_ok().then(|| Place { door: self.clone() })
    }

    fn wait(self: &Arc<Self>, address: IpAddr) -> Option<Ticket> {
        let address = address.to_canonical();
        let mut waiting = self.lock();
        let from_here = waiting.by_address.get(&address).copied().unwrap_or(0);
        let too_many = !address.is_loopback() && from_here >= WAITING_PER_ADDRESS;
        if too_many || waiting.total >= WAITING {
            return None;
        }
        waiting.total += 1;
        *waiting.by_address.entry(address).or_default() += 1;
        Some(Ticket {
            door: self.clone(),
            address,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place; dropping it gives the place back.
#[derive(Debug)]
pub struct Place {
    door: Arc<Door>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.door.inside.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A connection's permission to stand in the door; dropped when it has entered or is gone.
#[derive(Debug)]
pub struct Ticket {
    door: Arc<Door>,
    address: IpAddr,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut waiting = self.door.lock();
        waiting.total -= 1;
        if let Some(count) = waiting.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                waiting.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let (door, here) = (Door::new(2), "127.0.0.1".parse().unwrap());
        let (first, second) = (door.come_in(here), door.come_in(here));
        assert!(first.is_some() && second.is_some() && door.come_in(here).is_none());
        drop(first);
        assert_eq!((door.inside(), door.free()), (1, 1));
        assert!(door.come_in(here).is_some());
    }

    #[test]
    fn whoever_may_not_stand_in_the_door_takes_no_place() {
        let (door, stranger) = (Door::new(10_000), "203.0.113.7".parse().unwrap());
        let inside: Vec<_> = (0..=WAITING_PER_ADDRESS)
            .map_while(|_| door.come_in(stranger))
            .collect();
        assert_eq!(
            (inside.len(), door.inside()),
            (WAITING_PER_ADDRESS, WAITING_PER_ADDRESS)
        );
    }

    #[test]
    fn one_address_can_not_block_the_door_but_this_machine_may_use_all_of_it() {
        let door = Door::new(10_000);
        let (stranger, other) = (
            "203.0.113.7".parse().unwrap(),
            "203.0.113.8".parse().unwrap(),
        );
        let tickets: Vec<_> = (0..WAITING_PER_ADDRESS)
            .map(|_| door.wait(stranger).unwrap())
            .collect();
        assert!(door.wait(stranger).is_none());
        assert!(door.wait("::ffff:203.0.113.7".parse().unwrap()).is_none());
        assert!(door.wait(other).is_some());
        drop(tickets);
        let here = "127.0.0.1".parse().unwrap();
        let _tickets: Vec<_> = (0..WAITING).map(|_| door.wait(here).unwrap()).collect();
        assert!(door.wait(other).is_none());
        assert_eq!(door.lock().by_address.len(), 1);
    }
}
