//! What the system tells about a process, in `/proc`.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Ticks per second in `/proc/PID/stat`; the same on every Linux that Rust runs on.
const TICKS: u64 = 100;

/// What a process costs at one moment.
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
    /// Of the process with this folder.
    pub fn of(proc_dir: &Path) -> Self {
        let count = |what: &str| fs::read_dir(proc_dir.join(what)).map_or(0, Iterator::count);
        Self {
            at: Instant::now(),
            threads: count("task"),
            descriptors: count("fd"),
            resident_kib: status_kib(proc_dir, "VmRSS:"),
            peak_kib: status_kib(proc_dir, "VmHWM:"),
            address_space: status_kib(proc_dir, "VmSize:") * 1024,
            cpu_time: cpu_time(proc_dir),
        }
    }

    /// Share of one core used since then, in per cent.
    pub fn cpu_since(&self, before: &Self) -> f64 {
        let used = (self.cpu_time - before.cpu_time).as_secs_f64();
        100.0 * used / (self.at - before.at).as_secs_f64()
    }
}

/// A size in KiB from the process's status.
pub fn status_kib(proc_dir: &Path, field: &str) -> u64 {
    let status = fs::read_to_string(proc_dir.join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// A mask of signals from the process's status.
pub fn status_mask(proc_dir: &Path, field: &str) -> u64 {
    let status = fs::read_to_string(proc_dir.join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// Processor time used so far, by all threads.
pub fn cpu_time(proc_dir: &Path) -> Duration {
    let stat = fs::read_to_string(proc_dir.join("stat")).unwrap_or_default();
    // The name in parentheses may hold anything; the numbers come after the last one.
    let numbers = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 = numbers
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|number| number.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 1000 / TICKS)
}

/// The folder of a child of this process. Inside a container `/proc` may number processes as the host does: then the
/// child is found by its parent and by its own number in the container.
pub fn proc_dir_of(child: u32) -> PathBuf {
    let proc = Path::new("/proc");
    let us = fs::read_link(proc.join("self")).unwrap_or_default();
    let own = std::process::id().to_string();
    if us.as_os_str().is_empty() || us.as_os_str() == own.as_str() {
        return proc.join(child.to_string());
    }
    let ours = format!("PPid:\t{}", us.display());
    let number = format!("\t{child}");
    let is_it = |folder: &PathBuf| {
        let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
        let named = |line: &str| line.starts_with("NSpid:") && line.ends_with(&number);
        status.lines().any(|line| line == ours) && status.lines().any(named)
    };
    let mut folders = fs::read_dir(proc)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    folders.find(is_it).expect("each child has a folder")
}

/// Raises the soft limit of descriptors, for this process and its children: thousands of connections need them.
pub fn raise_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let _ = setrlimit(Resource::Nofile, raised);
}
