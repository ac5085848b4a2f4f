//! How deep the stacks of a server's connections have been, as the words left on them tell.

use papo::testing::STACK_SIZE;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The part of a stack that is looked at, in bytes from its base.
const LOOKED_AT: usize = 32 * 1024;

/// The depth in bytes of every stack as large as a connection's, the shallowest first. What the system keeps at a stack's
/// base is counted too.
pub fn depths(proc_dir: &Path) -> Vec<usize> {
    let maps = fs::read_to_string(proc_dir.join("maps")).expect("its mappings");
    let memory = File::open(proc_dir.join("mem")).expect("a child's memory can be read");
    let bases = maps.lines().filter_map(stack_base);
    let mut depths: Vec<usize> = bases.filter_map(|base| depth(&memory, base)).collect();
    depths.sort_unstable();
    depths
}

/// The end of a mapping that has the size of a connection's stack.
fn stack_base(line: &str) -> Option<u64> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let start = u64::from_str_radix(start, 16).ok()?;
    let end = u64::from_str_radix(end, 16).ok()?;
    (rest.starts_with("rw-p") && end - start == STACK_SIZE as u64).then_some(end)
}

/// `None` if the thread has ended meanwhile.
fn depth(memory: &File, base: u64) -> Option<usize> {
    let mut bytes = vec![0; LOOKED_AT];
    let start = base - LOOKED_AT as u64;
    memory.read_exact_at(&mut bytes, start).ok()?;
    let deepest = bytes.iter().position(|byte| *byte != 0)?;
    Some(LOOKED_AT - deepest)
}
