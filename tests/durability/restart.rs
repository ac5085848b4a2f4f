//! A restart in the middle of the conversation: three hundred people are connected, some of them talk, and the server
//! is stopped in order and started again on the same port with the same file.
//!
//! Each gets a `bye` that says when to come back, is back in time, and misses nothing. More people come back at once than
//! may be pending, so some are refused and try again.

use crate::consistency::{assert_consistent, stored_entries};
use crate::harness::{listening, server_on};
use crate::reconnecting_client::{ReconnectingClient, sync_all};
use crate::support::rng::Rng;
use crate::support::server::ReservedPort;
use crate::support::{Deadline, long_or};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::thread;
use tempfile::TempDir;

const PEOPLE: usize = 300;
/// One of so many talks.
const TALKER_EVERY: usize = 15;
/// What each of those says while the server is up, and again when it is back.
const MESSAGES: usize = 12;
/// Answers after which the server is stopped: many messages are on their way then.
const ACKS_BEFORE_STOP: usize = 60;
/// Messages of one person without an `ack`.
const WINDOW: usize = 4;
/// Seconds in which all must be back: on a quiet machine, which the long form is for, and on any other.
const REENTRY_LIMIT_SECS: (u64, u64) = (30, 120);
/// Stack of one person's thread.
const STACK: usize = 512 * 1024;

/// What a person reports to the test.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Progress {
    Entered,
    Acked,
    Reentered,
}

#[test]
fn clients_reconnect_after_restart_and_miss_nothing() {
    let mut rng = Rng::new();
    let deadline = Deadline::within_seconds(300);
    let dir = TempDir::new().unwrap();
    let history = dir.path().join("historico.db");
    let port = ReservedPort::new();
    let mut program = server_on(&port, &history);
    let mut server = listening(program.spawn().unwrap());
    let (report, reports) = unbounded();
    let (start, started) = unbounded();
    let mut enter_all = |talks: bool| -> Vec<_> {
        let enter = |n| {
            let client = ReconnectingClient::new(
                &format!("Pessoa {n}"),
                port.address,
                WINDOW,
                deadline,
                rng.fork(),
            );
            let person = Participant {
                client,
                talks,
                report: report.clone(),
                start_signal: started.clone(),
            };
            thread::Builder::new()
                .stack_size(STACK)
                .spawn(move || person.run())
                .unwrap()
        };
        let all: Vec<_> = (0..PEOPLE)
            .filter(|n| (n % TALKER_EVERY == 0) == talks)
            .map(enter)
            .collect();
        wait_for_reports(&reports, Progress::Entered, all.len(), deadline);
        all
    };
    // Talkers enter last: until all have entered they read nothing, and must not be dropped for it.
    let people = [enter_all(false), enter_all(true)].into_iter().flatten();
    drop(start);
    wait_for_reports(&reports, Progress::Acked, ACKS_BEFORE_STOP, deadline);
    server.process.terminate();
    let _server = listening(program.spawn().unwrap());
    let reentry = Deadline::within_seconds(long_or(REENTRY_LIMIT_SECS.0, REENTRY_LIMIT_SECS.1));
    wait_for_reports(&reports, Progress::Reentered, PEOPLE, reentry);

    let mut people: Vec<ReconnectingClient> = people.map(|person| person.join().unwrap()).collect();
    sync_all(&mut people);
    assert_consistent(
        &stored_entries(&history),
        people.iter().map(|person| &person.transcript),
    );
    for person in &people {
        let hints = &person.retry_hints;
        assert!(
            hints.len() == 1 && hints[0] > 0,
            "{}: {hints:?}",
            person.transcript.name
        );
    }
}

/// Waits until so many people have reported this.
fn wait_for_reports(
    reports: &Receiver<Progress>,
    expected: Progress,
    mut times: usize,
    deadline: Deadline,
) {
    while times > 0 {
        let progress = reports
            .recv_timeout(deadline.left())
            .unwrap_or_else(|_| panic!("{times} times {expected:?} are missing"));
        times -= usize::from(progress == expected);
    }
}

struct Participant {
    client: ReconnectingClient,
    talks: bool,
    report: Sender<Progress>,
    /// Disconnected when all have entered.
    start_signal: Receiver<()>,
}

impl Participant {
    fn run(mut self) -> ReconnectingClient {
        while !self.client.is_joined() {
            self.client.step();
        }
        self.report(Progress::Entered);
        if self.talks {
            let _ = self.start_signal.recv();
            self.talk(MESSAGES);
        }
        while self.client.join_count < 2 {
            self.client.step();
        }
        self.report(Progress::Reentered);
        if self.talks {
            self.talk(2 * MESSAGES);
            self.client.wait_for_acks();
        }
        self.client
    }

    /// Talks until so many messages were said in all.
    fn talk(&mut self, until: usize) {
        while self.client.transcript.sent.len() < until {
            if self.client.window_has_room() {
                self.client.transcript.say("");
            }
            let before = self.client.transcript.acks.len();
            self.client.step();
            (before..self.client.transcript.acks.len()).for_each(|_| self.report(Progress::Acked));
        }
    }

    fn report(&self, progress: Progress) {
        // The test may have failed already.
        let _ = self.report.send(progress);
    }
}
