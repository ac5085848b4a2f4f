//! A history in a folder of its own, and the real program that serves, copies and restores it.

use crate::harness::{listening, server_on};
use crate::support::Deadline;
use crate::support::client::WsClient;
use crate::support::process::{Program, ServerProcess};
use crate::support::server::ReservedPort;
use papo::history::sqlite::{Format, export};
use papo::name::RoomName;
use papo::protocol::Entry;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A server on a port of its own and its history, in a folder of its own.
pub struct LogHarness {
    dir: TempDir,
    pub port: ReservedPort,
}

impl LogHarness {
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        fs::create_dir(dir.path().join("conversa")).unwrap();
        Self {
            dir,
            port: ReservedPort::new(),
        }
    }

    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("conversa")
    }

    /// The history; with a suffix a file beside it.
    pub fn log(&self, suffix: &str) -> PathBuf {
        self.folder().join(format!("historico.db{suffix}"))
    }

    /// Another file, which the server does not know.
    pub fn other(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn start(&self) -> ServerProcess {
        listening(server_on(&self.port, &self.log("")).spawn().unwrap())
    }

    /// Runs a command of `servidor` on the history and expects that it succeeds.
    pub fn run(&self, command: &str, copy: &Path) -> String {
        let (code, stdout, stderr) = self.program(command, copy).run("");
        assert_eq!((code, &*stderr), (0, ""), "{command}");
        stdout
    }

    pub fn program(&self, command: &str, copy: &Path) -> Program {
        let mut program = Program::server(&[command]);
        program.command.arg(copy);
        program.command.arg("--historico").arg(self.log(""));
        program
    }

    /// The texts in the lobby's log.
    pub fn texts(&self) -> Vec<String> {
        texts_in(&self.log(""))
    }
}

pub fn texts_in(log: &Path) -> Vec<String> {
    let mut json = Vec::new();
    export(
        log,
        &RoomName::lobby(),
        Format::Json,
        time::UtcOffset::UTC,
        &mut json,
    )
    .unwrap();
    let lines = json
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice::<Entry>(line).unwrap().text)
        .collect()
}

pub fn say_times(client: &mut WsClient, prefix: &str, times: usize) -> Vec<String> {
    let texts: Vec<String> = (0..times).map(|n| format!("{prefix} {n}")).collect();
    texts.iter().for_each(|text| client.say_acked(text));
    texts
}

/// Sends a message that must be refused, and gives back its id for another try.
#[track_caller]
pub fn say_refused(client: &mut WsClient, text: &str) -> String {
    let id = client.say(text);
    let answer = client.receive_where(|message| message["id"] == *id);
    assert_eq!(answer["code"], "history_unavailable", "{answer}");
    id
}

/// Waits until the server has written this to stderr; gives back all that it has written.
#[track_caller]
pub fn wait_for_stderr(server: &ServerProcess, text: &str) -> String {
    let deadline = Deadline::of_one_event();
    loop {
        let written = server.process.stderr();
        if written.contains(text) {
            return written;
        }
        assert!(!deadline.is_over(), "{written}");
        std::thread::yield_now();
    }
}
