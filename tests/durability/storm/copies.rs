//! Copies that are made with the server's own command while people talk.

use super::Storm;
use super::board::State;
use super::files::{StoredLog, read_copy};
use crate::support::process::Program;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

/// What a program ended with.
type Ended = (i32, String, String);

/// A copy that was made with the server's own command.
pub struct Copy {
    pub path: PathBuf,
    pub content: StoredLog,
}

impl Storm {
    /// Makes a copy beside all who talk. Gives back how much it must have at least.
    pub(super) fn start_copy(&mut self) -> (PathBuf, u64, JoinHandle<Ended>) {
        let path = self
            .dir
            .path()
            .join(format!("copia{}.db", self.tally.copies));
        let acked = self.board.get(State::acked_until);
        let mut program = self.program_on_log("copiar", &path);
        let copying = thread::spawn(move || program.run(""));
        (path, acked.max(self.judge.base_length() as u64), copying)
    }

    pub(super) fn finish_copy(&mut self, copying: (PathBuf, u64, JoinHandle<Ended>)) {
        let (path, least, copying) = copying;
        let (code, _, stderr) = copying.join().unwrap();
        assert_eq!(code, 0, "{stderr}");
        let content = read_copy(&path);
        assert!(content.is_copy, "a copy does not know that it is one");
        assert!(
            content.entries.len() as u64 >= least,
            "{} entries in the copy, and {least} were acknowledged before it began",
            content.entries.len()
        );
        self.tally.copies += 1;
        self.new_copy = Some(Copy { path, content });
    }

    /// A command of the server's command line, on the log.
    pub(super) fn program_on_log(&self, command: &str, file: &Path) -> Program {
        let mut program = Program::server(&[command]);
        program
            .command
            .arg(file)
            .arg("--historico")
            .arg(&self.files.log);
        program
    }
}
