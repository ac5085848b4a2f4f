//! The cost of a delivery: `cargo bench --bench fanout [-- A C … --quiet --spinning --memory --file --limit --rounds 3]`.
//!
//! The real server and a simulated crowd, with nobody spinning (`--quiet`) and with a core each, the crowd spinning
//! (`--spinning`). `--limit` adds a thread that only passes frames on, `--vs python` or `node` another program, and
//! `--sentences` more words for the search index. A run that loses, doubles or swaps one message fails.

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
mod report;
#[cfg(target_os = "linux")]
mod scenarios;
#[cfg(target_os = "linux")]
mod subjects;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("This benchmark measures through /proc and needs Linux.");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use chat_scenarios::Plan;
    use load::process::Storage;
    use std::process::ExitCode;
    use subjects::{Method, Program};

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
    let methods = match (given("--quiet"), given("--spinning")) {
        (true, false) => vec![Method::Quiet],
        (false, true) => vec![Method::Spinning],
        _ => vec![Method::Quiet, Method::Spinning],
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
    let plan = Plan {
        programs,
        methods,
        rounds: rounds.unwrap_or(1),
        limit: given("--limit"),
        sentences: given("--sentences"),
    };
    let mut failures = chat_scenarios::run(&plan, &chosen);
    failures.extend(connection_scenarios::run(&storages, &chosen));
    for failure in &failures {
        eprintln!("FAILED: {failure}");
    }
    ExitCode::from(u8::from(!failures.is_empty()))
}

/// The argument with which the benchmark starts itself as the raw limit.
#[cfg(target_os = "linux")]
const RAW_LIMIT: &str = "--raw-limit";
