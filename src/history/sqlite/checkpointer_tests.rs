//! When the journal is moved, and by whom.

use super::*;
use crate::history::fixtures::HistoryFolder;
use crate::history::sqlite::{opening, wal_index::WalIndex};

/// Of pages of 4 KiB.
fn wal(frames: u32, copied: u32) -> WalState {
    WalState {
        frames,
        copied,
        attempted: copied,
        page_size: 4096,
        salts: [1; 8],
    }
}

#[test]
fn short_journal_is_moved_when_a_thousand_frames_wait() {
    assert_eq!(find_work(wal(0, 0)), Work::Nothing);
    assert_eq!(find_work(wal(999, 0)), Work::Nothing);
    assert_eq!(find_work(wal(1000, 0)), Work::Pass);
    assert_eq!(find_work(wal(1999, 1000)), Work::Nothing);
    assert_eq!(find_work(wal(2000, 1000)), Work::Pass);
}

#[test]
fn long_journal_is_finished_once_little_waits() {
    let long = (LONG_JOURNAL / 4120) as u32 + 1;
    assert_eq!(find_work(wal(long, 0)), Work::Pass);
    assert_eq!(find_work(wal(long, long / 2)), Work::Pass);
    assert_eq!(find_work(wal(long, long - 100)), Work::Finish);
    // The next commit begins it anew.
    assert_eq!(find_work(wal(long, long)), Work::Nothing);
}
#[test]
fn writer_moves_the_journal_itself_once_the_thread_is_dead() {
    let folder = HistoryFolder::new();
    let opened = opening::open(&folder.log()).unwrap();
    let passes = Arc::new(Passes::default());
    let mut checkpoints = Checkpointer::start(&opened, passes.clone()).unwrap();
    let index = WalIndex::open(&folder.log()).unwrap();
    let connection = &opened.connection;
    connection
        .execute_batch("PRAGMA user_version = 9; PRAGMA user_version = 4")
        .unwrap();
    assert!(index.read().unwrap().waiting() > 0);
    checkpoints.orders = None;
    checkpoints.thread.take().unwrap().join().unwrap();
    // An order that the thread did not live to take.
    passes.begin();
    assert!(checkpoints.is_due(Some(wal(1000, 0)), Instant::now()));
    assert!(checkpoints.move_journal(connection, wal(1000, 0)));
    assert_eq!(index.read().unwrap().waiting(), 0);
    checkpoints.stop_pass();
    assert!(checkpoints.merge(connection).unwrap());
    drop((checkpoints, opened));
}

#[test]
fn pass_that_moves_nothing_is_not_repeated_at_once() {
    let folder = HistoryFolder::new();
    let opened = opening::open(&folder.log()).unwrap();
    let passes = Arc::new(Passes::default());
    let mut checkpoints = Checkpointer::start(&opened, passes.clone()).unwrap();
    let now = Instant::now();
    assert!(checkpoints.is_due(Some(wal(1000, 0)), now));
    assert!(!checkpoints.move_journal(&opened.connection, wal(1000, 0)));
    while checkpoints.is_running() {
        assert!(
            !checkpoints.is_due(Some(wal(2000, 0)), now),
            "one at a time"
        );
    }
    assert!(checkpoints.has_ended() && !checkpoints.has_ended());
    assert!(
        checkpoints.is_due(Some(wal(2000, 900)), now),
        "it has moved some"
    );
    checkpoints.move_journal(&opened.connection, wal(2000, 900));
    checkpoints.stop_pass();
    assert!(!checkpoints.is_due(Some(wal(3000, 900)), now));
    assert_eq!(checkpoints.deadline(), Some(now + IDLE_PAUSE));
    // A deadline that passes while the file is away would never let the writer sleep.
    assert!(!checkpoints.is_due(None, now + PAUSE));
    assert_eq!(checkpoints.deadline(), None);
    assert!(checkpoints.is_due(Some(wal(3000, 900)), now + PAUSE));
}
