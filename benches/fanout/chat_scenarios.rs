//! Runs the scenarios of messages: all programs of a scenario in turn, round after round, so that what else the machine
//! does meets all of them.

use crate::load::crowd::Crowd;
use crate::load::disk::SyncProbe;
use crate::load::process::{Storage, own_cpu};
use crate::load::tally::{median, quantile};
use crate::report;
use crate::scenarios::{Pace, SCENARIOS, Scenario};
use crate::subjects::{Method, Program};
use std::time::{Duration, Instant};

/// About so many delays are noted in each second.
const DELAYS_PER_SECOND: f64 = 50_000.0;
const WARM_UP: Duration = Duration::from_millis(700);
const RUN_TIME: Duration = Duration::from_secs(5);
/// After each run with a file, so many appends to the same disk are timed.
const SYNCS: u32 = 60;
const SYNC_BYTES: usize = 4096;
/// The pause before each of them: that of A's messages.
const SYNC_PAUSE: Duration = Duration::from_millis(5);

/// What is to be measured.
pub struct Plan {
    pub programs: Vec<Program>,
    pub methods: Vec<Method>,
    pub rounds: usize,
    /// Whether the raw limit is measured beside them.
    pub limit: bool,
    /// Whether people say whole sentences.
    pub sentences: bool,
}

/// The figures of one run.
#[derive(Clone, Copy)]
pub struct Figures {
    pub per_second: f64,
    pub cpu_us: f64,
    pub generator_us: f64,
    pub p50: Duration,
    pub p99: Duration,
}

/// A program in a scenario, and its runs.
pub struct Contender {
    pub program: Program,
    pub scenario: Scenario,
    pub runs: Vec<Figures>,
}

impl Contender {
    fn new(program: Program, scenario: Scenario) -> Self {
        Self {
            program,
            scenario,
            runs: Vec::new(),
        }
    }

    /// The middle of a figure over all runs.
    pub fn median(&self, value: impl Fn(&Figures) -> f64) -> f64 {
        middle(self.runs.iter().map(value).collect())
    }
}

/// All that was measured in one scenario, in one way.
pub struct Measured {
    pub method: Method,
    pub contenders: Vec<Contender>,
    /// One fdatasync of the same disk; zero without a file.
    pub sync: Duration,
}

/// Runs the chosen scenarios; returns the failures.
pub fn run(plan: &Plan, chosen: &dyn Fn(char) -> bool) -> Vec<String> {
    let mut failures = Vec::new();
    let scenarios: Vec<Scenario> = SCENARIOS
        .into_iter()
        .filter(|scenario| chosen(scenario.letter))
        .collect();
    if scenarios.is_empty() {
        return failures;
    }
    report::print_header();
    for scenario in scenarios {
        for &method in &plan.methods {
            let measured = measure_in_turn(plan, scenario, method, &mut failures);
            report::print(scenario, &measured);
        }
    }
    report::print_legend();
    failures
}

/// The programs of a scenario, and what each is compared with.
fn contenders(plan: &Plan, scenario: Scenario) -> Vec<Contender> {
    let baseline = scenario.baseline.and_then(Scenario::of_letter);
    let mut contenders = Vec::new();
    if plan.limit && baseline.is_none() {
        contenders.push(Contender::new(Program::Limit, scenario));
    }
    for &program in &plan.programs {
        // Other programs have one room and no outboxes for stalled peers.
        if !program.is_ours() && (scenario.rooms > 1 || scenario.stalled > 0) {
            continue;
        }
        if let Some(baseline) = baseline {
            contenders.push(Contender::new(program, baseline));
        }
        contenders.push(Contender::new(program, scenario));
    }
    contenders
}

fn measure_in_turn(
    plan: &Plan,
    scenario: Scenario,
    method: Method,
    failures: &mut Vec<String>,
) -> Measured {
    let mut contenders = contenders(plan, scenario);
    let mut syncs = Vec::new();
    for _ in 0..plan.rounds.max(1) {
        for contender in &mut contenders {
            let run = measure(plan, contender, method, failures);
            contender.runs.push(run);
            if contender.program == Program::Server(Storage::Disk) {
                syncs.extend(time_syncs());
            }
        }
    }
    Measured {
        method,
        contenders,
        sync: median(syncs),
    }
}

fn time_syncs() -> Vec<Duration> {
    let mut probe = SyncProbe::new();
    let paused = |_| {
        std::thread::sleep(SYNC_PAUSE);
        probe.append(SYNC_BYTES)
    };
    (0..SYNCS).map(paused).collect()
}

/// The middle one of some values.
pub fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// One run.
fn measure(
    plan: &Plan,
    contender: &Contender,
    method: Method,
    failures: &mut Vec<String>,
) -> Figures {
    let &Contender {
        program, scenario, ..
    } = contender;
    let subject = program.start(scenario.rooms, method.cores());
    let mut crowd = Crowd::new(subject.address, program.dialect());
    crowd.busy_polling = method == Method::Spinning;
    if plan.sentences {
        crowd.say_sentences();
    }
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
    crowd.tally.sample_every = sample_every(scenario);
    let before = crowd.tally.delivered;
    let used = subject.cpu();
    let own = own_cpu();
    let start = Instant::now();
    send(&mut crowd, RUN_TIME);
    let deliveries = (crowd.tally.delivered - before) as f64;
    let time = start.elapsed();
    let used = subject.cpu() - used;
    let own = own_cpu() - own;
    crowd.wait_for_deliveries();
    let what = format!("{} {} {}", scenario.letter, method.label(), program.label());
    let failed = crowd.tally.failures.drain(..);
    failures.extend(failed.map(|failure| format!("{what}: {failure}")));
    Figures {
        per_second: deliveries / time.as_secs_f64(),
        cpu_us: used.as_secs_f64() * 1e6 / deliveries,
        generator_us: own.as_secs_f64() * 1e6 / deliveries,
        p50: quantile(&mut crowd.tally.delays, 0.5),
        p99: quantile(&mut crowd.tally.delays, 0.99),
    }
}

fn sample_every(scenario: Scenario) -> u64 {
    match scenario.pace {
        Pace::PerSecond(rate) => {
            let deliveries = f64::from(rate) * (scenario.people / scenario.rooms) as f64;
            (deliveries / DELAYS_PER_SECOND).ceil() as u64
        }
        Pace::Unlimited => 101,
    }
}
