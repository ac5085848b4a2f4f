//! Reads a write-ahead log without SQLite, to find out which database it belongs to before SQLite applies it.
//!
//! The format is described in <https://sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The magic number without its last bit, which says in which byte order the checksums were computed.
const MAGIC: u32 = 0x377f_0682;
/// The page sizes that SQLite knows, in bytes.
const PAGE_SIZES: std::ops::RangeInclusive<usize> = 512..=65536;

/// What the committed transactions of a log contain.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// Bytes of a page; 0 when nothing is committed.
    pub page_size: usize,
    /// Every committed version of the page that was asked for, oldest first.
    pub versions: Vec<Vec<u8>>,
}

/// Reads what is committed in a log. Nothing is, for SQLite too, when the file is missing, or torn before the end of its
/// first transaction.
pub(super) fn read_committed(wal: &Path, page: u32) -> io::Result<Committed> {
    let file = match File::open(wal) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Committed::default()),
        other => other?,
    };
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let mut header = [0; HEADER];
    if !read_whole(&mut reader, &mut header)? {
        return Ok(Committed::default());
    }
    let Some(mut log) = Log::new(&header) else {
        return Ok(Committed::default());
    };
    let mut committed = Committed::default();
    let mut uncommitted = Vec::new();
    let mut frame = vec![0; FRAME_HEADER + log.page_size];
    while read_whole(&mut reader, &mut frame)? && log.accepts(&frame) {
        if word(&frame, 0) == page {
            uncommitted.push(frame[FRAME_HEADER..].to_vec());
        }
        let ends_transaction = word(&frame, 4) != 0;
        if ends_transaction {
            committed.page_size = log.page_size;
            committed.versions.append(&mut uncommitted);
        }
    }
    Ok(committed)
}

/// The state of reading a log from its start: a frame is valid only if all before it are.
struct Log {
    page_size: usize,
    salts: [u8; 8],
    big_endian: bool,
    checksum: (u32, u32),
}

impl Log {
    /// `None` for a header that SQLite would not accept either.
    fn new(header: &[u8; HEADER]) -> Option<Self> {
        let magic = word(header, 0);
        let page_size = word(header, 8) as usize;
        let valid =
            magic & !1 == MAGIC && page_size.is_power_of_two() && PAGE_SIZES.contains(&page_size);
        let mut log = Self {
            page_size,
            salts: header[16..24].try_into().ok()?,
            big_endian: magic & 1 == 1,
            checksum: (0, 0),
        };
        log.add_to_checksum(&header[..24]);
        (valid && log.checksum == (word(header, 24), word(header, 28))).then_some(log)
    }

    /// Whether the next frame continues the log.
    fn accepts(&mut self, frame: &[u8]) -> bool {
        if frame[8..16] != self.salts {
            return false;
        }
        self.add_to_checksum(&frame[..8]);
        self.add_to_checksum(&frame[FRAME_HEADER..]);
        self.checksum == (word(frame, 16), word(frame, 20))
    }

    fn add_to_checksum(&mut self, bytes: &[u8]) {
        let (mut first, mut second) = self.checksum;
        for pair in bytes.chunks_exact(8) {
            first = first
                .wrapping_add(self.checked_word(pair, 0))
                .wrapping_add(second);
            second = second
                .wrapping_add(self.checked_word(pair, 4))
                .wrapping_add(first);
        }
        self.checksum = (first, second);
    }

    fn checked_word(&self, bytes: &[u8], at: usize) -> u32 {
        let word = word(bytes, at);
        if self.big_endian {
            word
        } else {
            word.swap_bytes()
        }
    }
}

/// A big-endian number.
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Fills the buffer; false when the file ends before.
fn read_whole(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        other => other.map(|()| true),
    }
}
