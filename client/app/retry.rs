//! When a request is sent again after a temporary refusal.

use papo::protocol::ErrorCode;
use std::time::Duration;

/// How long a script repeats a request before it exits.
pub const SCRIPT_TIMEOUT: Duration = Duration::from_secs(30);
/// Bounds of every wait that a server asks for.
const MIN_WAIT: Duration = Duration::from_millis(100);
const MAX_WAIT: Duration = Duration::from_mins(1);
/// The wait before the first retry; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The longest wait where the server names none.
const MAX_DELAY: Duration = Duration::from_secs(10);

/// Whether the same request may succeed a little later.
pub fn is_temporary(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::HistoryUnavailable | ErrorCode::TooFast)
}

/// The wait that a server asks for, in milliseconds, within bounds.
pub fn bounded_wait(ms: u64) -> Duration {
    Duration::from_millis(ms).clamp(MIN_WAIT, MAX_WAIT)
}

/// The wait before the next try, after `retries` earlier ones; at least what the server asked for.
pub fn delay(retries: u32, asked_ms: Option<u64>) -> Duration {
    let backoff = FIRST_DELAY
        .saturating_mul(2u32.saturating_pow(retries))
        .min(MAX_DELAY);
    asked_ms.map_or(backoff, |ms| bounded_wait(ms).max(backoff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_honours_the_server_within_a_minute() {
        let seconds = |retries, asked| delay(retries, asked).as_secs();
        let waits: Vec<u64> = (0..6).map(|retries| seconds(retries, None)).collect();
        assert_eq!(waits, [1, 2, 4, 8, 10, 10]);
        assert_eq!(seconds(0, Some(7000)), 7);
        assert_eq!(seconds(3, Some(7000)), 8);
        assert_eq!(seconds(u32::MAX, Some(u64::MAX)), 60);
        assert_eq!(bounded_wait(0), MIN_WAIT);
    }
}
