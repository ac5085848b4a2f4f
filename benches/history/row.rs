//! The rows of the table.

use crate::load::tally::quantile;
use std::time::Duration;

/// Prints a figure and its target.
pub fn print_row(what: &str, measured: &str, target: &str) {
    println!("{what:<62}{measured:>24}  {target}");
}

/// A time in milliseconds.
pub fn in_ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

/// The middle, the highest but one per cent, and the highest of some delays.
#[derive(Debug, Clone, Copy)]
pub struct Quantiles {
    pub p50: Duration,
    pub p99: Duration,
    pub max: Duration,
}

impl Quantiles {
    /// Of these delays in microseconds.
    pub fn of(mut delays: Vec<u32>) -> Self {
        Self {
            p50: quantile(&mut delays, 0.5),
            p99: quantile(&mut delays, 0.99),
            max: quantile(&mut delays, 1.0),
        }
    }

    /// All three, in milliseconds.
    pub fn describe(&self) -> String {
        let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
        format!("{} {} {}", ms(self.p50), ms(self.p99), ms(self.max))
    }
}
