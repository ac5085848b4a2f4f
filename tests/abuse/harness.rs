//! What every attack needs: one deadline, rng, the real program as a process, and a look at what it costs.

use crate::client::WsClient;
use crate::paths::new_path;
use crate::processes::folder_of;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Ticks per second in `/proc/PID/stat`; the same on every Linux that Rust runs on.
const TICKS: u64 = 100;

/// Whether the long form was asked for: the full numbers, and figures that are checked and not only printed.
pub fn long_form() -> bool {
    std::env::var_os("PAPO_PROVA_LONGA").is_some()
}

/// The long form's number, or the short one's.
pub fn long_or<T>(long: T, short: T) -> T {
    if long_form() { long } else { short }
}

/// Held by whoever measures others under load: two at once would measure each other.
pub fn exclusive() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a process may have so few descriptors that what the tests open at the same time must not add up.
pub fn few_descriptors() -> bool {
    raise_descriptors();
    getrlimit(Resource::Nofile)
        .current
        .is_some_and(|most| most < 4096)
}

/// Held by whoever opens hundreds of connections, where there are few descriptors.
pub fn exclusive_if_few_descriptors() -> Option<MutexGuard<'static, ()>> {
    few_descriptors().then(exclusive)
}

/// Random numbers that come again with the same seed (SplitMix64), which is printed when a test fails.
pub struct Rng {
    seed: u64,
    state: u64,
}

impl Rng {
    pub fn new() -> Self {
        let asked = std::env::var("PAPO_PROVA_SEMENTE")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = asked.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()));
        Self { seed, state: seed }
    }

    /// A number below this one.
    pub fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }

    pub fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.byte()).collect()
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

impl Drop for Rng {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("The same rng again: PAPO_PROVA_SEMENTE={}", self.seed);
        }
    }
}

/// The one moment until which a test waits for whatever it waits for.
#[derive(Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    pub fn within_seconds(seconds: u64) -> Self {
        Self(Instant::now() + Duration::from_secs(seconds))
    }

    /// The time that is left; none is a failure.
    pub fn left(self) -> Duration {
        assert!(!self.is_over(), "the deadline is over");
        self.0
            .saturating_duration_since(Instant::now())
            .max(Duration::from_millis(1))
    }

    pub fn is_over(self) -> bool {
        self.0 <= Instant::now()
    }
}

/// What the server costs at one moment.
#[derive(Debug, Clone, Copy)]
pub struct ProcessStats {
    pub at: Instant,
    pub threads: usize,
    pub descriptors: usize,
    /// Resident memory in KiB, now and at its highest.
    pub resident_kib: u64,
    pub peak_kib: u64,
    /// Address space in bytes.
    pub address_space: u64,
    pub cpu_time: Duration,
}

impl ProcessStats {
    /// Share of one core used since then, in per cent.
    pub fn cpu_since(&self, before: &Self) -> f64 {
        100.0 * (self.cpu_time - before.cpu_time).as_secs_f64()
            / (self.at - before.at).as_secs_f64()
    }
}

/// A running `servidor` with its log in memory, ended with its test.
pub struct ServerProcess {
    child: Child,
    /// Where the system tells of it.
    proc_dir: PathBuf,
    pub address: SocketAddr,
    stderr_path: PathBuf,
    stdout: BufReader<ChildStdout>,
}

impl ServerProcess {
    /// Starts the program with these options besides the usual ones.
    pub fn start(options: &[&str]) -> Self {
        Self::start_with(options, |_| {})
    }

    /// The same, after a change of the command.
    pub fn start_with(options: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        Self::try_start(options, change).expect("the server can be started")
    }

    /// The same; `None` when the system does not allow it.
    pub fn try_start(options: &[&str], change: impl FnOnce(&mut Command)) -> Option<Self> {
        raise_descriptors();
        let complaints = new_path("resistencia");
        let mut command = Command::new(env!("CARGO_BIN_EXE_servidor"));
        command
            .args(["--porta", "0", "--historico", "nenhum"])
            .args(options)
            .env_clear();
        change(&mut command);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&complaints).unwrap());
        let mut child = command.spawn().ok()?;
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let folder = folder_of(child.id());
        // From here on the process ends with this value, whatever happens.
        let mut server = Self {
            child,
            proc_dir: folder,
            address: nowhere,
            stderr_path: complaints,
            stdout,
        };
        let port = server.read_port()?;
        server.address.set_port(port);
        Some(server)
    }

    /// Reads the banner to its end: then it listens.
    fn read_port(&mut self) -> Option<u16> {
        let (mut line, mut port) = (String::new(), None);
        while !line.ends_with("Ctrl+C\n") {
            line.clear();
            if self.stdout.read_line(&mut line).unwrap() == 0 {
                println!("no banner: {}", self.stderr_text());
                return None;
            }
            let digits = line
                .split_once("localhost:")
                .and_then(|(_, rest)| rest.split('/').next());
            port = port.or(digits.and_then(|digits| digits.trim().parse().ok()));
        }
        port
    }

    /// What it complained of so far.
    pub fn stderr_text(&self) -> String {
        fs::read_to_string(&self.stderr_path).unwrap_or_default()
    }

    /// What it costs now.
    pub fn stats(&self) -> ProcessStats {
        let count = |what: &str| fs::read_dir(self.proc_dir.join(what)).map_or(0, Iterator::count);
        let status = fs::read_to_string(self.proc_dir.join("status")).unwrap_or_default();
        let kilobytes = |what: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(what));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
                .unwrap_or(0)
        };
        ProcessStats {
            at: Instant::now(),
            threads: count("task"),
            descriptors: count("fd"),
            resident_kib: kilobytes("VmRSS:"),
            peak_kib: kilobytes("VmHWM:"),
            address_space: kilobytes("VmSize:") * 1024,
            cpu_time: cpu(&self.proc_dir),
        }
    }

    /// Gives the running program another soft limit; `None` is as much as it may have.
    pub fn set_limit(&self, resource: Resource, soft: Option<u64>) {
        let pid = Pid::from_child(&self.child);
        let Rlimit { maximum, .. } = getrlimit(resource);
        prlimit(
            Some(pid),
            resource,
            Rlimit {
                current: soft.or(maximum),
                maximum,
            },
        )
        .unwrap();
    }

    /// Waits until what the server costs is as it should be; gives how long that took. Nothing tells of it, so between
    /// two looks somebody listens for a moment to what is said.
    pub fn wait_until(
        &self,
        probe: &mut WsClient,
        deadline: Deadline,
        good: impl Fn(&ProcessStats) -> bool,
    ) -> Duration {
        let start = Instant::now();
        loop {
            let figures = self.stats();
            if good(&figures) {
                return start.elapsed();
            }
            assert!(!deadline.is_over(), "it did not settle: {figures:?}");
            probe.receive(Duration::from_millis(5));
        }
    }

    /// Waits until there are no more threads and descriptors than before.
    pub fn wait_until_recovered(
        &self,
        probe: &mut WsClient,
        deadline: Deadline,
        before: &ProcessStats,
    ) -> Duration {
        self.wait_until(probe, deadline, |now| {
            now.threads <= before.threads && now.descriptors <= before.descriptors
        })
    }

    /// It lives, and nothing in it panicked.
    pub fn assert_healthy(&mut self) {
        assert!(
            self.child.try_wait().unwrap().is_none(),
            "it ended: {}",
            self.stderr_text()
        );
        assert!(
            !self.stderr_text().contains("panicked"),
            "{}",
            self.stderr_text()
        );
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.stderr_text();
            println!(
                "what the server said:\n{}",
                log.lines().take(20).collect::<Vec<_>>().join("\n")
            );
        }
        let _ = fs::remove_file(&self.stderr_path);
    }
}

fn cpu(folder: &Path) -> Duration {
    let stat = fs::read_to_string(folder.join("stat")).unwrap_or_default();
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

/// A thousand attackers need more descriptors than the soft limit may allow.
fn raise_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    );
}
