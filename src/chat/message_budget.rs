//! What a person may say: so many messages and so many bytes of text, at once and in the long run.
//!
//! Knows numbers and given times; never knows what is said.

use crate::chat::limits::{Rules, TEXT_BURST_BYTES, TEXT_BYTES_PER_SECOND};
use crate::rate::TokenBucket;
use std::time::{Duration, Instant};

/// One person's budget.
#[derive(Debug, Clone)]
pub(crate) struct MessageBudget {
    messages: TokenBucket,
    bytes: TokenBucket,
}

impl MessageBudget {
    /// The full budget of a person; `None` is without limit.
    pub(crate) fn new(rules: &Rules, now: Instant) -> Option<Self> {
        let per_second = rules.rate?;
        Some(Self {
            messages: TokenBucket::new(f64::from(rules.burst), per_second, now),
            bytes: TokenBucket::new(TEXT_BURST_BYTES as f64, TEXT_BYTES_PER_SECOND, now),
        })
    }

    /// Takes a message of this many bytes, or nothing.
    ///
    /// # Errors
    /// How long to wait until it fits.
    pub(crate) fn try_take(&mut self, bytes: usize, now: Instant) -> Result<(), Duration> {
        let bytes = bytes as f64;
        let wait = self.bytes.time_until(bytes, now);
        if !wait.is_zero() {
            return Err(wait.max(self.messages.time_until(1.0, now)));
        }
        self.messages.try_take(now)?;
        self.bytes.try_take_many(bytes, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_is_limited_in_bytes_and_a_refusal_takes_nothing() {
        let start = Instant::now();
        let rules = Rules {
            rate: Some(1.0),
            burst: 100,
            ..Rules::default()
        };
        let mut budget = MessageBudget::new(&rules, start).unwrap();
        let longest = TEXT_BURST_BYTES as usize / 20;
        for _ in 0..20 {
            assert_eq!(budget.try_take(longest, start), Ok(()));
        }
        let wait = budget.try_take(longest, start).unwrap_err();
        assert_eq!(wait, Duration::from_millis(800));
        // It is the text that is too much, not the number of messages.
        for _ in 0..80 {
            assert_eq!(budget.try_take(0, start), Ok(()));
        }
        assert_eq!(budget.try_take(0, start), Err(Duration::from_secs(1)));
        let later = start + Duration::from_secs(1);
        assert_eq!(budget.try_take(longest, later), Ok(()));
    }
}
