//! The cost of the durable log: `cargo bench --bench history [-- acks bytes checkpoint erase search log 1000000]`.
//!
//! Prints a table and asserts only that everything stored is there, in order. Without words everything is measured, in
//! four minutes; a number is the length of the long log. `--lone 1200 [--batch 32]` only stores messages, to count the
//! instructions of a thread: docs/desempenho.md has the command lines.

#[cfg(target_os = "linux")]
mod acks;
#[cfg(target_os = "linux")]
mod erasing;
#[cfg(target_os = "linux")]
mod journal;
#[cfg(target_os = "linux")]
#[path = "../load/mod.rs"]
mod load;
#[cfg(target_os = "linux")]
mod log_driver;
#[cfg(target_os = "linux")]
mod lone;
#[cfg(target_os = "linux")]
mod long_log;
#[cfg(target_os = "linux")]
mod row;
#[cfg(target_os = "linux")]
mod searching;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("This benchmark measures through /proc and needs Linux.");
}

/// What can be measured alone.
#[cfg(target_os = "linux")]
const PARTS: [&str; 6] = ["acks", "bytes", "checkpoint", "erase", "search", "log"];
/// Entries of the long log.
#[cfg(target_os = "linux")]
const LONG_LOG: u64 = 1_000_000;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;

    let words: Vec<String> = std::env::args().skip(1).collect();
    let given = |word: &str| words.iter().any(|other| other == word);
    // `cargo test --benches` runs this too, without this argument; there is nothing to test.
    if !given("--bench") {
        println!("This is a benchmark: cargo bench --bench history");
        return ExitCode::SUCCESS;
    }
    let after = |word: &str| {
        let mut behind = words.iter().skip_while(|other| *other != word).skip(1);
        behind.next()?.parse::<u64>().ok()
    };
    if let Some(messages) = after("--lone") {
        lone::store_only(messages, after("--batch").unwrap_or(1).max(1));
        return ExitCode::SUCCESS;
    }
    let length = words.iter().find_map(|word| word.parse().ok());
    let all = !PARTS.iter().any(|part| given(part));
    let mut failures = Vec::new();
    row::print_row("The durable log", "measured", "target");
    for part in PARTS.into_iter().filter(|part| all || given(part)) {
        match part {
            "acks" => {
                acks::measure_acks(&mut failures);
                acks::measure_senders(&mut failures);
            }
            "bytes" => lone::measure_bytes(),
            "checkpoint" => journal::measure_checkpoint(&mut failures),
            "erase" => erasing::measure_erasing(&mut failures),
            "search" => searching::measure_searching(&mut failures),
            _ => long_log::measure_long_log(length.unwrap_or(LONG_LOG)),
        }
    }
    for failure in &failures {
        eprintln!("FAILED: {failure}");
    }
    ExitCode::from(u8::from(!failures.is_empty()))
}
