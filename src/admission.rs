//! Admission control: the connection limit and the limit of connections that have not entered yet, in total and per
//! address. Each connection costs a thread, and beyond the system's limits the process would abort.
//!
//! Knows numbers and addresses; never knows messages.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Most connections that have not entered: each costs a thread and is of no use yet.
pub(crate) const MAX_PENDING: usize = 256;
/// Of these, most from one address. Loopback is exempt: a reverse proxy has that address for all its clients.
pub(crate) const MAX_PENDING_PER_ADDRESS: usize = 64;

/// Counts the connections, and those that have not entered.
#[derive(Debug)]
pub(crate) struct Admission {
    max_connections: usize,
    active: AtomicUsize,
    pending: Mutex<PendingCounts>,
}

#[derive(Debug, Default)]
struct PendingCounts {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Admission {
    /// Admits at most this many connections at the same time.
    pub(crate) fn new(max_connections: usize) -> Arc<Self> {
        Arc::new(Self {
            max_connections,
            active: AtomicUsize::new(0),
            pending: Mutex::default(),
        })
    }

    /// The connection limit.
    pub(crate) fn max_connections(&self) -> usize {
        self.max_connections
    }

    /// Connections now.
    pub(crate) fn active(&self) -> usize {
        self.active.load(Ordering::Acquire)
    }

    /// Connections that the limit still allows.
    pub(crate) fn available(&self) -> usize {
        self.max_connections.saturating_sub(self.active())
    }

    /// Takes both permits for a new connection; the second is dropped when it has entered. `None` at either limit.
    pub(crate) fn admit(
        self: &Arc<Self>,
        address: IpAddr,
    ) -> Option<(ConnectionPermit, PendingPermit)> {
        let permit = self.acquire_connection()?;
        Some((permit, self.acquire_pending(address)?))
    }

    fn acquire_connection(self: &Arc<Self>) -> Option<ConnectionPermit> {
        let taken = self
            .active
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |active| {
                (active < self.max_connections).then_some(active + 1)
            });
        taken.is_ok().then(|| ConnectionPermit {
            admission: self.clone(),
        })
    }

    fn acquire_pending(self: &Arc<Self>, address: IpAddr) -> Option<PendingPermit> {
        let address = address.to_canonical();
        let mut pending = self.lock();
        let from_address = pending.by_address.get(&address).copied().unwrap_or(0);
        let too_many = !address.is_loopback() && from_address >= MAX_PENDING_PER_ADDRESS;
        if too_many || pending.total >= MAX_PENDING {
            return None;
        }
        pending.total += 1;
        *pending.by_address.entry(address).or_default() += 1;
        Some(PendingPermit {
            admission: self.clone(),
            address,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, PendingCounts> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts one connection until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    admission: Arc<Admission>,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.admission.active.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Counts one connection that has not entered; dropped when it has entered or is closed.
#[derive(Debug)]
pub struct PendingPermit {
    admission: Arc<Admission>,
    address: IpAddr,
}

impl Drop for PendingPermit {
    fn drop(&mut self) {
        let mut pending = self.admission.lock();
        pending.total -= 1;
        if let Some(count) = pending.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                pending.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permit_is_free_again_when_dropped() {
        let admission = Admission::new(2);
        let local = "127.0.0.1".parse().unwrap();
        let first = admission.admit(local);
        let second = admission.admit(local);
        assert!(first.is_some() && second.is_some() && admission.admit(local).is_none());
        drop(first);
        assert_eq!((admission.active(), admission.available()), (1, 1));
        assert!(admission.admit(local).is_some());
    }

    #[test]
    fn refused_pending_permit_takes_no_connection_permit() {
        let admission = Admission::new(10_000);
        let stranger = "203.0.113.7".parse().unwrap();
        let permits: Vec<_> = (0..=MAX_PENDING_PER_ADDRESS)
            .map_while(|_| admission.admit(stranger))
            .collect();
        assert_eq!(
            (permits.len(), admission.active()),
            (MAX_PENDING_PER_ADDRESS, MAX_PENDING_PER_ADDRESS)
        );
    }

    #[test]
    fn pending_limit_per_address_exempts_loopback() {
        let admission = Admission::new(10_000);
        let stranger = "203.0.113.7".parse().unwrap();
        let other = "203.0.113.8".parse().unwrap();
        let permits: Vec<_> = (0..MAX_PENDING_PER_ADDRESS)
            .map(|_| admission.acquire_pending(stranger).unwrap())
            .collect();
        assert!(admission.acquire_pending(stranger).is_none());
        assert!(
            admission
                .acquire_pending("::ffff:203.0.113.7".parse().unwrap())
                .is_none()
        );
        assert!(admission.acquire_pending(other).is_some());
        drop(permits);
        let local = "127.0.0.1".parse().unwrap();
        let _permits: Vec<_> = (0..MAX_PENDING)
            .map(|_| admission.acquire_pending(local).unwrap())
            .collect();
        assert!(admission.acquire_pending(other).is_none());
        assert_eq!(admission.lock().by_address.len(), 1);
    }
}
