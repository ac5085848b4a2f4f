//! A disk that does not answer: another program holds the history's file, so that nothing can be written.
//!
//! What waits for it is refused after two seconds, and was not taken; nothing else waits, and memory stays bounded.

use crate::harness::{listening, server_on, wait_for_health};
use crate::support::patience;
use crate::support::process::ServerProcess;
use crate::support::raw::{TEXT, handshake_and_enter, send, write_frame};
use crate::support::server::ReservedPort;
use papo::history::MAX_WAIT;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;
use tempfile::TempDir;

/// Connections that flood the server at the same time, with as many messages as each may have in flight.
const FLOODERS: usize = 200;
const IN_FLIGHT: usize = 32;
/// The longest message: 4,000 characters of 4 bytes each.
const LONGEST_TEXT: usize = 4_000;
/// Most that a stall may cost: 32 MiB that wait, half as much in the hub's queue, and the readers' buffers. The flood is
/// 100 MiB.
const MAX_GROWTH_KIB: u64 = 80 * 1024;

struct StalledDisk {
    server: ServerProcess,
    history: PathBuf,
    _folder: TempDir,
    _port: ReservedPort,
}

impl StalledDisk {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let history = folder.path().join("historico.db");
        let port = ReservedPort::new();
        let server = listening(server_on(&port, &history).spawn().unwrap());
        Self {
            server,
            history,
            _folder: folder,
            _port: port,
        }
    }

    /// Stalls every write until the connection is dropped.
    fn stall(&self) -> Connection {
        let connection = Connection::open(&self.history).unwrap();
        connection.busy_timeout(patience()).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        connection
    }
}

fn say(id: &str, text: &str) -> Value {
    json!({"type": "say", "room": "geral", "id": id, "text": text})
}

#[test]
fn stalled_disk_refuses_within_seconds_and_heals() {
    let disk = StalledDisk::start();
    let mut ana = disk.server.enter("Ana");
    ana.say_acked("antes");
    let stall = disk.stall();
    let since = Instant::now();
    ana.send(say("x1", "durante"));
    // Nobody waits for the disk but Ana's message.
    ana.ping();
    let mut bruno = disk.server.enter("Bruno");
    bruno.send(json!({"type": "join", "room": "outra"}));
    bruno.receive_where(|message| message["type"] == "joined" && message["room"] == "outra");
    let refused = ana.receive_where(|message| message["id"] == "x1");
    assert_eq!(refused["code"], "history_unavailable", "{refused}");
    assert!(since.elapsed() >= MAX_WAIT);
    wait_for_health(disk.server.address, "degraded");
    drop(stall);
    let (status, _) = wait_for_health(disk.server.address, "ok");
    assert_eq!(status, 200);
    ana.send(say("x1", "durante"));
    let ack = ana.receive_where(|message| message["id"] == "x1");
    assert_eq!(
        (&ack["seq"], &ack["duplicate"]),
        (&json!(2), &json!(null)),
        "{ack}"
    );
    bruno.wait_for_text("durante");
}

/// As many of the longest messages as a connection may have in flight.
fn longest_messages() -> Vec<u8> {
    let text = "😀".repeat(LONGEST_TEXT);
    let mut frames = Vec::new();
    for message in 0..IN_FLIGHT {
        let say = say(&message.to_string(), &text).to_string();
        write_frame(&mut frames, TEXT, say.as_bytes());
    }
    frames
}

/// Enters, sends these messages at once, and reads until each of them was refused.
fn flood(address: SocketAddr, number: usize, messages: &[u8]) {
    const REFUSAL: &[u8] = b"history_unavailable";
    let enter = handshake_and_enter(&format!("pessoa {number}"));
    let mut socket = send(address, &[&enter, messages].concat());
    let mut received = Vec::new();
    let refused = |received: &[u8]| {
        let windows = received.windows(REFUSAL.len());
        windows.filter(|&window| window == REFUSAL).count()
    };
    while refused(&received) < IN_FLIGHT {
        let mut buffer = [0; 16 * 1024];
        let read = socket.read(&mut buffer).unwrap();
        assert!(read > 0, "closed after {} refusals", refused(&received));
        received.extend_from_slice(&buffer[..read]);
    }
}

#[test]
fn stalled_disk_costs_bounded_memory() {
    let mut disk = StalledDisk::start();
    let address = disk.server.address;
    let before = disk.server.stats().peak_kib;
    let stall = disk.stall();
    let messages = longest_messages();
    std::thread::scope(|scope| {
        for number in 0..FLOODERS {
            let messages = &messages;
            scope.spawn(move || flood(address, number, messages));
        }
    });
    let growth = disk.server.stats().peak_kib - before;
    println!("a stalled disk under a flood: {} MiB", growth / 1024);
    assert!(growth < MAX_GROWTH_KIB, "{growth} KiB");
    drop(stall);
    wait_for_health(disk.server.address, "ok");
    disk.server.enter("Ana").say_acked("de novo");
    disk.server.assert_healthy();
}
