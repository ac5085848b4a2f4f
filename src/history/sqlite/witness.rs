//! The witness: a small file beside the log that remembers how far the log was.
//!
//! It holds the epoch and the sum of all rooms' seqs, written after a commit and never synced, so it is never ahead of the
//! log that it belongs to. A log with the same epoch and a smaller sum has gone back: an older file was put in its place,
//! or its journal was lost.

use super::file_names::with_suffix;
use crate::os_error::describe;
use crate::platform;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The name of the file, after the log's.
pub(super) const SUFFIX: &str = ".testemunha";
/// How often it is written at most.
const INTERVAL: Duration = Duration::from_secs(1);
/// Stands for any epoch: a new one must begin.
const ANY_EPOCH: &str = "*";
/// Longest content that is read, in bytes.
const MAX_CONTENT: u64 = 256;

/// The path of a log's witness.
fn path_of(log: &Path) -> PathBuf {
    with_suffix(log, SUFFIX)
}

/// What a witness says about a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Nothing that matters: it is missing, of another log, or agrees.
    Nothing,
    /// A new epoch was ordered.
    NewEpoch,
    /// The log of this epoch was further.
    WentBack,
}

/// What the witness says about a log of this epoch and this sum of seqs.
pub(super) fn claim(log: &Path, epoch: &str, sum: u64) -> Claim {
    let mut content = String::new();
    let read = File::open(path_of(log))
        .and_then(|file| file.take(MAX_CONTENT).read_to_string(&mut content));
    let mut words = content.split_ascii_whitespace();
    let (Ok(_), Some(its_epoch), Some(its_sum)) = (read, words.next(), words.next()) else {
        return Claim::Nothing;
    };
    if its_epoch == ANY_EPOCH {
        return Claim::NewEpoch;
    }
    match its_sum.parse::<u64>() {
        Ok(its_sum) if its_epoch == epoch && its_sum > sum => Claim::WentBack,
        _ => Claim::Nothing,
    }
}

/// Writes down that the next start has to begin a new epoch.
pub(super) fn order_new_epoch(log: &Path) -> io::Result<()> {
    let mut file = open(log)?;
    write(&mut file, ANY_EPOCH, 0)?;
    file.sync_all()
}

fn open(log: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    platform::owner_only(&mut options).open(path_of(log))
}

/// Always the same number of bytes, in one write: nothing of an earlier content is left behind it.
fn write(file: &mut File, epoch: &str, sum: u64) -> io::Result<()> {
    let content = format!("{epoch:<16} {sum:020}\n");
    file.seek(SeekFrom::Start(0))?;
    file.write_all(content.as_bytes())
}

/// Keeps the witness of an open log.
pub(super) struct Witness {
    file: Option<File>,
    epoch: String,
    /// The sum that is not written yet.
    pending: Option<u64>,
    next_write: Instant,
}

impl Witness {
    /// Begins with what the log holds now.
    pub(super) fn new(log: &Path, epoch: &str, sum: u64) -> Self {
        let file = open(log).inspect_err(|error| {
            log::warn!(
                "Não consegui escrever {} ({}). Sem ele, um histórico que voltou atrás só é notado mais tarde.",
                path_of(log).display(),
                describe(error)
            );
        });
        let mut witness = Self {
            file: file.ok(),
            epoch: epoch.to_owned(),
            pending: Some(sum),
            next_write: Instant::now(),
        };
        witness.flush();
        witness
    }

    /// A new epoch began: the witness is of that one now.
    pub(super) fn new_epoch(&mut self, epoch: &str, sum: u64) {
        epoch.clone_into(&mut self.epoch);
        self.pending = Some(sum);
        self.flush();
    }

    /// The log has committed entries up to this sum of seqs.
    pub(super) fn record(&mut self, sum: u64) {
        self.pending = Some(sum);
        if self.next_write <= Instant::now() {
            self.flush();
        }
    }

    /// When there is something to write.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.pending.map(|_| self.next_write)
    }

    /// Writes what is not written yet.
    pub(super) fn flush(&mut self) {
        let Some(sum) = self.pending.take() else {
            return;
        };
        self.next_write = Instant::now() + INTERVAL;
        let Some(file) = &mut self.file else {
            return;
        };
        // A full disk, say: an older sum is as true.
        if let Err(error) = write(file, &self.epoch, sum) {
            log::debug!("witness: {error}");
        }
    }
}
