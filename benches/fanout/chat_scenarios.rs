//! The scenarios of messages: A to D, F, G, H and J.

use crate::load::crowd::Crowd;
use crate::load::proc::cpu_time;
use crate::load::process::{Storage, own_proc_dir};
use crate::load::tally::quantile;
use crate::subjects::Program;
use std::time::{Duration, Instant};

/// People who speak in a room; the others listen.
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
    Unlimited,
}

/// People who scenario.
#[derive(Clone, Copy)]
struct Scenario {
    letter: char,
    people: usize,
    rooms: usize,
    /// People who speak in each room.
    senders: usize,
    pace: Pace,
    /// People who never read.
    stalled: usize,
    /// The scenario that it is compared with; the raw limit of the same scenario if there is none.
    baseline: Option<char>,
    /// The targets, in memory and with a file.
    target: [&'static str; 2],
}

const fn scenario(letter: char, people: usize, pace: Pace, target: [&'static str; 2]) -> Scenario {
    Scenario {
        letter,
        people,
        rooms: 1,
        senders: SENDERS,
        pace,
        stalled: 0,
        baseline: None,
        target,
    }
}

const SCENARIOS: [Scenario; 12] = [
    scenario(
        'A',
        100,
        Pace::PerSecond(200),
        ["≤ 4.8 µs, ≤ 1.15 ×; p50 ≤ 1.2 ×", "≤ 7 µs"],
    ),
    scenario('B', 1000, Pace::PerSecond(50), ["≤ 5.2 µs", "≤ 6 µs"]),
    scenario('C', 100, Pace::Unlimited, ["≥ 2000 k/s", "≥ 1500 k/s"]),
    scenario('D', 1000, Pace::Unlimited, ["≥ 1700 k/s", "≥ 1500 k/s"]),
    scenario(
        'F',
        10_000,
        Pace::PerSecond(10),
        ["≤ 4.8 µs; p50 ≤ 80 ms"; 2],
    ),
    scenario(
        'F',
        10_000,
        Pace::PerSecond(50),
        ["≤ 1.4 µs; p50 ≤ 150 ms"; 2],
    ),
    // Twenty speakers in each room, each at 20/s; and one in each, which makes as many deliveries as A.
    Scenario {
        rooms: 20,
        senders: 20,
        ..scenario('G', 1000, Pace::PerSecond(8000), ["not above A's"; 2])
    },
    Scenario {
        rooms: 20,
        senders: 1,
        ..scenario('G', 1000, Pace::PerSecond(400), ["the limit's"; 2])
    },
    Scenario {
        stalled: 5,
        baseline: Some('A'),
        ..scenario('H', 100, Pace::PerSecond(200), ["A's, within 10 %"; 2])
    },
    Scenario {
        stalled: 50,
        baseline: Some('D'),
        ..scenario('H', 1000, Pace::Unlimited, ["D's, within 10 %"; 2])
    },
    scenario(
        'J',
        1000,
        Pace::PerSecond(500),
        ["≤ 1.3 µs; p50 ≤ 20 ms", "≤ 1.5 µs"],
    ),
    scenario('J', 1000, Pace::PerSecond(2000), ["≤ 0.4 µs", "≤ 0.5 µs"]),
];

/// The figures of one run.
#[derive(Clone, Copy)]
struct Figures {
    per_second: f64,
    cpu_us: f64,
    generator_us: f64,
    p50: Duration,
    p99: Duration,
}

/// Runs the chosen scenarios with each of the programs; returns the failures.
pub fn run(programs: &[Program], rounds: usize, chosen: &dyn Fn(char) -> bool) -> Vec<String> {
    let mut failures = Vec::new();
    let scenarios: Vec<Scenario> = SCENARIOS
        .into_iter()
        .filter(|scenario| chosen(scenario.letter))
        .collect();
    if scenarios.is_empty() {
        return failures;
    }
    println!(
        "{:<34}{:<8}{:>8}{:>8}{:>9}{:>7}{:>9}{:>9}{:>10}{:>9}  target",
        "people talking",
        "program",
        "1000/s",
        "CPU µs",
        "limit's",
        "ratio",
        "p50 ms",
        "limit's",
        "p99 ms",
        "gen. µs"
    );
    for scenario in scenarios {
        // Other programs have one room and no outboxes for stalled peers.
        for &who in programs
            .iter()
            .filter(|who| who.is_ours() || (scenario.rooms == 1 && scenario.stalled == 0))
        {
            let (program, limit) = rounds_of(scenario, who, rounds, &mut failures);
            print(scenario, who, program, limit);
        }
    }
    println!(
        "H is compared with the scenario without stalled people, all others with the raw limit of the same run."
    );
    failures
}

/// The medians of several runs, those of the limit and of the program in turn.
fn rounds_of(
    scenario: Scenario,
    who: Program,
    rounds: usize,
    failures: &mut Vec<String>,
) -> (Figures, Figures) {
    let without = scenario
        .baseline
        .and_then(|letter| SCENARIOS.into_iter().find(|other| other.letter == letter));
    let mut program = Vec::new();
    let mut limit = Vec::new();
    for _ in 0..rounds.max(1) {
        let blocking = who.needs_blocking_crowd();
        limit.push(match without {
            Some(without) => measure(without, who, blocking, failures),
            None => measure(scenario, Program::Limit, blocking, failures),
        });
        program.push(measure(scenario, who, blocking, failures));
    }
    (
        median_of(&program).expect("at least one run"),
        median_of(&limit).expect("at least one run"),
    )
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

/// One run. A blocking crowd leaves its core to the disk's workers.
fn measure(
    scenario: Scenario,
    program: Program,
    blocking: bool,
    failures: &mut Vec<String>,
) -> Figures {
    let subject = program.start(scenario.rooms);
    let mut crowd = Crowd::new(subject.address, program.dialect());
    crowd.busy_polling = !blocking;
    crowd.enter(scenario.people, scenario.rooms);
    // The stalled enter last, and the senders first: people are spread over the rooms one by one.
    for at in scenario.people - scenario.stalled..scenario.people {
        crowd.stop_reading(at);
    }
    let senders: Vec<usize> = (0..scenario.senders * scenario.rooms).collect();
    let send = |crowd: &mut Crowd, time| match scenario.pace {
        Pace::PerSecond(rate) => crowd.send_at_rate(&senders, f64::from(rate), time),
        Pace::Unlimited => crowd.send_at_full_rate(&senders, time),
    };
    send(&mut crowd, WARM_UP);
    crowd.tally.sample_every = match scenario.pace {
        Pace::PerSecond(rate) => {
            let deliveries = f64::from(rate) * (scenario.people / scenario.rooms) as f64;
            (deliveries / DELAYS_PER_SECOND).ceil() as u64
        }
        Pace::Unlimited => 101,
    };
    let before = crowd.tally.delivered;
    let used = subject.cpu();
    let own = cpu_time(own_proc_dir());
    let start = Instant::now();
    send(&mut crowd, Duration::from_secs(5));
    let deliveries = (crowd.tally.delivered - before) as f64;
    let time = start.elapsed();
    let used = subject.cpu() - used;
    let own = cpu_time(own_proc_dir()) - own;
    crowd.wait_for_deliveries();
    let what = format!("{} {}", scenario.letter, program.label());
    failures.extend(
        crowd
            .tally
            .failures
            .drain(..)
            .map(|failure| format!("{what}: {failure}")),
    );
    Figures {
        per_second: deliveries / time.as_secs_f64(),
        cpu_us: used.as_secs_f64() * 1e6 / deliveries,
        generator_us: own.as_secs_f64() * 1e6 / deliveries,
        p50: quantile(&mut crowd.tally.delays, 0.5),
        p99: quantile(&mut crowd.tally.delays, 0.99),
    }
}

fn print(scenario: Scenario, who: Program, program: Figures, limit: Figures) {
    let pace = match scenario.pace {
        Pace::PerSecond(rate) => format!("{rate}/s"),
        Pace::Unlimited => "flat out".into(),
    };
    let mut what = format!("{}: {} people, {pace}", scenario.letter, scenario.people);
    if scenario.rooms > 1 {
        what.push_str(&format!(", {} rooms", scenario.rooms));
    }
    if scenario.stalled > 0 {
        what.push_str(&format!(", {} stalled", scenario.stalled));
    }
    let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
    println!(
        "{what:<34}{:<8}{:>8.0}{:>8.2}{:>9.2}{:>7.2}{:>9}{:>9}{:>10}{:>9.2}  {}",
        who.label(),
        program.per_second / 1e3,
        program.cpu_us,
        limit.cpu_us,
        program.cpu_us / limit.cpu_us,
        ms(program.p50),
        ms(limit.p50),
        ms(program.p99),
        program.generator_us,
        match who {
            Program::Server(storage) => scenario.target[usize::from(storage == Storage::Disk)],
            _ => "",
        },
    );
}
