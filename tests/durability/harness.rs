//! What the experiments share: the server on a reserved port, with its history in a file.

use crate::support::Deadline;
use crate::support::process::{Program, Running, ServerProcess};
use crate::support::raw::request;
use crate::support::server::ReservedPort;
use rustix::process::Signal;
use serde_json::Value;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

/// A server without a limit on the rate of messages.
pub fn server_on(port: &ReservedPort, history: &Path) -> Program {
    let port = port.address.port().to_string();
    let mut program = Program::server(&["--ritmo", "0", "--porta", &port, "--historico"]);
    program.command.arg(history);
    program
}

/// Ends a server with SIGKILL; it must not have ended by itself.
#[track_caller]
pub fn kill(process: &mut Running) {
    let signal = process.kill().signal();
    let killed = signal == Some(Signal::KILL.as_raw());
    assert!(killed, "the server ended by itself: {}", process.stderr());
}

/// Waits until a server listens.
#[track_caller]
pub fn listening(process: Running) -> ServerProcess {
    ServerProcess::wait_until_listening(process).expect("the server starts")
}

/// Waits until `/saude` says this; gives back its HTTP status and what it says.
#[track_caller]
pub fn wait_for_health(server: SocketAddr, status: &str) -> (u16, Value) {
    let deadline = Deadline::of_one_event();
    loop {
        let answer = request(server, b"GET /saude HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP response");
        let health: Value = serde_json::from_str(body).expect("JSON");
        if health["status"] == status {
            let code = head.split(' ').nth(1).expect("a status");
            return (code.parse().expect("a number"), health);
        }
        assert!(!deadline.is_over(), "{answer}");
    }
}
