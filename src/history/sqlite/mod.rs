//! The durable history: one SQLite file, a writer thread and a reader thread.
//!
//! The writer commits all waiting messages in one transaction and replies after the commit, so a message that was shown
//! survives `kill -9` and a power failure. The reader has its own read-only connection: a slow search delays no message.
//! The only module that knows SQL.

mod amend;
mod append;
mod backup;
mod batch;
mod checkpointer;
mod clock_guard;
mod contents;
mod copy_error;
mod entries;
mod export;
mod file_format;
mod file_names;
mod guard;
mod indexing;
mod journal_mark;
mod leftovers;
mod main_file;
mod meta;
mod migrate;
mod migrations;
mod moderation;
mod opening;
mod pace;
mod passes;
mod probe;
mod queue;
mod reader;
mod recent_ids;
mod repair;
mod restore;
mod schema;
mod search;
mod space_guard;
mod sql_error;
mod temporary_copy;
mod transaction;
mod trim;
mod trim_room;
mod undo;
mod wal;
mod wal_index;
mod watch;
mod witness;
mod writer;

use super::{Clock, History, HistoryHealth, HistoryReply, HistoryRequest, SavedState};
use crossbeam_channel::{Receiver, Sender, unbounded};
use queue::{RequestSender, request_queue};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

pub use backup::{CopyProgress, OnProgress, copy};
pub use copy_error::CopyError;
pub use export::{Format, export};
pub use opening::Incident;
pub use restore::{RestoreError, Restored, restore};
pub use schema::OpenError;
pub use trim::Retention;

/// What can be chosen for a history in a file.
pub struct HistoryOptions {
    /// How long messages are kept; `None` keeps them for ever.
    pub retention: Option<Retention>,
    /// Decides what is expired.
    pub clock: Clock,
    /// Bytes of the file and its journal beyond which nothing is taken that adds text.
    pub max_bytes: Option<u64>,
}

impl Default for HistoryOptions {
    /// Everything is kept, by the system's clock, without a limit.
    fn default() -> Self {
        Self {
            retention: None,
            clock: Clock::system(),
            max_bytes: None,
        }
    }
}

/// The history in a file.
pub struct SqliteHistory {
    epoch: Arc<str>,
    epoch_was_read: bool,
    count: u64,
    incidents: Vec<Incident>,
    saved_state: SavedState,
    kept_copy: Option<PathBuf>,
    health: Arc<HistoryHealth>,
    /// `None` only while being dropped: a thread ends when its queue closes.
    writer: Option<RequestSender>,
    reader: Option<RequestSender>,
    replies: Receiver<HistoryReply>,
    /// For requests that expired, or whose thread has died.
    failure_replies: Sender<HistoryReply>,
    /// The writer, then the reader.
    threads: Vec<JoinHandle<()>>,
    /// Excludes a second server. Dropped last, after both connections.
    _lock: Arc<std::fs::File>,
}

impl SqliteHistory {
    /// Opens or creates the history in this file. A damaged file is moved aside first; one of an earlier version is migrated,
    /// after a copy of it was kept.
    ///
    /// # Errors
    /// When the file can't be used. It was not changed then.
    pub fn open(path: &Path, retention: Option<Retention>) -> Result<Self, OpenError> {
        let options = HistoryOptions {
            retention,
            ..HistoryOptions::default()
        };
        Self::open_with(path, options)
    }

    /// The same, with all that can be chosen.
    ///
    /// # Errors
    /// The same.
    pub fn open_with(path: &Path, options: HistoryOptions) -> Result<Self, OpenError> {
        let opened = opening::open(path)?;
        let saved_state = moderation::load(&opened.connection, options.clock.read().wall_ms)?;
        let (reply_sender, replies) = unbounded();
        let (to_writer, writer_requests) = request_queue();
        let (to_reader, reader_requests) = request_queue();
        let health = Arc::new(HistoryHealth::default());
        let failure_replies = reply_sender.clone();
        let reader =
            reader::HistoryReader::new(schema::open_reader(&opened.path)?, reply_sender.clone())?;
        let passes = Arc::new(passes::Passes::default());
        let guard = guard::LogGuard::new(&opened, passes.clone())?;
        let checkpoints = checkpointer::Checkpointer::start(&opened, passes)?;
        let writer = writer::HistoryWriter::new(
            opened.connection,
            guard,
            writer::Upkeep {
                checkpoints,
                trimmer: trim::Trimmer::new(options.retention, options.clock),
                space: space_guard::SpaceGuard::new(&opened.path, options.max_bytes),
            },
            writer::Reports {
                replies: reply_sender,
                health: health.clone(),
            },
        )?;
        let threads = vec![
            spawn("history", move || writer.run(&writer_requests))?,
            spawn("history-reader", move || reader.run(&reader_requests))?,
        ];
        Ok(Self {
            epoch: opened.epoch,
            epoch_was_read: opened.epoch_was_read,
            count: opened.count,
            incidents: opened.incidents,
            health,
            saved_state,
            kept_copy: opened.kept_copy,
            writer: Some(to_writer),
            reader: Some(to_reader),
            replies,
            failure_replies,
            threads,
            _lock: opened.lock,
        })
    }

    fn queues(&self) -> impl Iterator<Item = &RequestSender> {
        self.writer.iter().chain(&self.reader)
    }

    /// What was wrong when it was opened.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// The copy of the file's earlier version, if opening has migrated it.
    pub fn kept_copy(&self) -> Option<&Path> {
        self.kept_copy.as_deref()
    }
}

impl History for SqliteHistory {
    fn epoch(&self) -> Arc<str> {
        self.epoch.clone()
    }

    fn epoch_was_read(&self) -> bool {
        self.epoch_was_read
    }

    fn count(&self) -> u64 {
        self.count
    }

    fn take_saved_state(&mut self) -> SavedState {
        std::mem::take(&mut self.saved_state)
    }

    fn health(&self) -> Arc<HistoryHealth> {
        self.health.clone()
    }

    fn submit(&mut self, requests: Vec<HistoryRequest>) {
        let now = Instant::now();
        for request in requests {
            let thread = match request {
                HistoryRequest::Append(_)
                | HistoryRequest::SaveModeration(..)
                | HistoryRequest::BeginEpoch => &self.writer,
                _ => &self.reader,
            };
            let thread = thread.as_ref().expect("a queue closes only in the drop");
            if let Some(request) = thread.push(request, now) {
                log::error!("Uma parte do histórico parou. Ligue o servidor de novo.");
                let _ = self.failure_replies.send(request.unavailable_reply());
            }
        }
    }

    fn is_full(&self) -> bool {
        self.queues().any(RequestSender::is_full)
    }

    fn next_expiry(&self) -> Option<Instant> {
        self.queues().filter_map(RequestSender::next_expiry).min()
    }

    fn expire(&mut self, now: Instant) {
        for request in self.queues().flat_map(|queue| queue.expire(now)) {
            let _ = self.failure_replies.send(request.unavailable_reply());
        }
    }

    fn replies(&self) -> &Receiver<HistoryReply> {
        &self.replies
    }
}

impl Drop for SqliteHistory {
    /// Waits until all submitted messages are stored and the journal is merged into the file.
    fn drop(&mut self) {
        // The reader first: the last connection to close removes the journal, and only the writer can.
        self.reader = None;
        for thread in self.threads.drain(..).rev() {
            let ended = thread.join();
            self.writer = None;
            if ended.is_err() {
                log::error!("Uma parte do histórico parou por um erro interno.");
            }
        }
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.into()).spawn(body)
}

#[cfg(test)]
mod tests;
