//! What attacks share: a server to attack, and turns for those that would disturb each other.

use crate::support::proc::raise_descriptors;
use crate::support::process::{Program, ServerProcess};
use rustix::process::{Resource, getrlimit};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A server with these options besides the usual ones.
pub fn start_server(options: &[&str]) -> ServerProcess {
    ServerProcess::start(&mut Program::server(options))
}

/// Held while a test measures others under load: two at once would measure each other.
pub fn exclusive() -> MutexGuard<'static, ()> {
    static EXCLUSIVE: Mutex<()> = Mutex::new(());
    EXCLUSIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a process may have so few descriptors that what the tests open at the same time must not add up.
pub fn few_descriptors() -> bool {
    raise_descriptors();
    getrlimit(Resource::Nofile)
        .current
        .is_some_and(|most| most < 4096)
}

/// Held while a test opens hundreds of connections, where there are few descriptors.
pub fn exclusive_if_few_descriptors() -> Option<MutexGuard<'static, ()>> {
    few_descriptors().then(exclusive)
}
