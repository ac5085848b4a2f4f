//! Others' posts while a moderator erases 500 messages of one person at once.

use crate::load::client::Client;
use crate::load::crowd::Crowd;
use crate::load::peer::Dialect;
use crate::load::process::{Cores, Storage, Subject};
use crate::load::tally::{median, nanos};
use crate::load::text::Sentences;
use crate::row::{Quantiles, in_ms, print_row};
use std::time::{Duration, Instant};

/// The most that one request erases.
const MESSAGES: usize = 500;
const ROUNDS: usize = 4;
const SENDERS: usize = 10;
const PER_SECOND: f64 = 200.0;
const CALM: Duration = Duration::from_secs(4);
/// How long the writer may be busy with one piece.
const PIECE: Duration = Duration::from_millis(50);
const OFFENDER: &str = "Robô";

/// The `ack`s of posts in another room: in calm, and while the messages are erased.
pub fn measure_erasing(failures: &mut Vec<String>) {
    let mut subject = Subject::server(Storage::Disk, Cores::Shared);
    let key = subject.moderator_key();
    let mut moderator = Client::enter(subject.address, "Ana", "geral", Some(&key));
    let mut offender = Client::enter(subject.address, OFFENDER, "geral", None);
    let mut crowd = Crowd::new(subject.address, Dialect::Chat);
    crowd.say_sentences();
    crowd.tally.tolerates_refusals = true;
    for number in 0..SENDERS {
        crowd.connect_peer(number, 1);
    }
    crowd.wait_for_entering(Instant::now() + CALM);
    let senders: Vec<usize> = (0..SENDERS).collect();
    // A log with something in it.
    crowd.send_at_full_rate(&senders, Duration::from_secs(1));
    crowd.wait_for_deliveries();
    let calm_since = nanos();
    crowd.send_at_rate(&senders, PER_SECOND, CALM);
    crowd.wait_for_deliveries();
    let calm = Quantiles::of(crowd.tally.ack_delays_since(calm_since));
    let mut sentences = Sentences::new(3);
    let mut meanwhile = Vec::new();
    let mut acked = Vec::new();
    let mut done = Vec::new();
    for _ in 0..ROUNDS {
        let texts: Vec<String> = std::iter::repeat_with(|| sentences.exactly(130))
            .take(MESSAGES)
            .collect();
        offender.say_all(&texts);
        let erased = erase(&mut crowd, &mut moderator, &mut offender);
        meanwhile.extend(crowd.tally.ack_delays_between(erased.start, erased.end));
        acked.push(erased.until_ack);
        done.push(Duration::from_nanos(erased.end - erased.start));
    }
    print_row(
        "ack at 200 posts/s, in calm: p50, p99, max in ms",
        &calm.describe(),
        "",
    );
    print_row(
        "  while 500 messages of another person are erased",
        &Quantiles::of(meanwhile).describe(),
        &format!("max ≤ {}", in_ms(calm.p99 + PIECE)),
    );
    print_row(
        "  of them refused, because they could not be stored in time",
        &crowd.tally.refused.to_string(),
        "0",
    );
    print_row(
        "  until the moderator has the ack, median",
        &in_ms(median(acked)),
        "",
    );
    print_row(
        "  until all 500 are gone for the others, median",
        &in_ms(median(done)),
        "",
    );
    failures.append(&mut crowd.tally.failures);
}

/// When it was erased, in the time of [`nanos`].
struct Erased {
    start: u64,
    end: u64,
    until_ack: Duration,
}

/// Erases all of the offender's messages while the crowd posts.
fn erase(crowd: &mut Crowd, moderator: &mut Client, offender: &mut Client) -> Erased {
    let senders: Vec<usize> = (0..SENDERS).collect();
    let post = |crowd: &mut Crowd| {
        crowd.send_at_rate(&senders, PER_SECOND, Duration::from_millis(50));
    };
    post(crowd);
    let erased = std::thread::scope(|scope| {
        let eraser = scope.spawn(move || {
            let start = nanos();
            moderator.erase_all_of(OFFENDER);
            let until_ack = Duration::from_nanos(nanos() - start);
            offender.wait_for_erased(MESSAGES);
            Erased {
                start,
                end: nanos(),
                until_ack,
            }
        });
        while !eraser.is_finished() {
            post(crowd);
        }
        eraser.join().expect("the messages are erased")
    });
    post(crowd);
    crowd.wait_for_deliveries();
    erased
}
