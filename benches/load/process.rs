//! The program under test as a process of its own: started on one core, measured from outside, ended by its handle.

use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The core of the program under test and the core of whoever measures it.
const SUBJECT_CORE: usize = 0;
const OWN_CORE: usize = 1;
/// Ticks per second in `/proc/PID/stat`; the same on every Linux that Rust runs on.
const TICKS: u64 = 100;

/// Where the log lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// `--historico nenhum`.
    Memory,
    /// A fresh file on the disk of the build directory.
    Disk,
}

impl Storage {
    /// The word for it in the tables.
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
    folder: Option<PathBuf>,
}

impl Subject {
    /// Starts the real server, without a limit on the rate and with all the others.
    pub fn server(home: Storage) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_servidor"));
        command.args(["--porta", "0", "--ritmo", "0", "--max-conexoes", "12000"]);
        let folder = (home == Storage::Disk).then(new_folder);
        match &folder {
            Some(folder) => command.arg("--historico").arg(folder.join("historico.db")),
            None => command.args(["--historico", "nenhum"]),
        };
        Self::start(command, folder)
    }

    /// Starts a program that prints `localhost:<port>` once it listens.
    pub fn start(mut command: Command, folder: Option<PathBuf>) -> Self {
        raise_descriptor_limit();
        // A child inherits the cores of whoever starts it.
        pin_to_core(SUBJECT_CORE);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        pin_to_core(OWN_CORE);
        let mut child = child.expect("the program under test can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is a pipe")).lines();
        let port = loop {
            let line = lines
                .next()
                .expect("it says where it listens")
                .expect("its words are text");
            if let Some((_, rest)) = line.split_once("localhost:") {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                break digits.parse::<u16>().expect("a port");
            }
        };
        Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            folder,
        }
    }

    /// The file of its log.
    pub fn file(&self) -> Option<PathBuf> {
        self.folder
            .as_ref()
            .map(|folder| folder.join("historico.db"))
    }

    /// Processor time used so far, by all its threads.
    pub fn cpu(&self) -> Duration {
        cpu(self.child.id())
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> u64 {
        resident(self.child.id())
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Processor time that a process used so far.
pub fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything; the numbers come after the last one.
    let numbers: Vec<&str> = stat
        .rsplit(") ")
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();
    let ticks = |place: usize| {
        numbers
            .get(place)
            .and_then(|number| number.parse::<u64>().ok())
            .unwrap_or(0)
    };
    Duration::from_millis((ticks(11) + ticks(12)) * 1000 / TICKS)
}

/// Resident memory of a process in bytes.
pub fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// An empty folder on the disk of the build directory.
pub fn new_folder() -> PathBuf {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut number = std::process::id();
    loop {
        let folder = parent.join(format!("bench-{number}"));
        match fs::create_dir_all(parent).and_then(|()| fs::create_dir(&folder)) {
            Ok(()) => return folder,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => panic!("no folder for the benchmark: {error}"),
        }
    }
}

/// Keeps this thread, and whatever it starts, on one core: two programs that share one would measure each other.
fn pin_to_core(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    // On a machine of one core this fails, and both sides share it.
    let _ = sched_setaffinity(None::<Pid>, &cores);
}

/// Ten thousand people need more descriptors than the soft limit allows.
fn raise_descriptor_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    );
}
