//! A token bucket: a burst at once, then a steady rate. The chat and the client ask before they act; the WebSocket reader
//! is charged afterwards and waits until it is out of debt.
//!
//! Knows numbers and given times; never knows what a token stands for.

use std::time::{Duration, Instant};

/// Tokens that are refilled at a steady rate, up to a capacity.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    capacity: f64,
    per_second: f64,
    /// Negative while more was charged than there was.
    tokens: f64,
    /// Up to when the refill is counted in `tokens`; later than now after [`TokenBucket::restart`].
    refilled_at: Instant,
}

impl TokenBucket {
    /// A full bucket.
    pub fn new(capacity: f64, per_second: f64, now: Instant) -> Self {
        Self {
            capacity,
            per_second,
            tokens: capacity,
            refilled_at: now,
        }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// How long to wait for the next one, when there is none.
    pub fn try_take(&mut self, now: Instant) -> Result<(), Duration> {
        self.try_take_many(1.0, now)
    }

    /// Takes this many tokens, or none.
    ///
    /// # Errors
    /// How long to wait for them, when there are too few.
    pub(crate) fn try_take_many(&mut self, tokens: f64, now: Instant) -> Result<(), Duration> {
        self.refill(now);
        if self.tokens >= tokens {
            self.tokens -= tokens;
            return Ok(());
        }
        Err(self.time_to_earn(tokens - self.tokens))
    }

    /// How long until there is a token; zero if there is one.
    pub fn time_until_token(&self, now: Instant) -> Duration {
        self.time_until(1.0, now)
    }

    /// How long until there are this many tokens; zero if they are there.
    pub(crate) fn time_until(&self, tokens: f64, now: Instant) -> Duration {
        let missing = tokens - self.tokens_at(now);
        if missing <= 0.0 {
            return Duration::ZERO;
        }
        self.time_to_earn(missing)
    }

    /// Takes tokens that were already used, whether they are there or not.
    pub(crate) fn charge(&mut self, tokens: f64) {
        self.tokens -= tokens;
    }

    /// Whether more was charged than there was, as of the last refill.
    pub(crate) fn in_debt(&self) -> bool {
        self.tokens < 0.0
    }

    /// How long until nothing is owed any more; zero if nothing is owed.
    pub(crate) fn time_until_repaid(&mut self, now: Instant) -> Duration {
        self.refill(now);
        if !self.in_debt() {
            return Duration::ZERO;
        }
        self.time_to_earn(-self.tokens)
    }

    /// Changes the capacity and the rate, and keeps the tokens.
    pub fn set_rate(&mut self, capacity: f64, per_second: f64) {
        self.capacity = capacity;
        self.per_second = per_second;
    }

    /// Holds so many tokens from the given time on, and earns nothing before it.
    pub fn restart(&mut self, tokens: f64, at: Instant) {
        self.tokens = tokens;
        self.refilled_at = at;
    }

    fn refill(&mut self, now: Instant) {
        self.tokens = self.tokens_at(now);
        self.refilled_at = self.refilled_at.max(now);
    }

    fn tokens_at(&self, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(self.refilled_at);
        (self.tokens + elapsed.as_secs_f64() * self.per_second).min(self.capacity)
    }

    /// Never zero, so that waiting for it makes progress.
    fn time_to_earn(&self, tokens: f64) -> Duration {
        Duration::try_from_secs_f64(tokens / self.per_second)
            .unwrap_or(Duration::MAX)
            .max(Duration::from_nanos(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn bucket_passes_a_burst_then_one_at_a_time() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(3.0, 5.0, start);
        for _ in 0..3 {
            assert_eq!(bucket.try_take(start), Ok(()));
        }
        let wait = bucket.try_take(start).unwrap_err();
        assert_eq!(wait, Duration::from_millis(200));
        assert_eq!(bucket.time_until_token(start), wait);
        assert_eq!(bucket.time_until_token(start + wait), Duration::ZERO);
        assert_eq!(bucket.try_take(start + wait), Ok(()));
        assert!(bucket.try_take(start + wait).is_err());
    }

    #[test]
    fn tiny_rate_gives_a_long_wait_without_panic() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(1.0, 1e-300, start);
        assert!(bucket.try_take(start).is_ok());
        assert_eq!(bucket.try_take(start), Err(Duration::MAX));
    }

    #[test]
    fn huge_rate_gives_a_short_wait_that_is_not_zero() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(1.0, 1e300, start);
        assert!(bucket.try_take(start).is_ok());
        assert_eq!(bucket.try_take(start), Err(Duration::from_nanos(1)));
    }

    #[test]
    fn idle_bucket_holds_no_more_than_its_burst() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(2.0, 5.0, start);
        let later = start + Duration::from_hours(1);
        assert_eq!(bucket.try_take(later), Ok(()));
        assert_eq!(bucket.try_take(later), Ok(()));
        assert!(bucket.try_take(later).is_err());
    }

    #[test]
    fn charge_beyond_the_burst_is_repaid_at_the_rate() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(100.0, 50.0, start);
        bucket.charge(100.0);
        assert!(!bucket.in_debt());
        bucket.charge(100.0);
        assert!(bucket.in_debt());
        assert_eq!(bucket.time_until_repaid(start), 2 * SECOND);
        assert_eq!(bucket.time_until_repaid(start + SECOND), SECOND);
        assert_eq!(bucket.time_until_repaid(start + 2 * SECOND), Duration::ZERO);
        assert!(!bucket.in_debt());
    }

    #[test]
    fn restarted_bucket_earns_nothing_before_its_time() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(20.0, 1.0, start);
        bucket.restart(0.0, start + 10 * SECOND);
        assert_eq!(bucket.try_take(start + 9 * SECOND), Err(SECOND));
        assert_eq!(bucket.try_take(start + 10 * SECOND), Err(SECOND));
        assert_eq!(bucket.try_take(start + 11 * SECOND), Ok(()));
    }
}
