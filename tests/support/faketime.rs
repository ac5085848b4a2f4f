//! Programs with a wrong wall clock, by libfaketime. Their monotonic clock is left alone.

use crate::support::process::Program;
use rustix::process::{Pid, test_kill_process};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where systems keep the library; a star is one folder.
const FOLDERS: [&str; 4] = [
    "/usr/lib/*/faketime",
    "/usr/lib64/faketime",
    "/usr/lib/faketime",
    "/usr/local/lib/faketime",
];
/// The form for programs with threads.
const LIBRARY: &str = "libfaketimeMT.so.1";

/// Where Linux keeps shared memory, and what the library calls its own, before the number of the process.
const SHARED_MEMORY: &str = "/dev/shm";
const SHM_PREFIX: &str = "faketime_shm_";
const SEMAPHORE_PREFIX: &str = "sem.faketime_sem_";

/// A wall clock that is off by so much, and can be turned while a program runs.
pub struct WrongClock {
    library: PathBuf,
    dir: TempDir,
}

impl WrongClock {
    /// A clock that is right so far; `None` where the library is missing, which fails under `CI=true`.
    pub fn new() -> Option<Self> {
        let library = FOLDERS.iter().find_map(|folder| find(Path::new(folder)));
        let Some(library) = library else {
            let is_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
            assert!(!is_ci, "libfaketime is missing: .ci/provision installs it");
            // Straight to stderr: the output of macros is not shown when a test passes.
            let _ = writeln!(std::io::stderr(), "Skipped: libfaketime is missing here.");
            return None;
        };
        let clock = Self {
            library,
            dir: TempDir::new().unwrap(),
        };
        clock.set("+0");
        Some(clock)
    }

    /// Sets how far it is off, in the library's own terms: `+800d`, `-2h`.
    pub fn set(&self, offset: &str) {
        // In one step: the program must not read half of it.
        let new = self.dir.path().join("new");
        fs::write(&new, offset).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    /// Gives a program this clock.
    pub fn apply_to(&self, program: &mut Program) {
        program
            .command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", self.file())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1");
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("offset")
    }
}

impl Drop for WrongClock {
    /// A killed program leaves the library's semaphore and shared memory behind.
    fn drop(&mut self) {
        for entry in fs::read_dir(SHARED_MEMORY).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let pid = name.to_str().and_then(owner_of);
            if pid.is_some_and(|pid| test_kill_process(pid).is_err()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// The process to which one of the library's files belongs.
fn owner_of(name: &str) -> Option<Pid> {
    let kind = [SHM_PREFIX, SEMAPHORE_PREFIX];
    let pid = kind.iter().find_map(|prefix| name.strip_prefix(prefix))?;
    Pid::from_raw(pid.parse().ok()?)
}

/// The library in a folder whose path may have a star.
fn find(folder: &Path) -> Option<PathBuf> {
    let text = folder.to_str().unwrap();
    let Some((before, after)) = text.split_once("/*") else {
        return Some(folder.join(LIBRARY)).filter(|path| path.exists());
    };
    fs::read_dir(before).ok()?.find_map(|entry| {
        let path = entry.ok()?.path().join(after.trim_start_matches('/'));
        Some(path.join(LIBRARY)).filter(|path| path.exists())
    })
}
