//! Copies that are stopped in the middle, by the real program: they leave nothing, or what the next one removes.

use crate::full_disk::SmallDisk;
use crate::support::Deadline;
use crate::support::process::{Program, Running};
use papo::history::sqlite::SqliteHistory;
use rusqlite::Connection;
use rustix::process::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A history that grows until its copy takes long enough to be stopped in the middle.
struct LargeHistory {
    dir: TempDir,
    megabytes: u32,
}

impl LargeHistory {
    fn new() -> Self {
        let history = Self {
            dir: TempDir::new().unwrap(),
            megabytes: 0,
        };
        drop(SqliteHistory::open(&history.path(), None).unwrap());
        history.grow_to(32)
    }

    fn grow_to(mut self, megabytes: u32) -> Self {
        let connection = Connection::open(self.path()).unwrap();
        let insert = "INSERT INTO meta (name, value) VALUES (?1, printf('%.*c', 1000000, 'x'))";
        connection.execute_batch("BEGIN").unwrap();
        for n in self.megabytes..megabytes {
            connection.execute(insert, [format!("{n}")]).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        self.megabytes = megabytes;
        self
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("historico.db")
    }

    fn target(&self) -> PathBuf {
        self.dir.path().join("copia.db")
    }

    /// The files of the copy that are there, sorted.
    fn copies(&self) -> Vec<String> {
        let names = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut copies: Vec<String> = names.filter(|name| name.starts_with("copia")).collect();
        copies.sort();
        copies
    }

    fn copy(&self) -> Program {
        let mut program = Program::server(&["--copia"]);
        program.command.arg(self.target());
        program.command.arg("--historico").arg(self.path());
        program
    }

    /// Stops a copy in the middle and returns what became of it; a copy that was too fast is tried again with more.
    fn stop_copy<T>(mut self, stop: impl Fn(&mut Running) -> T) -> (Self, T) {
        let deadline = Deadline::of_one_event();
        loop {
            let mut process = self.copy().spawn().unwrap();
            let temporary = self.dir.path().join("copia.db.copiando");
            if is_being_written(&temporary, &mut process) {
                let stopped = stop(&mut process);
                if !self.target().exists() {
                    return (self, stopped);
                }
            }
            deadline.left();
            fs::remove_file(self.target()).unwrap();
            let more = self.megabytes * 2;
            self = self.grow_to(more);
        }
    }
}

/// Waits until the copy has begun; false when the program has ended before.
fn is_being_written(temporary: &Path, process: &mut Running) -> bool {
    let deadline = Deadline::of_one_event();
    while process.is_running() {
        if temporary.metadata().is_ok_and(|file| file.len() > 0) {
            return true;
        }
        deadline.left();
        std::thread::yield_now();
    }
    false
}

#[test]
fn copy_stopped_by_a_signal_leaves_nothing() {
    let mut history = LargeHistory::new();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let ended;
        (history, ended) = history.stop_copy(|process| {
            process.signal(signal);
            (process.wait().0, process.stderr())
        });
        let sentence = format!(
            "Cópia cancelada: nada ficou em {}.\n",
            history.target().display()
        );
        assert_eq!(ended, (1, sentence), "{signal:?}");
        assert_eq!(history.copies(), Vec::<String>::new(), "{signal:?}");
    }
}

#[test]
fn copy_to_a_disk_that_is_too_small_says_how_much_is_missing() {
    let Some(disk) = SmallDisk::mount(2048) else {
        return;
    };
    let history = LargeHistory::new();
    let target = disk.file("copia.db");
    let mut program = Program::server(&["--copia"]);
    program.command.arg(&target);
    program.command.arg("--historico").arg(history.path());
    let (code, _, stderr) = program.run("");
    let sentence = format!(
        "Faltam 31 MB no disco para a cópia {}. Libere espaço ou escolha outro lugar.\n",
        target.display()
    );
    assert_eq!((code, stderr), (1, sentence));
    assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 0);
}

#[test]
fn copy_after_a_killed_one_is_whole_and_alone() {
    let (history, ()) = LargeHistory::new().stop_copy(|process| {
        process.kill();
    });
    assert_eq!(history.copies()[0], "copia.db.copiando");
    let (code, stdout, stderr) = history.copy().run("");
    assert_eq!((code, stderr.as_str()), (0, ""));
    let expected = format!(
        "0 mensagens copiadas para {}.\n",
        history.target().display()
    );
    assert_eq!(stdout, expected);
    assert_eq!(history.copies(), ["copia.db"]);
    let (code, _, stderr) = history.copy().run("");
    assert_eq!(code, 1);
    assert!(stderr.contains("já existe. Escolha outro nome"), "{stderr}");
}
