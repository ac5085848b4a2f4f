//! SQLite's index of the write-ahead log, of which the beginning is read here. See <https://sqlite.org/walformat.html>.

use super::file_format::SHM;
use super::file_names::with_suffix;
use crate::platform::read_exact_at;
use std::fs::File;
use std::io;
use std::path::Path;

const PAGE_SIZE: usize = 14;
const FRAMES: usize = 16;
const SALTS: usize = 32;
const COPIED: usize = 96;
const ATTEMPTED: usize = 128;
/// Bytes of a frame's header in the log.
const FRAME_HEADER: u64 = 24;

/// The index beside an open database. To be dropped after its connections: closing it ends the locks that SQLite holds on
/// the same file.
pub(super) struct WalIndex {
    file: File,
}

/// What the index says about the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WalState {
    /// Committed frames in the log.
    pub frames: u32,
    /// How many of them a checkpoint has copied into the database.
    pub copied: u32,
    /// How many the last checkpoint meant to copy: more than were copied if it failed in the middle.
    pub attempted: u32,
    /// Bytes of a page.
    pub page_size: u32,
    /// What the log has in its header since it was last begun from its start.
    pub salts: [u8; 8],
}

impl WalState {
    /// Committed frames that are not in the database yet.
    pub(super) fn waiting(&self) -> u32 {
        self.frames.saturating_sub(self.copied)
    }

    /// Whether frames were copied between this state and a later one.
    pub(super) fn has_moved(&self, later: Self) -> bool {
        (self.copied, self.salts) != (later.copied, later.salts)
    }

    /// Whether a checkpoint has copied or tried to copy frames since an earlier state.
    pub(super) fn has_moved_or_tried(&self, earlier: Self) -> bool {
        earlier.has_moved(*self) || earlier.attempted != self.attempted
    }

    /// Bytes of the committed log.
    pub(super) fn length(&self) -> u64 {
        let frame = FRAME_HEADER + u64::from(self.page_size);
        u64::from(self.frames) * frame
    }
}

impl WalIndex {
    /// Opens the index beside this database.
    pub(super) fn open(database: &Path) -> io::Result<Self> {
        let file = File::open(with_suffix(database, SHM))?;
        Ok(Self { file })
    }

    /// Reads it as it is now. Commits change it, and checkpoints what they have copied and attempted.
    pub(super) fn read(&self) -> io::Result<WalState> {
        let mut bytes = [0; ATTEMPTED + 4];
        read_exact_at(&self.file, &mut bytes, 0)?;
        let number = |at| u32::from_ne_bytes(array(&bytes, at));
        // 65,536 does not fit into its two bytes and is written as 1.
        let page_size = match u16::from_ne_bytes(array(&bytes, PAGE_SIZE)) {
            1 => 65536,
            size => u32::from(size),
        };
        Ok(WalState {
            frames: number(FRAMES),
            copied: number(COPIED),
            attempted: number(ATTEMPTED),
            page_size,
            salts: array(&bytes, SALTS),
        })
    }
}

/// `N` bytes at this place, which is within the bytes.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    std::array::from_fn(|n| bytes[at + n])
}
