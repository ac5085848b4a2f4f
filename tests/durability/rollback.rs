//! A log that has gone back while nothing beside it remembers more: a snapshot of the whole folder was put back, say.
//!
//! The first client that holds more proves it, and a new epoch begins for all: nobody keeps entries that the others do not
//! have, and nobody misses those that took their numbers.

use crate::harness::{listening, server_on};
use crate::support::client::WsClient;
use crate::support::process::{Program, ServerProcess};
use crate::support::server::ReservedPort;
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

struct Rollback {
    program: Program,
    folder: TempDir,
    port: ReservedPort,
}

impl Rollback {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let port = ReservedPort::new();
        let program = server_on(&port, &folder.path().join("historico.db"));
        Self {
            program,
            folder,
            port,
        }
    }

    fn start(&mut self) -> ServerProcess {
        listening(self.program.spawn().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts the file of an orderly stop back, and forgets whatever remembers more.
    fn put_back(&self, snapshot: &str) {
        std::fs::copy(self.path(snapshot), self.path("historico.db")).unwrap();
        std::fs::remove_file(self.path("historico.db.testemunha")).unwrap();
        assert!(!self.path("historico.db-wal").exists());
    }

    fn connect(&self) -> WsClient {
        WsClient::connect(self.port.address).unwrap()
    }

    /// Enters with the log up to `after` in this epoch; gives back the `joined`.
    fn resume(&self, name: &str, epoch: &Value, after: u64) -> (WsClient, Value) {
        let mut client = self.connect();
        let resume = json!({"epoch": epoch, "after": after});
        let welcome = client.enter_with(name, resume);
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        let joined = client.receive_where(|message| message["type"] == "joined");
        (client, joined)
    }
}

fn seqs(joined: &Value) -> Vec<u64> {
    let entries = joined["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["seq"].as_u64().unwrap())
        .collect()
}

/// Waits for the unasked `joined`; gives it back.
fn receive_reset(client: &mut WsClient) -> Value {
    let joined = client.receive_where(|message| message["type"] == "joined");
    assert_eq!(joined["reset"], true, "{joined}");
    joined
}

/// Says this many messages, each stored.
fn say_messages(client: &mut WsClient, texts: std::ops::RangeInclusive<u64>) {
    for number in texts {
        let id = format!("r{number}");
        client.send(json!({"type": "say", "room": "geral", "id": id, "text": id}));
        let answer = client.receive_where(|message| message["id"] == *id);
        assert_eq!(answer["type"], "ack", "{answer}");
    }
}

/// Ana and Bia hold eight messages, of which the log that was put back has six.
fn log_that_went_back() -> (Rollback, ServerProcess, Value) {
    let mut rollback = Rollback::new();
    let mut server = rollback.start();
    say_messages(&mut server.enter("Ana"), 1..=6);
    server.process.terminate();
    std::fs::copy(rollback.path("historico.db"), rollback.path("antes.db")).unwrap();
    let mut server = rollback.start();
    let mut ana = rollback.connect();
    let epoch = ana.enter("Ana")["epoch"].clone();
    say_messages(&mut ana, 7..=8);
    server.process.terminate();
    rollback.put_back("antes.db");
    let server = rollback.start();
    (rollback, server, epoch)
}

#[test]
fn log_that_went_back_begins_a_new_epoch_at_the_first_sign() {
    let (mut rollback, mut server, old) = log_that_went_back();
    let mut caio = rollback.connect();
    assert_eq!(caio.enter("Caio")["epoch"], old);
    // Whoever proves it is answered in the new epoch.
    let (mut ana, joined) = rollback.resume("Ana", &old, 8);
    assert_eq!(
        (&joined["reset"], seqs(&joined)),
        (&json!(true), (1..=6).collect())
    );
    let new = joined["epoch"].clone();
    assert_ne!(new, old);
    let reset = receive_reset(&mut caio);
    assert_eq!((&reset["epoch"], seqs(&reset)), (&new, (1..=6).collect()));
    // Three take the numbers that Bia knows two other messages by.
    say_messages(&mut ana, 9..=11);
    let (bia, joined) = rollback.resume("Bia", &old, 8);
    assert_eq!(joined["reset"], true, "{joined}");
    assert_eq!((&joined["epoch"], seqs(&joined)), (&new, (1..=9).collect()));
    bia.leave();
    server.process.terminate();
    let _server = rollback.start();
    let (_, joined) = rollback.resume("Ana", &new, 9);
    assert_eq!(
        (&joined["epoch"], &joined["reset"]),
        (&new, &json!(false)),
        "{joined}"
    );
}

#[test]
fn false_claim_resets_only_its_sender() {
    let (rollback, _server, old) = log_that_went_back();
    let mut caio = rollback.connect();
    caio.enter("Caio");
    let (mut claimant, joined) = rollback.resume("Lia", &old, 1_000_000);
    let new = joined["epoch"].clone();
    assert_eq!(receive_reset(&mut caio)["epoch"], new);
    for _ in 0..2 {
        let claim = json!({"type": "join", "room": "geral", "epoch": new, "after": 1_000_000});
        claimant.send(claim);
        assert_eq!(receive_reset(&mut claimant)["epoch"], new);
    }
    // Presence aside, Caio hears nothing of it.
    caio.send(json!({"type": "ping"}));
    let next = caio.receive_where(|message| message["type"] != "presence");
    assert_eq!(next["type"], "pong", "{next}");
}
