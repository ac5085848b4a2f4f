//! What every proof needs: rng, a deadline, a folder, and the real program as a process.

use crate::paths::new_path;
use crate::port::Port;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Whether the long form of the proof was asked for.
pub fn long_form() -> bool {
    std::env::var_os("PAPO_PROVA_LONGA").is_some()
}

/// Random numbers that come again with the same seed (SplitMix64).
#[derive(Clone)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// Dice with the seed that was asked for, or one that nobody knows yet.
    pub fn new() -> (Self, PrintSeedOnPanic) {
        let asked = std::env::var("PAPO_PROVA_SEMENTE")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = asked.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()));
        (Self { state: seed }, PrintSeedOnPanic(seed))
    }

    /// A number below this one.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    /// Whether something that happens once in so many times happens now.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn pick<T: Copy, const N: usize>(&mut self, choices: [T; N]) -> T {
        choices[self.below(N as u64) as usize]
    }

    /// A duration up to this many milliseconds.
    pub fn up_to_ms(&mut self, most: u64) -> Duration {
        Duration::from_micros(self.below(most * 1000))
    }

    /// Other rng, which nobody else throws.
    pub fn fork(&mut self) -> Self {
        Self {
            state: self.below(u64::MAX),
        }
    }
}

/// Tells the seed when its proof fails.
pub struct PrintSeedOnPanic(u64);

impl Drop for PrintSeedOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("The same rng again: PAPO_PROVA_SEMENTE={}", self.0);
        }
    }
}

/// The one moment until which a proof waits for whatever it waits for.
#[derive(Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    pub fn within_seconds(seconds: u64) -> Self {
        Self(Instant::now() + Duration::from_secs(seconds))
    }

    /// The time that is left; none is a failure.
    pub fn left(self) -> Duration {
        let left = self.0.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "the deadline is over");
        left
    }
}

/// A folder that goes away with its proof.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        let path = new_path("prova");
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running `servidor`, killed if its proof fails.
pub struct ServerProcess {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr_path: PathBuf,
}

impl ServerProcess {
    /// Starts the program; it may not listen yet. What it complains of goes to a file in the folder.
    pub fn spawn(port: &Port, history: &Path, folder: &TempDir) -> Self {
        let stderr_path = folder.file("stderr.txt");
        let stderr = File::options()
            .create(true)
            .append(true)
            .open(&stderr_path)
            .unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_servidor"))
            .args([
                "--ritmo",
                "0",
                "--porta",
                &port.address.port().to_string(),
                "--historico",
            ])
            .arg(history)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            stdout,
            stderr_path,
        }
    }

    /// Waits until the banner is printed: then it listens.
    pub fn wait_until_listening(mut self) -> Self {
        let mut line = String::new();
        while !line.ends_with("Ctrl+C\n") {
            line.clear();
            let read = self.stdout.read_line(&mut line).unwrap();
            assert_ne!(
                read,
                0,
                "no banner: {}",
                std::fs::read_to_string(&self.stderr_path).unwrap_or_default()
            );
        }
        self
    }

    /// Ends the program as the system does it, with nothing to be done about it.
    pub fn kill(mut self) -> ExitStatus {
        self.child.kill().unwrap();
        self.child.wait().unwrap()
    }

    /// Asks the program to stop and waits until it has.
    pub fn terminate(mut self) {
        rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.child),
            rustix::process::Signal::TERM,
        )
        .unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }

    /// Whether the program still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a process ended by `kill -9` and not by itself.
pub fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(rustix::process::Signal::KILL.as_raw())
}
