//! A wall clock that was wrong once: nothing is erased on its word, and it dates nothing but its own messages.

use crate::harness::{kill, listening, server_on};
use crate::support::client::WsClient;
use crate::support::faketime::WrongClock;
use crate::support::process::{Program, ServerProcess};
use crate::support::server::ReservedPort;
use papo::history::sqlite::{self, Format};
use papo::name::RoomName;
use papo::protocol::Entry;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const DAY: Duration = Duration::from_hours(24);

/// Days from now until an entry's time, rounded.
fn days_off(at: u64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let off = at as i64 - now.as_millis() as i64;
    (off as f64 / DAY.as_millis() as f64).round() as i64
}

/// Says something in the lobby and returns how many days its time is off.
fn say(client: &mut WsClient, text: &str) -> i64 {
    let id = client.say(text);
    let ack = client.receive_where(|message| message["id"] == *id);
    assert_eq!(ack["type"], "ack", "{ack}");
    days_off(ack["at"].as_u64().unwrap())
}

/// The texts of the lobby.
fn stored_texts(history: &Path) -> Vec<String> {
    let mut json = Vec::new();
    let lobby = RoomName::lobby();
    sqlite::export(
        history,
        &lobby,
        Format::Json,
        time::UtcOffset::UTC,
        &mut json,
    )
    .unwrap();
    let lines = json.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice::<Entry>(line).unwrap().text)
        .collect()
}

fn start(program: &mut Program) -> ServerProcess {
    listening(program.spawn().unwrap())
}

#[test]
fn start_with_a_clock_800_days_ahead_erases_nothing() {
    let Some(clock) = WrongClock::new() else {
        return;
    };
    let dir = TempDir::new().unwrap();
    let history = dir.path().join("historico.db");
    let port = ReservedPort::new();
    let mut program = server_on(&port, &history);
    program.command.args(["--guardar", "30"]);
    clock.apply_to(&mut program);
    let mut expected = Vec::new();
    // Right, far ahead (twice, so that the second finds messages of its own time), and right again.
    for (life, offset) in ["+0", "+800d", "+800d", "+0"].into_iter().enumerate() {
        clock.set(offset);
        let mut server = start(&mut program);
        let mut ana = server.enter(&format!("Ana {life}"));
        let days = if offset == "+0" { 0 } else { 800 };
        for n in 0..20 {
            let text = format!("vida {life}, mensagem {n}");
            assert_eq!(say(&mut ana, &text), days);
            expected.push(text);
        }
        let log = server.process.stderr();
        let told = log.matches("está 800 dias").count();
        assert_eq!(
            told,
            usize::from(life == 1) + 2 * usize::from(life > 1),
            "told once in each life: {log}"
        );
        if life == 2 {
            kill(&mut server.process);
        } else {
            server.process.terminate();
        }
        assert_eq!(stored_texts(&history), expected, "life {life}");
    }
}

#[test]
fn message_from_the_future_dates_no_later_ones_after_a_restart_either() {
    let Some(clock) = WrongClock::new() else {
        return;
    };
    let dir = TempDir::new().unwrap();
    let history = dir.path().join("historico.db");
    let mut program = server_on(&ReservedPort::new(), &history);
    clock.apply_to(&mut program);
    let mut server = start(&mut program);
    let mut ana = server.enter("Ana");
    let mut offs = Vec::new();
    for offset in ["+0", "+800d", "+0", "-800d", "+0", "+3650d"] {
        clock.set(offset);
        offs.push(say(&mut ana, offset));
    }
    assert_eq!(offs, [0, 800, 0, -800, 0, 3650]);
    kill(&mut server.process);
    clock.set("+0");
    let server = start(&mut program);
    let mut bruno = server.enter("Bruno");
    assert_eq!(say(&mut bruno, "depois"), 0);
}
