//! Moves the journal into the database on a thread of its own, so that no message waits for it.
//!
//! While messages flow, a pass never catches the last frames, and SQLite would never begin the journal anew. So when the
//! journal is long and nearly all of it was moved, the writer moves the rest itself, between two batches.

use super::opening::Opened;
use super::passes::Passes;
use super::schema::{OpenError, checkpoint, connect};
use super::sql_error::describe_sql;
use super::wal_index::WalState;
use crate::history::MAX_WAIT;
use crate::os_error::describe;
use crate::platform::start_writing;
use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, InterruptHandle};
use std::cell::Cell;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Frames that wait in the journal from which on they are moved: SQLite's own number.
const PASS_FRAMES: u32 = 1000;
/// Bytes of the journal from which on it is to begin anew. In a longer one SQLite takes longer to find a page that is
/// written again and again: three times as long in one of 16 MiB.
const LONG_JOURNAL: u64 = 8 * 1024 * 1024;
/// The writer itself moves at most one part in so many of a long journal.
const FINISH_PARTS: u32 = 16;
/// The pause after a pass that moved nothing, because of a reader or a full disk, and after one of the writer.
const PAUSE: Duration = Duration::from_millis(250);
/// The same while nothing is said.
const IDLE_PAUSE: Duration = Duration::from_secs(2);
/// What a pass has appended to the database is written to the disk in pieces of so many bytes, at this pace: the sync of a
/// message waits behind whatever the disk was given before.
const PIECE: u64 = 256 * 1024;
const PIECE_PAUSE: Duration = Duration::from_millis(1);
/// How long a pass waits for the commit that it leaves out.
const LEFT_OUT_WITHIN: Duration = Duration::from_millis(20);
/// Bytes of the journal from which on its file is made short again once all is quiet.
const OVERLONG_JOURNAL: u64 = 4 * LONG_JOURNAL;
/// How often it is looked whether a pass has ended.
const POLL: Duration = Duration::from_millis(10);

/// What there is to do about a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Nothing,
    /// A pass in the background.
    Pass,
    /// A short one of the writer, after which the next commit begins the journal anew.
    Finish,
}

/// Has the journal moved into the database. To be dropped before the writer's connection, which is the last one to close.
pub(super) struct Checkpointer {
    /// `None` only while being dropped.
    orders: Option<Sender<()>>,
    ends: Receiver<()>,
    interrupt: InterruptHandle,
    thread: Option<JoinHandle<()>>,
    passes: Arc<Passes>,
    /// How many passes had ended when it was asked last.
    seen_ended: u64,
    /// What the journal was before the last pass.
    last: Option<WalState>,
    last_try: Option<Instant>,
    /// A pass is due as soon as it may be tried again.
    is_postponed: bool,
    /// The journal's file became very long, because of a reader.
    is_overlong: bool,
}

impl Checkpointer {
    /// Starts the thread for an open file, whose commits leave the journal alone from now on.
    ///
    /// # Errors
    /// When the file can't be opened once more, or there is no thread left.
    pub(super) fn start(opened: &Opened, passes: Arc<Passes>) -> Result<Self, OpenError> {
        let connection = connect_again(opened)?;
        let holder = connect_again(opened)?;
        let autocheckpoint = "wal_autocheckpoint";
        opened.connection.pragma_update(None, autocheckpoint, 0)?;
        let interrupt = connection.get_interrupt_handle();
        let (orders, received_orders) = bounded(1);
        let (ended, ends) = bounded(1);
        let worker = Worker {
            connection,
            holder,
            synced: Cell::new(opened.lock.metadata()?.len()),
            database: opened.lock.clone(),
            passes: passes.clone(),
            ended,
        };
        let thread = thread::Builder::new().name("checkpoint".into());
        Ok(Self {
            orders: Some(orders),
            ends,
            interrupt,
            thread: Some(thread.spawn(move || worker.run(&received_orders))?),
            passes,
            seen_ended: 0,
            last: None,
            last_try: None,
            is_postponed: false,
            is_overlong: false,
        })
    }

    /// Whether the journal, in this state, is to be moved now; `None` while it is not in its place. To be asked after each
    /// batch.
    pub(super) fn is_due(&mut self, wal: Option<WalState>, now: Instant) -> bool {
        self.is_postponed = false;
        let Some(wal) = wal else {
            return false;
        };
        self.is_overlong |= wal.length() >= OVERLONG_JOURNAL;
        if self.is_running() || find_work(wal) == Work::Nothing {
            return false;
        }
        let has_moved = self.last.is_some_and(|last| last.has_moved(wal));
        let is_early = self.last_try.is_some_and(|at| now < at + PAUSE);
        self.is_postponed = !has_moved && is_early;
        if !self.is_postponed {
            self.last_try = Some(now);
        }
        !self.is_postponed
    }

    /// Moves the journal, which has this state, or has it moved. To be called by the writer, outside of its transactions
    /// and while the newest mark is not in the database; returns whether its own connection has written into that.
    pub(super) fn move_journal(&mut self, connection: &Connection, wal: WalState) -> bool {
        let is_pass = find_work(wal) == Work::Pass;
        // After a pass of the writer the next one waits in any case, however busy the readers are.
        self.last = is_pass.then_some(wal);
        if is_pass && self.begin_pass() {
            return false;
        }
        self.finish(connection);
        true
    }

    /// When to ask again without messages; `None` when nothing is to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.is_running() {
            return Some(Instant::now() + POLL);
        }
        let last_try = self.last_try.filter(|_| self.is_postponed);
        last_try.map(|at| at + IDLE_PAUSE)
    }

    /// Whether a pass has ended since this was asked last.
    pub(super) fn has_ended(&mut self) -> bool {
        let ended = self.passes.ended();
        std::mem::replace(&mut self.seen_ended, ended) != ended
    }

    /// Whether the journal's file should be made short as soon as that disturbs nobody.
    pub(super) fn is_overlong(&self) -> bool {
        self.is_overlong && !self.is_running()
    }

    /// Takes the order to make it short, which is given again when it grows long again.
    pub(super) fn take_overlong(&mut self) -> bool {
        self.is_overlong() && std::mem::take(&mut self.is_overlong)
    }

    /// Empties the journal's file if no reader needs it. To be called as [`Self::move_journal`] is, while nobody speaks:
    /// freeing its space may take the system 20 ms.
    pub(super) fn empty_journal(&self, connection: &Connection) {
        let emptied = connection
            .busy_timeout(Duration::ZERO)
            .and_then(|()| self.merge(connection));
        if let Err(error) = emptied.and(connection.busy_timeout(MAX_WAIT)) {
            log::debug!("journal: {}", describe_sql(&error));
        }
    }

    /// Merges all of the journal into the file and empties it, as [`checkpoint`] does, after the pass that is running.
    ///
    /// # Errors
    /// SQLite's error.
    pub(super) fn merge(&self, connection: &Connection) -> rusqlite::Result<bool> {
        while self.is_running() {
            let _ = self.ends.recv_timeout(POLL);
        }
        self.passes.begin();
        let merged = checkpoint(connection);
        self.passes.end();
        merged
    }

    /// Ends the pass that is running, before it has moved everything.
    pub(super) fn stop_pass(&self) {
        while self.is_running() {
            // One that is just beginning does not hear it.
            self.interrupt.interrupt();
            let _ = self.ends.recv_timeout(POLL);
        }
    }

    fn is_running(&self) -> bool {
        let is_alive = self.thread.as_ref().is_some_and(|it| !it.is_finished());
        is_alive && self.passes.is_running()
    }

    /// Begins a pass in the background; false when the thread has died.
    fn begin_pass(&self) -> bool {
        self.passes.begin();
        let is_begun = self.orders.as_ref().is_some_and(|it| it.send(()).is_ok());
        if !is_begun {
            self.passes.end();
        }
        is_begun
    }

    fn finish(&self, connection: &Connection) {
        self.passes.begin();
        if let Err(error) = move_frames(connection) {
            log::debug!("checkpoint: {}", describe_sql(&error));
        }
        self.passes.end();
    }
}

impl Drop for Checkpointer {
    /// Waits for the pass that is running: what it moves need not be moved when the file is closed.
    fn drop(&mut self) {
        self.orders = None;
        if self.thread.take().is_some_and(|it| it.join().is_err()) {
            log::error!("Uma parte do histórico parou por um erro interno.");
        }
    }
}

fn find_work(wal: WalState) -> Work {
    let waiting = wal.waiting();
    let is_long = wal.length() >= LONG_JOURNAL;
    if is_long && (1..=wal.frames / FINISH_PARTS).contains(&waiting) {
        Work::Finish
    } else if waiting >= PASS_FRAMES || (is_long && waiting > 0) {
        Work::Pass
    } else {
        Work::Nothing
    }
}

/// Moves what no reader needs any more; returns whether that was everything.
fn move_frames(connection: &Connection) -> rusqlite::Result<bool> {
    let (frames, copied): (i64, i64) =
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
            Ok((row.get(1)?, row.get(2)?))
        })?;
    Ok(frames == copied)
}

/// One more connection to an open file.
fn connect_again(opened: &Opened) -> rusqlite::Result<Connection> {
    let connection = connect(&opened.path)?;
    // What becomes of the journal at the end is decided by the writer.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A connection knows of the journal once it has read.
    touch(&connection)?;
    Ok(connection)
}

/// Reads something.
fn touch(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached("SELECT count(*) FROM sqlite_schema")?
        .query_row([], |_| Ok(()))
}

/// The thread's side.
struct Worker {
    connection: Connection,
    /// Reads while a pass runs.
    holder: Connection,
    /// The file that is locked: closing another one would end the locks that SQLite holds on it.
    database: Arc<File>,
    /// Its length at the last sync.
    synced: Cell<u64>,
    passes: Arc<Passes>,
    ended: Sender<()>,
}

impl Worker {
    fn run(self, orders: &Receiver<()>) {
        while orders.recv().is_ok() {
            let _end = EndOfPass(&self);
            match self.move_nearly_all() {
                Ok(true) => {}
                Ok(false) => self.sync(),
                Err(error) => log::debug!("checkpoint: {}", describe_sql(&error)),
            }
        }
    }

    /// Moves all but what is committed after its beginning; returns whether that was everything.
    ///
    /// SQLite syncs the database, all at once, only when it has all of the journal. So that it does not, somebody reads
    /// what was there at the beginning, and the pass waits a little for one more commit.
    fn move_nearly_all(&self) -> rusqlite::Result<bool> {
        let snapshot = self.holder.unchecked_transaction()?;
        touch(&snapshot)?;
        self.wait_for_commit()?;
        move_frames(&self.connection)
    }

    fn wait_for_commit(&self) -> rusqlite::Result<()> {
        let version = || -> rusqlite::Result<i64> {
            let select = "PRAGMA data_version";
            self.connection.query_row(select, [], |row| row.get(0))
        };
        let deadline = Instant::now() + LEFT_OUT_WITHIN;
        let before = version()?;
        while version()? == before && Instant::now() < deadline {
            thread::sleep(PIECE_PAUSE);
        }
        Ok(())
    }

    /// The sync that SQLite has left to us, at a pace that leaves the disk to the messages.
    fn sync(&self) {
        if let Err(error) = self.sync_in_pieces() {
            log::debug!("checkpoint: {}", describe(&error));
        }
    }

    fn sync_in_pieces(&self) -> io::Result<()> {
        let length = self.database.metadata()?.len();
        let mut at = self.synced.get();
        while at < length {
            start_writing(&self.database, at, PIECE)?;
            at += PIECE;
            thread::sleep(PIECE_PAUSE);
        }
        self.database.sync_data()?;
        self.synced.set(length);
        Ok(())
    }
}

/// The end of a pass, also by a panic.
struct EndOfPass<'a>(&'a Worker);

impl Drop for EndOfPass<'_> {
    fn drop(&mut self) {
        self.0.passes.end();
        // One that waits is enough.
        let _ = self.0.ended.try_send(());
    }
}

#[cfg(test)]
#[path = "checkpointer_tests.rs"]
mod tests;
