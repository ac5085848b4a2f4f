//! Signals that do not end the programs, and log files that other programs rename.

use crate::support::Deadline;
use crate::support::client::WsClient;
use crate::support::process::{Program, ServerProcess};
use crate::support::server::TestServer;
use rustix::process::Signal;
use serde_json::json;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A server with a log file, which it leaves alone unless somebody acts.
struct LoggingServer {
    server: ServerProcess,
    moderator: WsClient,
    folder: TempDir,
}

impl LoggingServer {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let log = folder.path().join("papo.log");
        let options = ["--log", log.to_str().unwrap(), "--ritmo", "0"];
        let server = ServerProcess::start(&mut Program::server(&options));
        let mut started = Self {
            moderator: server.enter_as_moderator("Ana"),
            server,
            folder,
        };
        started.act();
        wait_until("the first line", || {
            started.log_text("papo.log").lines().count() == 1
        });
        started
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log_text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Something that is logged.
    fn act(&mut self) {
        self.moderator
            .send(json!({"type": "moderate", "act": "lock"}));
        self.moderator.ping();
    }

    fn mode(&self, name: &str) -> u32 {
        mode(&self.path(name))
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[track_caller]
fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Deadline::of_one_event();
    while !happened() {
        assert!(!deadline.is_over(), "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn sighup_reopens_the_renamed_log_at_its_path() {
    let mut started = LoggingServer::start();
    fs::rename(started.path("papo.log"), started.path("papo.log.1")).unwrap();
    started.server.process.signal(Signal::HUP);
    // Nothing was written meanwhile: only the signal brings the file back.
    wait_until("the new file", || started.path("papo.log").exists());
    started.act();
    wait_until("a line", || started.log_text("papo.log").contains("Ana"));
    assert_eq!(started.log_text("papo.log.1").lines().count(), 1);
    started.server.process.terminate();
}

#[test]
fn renamed_or_deleted_log_is_noticed_without_a_signal() {
    let mut started = LoggingServer::start();
    fs::rename(started.path("papo.log"), started.path("papo.log.1")).unwrap();
    wait_until("the file after a rename", || {
        started.act();
        started.log_text("papo.log").contains("Ana")
    });
    fs::remove_file(started.path("papo.log")).unwrap();
    wait_until("the file after a deletion", || {
        started.act();
        started.log_text("papo.log").contains("Ana")
    });
    started.server.process.terminate();
}

#[test]
fn log_is_private_and_an_existing_one_keeps_its_mode() {
    let started = LoggingServer::start();
    assert_eq!(started.mode("papo.log"), 0o600);
    let log = started.path("outro.log");
    fs::write(&log, "").unwrap();
    fs::set_permissions(&log, Permissions::from_mode(0o640)).unwrap();
    let mut program = Program::server(&["--log", log.to_str().unwrap()]);
    ServerProcess::start(&mut program).process.terminate();
    assert_eq!(mode(&log), 0o640);
}

/// `nohup servidor &`, and then the session ends; a script's background job, and then Ctrl+C in the terminal.
#[test]
fn signal_ignored_at_the_start_does_not_stop_the_server() {
    for (name, signal) in [("HUP", Signal::HUP), ("INT", Signal::INT)] {
        let mut program = Program::server(&[]);
        program.wrap_in_shell(&format!("trap '' {name}; "), "");
        let mut server = ServerProcess::start(&mut program);
        let mut ana = server.enter("Ana");
        server.process.signal(signal);
        ana.say_acked("sigo aqui");
        // A second signal to end would not end it in order.
        server.process.terminate();
    }
}

#[test]
fn sighup_without_a_log_file_stops_the_server_in_order() {
    let mut server = ServerProcess::start(&mut Program::server(&[]));
    server.process.signal(Signal::HUP);
    let (code, rest) = server.process.wait();
    assert_eq!(code, 0);
    assert!(rest.ends_with("Até logo.\n"), "{rest}");
}

#[test]
fn signal_ignored_at_the_start_does_not_end_the_client() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    for (name, signal) in [("HUP", Signal::HUP), ("INT", Signal::INT)] {
        let options = ["--nome", "Bia", "--ficar", &server.address.to_string()];
        let mut program = Program::client(&options);
        program.wrap_in_shell(&format!("trap '' {name}; "), "");
        let mut bia = program.spawn().unwrap();
        ana.receive_where(|message| message["joined"][0]["name"] == "Bia");
        bia.signal(signal);
        ana.say("ainda está aí?");
        assert!(bia.next_line().ends_with("\tAna\tainda está aí?"));
        bia.signal(Signal::TERM);
        assert_eq!(bia.wait().0, 143);
        ana.receive_where(|message| message["left"][0]["name"] == "Bia");
    }
}
