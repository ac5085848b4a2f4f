//! Figures of a running server that other threads may read, for `/saude` and the banner.

use std::sync::atomic::AtomicUsize;

/// Figures that other threads may look at.
#[derive(Debug, Default)]
pub struct Stats {
    /// People who are there.
    pub people: AtomicUsize,
    /// Rooms that are open.
    pub rooms: AtomicUsize,
    /// Upgraded connections.
    pub connections: AtomicUsize,
    /// People who were told that the server stops.
    pub notified: AtomicUsize,
}
