//! The rules of the conversation against a model, without sockets: thousands of random schedules of speech, edits, cuts,
//! crashes, reconnects, resends and trims, in which everything may be late.
//!
//! Whatever the schedule, each person's view is a copy of the log without gap or repetition, what was trimmed is reported,
//! and every `ack` is right.

mod backend;
mod completions;
mod convergence;
mod oracle;
mod reference_history;
mod simulation;

use crate::support::long_or;
use crate::support::rng::Rng;
use backend::HistoryBackend;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRunner};
use simulation::Simulation;

/// People in the model.
const PEOPLE: usize = 3;

/// More messages than the room cache keeps.
const LONG_BURST: std::ops::Range<usize> = 310..330;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    /// A person says so many things.
    Say(usize, usize),
    /// A person edits the entry so far from the last one, if it is their own.
    Edit(usize, usize),
    /// A person erases such an entry.
    Erase(usize, usize),
    /// A person connects, if not connected.
    Connect(usize),
    /// A person's connection ends; the server may notice later, and what was sent may still arrive.
    Cut(usize),
    /// A person leaves with a goodbye.
    Leave(usize),
    /// So many messages of the connection with this number reach the hub; after the last one of a cut connection, its end
    /// does.
    DeliverUp(usize, usize),
    /// A person receives so many messages.
    DeliverDown(usize, usize),
    /// So many messages are stored.
    Store(usize),
    /// So many read requests are answered.
    Read(usize),
    /// So many answers reach the hub.
    DeliverReply(usize),
    /// So many entries are trimmed, if the history can trim.
    Trim(usize),
    /// The server ends in the middle of everything and starts again.
    Crash,
    /// Everything that waits is done: what follows happens to people who have received all messages.
    Drain,
    /// Time passes: names and places of those who did not come back are given up.
    Elapse,
}

fn step() -> impl Strategy<Value = Step> {
    let person = 0..PEOPLE;
    let some = 1..6_usize;
    let burst = prop_oneof![200 => 1..4_usize, 2 => 20..120_usize, 1 => LONG_BURST];
    prop_oneof![
        6 => (person.clone(), burst).prop_map(|(person, times)| Step::Say(person, times)),
        2 => (person.clone(), 0..12_usize).prop_map(|(person, which)| Step::Edit(person, which)),
        2 => (person.clone(), 0..12_usize).prop_map(|(person, which)| Step::Erase(person, which)),
        4 => person.clone().prop_map(Step::Connect),
        2 => person.clone().prop_map(Step::Cut),
        1 => person.clone().prop_map(Step::Leave),
        8 => (0..8_usize, some.clone()).prop_map(|(wire, times)| Step::DeliverUp(wire, times)),
        8 => (person, some.clone()).prop_map(|(person, times)| Step::DeliverDown(person, times)),
        5 => (1..20_usize).prop_map(Step::Store),
        4 => some.prop_map(Step::Read),
        6 => (1..20_usize).prop_map(Step::DeliverReply),
        1 => (1..10_usize).prop_map(Step::Trim),
        1 => Just(Step::Crash),
        1 => Just(Step::Elapse),
        4 => Just(Step::Drain),
    ]
}

/// The most important schedule: sent, stored, cut before the `ack` arrives. Sent again, it must not be stored again. It is
/// always run, so that no seed leaves it out.
fn resend_schedule() -> Vec<Step> {
    use Step::{Connect, Cut, DeliverDown, DeliverReply, DeliverUp, Read, Say, Store};
    vec![
        Connect(0),
        Read(5),
        DeliverReply(5),
        DeliverDown(0, 5),
        Say(0, 3),
        DeliverUp(0, 5),
        Store(5),
        Cut(0),
        DeliverReply(5),
    ]
}

/// A conversation that is under way, in which nothing waits: half of all schedules begin with it, because few random ones
/// make one.
fn running_schedule() -> Vec<Step> {
    use Step::{Connect, Drain, Say};
    vec![
        Connect(0),
        Connect(1),
        Connect(2),
        Say(0, 2),
        Say(1, 2),
        Drain,
        Say(2, 2),
        Say(0, 2),
        Drain,
    ]
}

/// Runs so many schedules (ten times as many in the long form), each in a simulation of its own.
fn run_schedules(cases: u32, backend: impl Fn() -> HistoryBackend) {
    let mut rng = Rng::new();
    let config = Config {
        cases: long_or(10 * cases, cases),
        // The default generator takes more time than the schedules themselves when it is not optimized.
        rng_algorithm: RngAlgorithm::XorShift,
        rng_seed: RngSeed::Fixed(rng.below(usize::MAX) as u64),
        failure_persistence: None,
        ..Config::default()
    };
    let steps = (any::<bool>(), prop::collection::vec(step(), 1..50));
    let steps = steps.prop_map(|(late, steps)| {
        if late {
            [running_schedule(), steps].concat()
        } else {
            steps
        }
    });
    let run = |steps: Vec<Step>| {
        let mut simulation = Simulation::new(backend(), PEOPLE);
        steps.into_iter().for_each(|step| simulation.apply(step));
        simulation.assert_converges()
    };
    assert_eq!(
        run(resend_schedule()),
        3,
        "what was stored was not sent again"
    );
    if let Err(failure) = TestRunner::new(config).run(&steps, |steps| {
        run(steps);
        Ok(())
    }) {
        panic!("{failure}");
    }
}

#[test]
fn durable_log_is_copied_without_gap_or_repetition() {
    run_schedules(10_000, HistoryBackend::reference);
}

#[test]
fn memory_log_is_reset_for_every_client_after_crash() {
    run_schedules(2_000, HistoryBackend::memory);
}

#[test]
fn sqlite_log_behaves_as_the_reference() {
    run_schedules(200, HistoryBackend::file);
}
