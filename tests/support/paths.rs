//! Places for what a test writes.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;

/// A path among the temporary files that nothing has: a number of the process may come again, in another container too,
/// and what an earlier one left behind is still there.
pub fn new_path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!(
        "papo-{name}-{:016x}",
        RandomState::new().hash_one(name)
    ))
}
