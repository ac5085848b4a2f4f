//! A restart in the middle of the conversation: three hundred people are connected, some of them talk, and the server
//! is stopped in order and started again on the same port with the same file.
//!
//! Tells whether everybody is told when to come back, is back in time, and misses nothing. More people come back at once
//! than may stand in the door, so some are refused and try again.

use crate::consistency::{assert_consistent, stored_entries};
use crate::harness::{Deadline, Rng, ServerProcess, TempDir, long_form};
use crate::port::Port;
use crate::reconnecting_client::ReconnectingClient;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::thread;
use std::time::{Duration, Instant};

const PEOPLE: usize = 300;
/// Every so manieth of them talks.
const TALKER_EVERY: usize = 15;
/// What each of those says while the server is up, and again when it is back.
const MESSAGES: usize = 12;
/// Answers after which the server is stopped: many messages are on their way then.
const ACKS_BEFORE_STOP: usize = 60;
/// Messages of one person without an `ack`.
const WINDOW: usize = 4;
/// By then everybody must be back: on a quiet machine, where the long form is for, and on any other.
const REENTRY_LIMIT: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(120));
/// Stack of one person's thread.
const STACK: usize = 512 * 1024;

/// What a person tells whoever conducts the experiment.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Progress {
    Entered,
    Acked,
    Reentered,
}

#[test]
fn clients_reconnect_after_restart_and_miss_nothing() {
    let (mut rng, _seed) = Rng::new();
    let deadline = Deadline::within_seconds(300);
    let (folder, port) = (TempDir::new(), Port::reserve());
    let history = folder.file("historico.db");
    let server = ServerProcess::spawn(&port, &history, &folder).wait_until_listening();
    let (tell, news) = unbounded();
    let (start, started) = unbounded();
    let mut come = |talks: bool| -> Vec<_> {
        let come = |n| {
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
                report: tell.clone(),
                start_signal: started.clone(),
            };
            thread::Builder::new()
                .stack_size(STACK)
                .spawn(move || person.run())
                .unwrap()
        };
        let all: Vec<_> = (0..PEOPLE)
            .filter(|n| (n % TALKER_EVERY == 0) == talks)
            .map(come)
            .collect();
        wait_for_reports(&news, Progress::Entered, all.len(), || deadline.left());
        all
    };
    // Those who talk come last: until all are there they hear nothing, and must not seem dead.
    let people = [come(false), come(true)].into_iter().flatten();
    drop(start);
    wait_for_reports(&news, Progress::Acked, ACKS_BEFORE_STOP, || deadline.left());
    server.terminate();
    let _server = ServerProcess::spawn(&port, &history, &folder).wait_until_listening();
    let back = Instant::now()
        + if long_form() {
            REENTRY_LIMIT.0
        } else {
            REENTRY_LIMIT.1
        };
    wait_for_reports(&news, Progress::Reentered, PEOPLE, || {
        back.saturating_duration_since(Instant::now())
    });

    let mut people: Vec<ReconnectingClient> = people.map(|person| person.join().unwrap()).collect();
    let length = people
        .iter()
        .map(|person| person.transcript.sent.len() as u64)
        .sum();
    people.iter_mut().for_each(|person| person.sync_to(length));
    assert_consistent(
        &stored_entries(&history),
        people.iter().map(|person| &person.transcript),
    );
    for person in &people {
        let told = &person.retry_hints;
        assert!(
            told.len() == 1 && told[0] > 0,
            "{}: {told:?}",
            person.transcript.name
        );
    }
}

/// Waits until so many people told this.
fn wait_for_reports(
    news: &Receiver<Progress>,
    expected: Progress,
    mut times: usize,
    left: impl Fn() -> Duration,
) {
    while times > 0 {
        let told = news
            .recv_timeout(left())
            .unwrap_or_else(|_| panic!("{times} times {expected:?} are missing"));
        times -= usize::from(told == expected);
    }
}

struct Participant {
    client: ReconnectingClient,
    talks: bool,
    report: Sender<Progress>,
    /// Disconnected when everybody has entered.
    start_signal: Receiver<()>,
}

impl Participant {
    fn run(mut self) -> ReconnectingClient {
        while !self.client.is_joined() {
            self.client.step();
        }
        self.tell(Progress::Entered);
        if self.talks {
            let _ = self.start_signal.recv();
            self.talk(MESSAGES);
        }
        while self.client.join_count < 2 {
            self.client.step();
        }
        self.tell(Progress::Reentered);
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
            (before..self.client.transcript.acks.len()).for_each(|_| self.tell(Progress::Acked));
        }
    }

    fn tell(&self, news: Progress) {
        // Whoever conducts the experiment may have failed already.
        let _ = self.report.send(news);
    }
}
