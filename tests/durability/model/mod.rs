//! The rules of the conversation against a model, without sockets: thousands of random schedules of speech, edits, cuts,
//! crashes, reconnects, resends, trims, logs that go back, false claims and wrong clocks. Everything may be late.
//!
//! Whatever the schedule, each person's view is a copy of the log without gap or repetition, what was trimmed is reported,
//! and every `ack` is right.

mod backend;
mod completions;
mod convergence;
mod going_back;
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
    /// The present state of the log is saved.
    Save,
    /// The server ends, and starts again with the saved state; the history can tell that it is an older one.
    GoBack,
    /// The same, and only a client can tell.
    GoBackUnnoticed,
    /// Somebody claims to hold more of the log than there is.
    FalseClaim,
    /// The wall clock jumps by so many hours.
    JumpClock(i64),
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
        1 => Just(Step::Save),
        1 => prop_oneof![Just(Step::GoBack), Just(Step::GoBackUnnoticed), Just(Step::FalseClaim)],
        1 => (-1000..1000_i64).prop_map(Step::JumpClock),
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

/// A conversation under way, then these steps; gives back how often each person had to throw away what they held.
fn resets_after(backend: HistoryBackend, steps: &[Step]) -> Vec<usize> {
    let mut simulation = Simulation::new(backend, PEOPLE);
    let steps = [&running_schedule(), steps].concat();
    steps.into_iter().for_each(|step| simulation.apply(step));
    let people = simulation.people.iter();
    let resets = people.map(|person| person.transcript.resets).collect();
    simulation.assert_converges();
    resets
}

#[test]
fn log_that_went_back_unnoticed_gets_one_new_epoch() {
    use Step::{Connect, Drain, FalseClaim, GoBackUnnoticed, Save, Say};
    let steps = [
        Save,
        Say(0, 3),
        Drain,
        GoBackUnnoticed,
        Drain,
        Connect(1),
        Connect(2),
        Say(1, 2),
        Drain,
        FalseClaim,
        Drain,
    ];
    for backend in [HistoryBackend::reference(), HistoryBackend::file()] {
        assert_eq!(resets_after(backend, &steps), [1, 1, 1]);
    }
}

#[test]
fn false_claims_reset_the_others_once_after_a_start() {
    use Step::{Connect, Crash, Drain, FalseClaim, Say};
    let steps = [
        Crash,
        Connect(0),
        Connect(1),
        Connect(2),
        Drain,
        FalseClaim,
        Say(0, 2),
        Drain,
        FalseClaim,
        Drain,
        FalseClaim,
        Drain,
    ];
    for backend in [HistoryBackend::reference(), HistoryBackend::file()] {
        assert_eq!(resets_after(backend, &steps), [1, 1, 1]);
    }
}
