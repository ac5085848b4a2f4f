//! The rows of the table.

use std::time::Duration;

/// Prints a figure and its target.
pub fn print_row(what: &str, measured: &str, target: &str) {
    println!("{what:<62}{measured:>24}  {target}");
}

/// A time in milliseconds.
pub fn in_ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
