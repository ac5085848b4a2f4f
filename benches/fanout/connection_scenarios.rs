//! The scenarios of entering, idling and leaving: E and I.

use crate::load::crowd::Crowd;
use crate::load::peer::Dialect;
use crate::load::process::{Cores, Storage, Subject};
use std::time::{Duration, Instant};

/// Runs the chosen scenarios; returns the failures.
pub fn run(storages: &[Storage], chosen: &dyn Fn(char) -> bool) -> Vec<String> {
    let mut failures = Vec::new();
    for &storage in storages {
        if chosen('E') {
            idle(storage, &mut failures);
        }
        if chosen('I') {
            churn(storage, &mut failures);
        }
    }
    failures
}

fn print_row(what: &str, measured: &str, target: &str) {
    println!("  {what:<56}{measured:>14}  {target}");
}

/// Ten thousand people enter one room, and then all are silent.
fn idle(storage: Storage, failures: &mut Vec<String>) {
    const PEOPLE: usize = 10_000;
    const PART: usize = 1_000;
    // One round of pings and their answers belongs to the idle time.
    const IDLE: Duration = Duration::from_secs(22);
    println!(
        "E: {PEOPLE} people enter one room and say nothing (log: {})",
        storage.label()
    );
    let subject = Subject::server(storage, Cores::Apart);
    let mut crowd = Crowd::new(subject.address, Dialect::Chat);
    let empty = subject.resident();
    let start = Instant::now();
    let mut parts = Vec::new();
    for _ in 0..PEOPLE / PART {
        let used = subject.cpu();
        crowd.enter(PART, 1);
        parts.push((subject.cpu() - used).as_secs_f64() * 1e6 / PART as f64);
    }
    let time = start.elapsed();
    let all = parts.iter().sum::<f64>() / parts.len() as f64;
    print_row(
        "entries, all included",
        &format!("{:.0}/s", PEOPLE as f64 / time.as_secs_f64()),
        "≥ 5000/s",
    );
    print_row("server CPU for each", &format!("{all:.0} µs"), "≤ 250 µs");
    let first = parts[1];
    let last = parts[parts.len() - 1];
    print_row(
        "  of the second thousand and of the last",
        &format!("{first:.0} {last:.0} µs"),
        "the same",
    );
    // The last presence comes at the latest after five seconds.
    let settle_until = Instant::now() + Duration::from_secs(6);
    while crowd.poll(settle_until) {}
    let each = (subject.resident() - empty) as f64 / PEOPLE as f64 / 1024.0;
    print_row(
        "resident memory of each",
        &format!("{each:.1} KiB"),
        "≤ 16 KiB",
    );
    print_stack_row(&subject);
    let used = subject.cpu();
    let start = Instant::now();
    while crowd.poll(start + IDLE) {}
    let share = (subject.cpu() - used).as_secs_f64() / start.elapsed().as_secs_f64() * 100.0;
    print_row(
        "of a core while idle, pings included",
        &format!("{share:.2} %"),
        "< 1 %",
    );
    failures.extend(
        crowd
            .tally
            .failures
            .drain(..)
            .map(|failure| format!("E {}: {failure}", storage.label())),
    );
}

/// The stack of the deepest connection but for one in a hundred: the first to enter fills tables for all.
fn print_stack_row(subject: &Subject) {
    let depths = subject.stack_depths();
    let deepest = depths
        .len()
        .checked_sub(1 + depths.len() / 100)
        .map_or(0, |index| depths[index]);
    print_row(
        "  bytes of its thread's stack, of two pages",
        &deepest.to_string(),
        "≤ 7592",
    );
}

/// People enter a large room and leave it again.
fn churn(storage: Storage, failures: &mut Vec<String>) {
    const PEOPLE: usize = 5_000;
    const PER_SECOND: u32 = 100;
    /// Guests who are there at the same time.
    const GUESTS: usize = 50;
    const TIME: Duration = Duration::from_secs(6);
    println!(
        "I: {PER_SECOND} people a second come to a room of {PEOPLE} and go (log: {})",
        storage.label()
    );
    let subject = Subject::server(storage, Cores::Apart);
    let mut crowd = Crowd::new(subject.address, Dialect::Chat);
    crowd.enter(PEOPLE, 1);
    let settle_until = Instant::now() + Duration::from_secs(1);
    while crowd.poll(settle_until) {}
    let received = |crowd: &Crowd| {
        crowd.peers[..PEOPLE]
            .iter()
            .map(|peer| peer.bytes)
            .sum::<u64>()
    };
    let used = subject.cpu();
    let bytes = received(&crowd);
    let start = Instant::now();
    for number in 0.. {
        let due = start + Duration::from_secs(1) * number / PER_SECOND;
        if due >= start + TIME {
            break;
        }
        while crowd.poll(due) {}
        crowd.connect_peer(PEOPLE + number as usize, 0);
        if let Some(oldest) = (number as usize).checked_sub(GUESTS)
            && let Err(error) = crowd.peers[PEOPLE + oldest].leave()
        {
            crowd
                .tally
                .fail(|| format!("a guest could not leave: {error}"));
        }
    }
    let time = start.elapsed().as_secs_f64();
    let share = (subject.cpu() - used).as_secs_f64() / time * 100.0;
    let each = (received(&crowd) - bytes) as f64 / PEOPLE as f64 / time / 1024.0;
    print_row("of a core", &format!("{share:.1} %"), "≤ 5 %");
    print_row(
        "to each of the people",
        &format!("{each:.2} KiB/s"),
        "≤ 2 KiB/s",
    );
    crowd.wait_for_entering(Instant::now() + Duration::from_secs(5));
    failures.extend(
        crowd
            .tally
            .failures
            .drain(..)
            .map(|failure| format!("I {}: {failure}", storage.label())),
    );
}
