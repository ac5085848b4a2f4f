//! The scenarios in which people talk: A to D, F, G, H and J.

use crate::RAW_LIMIT;
use crate::load::crowd::Crowd;
use crate::load::process::{Home, Subject, cpu};
use crate::load::tally::quantile;
use std::process::Command;
use std::time::{Duration, Instant};

/// People who speak in each scenario; the others listen.
const SENDERS: usize = 10;
/// About so many delays are noted in each second.
const DELAYS_PER_SECOND: f64 = 50_000.0;
const WARM_UP: Duration = Duration::from_millis(700);

/// How the senders speak.
#[derive(Clone, Copy)]
enum Pace {
    /// So many messages a second, all senders together.
    PerSecond(u32),
    /// As many as are answered.
    FlatOut,
}

/// People talking.
#[derive(Clone, Copy)]
struct Talk {
    letter: char,
    people: usize,
    rooms: usize,
    pace: Pace,
    /// People who never read.
    deaf: usize,
    /// What is to be reached, in memory and with a file.
    target: [&'static str; 2],
}

const fn talk(letter: char, people: usize, pace: Pace, target: [&'static str; 2]) -> Talk {
    Talk { letter, people, rooms: 1, pace, deaf: 0, target }
}

const TALKS: [Talk; 11] = [
    talk('A', 100, Pace::PerSecond(200), ["≤ 4.8 µs, ≤ 1.15 ×; p50 ≤ 1.2 ×", "≤ 7 µs"]),
    talk('B', 1000, Pace::PerSecond(50), ["≤ 5.2 µs", "≤ 6 µs"]),
    talk('C', 100, Pace::FlatOut, ["≥ 2000 k/s", "≥ 1500 k/s"]),
    talk('D', 1000, Pace::FlatOut, ["≥ 1700 k/s", "≥ 1500 k/s"]),
    talk('F', 10_000, Pace::PerSecond(10), ["≤ 4.8 µs; p50 ≤ 80 ms"; 2]),
    talk('F', 10_000, Pace::PerSecond(50), ["≤ 1.4 µs; p50 ≤ 150 ms"; 2]),
    Talk { rooms: 20, ..talk('G', 1000, Pace::PerSecond(400), ["CPU not above A's"; 2]) },
    Talk { deaf: 5, ..talk('H', 100, Pace::PerSecond(200), ["A's, within 10 %"; 2]) },
    Talk { deaf: 50, ..talk('H', 1000, Pace::FlatOut, ["D's, within 10 %"; 2]) },
    talk('J', 1000, Pace::PerSecond(500), ["≤ 1.3 µs; p50 ≤ 20 ms", "≤ 1.5 µs"]),
    talk('J', 1000, Pace::PerSecond(2000), ["≤ 0.4 µs", "≤ 0.5 µs"]),
];

/// What one run showed.
#[derive(Clone, Copy)]
struct Figures {
    per_second: f64,
    cpu_us: f64,
    generator_us: f64,
    p50: Duration,
    p99: Duration,
}

/// Runs the chosen scenarios; what was not as promised comes back.
pub fn run(homes: &[Home], rounds: usize, chosen: &dyn Fn(char) -> bool) -> Vec<String> {
    let mut failures = Vec::new();
    let talks: Vec<Talk> = TALKS.into_iter().filter(|talk| chosen(talk.letter)).collect();
    if talks.is_empty() {
        return failures;
    }
    println!(
        "{:<34}{:<6}{:>8}{:>8}{:>8}{:>7}{:>9}{:>9}{:>10}{:>9}  target",
        "people talking", "log", "1000/s", "CPU µs", "limit", "ratio", "p50 ms", "limit's", "p99 ms", "gen. µs"
    );
    for talk in talks {
        for &home in homes {
            let (server, limit) = rounds_of(talk, home, rounds, &mut failures);
            print(talk, home, server, limit);
        }
    }
    failures
}

/// The medians of several runs, the limit's and the server's in turn.
fn rounds_of(talk: Talk, home: Home, rounds: usize, failures: &mut Vec<String>) -> (Figures, Option<Figures>) {
    let (mut server, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..rounds.max(1) {
        // The limit has no rooms and nobody who does not read.
        if talk.rooms == 1 && talk.deaf == 0 {
            let mut command = Command::new(std::env::current_exe().expect("this program's own path"));
            command.arg(RAW_LIMIT);
            limit.push(measure(talk, &Subject::start(command, None), true, home, failures));
        }
        server.push(measure(talk, &Subject::server(home), false, home, failures));
    }
    (median_of(&server).expect("at least one run"), median_of(&limit))
}

fn median_of(runs: &[Figures]) -> Option<Figures> {
    fn middle<T: PartialOrd + Copy>(runs: &[Figures], value: impl Fn(&Figures) -> T) -> Option<T> {
        let mut values: Vec<T> = runs.iter().map(value).collect();
        values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        values.get(values.len() / 2).copied()
    }
    Some(Figures {
        per_second: middle(runs, |run| run.per_second)?,
        cpu_us: middle(runs, |run| run.cpu_us)?,
        generator_us: middle(runs, |run| run.generator_us)?,
        p50: middle(runs, |run| run.p50)?,
        p99: middle(runs, |run| run.p99)?,
    })
}

fn measure(talk: Talk, subject: &Subject, raw: bool, home: Home, failures: &mut Vec<String>) -> Figures {
    let mut crowd = Crowd::new(subject.address, raw);
    // Where the disk's workers need the core, the generator sleeps.
    crowd.spinning = home == Home::Memory;
    crowd.enter(talk.people, talk.rooms);
    // The deaf are the last to come, and the senders the first, one in each room or ten in the only one.
    for at in talk.people - talk.deaf..talk.people {
        crowd.deafen(at);
    }
    let senders: Vec<usize> = (0..SENDERS.max(talk.rooms)).collect();
    let go = |crowd: &mut Crowd, time| match talk.pace {
        Pace::PerSecond(rate) => crowd.talk(&senders, f64::from(rate), time),
        Pace::FlatOut => crowd.shout(&senders, time),
    };
    go(&mut crowd, WARM_UP);
    crowd.tally.stride = match talk.pace {
        Pace::PerSecond(rate) => {
            let deliveries = f64::from(rate) * (talk.people / talk.rooms) as f64;
            (deliveries / DELAYS_PER_SECOND).ceil() as u64
        }
        Pace::FlatOut => 101,
    };
    let (before, used, own, start) = (crowd.tally.delivered, subject.cpu(), cpu(std::process::id()), Instant::now());
    go(&mut crowd, Duration::from_secs(5));
    let (deliveries, time) = ((crowd.tally.delivered - before) as f64, start.elapsed());
    let (used, own) = (subject.cpu() - used, cpu(std::process::id()) - own);
    crowd.settle();
    let what = format!("{} {}{}", talk.letter, home.word(), if raw { " (limit)" } else { "" });
    failures.extend(crowd.tally.failures.drain(..).map(|failure| format!("{what}: {failure}")));
    Figures {
        per_second: deliveries / time.as_secs_f64(),
        cpu_us: used.as_secs_f64() * 1e6 / deliveries,
        generator_us: own.as_secs_f64() * 1e6 / deliveries,
        p50: quantile(&mut crowd.tally.delays, 0.5),
        p99: quantile(&mut crowd.tally.delays, 0.99),
    }
}

fn print(talk: Talk, home: Home, server: Figures, limit: Option<Figures>) {
    let pace = match talk.pace {
        Pace::PerSecond(rate) => format!("{rate}/s"),
        Pace::FlatOut => "flat out".into(),
    };
    let mut what = format!("{}: {} people, {pace}", talk.letter, talk.people);
    if talk.rooms > 1 {
        what.push_str(&format!(", {} rooms", talk.rooms));
    }
    if talk.deaf > 0 {
        what.push_str(&format!(", {} deaf", talk.deaf));
    }
    let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
    let (limit_cpu, ratio, limit_p50) = match limit {
        Some(limit) => (format!("{:.2}", limit.cpu_us), format!("{:.2}", server.cpu_us / limit.cpu_us), ms(limit.p50)),
        None => ("".into(), "".into(), "".into()),
    };
    println!(
        "{what:<34}{:<6}{:>8.0}{:>8.2}{limit_cpu:>8}{ratio:>7}{:>9}{limit_p50:>9}{:>10}{:>9.2}  {}",
        home.word(),
        server.per_second / 1e3,
        server.cpu_us,
        ms(server.p50),
        ms(server.p99),
        server.generator_us,
        talk.target[usize::from(home == Home::Disk)],
    );
}
