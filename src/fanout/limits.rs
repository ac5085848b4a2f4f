//! When slow and silent connections are closed.
//!
//! Knows bytes and times; never knows connections.

use std::time::Duration;

/// The limits and timeouts of the fan-out.
#[derive(Debug, Clone)]
pub struct DeliveryLimits {
    /// Most unsent bytes of one connection: about a second of a busy room of long messages.
    pub max_outbox_bytes: usize,
    /// Most unsent bytes of all connections together; over it the largest outboxes are shed first.
    pub max_total_outbox_bytes: usize,
    /// How long a connection with unsent bytes may take none.
    pub stall_timeout: Duration,
    /// Idle time after which a peer is pinged.
    pub ping_after: Duration,
    /// Idle time after which a peer counts as dead.
    pub dead_after: Duration,
    /// How long a peer may take to read its `bye` and close.
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
