//! What talking costs: `cargo bench --bench fanout [-- A C … --rounds 3 --memory --file]`.
//!
//! The real server runs as a process on one core; a crowd of simulated people on the other. Beside each figure stands
//! that of the raw limit (a thread that only passes frames on), measured right before in the same run, and their ratio.
//! Every receiver checks the place of everything it gets; a run that loses, doubles or swaps one message fails.
//!
//! Without scenarios, all are run. CPU is the server's processor time for each message delivered.

#[cfg(target_os = "linux")]
mod crowds;
#[cfg(target_os = "linux")]
mod limit;
#[cfg(target_os = "linux")]
#[path = "../load/mod.rs"]
mod load;
#[cfg(target_os = "linux")]
mod talks;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("This benchmark measures through /proc and needs Linux.");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use load::process::Home;
    use std::process::ExitCode;

    let words: Vec<String> = std::env::args().skip(1).collect();
    let given = |word: &str| words.iter().any(|other| other == word);
    if given(RAW_LIMIT) {
        return ExitCode::from(u8::from(limit::run().is_err()));
    }
    // `cargo test --benches` runs this too, without this word; there is nothing to test.
    if !given("--bench") {
        println!("This is a benchmark: cargo bench --bench fanout");
        return ExitCode::SUCCESS;
    }
    let homes: Vec<Home> = match (given("--memory"), given("--file")) {
        (true, false) => vec![Home::Memory],
        (false, true) => vec![Home::Disk],
        _ => vec![Home::Memory, Home::Disk],
    };
    let rounds = words.iter().skip_while(|word| *word != "--rounds").nth(1).and_then(|word| word.parse().ok());
    let chosen = |letter: char| {
        let some = words.iter().any(|word| word.len() == 1 && word.starts_with(char::is_alphabetic));
        !some || given(&letter.to_string())
    };
    let mut failures = talks::run(&homes, rounds.unwrap_or(1), &chosen);
    failures.extend(crowds::run(&homes, &chosen));
    for failure in &failures {
        eprintln!("FAILED: {failure}");
    }
    ExitCode::from(u8::from(!failures.is_empty()))
}

/// The word with which the benchmark starts itself as the raw limit.
#[cfg(target_os = "linux")]
const RAW_LIMIT: &str = "--raw-limit";
