//! What the experiments share: the server on a reserved port, with its history in a file.

use crate::support::process::{Program, Running, ServerProcess};
use crate::support::server::ReservedPort;
use rustix::process::Signal;
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
