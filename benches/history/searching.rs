//! How soon a search finds what was said, and what it takes while much is being said.

use crate::load::client::Client;
use crate::load::process::{Cores, Storage, Subject};
use crate::load::tally::median;
use crate::load::text::Sentences;
use crate::row::{in_ms, print_row};
use std::time::{Duration, Instant};

const TRIALS: usize = 30;
const BURSTS: usize = 5;
const BURST: usize = 2000;
/// A message that is not found by then is lost.
const DEADLINE: Duration = Duration::from_secs(10);

/// From an `ack` to being found, and one search right behind a burst.
pub fn measure_searching(failures: &mut Vec<String>) {
    let subject = Subject::server(Storage::Disk, Cores::Shared);
    let mut client = Client::enter(subject.address, "Ana", "geral", None);
    let mut sentences = Sentences::new(4);
    let mut rng = fastrand::Rng::with_seed(4);
    let mut times = Vec::new();
    for trial in 0..TRIALS {
        let word = format!("achado{trial}");
        client.say(&format!("{} {word}", sentences.exactly(120)));
        match time_until_found(&mut client, &word) {
            Some(time) => times.push(time),
            None => failures.push(format!("{word} was said and not found")),
        }
        // Each trial begins at another moment of the server's periodic work.
        std::thread::sleep(Duration::from_millis(rng.u64(..300)));
    }
    print_row(
        "from an ack until a search finds the message: median, max",
        &median_and_max(times),
        "≤ 1 s",
    );
    let mut searches = Vec::new();
    let mut found = 0;
    for burst in 0..BURSTS {
        let word = format!("rajada{burst}");
        let mut texts: Vec<String> = std::iter::repeat_with(|| sentences.exactly(130))
            .take(BURST - 1)
            .collect();
        texts.push(format!("{} {word}", sentences.exactly(120)));
        client.say_all(&texts);
        let start = Instant::now();
        found += client.search(&word);
        searches.push(start.elapsed());
    }
    print_row(
        "a search right behind 2000 messages: median, max",
        &median_and_max(searches),
        &format!("it found the last one {found} times of {BURSTS}"),
    );
}

/// Searches again and again; `None` when the time is over.
fn time_until_found(client: &mut Client, word: &str) -> Option<Duration> {
    let start = Instant::now();
    while start.elapsed() < DEADLINE {
        if client.search(word) > 0 {
            return Some(start.elapsed());
        }
    }
    None
}

fn median_and_max(times: Vec<Duration>) -> String {
    let max = times.iter().max().copied().unwrap_or_default();
    format!("{} {}", in_ms(median(times)), in_ms(max))
}
