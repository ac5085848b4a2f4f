//! The real `cliente` in pipes: the wire's own messages, and a server that comes late.

use crate::harness::{CuttingProxy, FakeServer, TestServer};
use crate::paths::new_path;
use crate::port::Port;
use crate::pty::DEADLINE;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Instant;

fn client_command(arguments: &[&str], server: SocketAddr) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cliente"));
    command.args(arguments).arg(server.to_string()).env_clear();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn json_output_is_the_wire_without_the_token() {
    let server = TestServer::start();
    let mut child = client_command(
        &["--nome", "robô", "--json", "--sala", "avisos"],
        server.address,
    )
    .spawn()
    .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"backup pronto\n")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );
    let lines = String::from_utf8(output.stdout).unwrap();
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
    let port = Port::reserve();
    let arguments = ["--nome", "robô", "--insistir", "--ficar", "--json"];
    let mut child = client_command(&arguments, port.address).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let _server = TestServer::start_on(port.address);
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.contains("\"type\":\"welcome\""), "{line}");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Runs a client to its end; gives back its code, what it wrote, and what it said of it.
fn run_to_end(command: &mut Command, input: &str) -> (Option<i32>, String, String) {
    let mut child = command.spawn().unwrap();
    // Whoever ends early does not read everything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn unwritable_output_exits_with_code_1() {
    let server = TestServer::start();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let (code, _, words) = run_to_end(
        client_command(&["--nome", "robô"], server.address).stdout(full),
        "oi\n",
    );
    assert_eq!(
        (code, words.as_str()),
        (
            Some(1),
            "Não consegui escrever a saída. Confira o espaço em disco.\n"
        )
    );
}

#[test]
fn disconnect_before_ack_exits_with_code_5() {
    let (fake_server, address) = FakeServer::listen();
    let server = std::thread::spawn(move || drop(fake_server.welcome().receive()));
    let (code, output, words) =
        run_to_end(&mut client_command(&["--nome", "robô"], address), "oi\n");
    server.join().unwrap();
    assert_eq!((code, output.as_str()), (Some(5), ""));
    assert_eq!(
        words,
        format!("A conexão com {address} caiu.\n1 mensagem não foi enviada.\n")
    );
}

#[test]
fn ctrl_c_exits_with_code_130() {
    let server = TestServer::start();
    let mut child = client_command(&["--nome", "robô", "--ficar", "--json"], server.address)
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// The server's last words arrive, and then every write fails: whoever stops reading there never learns why.
#[test]
fn bye_is_read_after_writes_start_to_fail() {
    let (fake_server, address) = FakeServer::listen();
    let server = std::thread::spawn(move || {
        let mut conn = fake_server.welcome();
        conn.receive();
        // Lines that are never read make the end of this connection a hard one.
        conn.send(json!({"type": "bye", "code": "kicked", "text": "Até outro dia."}));
    });
    let lines: String = (0..1000)
        .map(|number| format!("linha {number}\n"))
        .collect();
    let (code, _, words) = run_to_end(&mut client_command(&["--nome", "robô"], address), &lines);
    server.join().unwrap();
    assert_eq!(code, Some(4));
    assert!(words.starts_with("Até outro dia.\n"), "{words}");
}

#[test]
fn client_works_without_a_writable_state_dir() {
    let server = TestServer::start();
    let state = new_path("pipes");
    // A file where the folder should be refuses even those whom no mode refuses.
    std::fs::write(&state, "").unwrap();
    for home in [None, Some(&state)] {
        let mut command = client_command(&["--nome", "robô"], server.address);
        home.map(|home| command.env("XDG_STATE_HOME", home));
        let (code, output, words) = run_to_end(&mut command, "oi\n");
        assert_eq!((code, words.as_str()), (Some(0), ""));
        assert!(output.ends_with("\trobô\toi\n"), "{output}");
    }
    std::fs::remove_file(&state).unwrap();
}

#[test]
fn closed_standard_streams_are_no_error() {
    let server = TestServer::start();
    for closed in ["<&-", ">&- </dev/null", "2>&- </dev/null"] {
        let line = format!(
            "exec '{}' --nome robô {} {closed}",
            env!("CARGO_BIN_EXE_cliente"),
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
    let server = TestServer::start_unlimited();
    let near = CuttingProxy::start(server.address, &[900, 3000, 9000]);
    let far = CuttingProxy::start(server.address, &[2500, 6000]);
    let mut listener = client_command(&["--nome", "Bia", "--insistir", "--ficar"], far)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut heard = BufReader::new(listener.stdout.take().unwrap()).lines();
    // A script is told what is said from its coming on, so it must have come.
    let until = Instant::now() + DEADLINE;
    while !run_to_end(
        &mut client_command(&["--nome", "Rita"], server.address),
        "/quem\n",
    )
    .1
    .contains("Bia")
    {
        assert!(Instant::now() < until, "the listener never comes");
    }
    let lines: Vec<String> = (0..400).map(|number| format!("linha {number}")).collect();
    let (code, own, _) = run_to_end(
        &mut client_command(&["--nome", "robô", "--insistir"], near),
        &(lines.join("\n") + "\n"),
    );
    assert_eq!(code, Some(0));
    assert_eq!(own.lines().map(message_text).collect::<Vec<_>>(), lines);
    let heard: Vec<String> = heard
        .by_ref()
        .map(|line| message_text(&line.unwrap()).to_owned())
        .take(lines.len())
        .collect();
    assert_eq!(heard, lines);
    listener.kill().unwrap();
    listener.wait().unwrap();
}

#[test]
fn json_output_keeps_the_wire_shapes() {
    let (fake_server, address) = FakeServer::listen();
    let who = json!({"name": "João", "tag": "j"});
    let wire = [
        json!({"type": "message", "room": "geral", "seq": 1, "at": 5, "from": "João", "tag": "j", "text": "um\n\u{1b}[2J",
            "action": true, "reply_to": 7}),
        json!({"type": "message", "room": "geral", "seq": 2, "at": 6, "from": "João", "tag": "j", "text": "🙂"}),
        json!({"type": "presence", "room": "geral", "online": 2, "joined": [who], "left": [who],
            "renamed": [{"from": "Rita", "to": "Zoé", "tag": "z"}]}),
        json!({"type": "whisper", "from": "João", "tag": "j", "to": "Ana", "at": 7, "text": "psiu"}),
        json!({"type": "typing", "room": "geral", "name": "João"}),
        json!({"type": "found", "room": "geral", "query": "x", "entries": [], "more": false}),
        json!({"type": "rooms", "rooms": [{"room": "geral", "online": 2, "seq": 2}]}),
        json!({"type": "pong"}),
        json!({"type": "error", "code": "forbidden", "text": "Não."}),
        json!({"type": "bye", "code": "kicked", "text": "Até."}),
    ];
    let told = wire.clone();
    let server = std::thread::spawn(move || {
        let mut conn = fake_server.welcome();
        told.into_iter().for_each(|message| conn.send(message));
    });
    let (code, output, _) = run_to_end(
        &mut client_command(&["--nome", "Ana", "--json", "--ficar"], address),
        "",
    );
    server.join().unwrap();
    assert_eq!(code, Some(4));
    assert!(!output.contains('\u{1b}'));
    let lines: Vec<serde_json::Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[2..], wire, "after welcome and joined");
}
