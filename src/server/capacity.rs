//! How many connections this machine can hold, and which limit bounds them.
//!
//! Each connection costs a descriptor, a thread, and about four memory maps for the thread's stack. Beyond the last of
//! these limits the standard library aborts the process, so the bound must be known before.
//! Knows the system's limits; never knows connections.

use crate::platform;

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
    let within = |limit: Option<u64>, spare: u64| limit.unwrap_or(u64::MAX).saturating_sub(spare);
    let limits = [
        (wanted as u64, "--max-conexoes"),
        (
            within(platform::raise_descriptor_limit(), SPARE_DESCRIPTORS),
            "ulimit -n",
        ),
        (
            within(platform::memory_map_limit(), SPARE_MAPS) / MAPS_PER_THREAD,
            "vm.max_map_count",
        ),
        (
            within(platform::process_id_limit(), SPARE_THREADS),
            "kernel.pid_max",
        ),
        (
            within(platform::thread_limit(), SPARE_THREADS),
            "kernel.threads-max",
        ),
        (
            within(platform::group_thread_limit(), SPARE_DESCRIPTORS),
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
    let Some(limit) = platform::address_space_limit() else {
        return true;
    };
    platform::address_space_used().is_none_or(|used| used + SPARE_ADDRESS_SPACE <= limit)
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
