//! The people of the storm, a thread each: they talk without a pause until the storm is over, and are then compared.

use super::board::{Board, Gate, State};
use super::plan::Aftermath;
use super::{NAMES, PEOPLE, Storm, WINDOW};
use crate::consistency::stored_entries;
use crate::harness::{kill, listening};
use crate::reconnecting_client::ReconnectingClient;
use crate::support::rng::Rng;
use std::array;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Everybody's threads.
pub(super) type People = [JoinHandle<ReconnectingClient>; PEOPLE];

/// Tells the board when a person's thread panics.
struct FailOnPanic(Arc<Board>);

impl Drop for FailOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail();
        }
    }
}

impl Storm {
    pub(super) fn people(&mut self) -> People {
        array::from_fn(|who| {
            let rng = self.rng.fork();
            let address = self.port.address;
            let mut client =
                ReconnectingClient::new(NAMES[who], address, WINDOW, self.deadline, rng);
            let board = self.board.clone();
            client.connect_gate = Some(Box::new(move |transcript| {
                board.pass_gate(who, transcript);
            }));
            spawn_talker(who, client, self.board.clone(), self.rng.fork())
        })
    }

    /// One more start, with the true time and without a kill: now all get everything, and hold the same.
    pub(super) fn finish(mut self, people: People) {
        let mut server = listening(self.program.spawn().unwrap()).process;
        self.board.wait_until(State::anybody_joined);
        kill(&mut server);
        self.board.set_gate(Gate::Closed);
        let reports = self.board.take_reports();
        let log = self.end_phase(&reports);
        self.set_clock(0);
        self.judge.begin_phase(log, Aftermath::Nothing);
        let mut server = listening(self.program.spawn().unwrap()).process;
        self.board.stop_talking();
        self.board.set_gate(Gate::Open);
        let mut people = people.map(|person| person.join().unwrap());
        let length = stored_entries(&self.files.log).len() as u64;
        for (who, person) in people.iter_mut().enumerate() {
            person.sync_to(length);
            self.board.report_at_end(who, &person.transcript);
        }
        kill(&mut server);
        let reports = self.board.take_reports();
        self.end_phase(&reports);
        let transcripts = people.iter().map(|person| &person.transcript);
        let sent: usize = transcripts.clone().map(|held| held.sent.len()).sum();
        let resets: usize = transcripts.clone().map(|held| held.resets).sum();
        let acks = transcripts.flat_map(|held| &held.acks);
        let duplicates = acks.filter(|ack| ack.duplicate).count();
        assert!(resets > 0, "nobody was told that the log went back");
        assert!(duplicates >= PEOPLE, "no resend was recognized");
        println!(
            "{}; {sent} messages, {length} at the end, {resets} resets, {duplicates} said again",
            self.tally
        );
    }
}

/// A person who talks without a pause, and now and then loses the connection before the answer.
fn spawn_talker(
    who: usize,
    mut client: ReconnectingClient,
    board: Arc<Board>,
    mut rng: Rng,
) -> JoinHandle<ReconnectingClient> {
    thread::spawn(move || {
        let _fail = FailOnPanic(board.clone());
        while board.is_talking() {
            let refusals = client.refusal_count;
            let interruptions = client.interruptions;
            if client.window_has_room() {
                client.transcript.say("");
            }
            if rng.one_in(400) {
                client.cut_after_sending();
            }
            client.step();
            board.report(who, &client.transcript);
            let refusals = client.refusal_count - refusals;
            board.count(refusals, client.interruptions - interruptions);
        }
        // Once more without kills, so that at least this one was stored for sure before it is sent again.
        client.wait_for_acks();
        client.transcript.say("");
        client.cut_after_sending();
        client.wait_for_acks();
        client
    })
}
