//! Others' posts while a long journal is moved into the database.

use crate::load::crowd::Crowd;
use crate::load::disk::{JournalIndex, Snapshot};
use crate::load::peer::Dialect;
use crate::load::process::{Cores, Storage, Subject};
use crate::load::tally::{median, nanos};
use crate::row::{Quantiles, in_ms, print_row};
use std::time::{Duration, Instant};

const SENDERS: usize = 10;
const PER_SECOND: f64 = 200.0;
const CALM: Duration = Duration::from_secs(5);
/// What the journal grows to before it is moved.
const JOURNAL: u64 = 64 * 1024 * 1024;
const ROUNDS: usize = 3;
/// Posts are measured for so long at least, and for so long at most.
const AT_LEAST: Duration = Duration::from_secs(1);
const AT_MOST: Duration = Duration::from_secs(30);
/// How often it is looked whether the journal was moved: after each sender's next message.
const STEP: Duration = Duration::from_millis(50);

/// The `ack`s of 200 posts a second: in calm, while the journal is long, and while it is moved.
pub fn measure_checkpoint(failures: &mut Vec<String>) {
    let subject = Subject::server(Storage::Disk, Cores::Shared);
    let index = JournalIndex::open(&subject.history());
    let mut crowd = Crowd::new(subject.address, Dialect::Chat);
    crowd.say_sentences();
    crowd.enter(SENDERS, 1);
    let calm = Quantiles::of(delays_of_posts(&mut crowd, CALM));
    let mut while_long = Vec::new();
    let mut while_moved = Vec::new();
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let snapshot = Snapshot::hold(&subject.history());
        grow_journal(&mut crowd, &index, failures);
        while_long.append(&mut delays_of_posts(&mut crowd, AT_LEAST));
        let (mut delays, time) = release(&mut crowd, &index, snapshot);
        while_moved.append(&mut delays);
        match time {
            Some(time) => times.push(time),
            None => failures.push("the journal was not moved in time".into()),
        }
    }
    print_row(
        "ack at 200 posts/s, in calm: p50, p99, max in ms",
        &calm.describe(),
        "",
    );
    print_row(
        "  while a reader holds 64 MiB in the journal",
        &Quantiles::of(while_long).describe(),
        "",
    );
    print_row(
        "  while they are moved into the database",
        &Quantiles::of(while_moved).describe(),
        &format!("p99 ≤ {}", in_ms(calm.p99 * 2)),
    );
    print_row("  until they are moved, median", &in_ms(median(times)), "");
    failures.append(&mut crowd.tally.failures);
}

/// Posts for some time; the delays of all their acks.
fn delays_of_posts(crowd: &mut Crowd, time: Duration) -> Vec<u32> {
    let start = nanos();
    post(crowd, time);
    crowd.wait_for_deliveries();
    crowd.tally.ack_delays_since(start)
}

fn post(crowd: &mut Crowd, time: Duration) {
    let senders: Vec<usize> = (0..SENDERS).collect();
    crowd.send_at_rate(&senders, PER_SECOND, time);
}

/// Lets everybody speak flat out until the journal is long. A reader must hold it.
fn grow_journal(crowd: &mut Crowd, index: &JournalIndex, failures: &mut Vec<String>) {
    let senders: Vec<usize> = (0..SENDERS).collect();
    let deadline = Instant::now() + AT_MOST * 2;
    while index.read().waiting_bytes() < JOURNAL {
        if Instant::now() >= deadline {
            failures.push("the journal did not grow in time".into());
            break;
        }
        crowd.send_at_full_rate(&senders, Duration::from_millis(200));
    }
    crowd.wait_for_deliveries();
}

/// Lets the reader go and posts until the journal is moved; the delays of the acks, and the time until then.
fn release(
    crowd: &mut Crowd,
    index: &JournalIndex,
    snapshot: Snapshot,
) -> (Vec<u32>, Option<Duration>) {
    let full = index.read();
    drop(snapshot);
    let sent_since = nanos();
    let start = Instant::now();
    let mut moved = None;
    while start.elapsed() < AT_LEAST || (moved.is_none() && start.elapsed() < AT_MOST) {
        post(crowd, STEP);
        if moved.is_none() && index.read().has_copied(full) {
            moved = Some(start.elapsed());
        }
    }
    crowd.wait_for_deliveries();
    (crowd.tally.ack_delays_since(sent_since), moved)
}
