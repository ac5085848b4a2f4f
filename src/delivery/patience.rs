//! When a connection is given up: the bounds of delivery, each with its reason.

use std::time::Duration;

/// When a connection is given up, and how fast the work is repeated.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Most bytes that may wait for one connection: about a second of a busy room of long messages.
    pub outbox: usize,
    /// Most bytes that may wait for all connections together; over it the fattest go first.
    pub outboxes: usize,
    /// How long a connection may take nothing while something waits.
    pub stuck: Duration,
    /// Silence after which a peer is pinged.
    pub ping: Duration,
    /// Silence after which a peer is dead.
    pub dead: Duration,
    /// How long a peer may take to read a goodbye and close.
    pub goodbye: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            outbox: 256 * 1024,
            outboxes: 256 * 1024 * 1024,
            stuck: Duration::from_secs(15),
            ping: Duration::from_secs(20),
            dead: Duration::from_secs(45),
            goodbye: Duration::from_millis(500),
        }
    }
}
