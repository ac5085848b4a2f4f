//! Figures of a running server, written by the hub, read by other threads for `/saude` and the banner.
//!
//! Knows numbers; never knows who they count.

use std::sync::atomic::AtomicUsize;

/// Figures that any thread may read.
#[derive(Debug, Default)]
pub struct Stats {
    /// People in the chat.
    pub people: AtomicUsize,
    /// Open rooms.
    pub rooms: AtomicUsize,
    /// Upgraded connections.
    pub connections: AtomicUsize,
    /// People who were notified that the server stops.
    pub notified: AtomicUsize,
}
