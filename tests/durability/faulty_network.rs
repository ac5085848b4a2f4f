//! A bad network between twenty people and the server: connections stall, are late, end in the middle of a frame and
//! are reset, in both directions, during the handshake too.
//!
//! Tells whether coming back with `epoch` and `after` and saying again with the same ids is enough: in the end all
//! transcripts are the same and complete.

use crate::consistency::{assert_consistent, stored_entries};
use crate::faulty_proxy::FaultyProxy;
use crate::harness::{Deadline, Rng, TempDir};
use crate::reconnecting_client::ReconnectingClient;
use papo::chat::limits::Rules;
use papo::fanout::DeliveryLimits;
use papo::history::sqlite::SqliteHistory;
use papo::server::http::Policy;
use papo::server::{Server, Setup, listen};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread;

const PEOPLE: usize = 20;
/// Messages that each of them says.
const MESSAGES: usize = 40;
/// Messages of one person without an `ack`.
const WINDOW: usize = 4;

/// Serves in this process while `visit` lasts.
fn with_server(history: &Path, visit: impl FnOnce(SocketAddr)) {
    let setup = Setup {
        max_connections: 2000,
        policy: Policy::default(),
        rules: Rules {
            rate: None,
            ..Rules::default()
        },
        delivery_limits: DeliveryLimits::default(),
        history: Box::new(SqliteHistory::open(history, None).unwrap()),
    };
    let server = Server::new(
        listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap(),
        setup,
    );
    let (address, stopper) = (server.local_addr().unwrap(), server.stopper().unwrap());
    let running = thread::spawn(move || server.run());
    visit(address);
    stopper.stop();
    running.join().unwrap().unwrap();
}

#[test]
fn faulty_network_loses_and_repeats_nothing() {
    let (mut rng, _seed) = Rng::new();
    let deadline = Deadline::within_seconds(300);
    let folder = TempDir::new();
    let history = folder.file("historico.db");
    with_server(&history, |server| {
        let proxy = FaultyProxy::start(server, rng.fork());
        let people: Vec<_> = (0..PEOPLE)
            .map(|n| {
                ReconnectingClient::new(
                    &format!("Pessoa {n}"),
                    proxy.address,
                    WINDOW,
                    deadline,
                    rng.fork(),
                )
            })
            .map(|client| thread::spawn(move || send_all(client)))
            .collect();
        let mut people: Vec<ReconnectingClient> = people
            .into_iter()
            .map(|person| person.join().unwrap())
            .collect();
        // Everything was said through the bad network; what is still missing may come on the straight way.
        for person in &mut people {
            person.redirect(server, deadline);
            person.sync_to((PEOPLE * MESSAGES) as u64);
        }
        assert_consistent(
            &stored_entries(&history),
            people.iter().map(|person| &person.transcript),
        );
        let count = |what: &std::sync::atomic::AtomicUsize| what.load(Ordering::Relaxed);
        let damage = &proxy.faults;
        let (cuts, stalls, delays) = (
            count(&damage.cuts),
            count(&damage.stalls),
            count(&damage.delays),
        );
        assert!(
            cuts > 0 && stalls > 0 && delays > 0,
            "{cuts} cuts, {stalls} stalls, {delays} delays"
        );
        let again = people
            .iter()
            .flat_map(|person| &person.transcript.acks)
            .filter(|ack| ack.duplicate)
            .count();
        println!(
            "{cuts} cuts, {stalls} stalls, {delays} delayed pieces, {again} messages said again"
        );
    });
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
