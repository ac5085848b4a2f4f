//! A bad network between twenty people and the server: connections stall, are late, end in the middle of a frame and
//! are reset, in both directions, during the handshake too.
//!
//! Coming back with `epoch` and `after` and sending again with the same ids is enough: in the end all transcripts are the
//! same and complete.

use crate::consistency::{assert_consistent, stored_entries};
use crate::reconnecting_client::ReconnectingClient;
use crate::support::Deadline;
use crate::support::network::{FaultCounts, Network};
use crate::support::rng::Rng;
use crate::support::server::{TestServer, stored_in, without_rate};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tempfile::TempDir;

const PEOPLE: usize = 20;
/// Messages that each of them says.
const MESSAGES: usize = 40;
/// Messages of one person without an `ack`.
const WINDOW: usize = 4;

#[test]
fn faulty_network_loses_and_repeats_nothing() {
    let mut rng = Rng::new();
    let deadline = Deadline::within_seconds(300);
    let dir = TempDir::new().unwrap();
    let history = dir.path().join("historico.db");
    let server = TestServer::start_with(|setup| {
        without_rate(setup);
        stored_in(&history)(setup);
    });
    let faults = Arc::new(FaultCounts::default());
    let network = Network::faulty(server.address, rng.fork(), &faults);
    let people: Vec<_> = (0..PEOPLE)
        .map(|n| {
            let name = format!("Pessoa {n}");
            ReconnectingClient::new(&name, network.address, WINDOW, deadline, rng.fork())
        })
        .map(|client| thread::spawn(move || send_all(client)))
        .collect();
    let mut people: Vec<ReconnectingClient> = people
        .into_iter()
        .map(|person| person.join().unwrap())
        .collect();
    // Everything was sent through the bad network; what is still missing may come without it.
    for person in &mut people {
        person.redirect(server.address, deadline);
        person.sync_to((PEOPLE * MESSAGES) as u64);
    }
    assert_consistent(
        &stored_entries(&history),
        people.iter().map(|person| &person.transcript),
    );
    let count = |what: &AtomicUsize| what.load(Ordering::Relaxed);
    let cuts = count(&faults.cuts);
    let stalls = count(&faults.stalls);
    let delays = count(&faults.delays);
    assert!(
        cuts > 0 && stalls > 0 && delays > 0,
        "{cuts} cuts, {stalls} stalls, {delays} delays"
    );
    let again = people
        .iter()
        .flat_map(|person| &person.transcript.acks)
        .filter(|ack| ack.duplicate)
        .count();
    println!("{cuts} cuts, {stalls} stalls, {delays} delayed pieces, {again} messages sent again");
}

/// Says everything, and is done when everything has its `ack`.
fn send_all(mut client: ReconnectingClient) -> ReconnectingClient {
    while client.transcript.sent.len() < MESSAGES {
        if client.window_has_room() {
            client.transcript.say("");
        }
        client.step();
    }
    client.wait_for_acks();
    client
}
