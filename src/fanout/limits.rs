//! When a connection is given up: the bounds of delivery, each with its reason.

use std::time::Duration;

/// When a connection is given up, and how fast the work is repeated.
#[derive(Debug, Clone)]
pub struct DeliveryLimits {
    /// Most bytes that may wait for one connection: about a second of a busy room of long messages.
    pub max_outbox_bytes: usize,
    /// Most bytes that may wait for all connections together; over it the fattest go first.
    pub max_total_outbox_bytes: usize,
    /// How long a connection may take nothing while something waits.
    pub stall_timeout: Duration,
    /// Silence after which a peer is pinged.
    pub ping_after: Duration,
    /// Silence after which a peer is dead.
    pub dead_after: Duration,
    /// How long a peer may take to read a goodbye and close.
    pub closing_timeout: Duration,
}

impl Default for DeliveryLimits {
    fn default() -> Self {
        Self {
            max_outbox_bytes: 256 * 1024,
            max_total_outbox_bytes: 256 * 1024 * 1024,
            stall_timeout: Duration::from_secs(15),
            ping_after: Duration::from_secs(20),
            dead_after: Duration::from_secs(45),
            closing_timeout: Duration::from_millis(500),
        }
    }
}
