//! The program under test as a process of its own, on one core, measured from outside.

use super::proc::{cpu_time, proc_dir_of, raise_descriptors, status_kib};
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_setaffinity};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The core of the program under test, and that of the benchmark.
const SUBJECT_CORE: usize = 0;
const OWN_CORE: usize = 1;
/// Where the history is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// `--historico nenhum`.
    Memory,
    /// A fresh file on the disk of the build directory.
    Disk,
}

impl Storage {
    /// Its name in the tables.
    pub fn label(self) -> &'static str {
        match self {
            Self::Memory => "none",
            Self::Disk => "file",
        }
    }
}

/// A running program under test.
pub struct Subject {
    child: Child,
    pub address: SocketAddr,
    proc_dir: PathBuf,
    folder: Option<TempDir>,
}

impl Subject {
    /// Starts the real server, without a limit on the rate and with all the others.
    pub fn server(storage: Storage) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_servidor"));
        command.args(["--porta", "0", "--ritmo", "0", "--max-conexoes", "12000"]);
        let folder = (storage == Storage::Disk).then(new_folder);
        match &folder {
            Some(folder) => command.arg("--historico").arg(history_in(folder)),
            None => command.args(["--historico", "nenhum"]),
        };
        Self::start(command, folder)
    }

    /// Starts a program that prints `localhost:<port>` once it listens.
    pub fn start(mut command: Command, folder: Option<TempDir>) -> Self {
        raise_descriptors();
        // A child inherits the cores of its parent.
        pin_to_core(SUBJECT_CORE);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        pin_to_core(OWN_CORE);
        let mut child = child.expect("the program under test can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is a pipe")).lines();
        let port = loop {
            let line = lines
                .next()
                .expect("it prints where it listens")
                .expect("its output is text");
            if let Some((_, rest)) = line.split_once("localhost:") {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                break digits.parse::<u16>().expect("a port");
            }
        };
        Self {
            proc_dir: proc_dir_of(child.id()),
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            folder,
        }
    }

    /// Processor time used so far, by all its threads.
    pub fn cpu(&self) -> Duration {
        cpu_time(&self.proc_dir)
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> u64 {
        status_kib(&self.proc_dir, "VmRSS:") * 1024
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the system tells about this process.
pub fn own_proc_dir() -> &'static Path {
    Path::new("/proc/self")
}

/// An empty folder on the disk of the build directory.
pub fn new_folder() -> TempDir {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(parent).expect("the build directory");
    tempfile::tempdir_in(parent).expect("a folder in the build directory")
}

/// The history in such a folder.
pub fn history_in(folder: &TempDir) -> PathBuf {
    folder.path().join("historico.db")
}

/// Keeps this thread and its children on one core: two programs that share one would measure each other.
fn pin_to_core(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    // On a machine of one core this fails, and both sides share it.
    let _ = sched_setaffinity(None::<Pid>, &cores);
}
