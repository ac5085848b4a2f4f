//! The cost of a delivery: `cargo bench --bench fanout [-- A C … --rounds 3 --memory --file --vs python --vs node]`.
//!
//! The real server runs on one core, a crowd of simulated people on the other. Beside each figure is that of the raw limit
//! (a thread that only passes frames on), measured right before, and their ratio. A run that loses, doubles or swaps one
//! message fails. Without scenarios, all are run.

#[cfg(target_os = "linux")]
mod chat_scenarios;
#[cfg(target_os = "linux")]
mod connection_scenarios;
#[cfg(target_os = "linux")]
#[path = "../load/mod.rs"]
mod load;
#[cfg(target_os = "linux")]
mod raw_limit;
#[cfg(target_os = "linux")]
mod subjects;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("This benchmark measures through /proc and needs Linux.");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use load::process::Storage;
    use std::process::ExitCode;
    use subjects::Program;

    let words: Vec<String> = std::env::args().skip(1).collect();
    let given = |word: &str| words.iter().any(|other| other == word);
    let after = |word: &str| words.iter().skip_while(|other| *other != word).nth(1);
    if given(RAW_LIMIT) {
        let rooms = after(RAW_LIMIT)
            .and_then(|rooms| rooms.parse().ok())
            .unwrap_or(1);
        return ExitCode::from(u8::from(raw_limit::run(rooms).is_err()));
    }
    // `cargo test --benches` runs this too, without this argument; there is nothing to test.
    if !given("--bench") {
        println!("This is a benchmark: cargo bench --bench fanout");
        return ExitCode::SUCCESS;
    }
    let storages: Vec<Storage> = match (given("--memory"), given("--file")) {
        (true, false) => vec![Storage::Memory],
        (false, true) => vec![Storage::Disk],
        _ => vec![Storage::Memory, Storage::Disk],
    };
    let rounds = after("--rounds").and_then(|rounds| rounds.parse().ok());
    let mut programs: Vec<Program> = storages.iter().copied().map(Program::Server).collect();
    for other in words
        .windows(2)
        .filter(|pair| pair[0] == "--vs")
        .map(|pair| &pair[1])
    {
        match Program::find_installed(other) {
            Some(program) => programs.push(program),
            None => {
                println!("{other}: its package is not installed (Python's websockets, Node's ws)");
            }
        }
    }
    let chosen = |letter: char| {
        let some = words
            .iter()
            .any(|word| word.len() == 1 && word.starts_with(char::is_alphabetic));
        !some || given(&letter.to_string())
    };
    let mut failures = chat_scenarios::run(&programs, rounds.unwrap_or(1), &chosen);
    failures.extend(connection_scenarios::run(&storages, &chosen));
    for failure in &failures {
        eprintln!("FAILED: {failure}");
    }
    ExitCode::from(u8::from(!failures.is_empty()))
}

/// The argument with which the benchmark starts itself as the raw limit.
#[cfg(target_os = "linux")]
const RAW_LIMIT: &str = "--raw-limit";
