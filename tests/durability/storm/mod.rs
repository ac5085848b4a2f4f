//! Everything that may happen to a server and its files, while four people go on talking: `kill -9` at any moment, copies
//! taken and put back, journals lost, older files put back, a file moved away, a clock that is wrong.
//!
//! What was acknowledged in the part of the log that survives is there once and in its place. When the log went back all
//! are told: it has an epoch that nobody has ever seen, so that no seq ever means two things.

mod aftermath;
mod board;
mod copies;
mod files;
mod judge;
mod people;
mod plan;
mod tally;

use crate::harness::{kill, listening, server_on};
use crate::support::faketime::WrongClock;
use crate::support::process::{Program, Running};
use crate::support::rng::Rng;
use crate::support::server::ReservedPort;
use crate::support::{Deadline, long_or};
use board::{Board, Gate, Report, State};
use copies::Copy;
use files::{LogFiles, StoredLog, remove_if_there};
use judge::Judge;
use plan::{Aftermath, Deck};
use std::path::PathBuf;
use std::sync::Arc;
use std::{fs, thread};
use tally::Tally;
use tempfile::TempDir;

/// How many people talk.
const PEOPLE: usize = 4;
const NAMES: [&str; PEOPLE] = ["Ana", "Bruno", "Célia", "Davi"];
/// Messages of one person without an `ack`.
const WINDOW: usize = 8;
/// How long a server lives at most after its start, in milliseconds: some hundred messages.
const MAX_LIFE_MS: u64 = 120;
/// How long one lives at most that is killed while it starts.
const MAX_STARTUP_LIFE_MS: u64 = 40;
/// How many hours a wrong clock is ahead.
const WRONG_CLOCKS: [i64; 5] = [-20 * 24, -5, 3, 40 * 24, 800 * 24];
/// The file beside the log that remembers how far it went.
const WITNESS: &str = ".testemunha";

#[test]
fn storm_of_kills_and_restores_loses_nothing_that_survives() {
    let cycles = long_or(200, 22);
    let deadline = Deadline::within_seconds(180 + 6 * cycles);
    let mut storm = Storm::new(deadline);
    let people = storm.people();
    while storm.tally.kills < cycles || !storm.everything_happened() {
        deadline.left();
        storm.live_and_die();
    }
    storm.finish(people);
}

/// The server, its files, and all who watch them.
struct Storm {
    rng: Rng,
    deck: Deck,
    dir: TempDir,
    files: LogFiles,
    port: ReservedPort,
    program: Program,
    clock: Option<WrongClock>,
    /// How many hours the server's clock is ahead at its next start.
    clock_ahead: i64,
    deadline: Deadline,
    board: Arc<Board>,
    judge: Judge,
    /// The last copy, and the one of the current phase, whose log is not judged yet.
    copy: Option<Copy>,
    new_copy: Option<Copy>,
    /// How often a message was refused up to the current phase.
    refusals: usize,
    /// What is to happen after the next life, because it was prepared.
    planned: Option<Aftermath>,
    /// The log's own files, saved as `cp` does it.
    old_files: Option<(LogFiles, TempDir)>,
    tally: Tally,
}

impl Storm {
    fn new(deadline: Deadline) -> Self {
        let dir = TempDir::new().unwrap();
        let log = dir.path().join("historico.db");
        let port = ReservedPort::new();
        let mut program = server_on(&port, &log);
        let clock = WrongClock::new();
        if let Some(clock) = &clock {
            clock.apply_to(&mut program);
        }
        Self {
            rng: Rng::new(),
            deck: Deck::default(),
            program,
            dir,
            files: LogFiles { log },
            port,
            clock,
            clock_ahead: 0,
            deadline,
            board: Arc::new(Board::new(deadline)),
            judge: Judge::new(),
            copy: None,
            new_copy: None,
            refusals: 0,
            planned: None,
            old_files: None,
            tally: Tally::default(),
        }
    }

    /// Whether each kind of thing has happened, and was felt.
    fn everything_happened(&self) -> bool {
        self.tally.is_complete(self.clock.is_some())
            && self.board.get(|state| state.interruptions > 0)
    }

    /// One life of the server, and what becomes of its files.
    fn live_and_die(&mut self) {
        let mut process = self.live();
        let planned = self.planned.take();
        let aftermath = planned.unwrap_or_else(|| self.deck.draw(&mut self.rng));
        let next_clock = self.next_clock();
        let wanted = aftermath != Aftermath::Nothing || next_clock != self.clock_ahead;
        // Not before a server has come to terms with the last one: until then the files are not one log.
        let upheaval = wanted && self.board.get(State::anybody_joined);
        self.planned = planned.filter(|_| !upheaval);
        if upheaval {
            self.board.set_gate(Gate::Closed);
        }
        kill(&mut process);
        self.tally.kills += 1;
        self.put_back();
        if upheaval {
            let reports = self.board.take_reports();
            let log = self.end_phase(&reports);
            self.set_clock(next_clock);
            let aftermath = self.prepare(aftermath, planned.is_some());
            let leader = self.change_files(aftermath, log, &reports);
            self.begin_phase(leader);
        }
    }

    /// Starts a server and lets it live for a while; sometimes it is given no time to start.
    fn live(&mut self) -> Running {
        let process = self.program.spawn().unwrap();
        // How long it lives is the experiment: no event tells of it.
        if self.rng.one_in(5) {
            thread::sleep(self.rng.up_to_ms(MAX_STARTUP_LIFE_MS));
            return process;
        }
        let server = listening(process).process;
        let copying = self.rng.one_in(3).then(|| self.start_copy());
        thread::sleep(self.rng.up_to_ms(MAX_LIFE_MS));
        if let Some(copying) = copying {
            self.finish_copy(copying);
        } else if self.rng.one_in(5) {
            self.move_away();
        }
        server
    }

    /// The server's clock after the next upheaval.
    fn next_clock(&mut self) -> i64 {
        match &self.clock {
            Some(_) if self.rng.one_in(5) => self.rng.pick(&WRONG_CLOCKS),
            Some(_) if self.rng.one_in(2) => 0,
            _ => self.clock_ahead,
        }
    }

    /// Nobody is connected, and the server is dead.
    fn set_clock(&mut self, ahead: i64) {
        let Some(clock) = self.clock.as_ref().filter(|_| ahead != self.clock_ahead) else {
            return;
        };
        clock.set(&format!("{ahead:+}h"));
        self.board.set_clock(ahead);
        self.clock_ahead = ahead;
        self.tally.clock_jumps += 1;
    }

    /// The log's file is moved away until a message was refused for it, and sometimes until the server is dead.
    fn move_away(&mut self) {
        self.wait_for_ack();
        let refusals = self.board.get(|state| state.refusals);
        fs::rename(&self.files.log, self.away()).unwrap();
        self.board.wait_until(|state| state.refusals > refusals);
        self.tally.moved_away += 1;
        if self.rng.one_in(2) {
            self.put_back();
            self.wait_for_ack();
        }
    }

    fn wait_for_ack(&self) {
        let acks = self.board.get(|state| state.acks);
        self.board.wait_until(|state| state.acks > acks);
    }

    fn put_back(&self) {
        if self.away().exists() {
            fs::rename(self.away(), &self.files.log).unwrap();
        }
    }

    fn away(&self) -> PathBuf {
        self.dir.path().join("longe.db")
    }

    /// Judges the phase that is over, and its copy.
    fn end_phase(&mut self, reports: &[Report]) -> StoredLog {
        let log = self.files.read();
        let refusals = self.board.get(|state| state.refusals);
        let refused = std::mem::replace(&mut self.refusals, refusals) < refusals;
        self.judge.end_phase(&log, reports, refused);
        if let Some(copy) = self.new_copy.take() {
            assert!(
                log.entries.starts_with(&copy.content.entries),
                "a copy holds what the log never held"
            );
            self.copy = Some(copy);
        }
        log
    }

    /// What happens now: an older state of the files must have been saved before it is put back, so that often waits
    /// until the next time.
    fn prepare(&mut self, aftermath: Aftermath, planned: bool) -> Aftermath {
        let has_old_files = self.old_files.is_some();
        let older = has_old_files && (!aftermath.needs_fresh_files() || self.rng.one_in(3));
        if planned || !aftermath.needs_old_files() || older {
            return aftermath;
        }
        self.old_files = Some(self.save_old_files());
        self.planned = Some(aftermath);
        Aftermath::Nothing
    }

    /// Changes the files of the dead server. Gives back who must be the first to come back, and into which epoch: where
    /// nothing beside the log remembers how far it went, only a person does.
    fn change_files(
        &mut self,
        aftermath: Aftermath,
        log: StoredLog,
        reports: &[Report],
    ) -> Option<(usize, String)> {
        let changed = match aftermath {
            Aftermath::Nothing => None,
            Aftermath::LostJournal | Aftermath::LostJournalAndWitness => self.lose_journal(&log),
            Aftermath::CopyOver => self.copy_over_log(),
            Aftermath::Restored => self.restore(),
            Aftermath::OldFile | Aftermath::OldFileWithoutWitness => self.put_old_files(),
            Aftermath::OldFileBesideJournal => self.put_old_file_alone(&log),
        };
        let Some(changed) = changed else {
            self.judge.begin_phase(log, Aftermath::Nothing);
            return None;
        };
        let length = changed.entries.len() as u64;
        // Without the witness only somebody who is ahead of this very log can tell that it went back.
        let can_tell = |person: &Report| person.epoch == changed.epoch && person.held_seq > length;
        let leader = reports.iter().position(can_tell);
        let leader = leader.filter(|_| aftermath.loses_witness());
        let leader = leader.zip(changed.epoch.clone());
        self.judge.begin_phase(changed, aftermath);
        if let Some((_, epoch)) = &leader {
            self.judge.expect_claim(epoch);
            remove_if_there(&self.files.beside(WITNESS));
        }
        let as_planned = leader.is_some() == aftermath.loses_witness();
        if as_planned && self.judge.expects_new_epoch() {
            self.tally.count_noticed(aftermath);
        }
        leader
    }

    /// Opens the gate, first of all for the leader.
    fn begin_phase(&mut self, leader: Option<(usize, String)>) {
        // The first start after a change has the most to put right, and may be cut short too.
        for _ in 0..self.rng.below(3) {
            let mut process = self.program.spawn().unwrap();
            thread::sleep(self.rng.up_to_ms(MAX_STARTUP_LIFE_MS));
            kill(&mut process);
            self.tally.kills += 1;
        }
        if let Some((leader, epoch)) = leader {
            let mut process = listening(self.program.spawn().unwrap()).process;
            self.board.set_gate(Gate::OnlyFor(leader));
            self.board
                .wait_until(|state| state.has_joined_beyond(leader, &epoch));
            self.board.set_gate(Gate::Open);
            thread::sleep(self.rng.up_to_ms(MAX_LIFE_MS));
            kill(&mut process);
            self.tally.kills += 1;
        }
        self.board.set_gate(Gate::Open);
    }
}
