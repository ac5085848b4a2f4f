//! How many connections this machine can hold, and which limit bounds them.
//!
//! Each connection costs a descriptor, a thread, and about four memory maps for the thread's stack. Beyond the last of
//! these limits the standard library aborts the process, so the bound must be known before.
//! Knows the system's limits; never knows connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;

/// Descriptors reserved for the listener, the log, the history and the rejector.
const SPARE_DESCRIPTORS: u64 = 64;
/// Memory maps reserved for everything but connections.
const SPARE_MAPS: u64 = 2_000;
/// Memory maps of one connection's thread: its stack, the guard page, and the allocator's arena.
const MAPS_PER_THREAD: u64 = 4;
/// Thread ids reserved for everything else on the machine.
const SPARE_THREADS: u64 = 1_000;

/// Address space, in bytes, that must be left before another thread is started. A thread that gets its stack but not its
/// first pages aborts the process, as does any failed allocation. glibc takes 128 MiB for a moment when a new thread
/// first allocates; this is enough for two at the same time.
const SPARE_ADDRESS_SPACE: u64 = 256 * 1024 * 1024;

/// A number of connections and the limit that bounds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacity {
    /// Connections at the same time.
    pub connections: usize,
    /// The setting to raise for more.
    pub limited_by: &'static str,
}

/// The smallest of `wanted` and the system's limits, after raising the soft limit of descriptors as far as allowed.
pub fn find(wanted: usize) -> Capacity {
    let limits = [
        (wanted as u64, "--max-conexoes"),
        (
            raise_descriptor_limit().saturating_sub(SPARE_DESCRIPTORS),
            "ulimit -n",
        ),
        (
            read_limit("/proc/sys/vm/max_map_count").saturating_sub(SPARE_MAPS) / MAPS_PER_THREAD,
            "vm.max_map_count",
        ),
        (
            read_limit("/proc/sys/kernel/pid_max").saturating_sub(SPARE_THREADS),
            "kernel.pid_max",
        ),
        (
            read_limit("/proc/sys/kernel/threads-max").saturating_sub(SPARE_THREADS),
            "kernel.threads-max",
        ),
        (
            read_limit("/sys/fs/cgroup/pids.max").saturating_sub(SPARE_DESCRIPTORS),
            "pids.max",
        ),
    ];
    let (connections, limited_by) = limits
        .into_iter()
        .min_by_key(|(limit, _)| *limit)
        .unwrap_or(limits[0]);
    Capacity {
        connections: usize::try_from(connections).unwrap_or(wanted).max(1),
        limited_by,
    }
}

/// Whether the limit of this process's address space, if it has one, leaves room for another thread.
///
/// Read from the system instead of tried: a trial allocation could fail a thread that is just starting.
pub(crate) fn can_start_thread() -> bool {
    let Some(limit) = getrlimit(Resource::As).current else {
        return true;
    };
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let used = status.lines().find_map(|line| {
        line.strip_prefix("VmSize:")?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    });
    used.is_none_or(|kibibytes: u64| kibibytes * 1024 + SPARE_ADDRESS_SPACE <= limit)
}

/// The limit of open descriptors, after raising the soft limit to the hard one.
fn raise_descriptor_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return current.unwrap_or(u64::MAX);
    }
    match setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    ) {
        Ok(()) => maximum.unwrap_or(u64::MAX),
        Err(_) => current.unwrap_or(u64::MAX),
    }
}

/// A limit from one of the system's files; `u64::MAX` without the file.
fn read_limit(path: &str) -> u64 {
    fs::read_to_string(path)
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_request_is_its_own_limit() {
        assert_eq!(
            find(10),
            Capacity {
                connections: 10,
                limited_by: "--max-conexoes"
            }
        );
    }

    #[test]
    fn thread_can_start_without_address_space_limit() {
        assert!(can_start_thread());
    }

    #[test]
    fn unbounded_request_is_limited_by_the_system() {
        let capacity = find(usize::MAX);
        assert!(
            capacity.connections < usize::MAX && capacity.limited_by != "--max-conexoes",
            "{capacity:?}"
        );
    }
}
