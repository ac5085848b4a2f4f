//! `kill -9` at any moment, while the server starts, reads, stores or sends; four people go on talking through it.
//!
//! "Stored before shown" holds for the real program and its file: what was acknowledged is there after the next start,
//! with the same seq, and what was sent again is the same message.

use crate::consistency::{assert_consistent, stored_entries};
use crate::harness::{kill, listening, server_on};
use crate::reconnecting_client::{ReconnectingClient, sync_all};
use crate::support::rng::Rng;
use crate::support::server::ReservedPort;
use crate::support::{Deadline, long_or};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use tempfile::TempDir;

const PEOPLE: [&str; 4] = ["Ana", "Bruno", "Célia", "Davi"];
/// Messages of one person without an `ack`.
const WINDOW: usize = 8;
/// How long a server lives at most after its start, in milliseconds: some hundred messages.
const MAX_LIFE_MS: u64 = 120;
/// How long one lives at most that is killed while it starts.
const MAX_STARTUP_LIFE_MS: u64 = 30;

#[test]
fn server_killed_at_any_moment_loses_nothing() {
    let mut rng = Rng::new();
    let cycles = long_or(200, 20);
    let deadline = Deadline::within_seconds(120 + 4 * cycles);
    let dir = TempDir::new().unwrap();
    let history = dir.path().join("historico.db");
    let port = ReservedPort::new();
    let mut program = server_on(&port, &history);
    let talking = Arc::new(AtomicBool::new(true));
    let interrupted = Arc::new(AtomicBool::new(false));
    let people = PEOPLE.map(|name| {
        let client = ReconnectingClient::new(name, port.address, WINDOW, deadline, rng.fork());
        spawn_talker(client, talking.clone(), interrupted.clone(), rng.fork())
    });
    let mut cycle = 0;
    // More and longer lives until one ended in the middle of something: on a busy machine all of them may be over before
    // a client has come back.
    while cycle < cycles || !interrupted.load(Ordering::Relaxed) {
        deadline.left();
        let life = MAX_LIFE_MS * (1 + cycle.saturating_sub(cycles));
        let mut process = program.spawn().unwrap();
        // How long it lives is the experiment: no event tells of it.
        if cycle % 4 == 3 {
            thread::sleep(rng.up_to_ms(MAX_STARTUP_LIFE_MS));
        } else {
            process = listening(process).process;
            thread::sleep(rng.up_to_ms(life));
        }
        kill(&mut process);
        cycle += 1;
    }
    let server = listening(program.spawn().unwrap());
    talking.store(false, Ordering::Relaxed);
    let mut people = people.map(|person| person.join().unwrap());
    let length = sync_all(&mut people);
    assert_consistent(
        &stored_entries(&history),
        people.iter().map(|person| &person.transcript),
    );
    // No start took the log's own journal for another's, or the log for one that has gone back.
    let warnings = server.process.stderr();
    assert!(!warnings.contains("ATENÇÃO"), "{warnings}");
    let interrupted: usize = people.iter().map(|person| person.interruptions).sum();
    assert!(
        interrupted > 0,
        "no server was killed in the middle of anything"
    );
    let again = people
        .iter()
        .flat_map(|person| &person.transcript.acks)
        .filter(|ack| ack.duplicate)
        .count();
    assert!(
        again >= PEOPLE.len(),
        "what was stored and said again was not recognized"
    );
    println!(
        "{cycle} kills, {length} messages, {interrupted} ends in the middle, {again} said again"
    );
}

/// A person who talks without a pause, and now and then loses the connection before the answer.
fn spawn_talker(
    mut client: ReconnectingClient,
    talking: Arc<AtomicBool>,
    interrupted: Arc<AtomicBool>,
    mut rng: Rng,
) -> JoinHandle<ReconnectingClient> {
    thread::spawn(move || {
        while talking.load(Ordering::Relaxed) {
            if client.window_has_room() {
                client.transcript.say("");
            }
            if rng.one_in(400) {
                client.cut_after_sending();
            }
            client.step();
            interrupted.fetch_or(client.interruptions > 0, Ordering::Relaxed);
        }
        // Once more without kills, so that at least this one was stored for sure before it is sent again.
        client.wait_for_acks();
        client.transcript.say("");
        client.cut_after_sending();
        client.wait_for_acks();
        client
    })
}
