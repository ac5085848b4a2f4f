//! The real `cliente` in pipes: the wire's own messages, servers that come late or break off, and streams that are closed.

use crate::support::Deadline;
use crate::support::fake_server::FakeServer;
use crate::support::network::Network;
use crate::support::process::{CLIENT_PATH, Program};
use crate::support::server::{ReservedPort, TestServer, without_rate};
use rustix::process::Signal;
use serde_json::json;
use std::net::SocketAddr;
use std::process::Command;

fn client(options: &[&str], server: SocketAddr) -> Program {
    Program::client(&[options, &[&server.to_string()]].concat())
}

#[test]
fn json_output_is_the_wire_without_the_token() {
    let server = TestServer::start();
    let options = ["--nome", "robô", "--json", "--sala", "avisos"];
    let (code, lines, stderr) = client(&options, server.address).run("backup pronto\n");
    assert_eq!((code, stderr.as_str()), (0, ""));
    let messages: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kinds: Vec<&str> = messages
        .iter()
        .filter_map(|message| message["type"].as_str())
        .collect();
    assert_eq!(kinds, ["welcome", "joined", "ack"]);
    assert_eq!(
        (messages[0]["token"].as_str(), messages[1]["room"].as_str()),
        (None, Some("avisos"))
    );
}

#[test]
fn persistent_client_waits_for_a_late_server() {
    let port = ReservedPort::new();
    let options = ["--nome", "robô", "--insistir", "--ficar", "--json"];
    let mut robot = client(&options, port.address).spawn().unwrap();
    let _server = TestServer::start_on(port.address, |_| {});
    let line = robot.next_line();
    assert!(line.contains("\"type\":\"welcome\""), "{line}");
}

#[test]
fn unwritable_output_exits_with_code_1() {
    let server = TestServer::start();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut robot = client(&["--nome", "robô"], server.address);
    robot.command.stdout(full);
    let (code, _, stderr) = robot.run("oi\n");
    assert_eq!(
        (code, stderr.as_str()),
        (
            1,
            "Não consegui escrever a saída. Confira o espaço em disco.\n"
        )
    );
}

/// `seq 60 | cliente | head -1` used to send what fitted into three seconds, and to blame the connection.
#[test]
fn closed_output_stops_no_line_of_the_input() {
    let server = TestServer::start();
    let mut rita = server.enter("Rita");
    let (reader, output) = std::io::pipe().unwrap();
    drop(reader);
    let mut robot = client(&["--nome", "robô"], server.address);
    robot.command.stdout(output);
    let lines: String = (1..=40).map(|number| format!("{number}\n")).collect();
    let (code, _, stderr) = robot.run(&lines);
    assert_eq!((code, stderr.as_str()), (0, ""));
    for number in 1..=40 {
        rita.wait_for_text(&number.to_string());
    }
}

/// With nobody to read, `--ficar` has nothing to stay for.
#[test]
fn closed_output_ends_a_listener() {
    let server = TestServer::start();
    let mut rita = server.enter("Rita");
    let options = ["--nome", "robô", "--ficar", "--json"];
    let mut robot = client(&options, server.address).spawn().unwrap();
    robot.next_line();
    robot.close_stdout();
    rita.say_acked("para ninguém");
    assert_eq!(robot.wait().0, 0);
}

#[test]
fn disconnect_before_ack_exits_with_code_5() {
    let fake_server = FakeServer::listen();
    let address = fake_server.address;
    let server = std::thread::spawn(move || {
        let say = fake_server.accept(json!({})).receive("say");
        assert!(say.is_some());
    });
    let (code, output, stderr) = client(&["--nome", "robô"], address).run("oi\n");
    server.join().unwrap();
    assert_eq!((code, output.as_str()), (5, ""));
    assert_eq!(
        stderr,
        format!("A conexão com {address} caiu.\n1 mensagem não foi enviada.\n")
    );
}

/// All three used to be told as Ctrl+C.
#[test]
fn signal_decides_the_exit_code() {
    let server = TestServer::start();
    let options = ["--nome", "robô", "--ficar", "--json"];
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut robot = client(&options, server.address).spawn().unwrap();
        robot.next_line();
        robot.signal(signal);
        assert_eq!(robot.wait().0, code);
    }
}

/// The `bye` arrives, and then every write fails: a client that stops reading there never shows the reason.
#[test]
fn bye_is_read_after_writes_start_to_fail() {
    let fake_server = FakeServer::listen();
    let address = fake_server.address;
    let server = std::thread::spawn(move || {
        let mut conn = fake_server.accept(json!({}));
        conn.receive("say");
        // Lines that are never read make the end of this connection a hard one.
        conn.send(json!({"type": "bye", "code": "kicked", "text": "Até outro dia."}));
    });
    let lines: String = (0..1000)
        .map(|number| format!("linha {number}\n"))
        .collect();
    let (code, _, stderr) = client(&["--nome", "robô"], address).run(&lines);
    server.join().unwrap();
    assert_eq!(code, 4);
    assert!(stderr.starts_with("Até outro dia.\n"), "{stderr}");
}

#[test]
fn client_works_without_a_writable_state_dir() {
    let server = TestServer::start();
    let mut robot = client(&["--nome", "robô"], server.address);
    let state = robot.dir().join("state");
    // A file in place of the folder stops even root, whom no mode stops.
    std::fs::write(&state, "").unwrap();
    for state in [None, Some(state)] {
        match state {
            None => robot.command.env_remove("XDG_STATE_HOME"),
            Some(file) => robot.command.env("XDG_STATE_HOME", file),
        };
        let (code, output, stderr) = robot.run("oi\n");
        assert_eq!((code, stderr.as_str()), (0, ""));
        assert!(output.ends_with("\trobô\toi\n"), "{output}");
    }
}

#[test]
fn closed_standard_streams_are_no_error() {
    let server = TestServer::start();
    for closed in ["<&-", ">&- </dev/null", "2>&- </dev/null"] {
        let line = format!(
            "exec '{CLIENT_PATH}' --nome robô {} {closed}",
            server.address
        );
        let output = Command::new("/bin/sh")
            .args(["-c", &line])
            .env_clear()
            .output()
            .unwrap();
        assert_eq!(
            (
                output.status.code(),
                output.stdout.len(),
                output.stderr.len()
            ),
            (Some(0), 0, 0),
            "{closed}"
        );
    }
}

/// The text of a line: what stands behind its time and its sender.
fn message_text(line: &str) -> &str {
    line.trim_end().splitn(3, '\t').nth(2).unwrap_or(line)
}

#[test]
fn clients_agree_after_repeated_disconnects() {
    let server = TestServer::start_with(without_rate);
    let near = Network::cutting(server.address, &[900, 3000, 9000]);
    let far = Network::cutting(server.address, &[2500, 6000]);
    let options = ["--nome", "Bia", "--insistir", "--ficar"];
    let mut listener = client(&options, far.address).spawn().unwrap();
    // A script gets what is said after it has entered, so it must have entered.
    let deadline = Deadline::of_one_event();
    let mut asking = client(&["--nome", "Rita"], server.address);
    while !asking.run("/quem\n").1.contains("Bia") {
        assert!(!deadline.is_over(), "the listener never comes");
    }
    let lines: Vec<String> = (0..400).map(|number| format!("linha {number}")).collect();
    let options = ["--nome", "robô", "--insistir"];
    let (code, own, _) = client(&options, near.address).run(&(lines.join("\n") + "\n"));
    assert_eq!(code, 0);
    assert_eq!(own.lines().map(message_text).collect::<Vec<_>>(), lines);
    let received: Vec<String> = lines
        .iter()
        .map(|_| message_text(&listener.next_line()).to_owned())
        .collect();
    assert_eq!(received, lines);
}

#[test]
fn json_output_keeps_the_wire_shapes() {
    let fake_server = FakeServer::listen();
    let address = fake_server.address;
    let member = json!({"name": "João", "tag": "j"});
    let wire = [
        json!({"type": "message", "room": "geral", "seq": 1, "at": 5, "from": "João", "tag": "j", "text": "um\n\u{1b}[2J",
            "action": true, "reply_to": 7}),
        json!({"type": "message", "room": "geral", "seq": 2, "at": 6, "from": "João", "tag": "j", "text": "🙂"}),
        json!({"type": "presence", "room": "geral", "online": 2, "joined": [member], "left": [member],
            "renamed": [{"from": "Rita", "to": "Zoé", "tag": "z"}]}),
        json!({"type": "whisper", "from": "João", "tag": "j", "to": "Ana", "at": 7, "text": "psiu"}),
        json!({"type": "typing", "room": "geral", "name": "João"}),
        json!({"type": "found", "room": "geral", "query": "x", "entries": [], "more": false}),
        json!({"type": "rooms", "rooms": [{"room": "geral", "online": 2, "seq": 2, "password": false}]}),
        json!({"type": "room_state", "room": "geral", "moderators_only": true, "slow_ms": 30000, "password": true,
            "locked": true, "muted_until": 9}),
        json!({"type": "pong"}),
        json!({"type": "error", "code": "forbidden", "text": "Não."}),
        json!({"type": "bye", "code": "kicked", "text": "Até."}),
    ];
    let sent = wire.clone();
    let server = std::thread::spawn(move || {
        let mut conn = fake_server.accept(json!({}));
        sent.into_iter().for_each(|message| conn.send(message));
    });
    let options = ["--nome", "Ana", "--json", "--ficar"];
    let (code, output, _) = client(&options, address).run("");
    server.join().unwrap();
    assert_eq!(code, 4);
    assert!(!output.contains('\u{1b}'));
    let lines: Vec<serde_json::Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[2..], wire, "after welcome and joined");
}
