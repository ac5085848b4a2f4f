//! The witness: a small file beside the log that remembers how far the log was.
//!
//! It holds the epoch and the sum of all rooms' seqs, written between a commit and its acknowledgements and not synced: it
//! is never ahead of the log, and after a kill never behind what anybody was shown. A log with a smaller sum, or of another
//! epoch, is not the one that was here: an older file was put in its place, or its journal was lost.

use super::file_names::with_suffix;
use crate::os_error::describe;
use crate::platform;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The name of the file, after the log's.
pub(super) const SUFFIX: &str = ".testemunha";
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
    /// Nothing that matters: it is missing, unreadable, or agrees.
    Nothing,
    /// A new epoch was ordered.
    NewEpoch,
    /// The log was further.
    WentBack,
    /// The log was another one, or its epoch is one that has ended: clients may hold more of it.
    Another,
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
        Ok(_) if its_epoch != epoch => Claim::Another,
        Ok(its_sum) if its_sum > sum => Claim::WentBack,
        _ => Claim::Nothing,
    }
}

/// Writes down that the next start has to begin a new epoch.
pub(super) fn order_new_epoch(log: &Path) -> io::Result<()> {
    let file = open(log)?;
    write(&file, ANY_EPOCH, 0)?;
    file.sync_all()
}

fn open(log: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    platform::owner_only(&mut options).open(path_of(log))
}

/// Always the same number of bytes, in one write: nothing of an earlier content is left behind it.
fn write(file: &File, epoch: &str, sum: u64) -> io::Result<()> {
    let content = format!("{epoch:<16} {sum:020}\n");
    platform::write_all_at(file, content.as_bytes(), 0)
}

/// Keeps the witness of an open log.
pub(super) struct Witness {
    file: Option<File>,
    epoch: String,
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
        };
        witness.record(sum);
        witness.sync();
        witness
    }

    /// A new epoch was committed, and nobody has been told of it yet.
    pub(super) fn new_epoch(&mut self, epoch: &str, sum: u64) {
        epoch.clone_into(&mut self.epoch);
        self.record(sum);
        self.sync();
    }

    /// The log has committed entries up to this sum of seqs, and none of them was acknowledged yet. It takes microseconds
    /// beside the milliseconds of the commit.
    pub(super) fn record(&mut self, sum: u64) {
        let Some(file) = &self.file else {
            return;
        };
        // A full disk, say: an older sum is as true.
        if let Err(error) = write(file, &self.epoch, sum) {
            log::debug!("witness: {error}");
        }
    }

    /// An epoch that has ended must not come back with a power failure.
    fn sync(&self) {
        if let Some(Err(error)) = self.file.as_ref().map(File::sync_all) {
            log::debug!("witness: {error}");
        }
    }
}
