//! `kill -9` at any moment: while the server starts, reads, stores or tells. Four people go on talking through it.
//!
//! Tells whether "stored before shown" holds for the real program and its file: whatever was acknowledged is there after
//! the next start, under the same number, and what was said again is the same message.

use crate::consistency::{assert_consistent, stored_entries};
use crate::harness::{Deadline, Rng, ServerProcess, TempDir, long_form, was_killed};
use crate::port::Port;
use crate::reconnecting_client::ReconnectingClient;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

const PEOPLE: [&str; 4] = ["Ana", "Bruno", "Célia", "Davi"];
/// Messages of one person without an `ack`.
const WINDOW: usize = 8;
/// How long a server lives at most after its start, in milliseconds: some hundred messages.
const MAX_LIFE_MS: u64 = 120;
/// How long one lives at most that is killed while it starts.
const MAX_STARTUP_LIFE_MS: u64 = 30;

#[test]
fn server_killed_at_any_moment_loses_nothing() {
    let (mut rng, _seed) = Rng::new();
    let cycles = if long_form() { 200 } else { 20 };
    let deadline = Deadline::within_seconds(120 + 4 * cycles);
    let (folder, port) = (TempDir::new(), Port::reserve());
    let history = folder.file("historico.db");
    let (talking, interrupted) = (
        Arc::new(AtomicBool::new(true)),
        Arc::new(AtomicBool::new(false)),
    );
    let people = PEOPLE.map(|name| {
        let client = ReconnectingClient::new(name, port.address, WINDOW, deadline, rng.fork());
        spawn_talker(client, talking.clone(), interrupted.clone(), rng.fork())
    });
    let mut cycle = 0;
    // So many, and more and longer lives until one ended in the middle of something: on a busy machine all of them may be
    // over before anybody has come back.
    while cycle < cycles || !interrupted.load(Ordering::Relaxed) {
        deadline.left();
        let life = MAX_LIFE_MS * (1 + cycle.saturating_sub(cycles));
        let mut server = ServerProcess::spawn(&port, &history, &folder);
        if cycle % 4 == 3 {
            thread::sleep(rng.up_to_ms(MAX_STARTUP_LIFE_MS));
        } else {
            server = server.wait_until_listening();
            thread::sleep(rng.up_to_ms(life));
        }
        assert!(was_killed(server.kill()), "the server ended by itself");
        cycle += 1;
    }
    let server = ServerProcess::spawn(&port, &history, &folder).wait_until_listening();
    talking.store(false, Ordering::Relaxed);
    let mut people = people.map(|person| person.join().unwrap());
    let length = people
        .iter()
        .map(|person| person.transcript.sent.len() as u64)
        .sum();
    people.iter_mut().for_each(|person| person.sync_to(length));

    assert_consistent(
        &stored_entries(&history),
        people.iter().map(|person| &person.transcript),
    );
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
        "what was stored and said again was not known as the same"
    );
    drop(server);
    println!(
        "{cycle} kills, {length} messages, {interrupted} ends in the middle, {again} said again"
    );
}

/// Somebody who talks without a pause, and now and then loses the connection before the answer.
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
        // Once more when nobody kills, so that at least this one was stored for sure before it is said again.
        client.wait_for_acks();
        client.transcript.say("");
        client.cut_after_sending();
        client.wait_for_acks();
        client
    })
}
