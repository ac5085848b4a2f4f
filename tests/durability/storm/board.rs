//! What the people of the storm report, and the gate that keeps them from connecting while the server's files change.

use super::PEOPLE;
use crate::log_entry::LogEntry;
use crate::support::Deadline;
use crate::transcript::{Ack, Transcript};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How far the time of a message may be ahead of the server's clock, in milliseconds: a room's time does not follow small
/// steps back of the clock.
const MAX_AHEAD_MS: i64 = 130_000;
/// How far it may be behind: an `ack` may be read late.
const MAX_BEHIND_MS: i64 = 300_000;

/// A wait looks at its deadline this often.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Who may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    Open,
    Closed,
    OnlyFor(usize),
}

/// What one person has reported since the current phase began.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub name: String,
    /// The epochs of the `joined`s.
    pub joined_epochs: Vec<String>,
    /// What was acknowledged or only seen in passing, with the epoch.
    pub placed: Vec<(String, LogEntry)>,
    /// What is held, and of which log; complete while the person is parked.
    pub epoch: Option<String>,
    pub entries: Vec<LogEntry>,
    pub held_seq: u64,
    /// How far this person knows that the log goes.
    pub highest_known_seq: u64,
}

/// How much of a transcript was reported.
#[derive(Default)]
struct Reported {
    joins: usize,
    acks: usize,
    passed_over: usize,
}

#[derive(Default)]
struct Person {
    parked: bool,
    report: Report,
    reported: Reported,
}

/// Everything that is shared.
pub struct State {
    gate: Gate,
    talking: bool,
    failed: bool,
    /// How many hours the running server's clock is ahead.
    clock_ahead: i64,
    pub acks: usize,
    pub refusals: usize,
    pub interruptions: usize,
    people: [Person; PEOPLE],
}

impl State {
    fn is_parked(&self) -> bool {
        self.people.iter().all(|person| person.parked)
    }

    /// Whether a person has joined in the current phase, and in another epoch than this one.
    pub fn has_joined_beyond(&self, who: usize, epoch: &str) -> bool {
        let joined = self.people[who].report.joined_epochs.last();
        joined.is_some_and(|joined| joined != epoch)
    }

    /// Whether anybody has joined in the current phase.
    pub fn anybody_joined(&self) -> bool {
        let mut people = self.people.iter();
        people.any(|person| !person.report.joined_epochs.is_empty())
    }

    /// The last seq that was acknowledged in the current phase.
    pub fn acked_until(&self) -> u64 {
        let placed = self.people.iter().flat_map(|person| &person.report.placed);
        placed.map(|(_, entry)| entry.seq).max().unwrap_or(0)
    }
}

/// The state, and a way to wait for it.
pub struct Board {
    state: Mutex<State>,
    changed: Condvar,
    deadline: Deadline,
}

impl Board {
    pub fn new(deadline: Deadline) -> Self {
        Self {
            state: Mutex::new(State {
                gate: Gate::Open,
                talking: true,
                failed: false,
                clock_ahead: 0,
                acks: 0,
                refusals: 0,
                interruptions: 0,
                people: Default::default(),
            }),
            changed: Condvar::new(),
            deadline,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Changes something, and tells all who wait.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    fn wait(&self, until: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        while !until(&state) {
            let failed = state.failed || self.deadline.is_over();
            if failed {
                // What all share must stay usable, or each thread would fail with a message of its own.
                drop(state);
                panic!("a person has failed, or the deadline is over");
            }
            let waited = self.changed.wait_timeout(state, LOOK_AGAIN);
            state = waited.unwrap().0;
        }
        state
    }

    /// Waits until the people have reported as much.
    pub fn wait_until(&self, reported: impl Fn(&State) -> bool) {
        drop(self.wait(reported));
    }

    /// One figure of the state.
    pub fn get<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock())
    }

    pub fn set_gate(&self, gate: Gate) {
        self.change(|state| state.gate = gate);
    }

    /// Waits until nobody has a connection; the gate is closed and the server is dead. Gives back the phase's reports.
    pub fn take_reports(&self) -> Vec<Report> {
        let mut state = self.wait(State::is_parked);
        let people = state.people.iter_mut();
        people
            .map(|person| take_report(&mut person.report))
            .collect()
    }

    /// From now on the server's clock is so many hours ahead. Nobody is connected.
    pub fn set_clock(&self, ahead: i64) {
        self.change(|state| state.clock_ahead = ahead);
    }

    pub fn stop_talking(&self) {
        self.change(|state| state.talking = false);
    }

    pub fn is_talking(&self) -> bool {
        self.lock().talking
    }

    /// A person's thread has panicked.
    pub fn fail(&self) {
        if let Ok(mut state) = self.state.lock() {
            state.failed = true;
        }
        self.changed.notify_all();
    }

    /// A person without a connection reports, and waits for the gate.
    pub fn pass_gate(&self, who: usize, transcript: &Transcript) {
        self.report(who, transcript);
        let is_open = |state: &State| state.gate == Gate::Open || state.gate == Gate::OnlyFor(who);
        if self.get(is_open) {
            return;
        }
        self.park(who, transcript);
        self.wait(is_open).people[who].parked = false;
    }

    /// The last report of a person, who connects no more.
    pub fn report_at_end(&self, who: usize, transcript: &Transcript) {
        self.report(who, transcript);
        self.park(who, transcript);
    }

    fn park(&self, who: usize, transcript: &Transcript) {
        self.change(|state| {
            let person = &mut state.people[who];
            person.report.entries.clone_from(&transcript.entries);
            person.parked = true;
        });
    }

    /// Adds what a person's transcript has that was not reported yet.
    pub fn report(&self, who: usize, transcript: &Transcript) {
        let clock_ahead = self.get(|state| state.clock_ahead);
        let known = self.get(|state| state.people[who].reported.acks);
        for ack in &transcript.acks[known..] {
            assert_at_server_time(ack, clock_ahead, &transcript.name);
        }
        self.change(|state| {
            let person = &mut state.people[who];
            let before = &person.reported;
            let new_acks = &transcript.acks[before.acks..];
            let acked = new_acks.iter().map(|ack| placed_by(ack, transcript));
            let passed_over = transcript.passed_over[before.passed_over..].iter().cloned();
            let report = &mut person.report;
            report.placed.extend(acked.chain(passed_over));
            let joined = &transcript.joined_epochs[before.joins..];
            report.joined_epochs.extend_from_slice(joined);
            report.name.clone_from(&transcript.name);
            report.epoch.clone_from(&transcript.epoch);
            report.held_seq = transcript.held_seq;
            report.highest_known_seq = transcript.highest_known_seq.max(transcript.held_seq);
            state.acks += new_acks.len();
            person.reported = Reported {
                joins: transcript.joined_epochs.len(),
                acks: transcript.acks.len(),
                passed_over: transcript.passed_over.len(),
            };
        });
    }

    /// Adds to the counts of refusals and of ends in the middle of something.
    pub fn count(&self, refusals: usize, interruptions: usize) {
        if refusals + interruptions > 0 {
            self.change(|state| {
                state.refusals += refusals;
                state.interruptions += interruptions;
            });
        }
    }
}

/// Takes what belongs to the phase that ends; what is held stays.
fn take_report(report: &mut Report) -> Report {
    let taken = report.clone();
    report.joined_epochs.clear();
    report.placed.clear();
    taken
}

/// The place that an `ack` gave to a person's message.
fn placed_by(ack: &Ack, transcript: &Transcript) -> (String, LogEntry) {
    let said = transcript.said(&ack.id);
    let entry = LogEntry::from_sent(ack.seq, &transcript.name, said);
    (ack.epoch.clone(), entry)
}

/// A new message has the time of the server's clock, whatever times the log's other messages have.
fn assert_at_server_time(ack: &Ack, clock_ahead: i64, name: &str) {
    if ack.duplicate {
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let ahead = ack.at as i64 - now.as_millis() as i64 - clock_ahead * 3_600_000;
    assert!(
        (-MAX_BEHIND_MS..=MAX_AHEAD_MS).contains(&ahead),
        "{name}: {} has a time {ahead} ms ahead of the server's clock",
        ack.id
    );
}
