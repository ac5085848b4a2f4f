//! The real `cliente` in pipes: the wire's own messages, and a server that comes late.

use crate::server::TestServer;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};

fn cliente(arguments: &[&str], server: SocketAddr) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cliente"));
    command.args(arguments).arg(server.to_string()).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn json_is_what_the_wire_says_without_the_secret() {
    let server = TestServer::start();
    let mut child = cliente(&["--nome", "robô", "--json", "--sala", "avisos"], server.address).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"backup pronto\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    let lines = String::from_utf8(output.stdout).unwrap();
    let messages: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = messages.iter().filter_map(|message| message["type"].as_str()).collect();
    assert_eq!(kinds, ["welcome", "joined", "ack"]);
    assert_eq!((messages[0]["token"].as_str(), messages[1]["room"].as_str()), (None, Some("avisos")));
}

#[test]
fn who_insists_waits_for_a_server_that_comes_late() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let arguments = ["--nome", "robô", "--insistir", "--ficar", "--json"];
    let mut child = cliente(&arguments, address).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let _server = TestServer::start_on(address);
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.contains("\"type\":\"welcome\""), "{line}");
    child.kill().unwrap();
    child.wait().unwrap();
}
