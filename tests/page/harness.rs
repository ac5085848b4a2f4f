//! Servers for the page: in this process, and as a process in a folder with the page's files.

use crate::support::process::{Program, ServerProcess};
use crate::support::server::{ONE_HOUR, ReservedPort, TestServer, without_rate};
use papo::server::Setup;
use std::time::Duration;
use tempfile::TempDir;

/// Set-up: limits so generous that a test's client may leave messages unread.
pub fn generous(setup: &mut Setup) {
    let limits = &mut setup.delivery_limits;
    limits.max_outbox_bytes = 64 * 1024 * 1024;
    limits.max_total_outbox_bytes = 256 * 1024 * 1024;
    limits.stall_timeout = ONE_HOUR;
    limits.ping_after = Duration::from_secs(20);
    limits.dead_after = ONE_HOUR;
    limits.closing_timeout = Duration::from_millis(500);
}

/// A server with generous limits and none on the rate of messages.
pub fn start_server() -> TestServer {
    TestServer::start_with(|setup| {
        generous(setup);
        without_rate(setup);
    })
}

/// The server as a process that runs in this folder and keeps its history there.
pub fn start_process(port: &ReservedPort, folder: &TempDir, options: &[&str]) -> ServerProcess {
    let port = port.address.port().to_string();
    let mut program = Program::server(&["--porta", &port, "--historico", "h.db"]);
    program.command.args(options).current_dir(folder.path());
    ServerProcess::start(&mut program)
}
