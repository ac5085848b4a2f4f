//! The program under test as a process of its own, measured from outside.

use super::proc::{proc_dir_of, raise_descriptors, status_kib};
use nix::time::ClockId;
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;
use tempfile::TempDir;

/// The core of the program under test, and that of the benchmark, when each has its own.
const SUBJECT_CORE: usize = 0;
const OWN_CORE: usize = 1;

/// The cores that the benchmark was started on.
static ALL_CORES: LazyLock<Option<CpuSet>> = LazyLock::new(|| sched_getaffinity(None).ok());

/// Where the program under test and the benchmark run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cores {
    /// Each on a core of its own.
    Apart,
    /// Both on all cores, as the system likes.
    Shared,
}

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
    clock: ClockId,
    /// What it has still to print.
    output: Lines<BufReader<ChildStdout>>,
    folder: Option<TempDir>,
}

impl Subject {
    /// Starts the real server, without a limit on the rate and with all the others.
    pub fn server(storage: Storage, cores: Cores) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_servidor"));
        command.args(["--porta", "0", "--ritmo", "0", "--max-conexoes", "12000"]);
        let folder = (storage == Storage::Disk).then(new_folder);
        match &folder {
            Some(folder) => command.arg("--historico").arg(history_in(folder)),
            None => command.args(["--historico", "nenhum"]),
        };
        Self::start(command, folder, cores)
    }

    /// Starts a program that prints `localhost:<port>` once it listens.
    pub fn start(mut command: Command, folder: Option<TempDir>, cores: Cores) -> Self {
        raise_descriptors();
        // A child inherits the cores of its parent.
        use_cores(cores, SUBJECT_CORE);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        use_cores(cores, OWN_CORE);
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
        let pid = nix::unistd::Pid::from_raw(child.id() as i32);
        Self {
            proc_dir: proc_dir_of(child.id()),
            clock: ClockId::pid_cpu_clock_id(pid).expect("each child has a clock"),
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            output: lines,
            folder,
        }
    }

    /// Reads on to the key that makes a person a moderator; the server prints it once.
    pub fn moderator_key(&mut self) -> String {
        loop {
            let line = self.output.next().expect("it prints a key");
            let line = line.expect("its output is text");
            if let Some((_, rest)) = line.split_once("--chave ") {
                return rest.chars().take_while(char::is_ascii_hexdigit).collect();
            }
        }
    }

    /// The file of its history.
    pub fn history(&self) -> PathBuf {
        history_in(self.folder.as_ref().expect("a history in a file"))
    }

    /// Processor time used so far, by all its threads.
    pub fn cpu(&self) -> Duration {
        read_clock(self.clock)
    }

    /// Bytes that it has given to the disk so far.
    pub fn written(&self) -> u64 {
        let counts = fs::read_to_string(self.proc_dir.join("io")).expect("its counts of bytes");
        let mut lines = counts.lines();
        let count = lines.find_map(|line| line.strip_prefix("write_bytes: "));
        count
            .and_then(|count| count.parse().ok())
            .expect("the system counts what is written")
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> u64 {
        status_kib(&self.proc_dir, "VmRSS:") * 1024
    }

    /// How deep the stacks of its connections have been, in bytes, the shallowest first.
    pub fn stack_depths(&self) -> Vec<usize> {
        super::stacks::depths(&self.proc_dir)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time that this process has used so far.
pub fn own_cpu() -> Duration {
    read_clock(ClockId::CLOCK_PROCESS_CPUTIME_ID)
}

fn read_clock(clock: ClockId) -> Duration {
    clock.now().expect("a clock that runs").into()
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

/// Keeps this thread and its children to come on one core, or lets them have all. Two programs that share a core measure
/// each other; two that can't leave theirs never share one.
fn use_cores(cores: Cores, own: usize) {
    let all = LazyLock::force(&ALL_CORES);
    let set = match cores {
        Cores::Apart => {
            let mut set = CpuSet::new();
            set.set(own);
            Some(set)
        }
        Cores::Shared => *all,
    };
    // On a machine of one core this fails, and both sides share it.
    let _ = set.map(|set| sched_setaffinity(None::<Pid>, &set));
}
