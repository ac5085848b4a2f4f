//! What a crowd measured: how much came, how long it took, and what was wrong.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Failures that are kept in full; one is enough to fail.
const MAX_FAILURES_KEPT: usize = 5;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Nanoseconds since the benchmark began; what messages are stamped with.
pub fn nanos() -> u64 {
    START.elapsed().as_nanos() as u64
}

/// One acknowledged message.
#[derive(Debug, Clone, Copy)]
pub struct Ack {
    /// When it was sent, in the time of [`nanos`].
    pub sent_at: u64,
    /// How long the `ack` took, in microseconds.
    pub delay: u32,
}

/// Counts of one crowd.
#[derive(Default)]
pub struct Tally {
    /// Messages and acks that came in order.
    pub delivered: u64,
    /// Acks among them.
    pub acked: u64,
    /// Bytes of everything.
    pub bytes: u64,
    /// Every how many deliveries a delay is noted; 0 notes none.
    pub sample_every: u64,
    /// Noted delays from sending to receiving, in microseconds.
    pub delays: Vec<u32>,
    pub acks: Vec<Ack>,
    /// Whether the server may refuse messages because it can't store them now.
    pub tolerates_refusals: bool,
    /// Messages that it refused for that.
    pub refused: u64,
    pub failures: Vec<String>,
    pub failed: u64,
}

impl Tally {
    /// Notes a failure.
    pub fn fail(&mut self, message: impl FnOnce() -> String) {
        self.failed += 1;
        if self.failures.len() < MAX_FAILURES_KEPT {
            self.failures.push(message());
        }
    }

    /// The delays of the acks that were awaited at some time since then, in microseconds.
    pub fn ack_delays_since(&self, start: u64) -> Vec<u32> {
        self.ack_delays_between(start, u64::MAX)
    }

    /// The delays of the acks that were awaited at some time between these two, in microseconds.
    pub fn ack_delays_between(&self, start: u64, end: u64) -> Vec<u32> {
        let awaited = |ack: &&Ack| {
            let acked_at = ack.sent_at + u64::from(ack.delay) * 1000;
            acked_at >= start && ack.sent_at <= end
        };
        self.acks
            .iter()
            .filter(awaited)
            .map(|ack| ack.delay)
            .collect()
    }

    /// A message came that was stamped with this time.
    pub fn record_delivery(&mut self, stamp: u64, now: u64) {
        self.delivered += 1;
        if self.sample_every > 0 && self.delivered.is_multiple_of(self.sample_every) {
            self.delays.push((now.saturating_sub(stamp) / 1000) as u32);
        }
    }
}

/// The value below which this part of the values lies.
pub fn quantile(values: &mut [u32], fraction: f64) -> Duration {
    if values.is_empty() {
        return Duration::ZERO;
    }
    values.sort_unstable();
    let index = ((values.len() - 1) as f64 * fraction).round() as usize;
    Duration::from_micros(u64::from(values[index]))
}

/// The middle one of some measured times.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
