//! The table of the scenarios of messages, and what the file costs beside memory.

use crate::chat_scenarios::{Contender, Figures, Measured, middle};
use crate::load::process::Storage;
use crate::scenarios::Scenario;
use crate::subjects::{Method, Program};
use std::time::Duration;

/// What a delivery with a file may take longer than one without, beside one fdatasync.
const P50_ALLOWANCE: Duration = Duration::from_micros(150);

/// The heads of the columns.
pub fn print_header() {
    println!(
        "{:<37}{:<9}{:<8}{:>8}{:>8}{:>9}{:>7}{:>9}{:>9}{:>10}{:>9}  target",
        "people talking",
        "method",
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
}

/// What the columns mean.
pub fn print_legend() {
    println!(
        "H is compared with the scenario without stalled people, all others with the raw limit (only with --limit)."
    );
    println!(
        "file / memory: the median of the rounds, each file's run beside the memory's run before it."
    );
}

/// The rows of one scenario.
pub fn print(scenario: Scenario, measured: &Measured) {
    let is_shown = |contender: &&Contender| {
        contender.program != Program::Limit && contender.scenario.letter == scenario.letter
    };
    for contender in measured.contenders.iter().filter(is_shown) {
        let compared = measured.contenders.iter().find(|other| {
            other.program == Program::Limit
                || (other.program == contender.program
                    && Some(other.scenario.letter) == scenario.baseline)
        });
        print_row(measured.method, contender, compared);
    }
    let find = |storage| {
        let mut shown = measured.contenders.iter().filter(is_shown);
        shown.find(|contender| contender.program == Program::Server(storage))
    };
    if let (Some(memory), Some(file)) = (find(Storage::Memory), find(Storage::Disk)) {
        print_comparison(measured, memory, file);
    }
}

fn print_row(method: Method, contender: &Contender, compared: Option<&Contender>) {
    let cpu = contender.median(|run| run.cpu_us);
    let limit_cpu = compared.map(|limit| limit.median(|run| run.cpu_us));
    let limit_p50 = compared.map(|limit| limit.median(|run| in_ms(run.p50)));
    println!(
        "{:<37}{:<9}{:<8}{:>8.0}{cpu:>8.2}{:>9}{:>7}{:>9.2}{:>9}{:>10.2}{:>9.2}  {}",
        contender.scenario.describe(),
        method.label(),
        contender.program.label(),
        contender.median(|run| run.per_second / 1e3),
        or_dash(limit_cpu),
        or_dash(limit_cpu.map(|limit| cpu / limit)),
        contender.median(|run| in_ms(run.p50)),
        or_dash(limit_p50),
        contender.median(|run| in_ms(run.p99)),
        contender.median(|run| run.generator_us),
        match contender.program {
            Program::Server(storage) =>
                contender.scenario.target[usize::from(storage == Storage::Disk)],
            _ => "",
        },
    );
}

fn print_comparison(measured: &Measured, memory: &Contender, file: &Contender) {
    let pairs = || memory.runs.iter().zip(&file.runs);
    let ratio = |value: fn(&Figures) -> f64| {
        middle(
            pairs()
                .map(|(memory, file)| value(file) / value(memory))
                .collect(),
        )
    };
    let later = middle(
        pairs()
            .map(|(memory, file)| in_ms(file.p50) - in_ms(memory.p50))
            .collect(),
    );
    println!(
        "  file / memory, {}: CPU {:.2} ×, deliveries {:.2} ×, p50 {later:+.2} ms; one fdatasync {:.2} ms{}",
        measured.method.label(),
        ratio(|run| run.cpu_us),
        ratio(|run| run.per_second),
        in_ms(measured.sync),
        comparison_target(measured, file.scenario),
    );
}

/// What the file may cost beside memory, where that is a target.
fn comparison_target(measured: &Measured, scenario: Scenario) -> String {
    match (scenario.letter, measured.method) {
        ('A', method) => {
            let cpu = match method {
                Method::Quiet => "1.15",
                Method::Spinning => "1.40",
            };
            let p50 = in_ms(measured.sync + P50_ALLOWANCE);
            format!("; target: CPU ≤ {cpu} ×, p50 ≤ +{p50:.2} ms")
        }
        ('C', _) => "; target: deliveries ≥ 0.70 ×".into(),
        _ => String::new(),
    }
}

fn or_dash(value: Option<f64>) -> String {
    value.map_or("–".into(), |value| format!("{value:.2}"))
}

fn in_ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
