//! Passes over the journal at any moment: what a crash leaves then, and what another program writes meanwhile.

use super::*;
use crate::history::sqlite::contents::Contents;
use crate::history::sqlite::journal_mark::{MarkId, MarkKeeper};
use crate::history::sqlite::opening::Opened;
use crate::history::sqlite::passes::Passes;
use crate::history::sqlite::transaction::Transaction;
use crate::history::sqlite::wal_index::{WalIndex, WalState};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A log whose commits and passes are made by hand.
struct HandDrivenLog {
    // Dropped in this order: the index after all connections.
    reader: Connection,
    mover: Connection,
    opened: Opened,
    index: WalIndex,
    keeper: MarkKeeper,
    newest_mark: Option<MarkId>,
    said: u64,
}

/// A moment within a commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Begun,
    Read,
    Renewed,
}

impl HandDrivenLog {
    fn new(folder: &HistoryFolder) -> Self {
        let opened = opening::open(&folder.log()).unwrap();
        let set = opened
            .connection
            .pragma_update(None, "wal_autocheckpoint", 0);
        set.unwrap();
        let connect = || {
            let connection = Connection::open(&opened.path).unwrap();
            let read = connection.query_row("SELECT count(*) FROM rooms", [], |_| Ok(()));
            read.unwrap();
            connection
        };
        Self {
            reader: connect(),
            mover: connect(),
            index: WalIndex::open(&opened.path).unwrap(),
            keeper: MarkKeeper::new(),
            newest_mark: None,
            opened,
            said: 0,
        }
    }

    fn wal(&self) -> WalState {
        self.index.read().unwrap()
    }

    fn pass(&self) {
        pass(&self.mover);
    }

    /// A reader keeps what it sees now, until the next call.
    fn toggle_reader(&self) {
        if self.reader.is_autocommit() {
            self.reader.execute_batch("BEGIN").unwrap();
            let read = self
                .reader
                .query_row("SELECT count(*) FROM rooms", [], |_| Ok(()));
            read.unwrap();
        } else {
            self.reader.execute_batch("COMMIT").unwrap();
        }
    }

    /// Says something, with a pass at this moment of the commit.
    fn say(&mut self, pass_at: Option<Moment>) {
        let mover = &self.mover;
        let pass_if = |moment| {
            if pass_at == Some(moment) {
                pass(mover);
            }
        };
        let transaction = Transaction::begin(&mut self.opened.connection).unwrap();
        pass_if(Moment::Begun);
        let batch = [append("Ana", &self.said.to_string(), "oi")];
        append::append_all(&transaction, &batch, &mut undo::UndoLog::default());
        let wal = self.index.read().ok();
        pass_if(Moment::Read);
        let renewed = self.keeper.renew_if_due(&transaction, wal).unwrap();
        pass_if(Moment::Renewed);
        transaction.commit().unwrap();
        self.newest_mark = renewed.or(self.newest_mark.take());
        self.said += 1;
    }

    /// Renews the mark as the writer does before a pass.
    fn freshen_mark(&mut self) {
        let wal = self.wal();
        if wal.waiting() > 0 && self.keeper.may_be_copied(wal) {
            let transaction = Transaction::begin(&mut self.opened.connection).unwrap();
            self.keeper.renew_if_due(&transaction, Some(wal)).unwrap();
            transaction.commit().unwrap();
        }
    }

    /// Copies the files as `kill -9` would leave them now.
    fn crash(&self, folder: &HistoryFolder, number: usize) -> Crash {
        let path = folder.join(&format!("{number}.db"));
        for suffix in ["", "-wal"] {
            let from = file_names::with_suffix(&self.opened.path, suffix);
            fs::copy(from, file_names::with_suffix(&path, suffix)).unwrap();
        }
        Crash {
            path,
            said: self.said,
        }
    }
}

fn pass(mover: &Connection) {
    let passed = mover.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    passed.unwrap();
}

/// What a crash has left.
struct Crash {
    path: PathBuf,
    said: u64,
}

/// Opens a copy of this file with this journal.
fn open_together(folder: &HistoryFolder, file: &Path, journal: &Path) -> SqliteHistory {
    let path = folder.join("junto.db");
    for suffix in ["-wal", "-shm", ".testemunha"] {
        let _ = fs::remove_file(file_names::with_suffix(&path, suffix));
    }
    fs::copy(file, &path).unwrap();
    let wal = |path| file_names::with_suffix(path, "-wal");
    fs::copy(wal(journal), wal(&path)).unwrap();
    SqliteHistory::open(&path, None).unwrap()
}

/// A talk with passes and readers at random moments; gives back what crashes at all of its moments leave.
fn talk(folder: &HistoryFolder, seed: u64, steps: usize) -> Vec<Crash> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut log = HandDrivenLog::new(folder);
    let mut crashes = Vec::new();
    for _ in 0..steps {
        match rng.u8(0..6) {
            0 => log.toggle_reader(),
            1 => {
                log.freshen_mark();
                log.pass();
            }
            2 => {
                log.freshen_mark();
                log.say(rng.choice([Moment::Begun, Moment::Read, Moment::Renewed]));
            }
            _ => log.say(None),
        }
        crashes.push(log.crash(folder, crashes.len()));
    }
    crashes
}

/// A pass may end within a commit, after its mark was renewed or left as it is.
#[test]
fn journal_is_applied_whenever_passes_and_commits_meet() {
    let folder = HistoryFolder::new();
    for seed in 0..3 {
        let _ = fs::remove_file(folder.log());
        let _ = fs::remove_file(file_names::with_suffix(&folder.log(), ".testemunha"));
        for (at, crash) in talk(&folder, seed, 40).iter().enumerate() {
            let again = open_together(&folder, &crash.path, &crash.path);
            assert_eq!(again.incidents(), [], "seed {seed}, step {at}");
            assert_eq!(again.count(), crash.said, "seed {seed}, step {at}");
        }
    }
}

/// An earlier copy of the file alone, beside a journal of later: together they are the whole log, or the journal is moved
/// aside. A file with half of a journal must not take the next one.
#[test]
fn earlier_file_and_later_journal_are_whole_or_parted() {
    let folder = HistoryFolder::new();
    let crashes = talk(&folder, 11, 22);
    let mut outcomes = [0, 0];
    for (at, file) in crashes.iter().enumerate() {
        for journal in &crashes[at..] {
            let together = open_together(&folder, &file.path, &journal.path);
            match together.incidents() {
                [] => assert_eq!(together.count(), journal.said, "{:?}", file.path),
                // Half of a journal may be in the file, which is damaged then.
                [Incident::Leftovers(_), ..] => {}
                other => panic!("{:?} and {:?}: {other:?}", file.path, journal.path),
            }
            outcomes[usize::from(together.incidents().is_empty())] += 1;
        }
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

/// A reader kept a pass from moving all of a journal, and a second pass moved the rest: both states of the file had the mark
/// that the next journal named.
#[test]
fn file_with_half_a_journal_does_not_take_the_next_one() {
    let folder = HistoryFolder::new();
    let mut log = HandDrivenLog::new(&folder);
    log.say(None);
    log.toggle_reader();
    log.say(None);
    log.freshen_mark();
    log.pass();
    let wal = log.wal();
    assert!(0 < wal.copied && wal.copied < wal.frames, "{wal:?}");
    let half = log.crash(&folder, 1);
    log.toggle_reader();
    log.freshen_mark();
    log.pass();
    assert_eq!(log.wal().waiting(), 0);
    log.say(None);
    let next = log.crash(&folder, 2);
    let together = open_together(&folder, &half.path, &next.path);
    let incidents = together.incidents();
    assert!(
        matches!(incidents, [Incident::Leftovers(_), ..]),
        "{incidents:?}"
    );
    drop(together);
    let whole = open_together(&folder, &next.path, &next.path);
    assert_eq!((whole.incidents(), whole.count()), (&[][..], 3));
}

/// A log whose database is looked at between passes, and in their middle.
struct WatchedLog {
    log: HandDrivenLog,
    passes: Arc<Passes>,
    contents: Contents,
}

impl WatchedLog {
    fn new(folder: &HistoryFolder) -> Self {
        let mut log = HandDrivenLog::new(folder);
        let passes = Arc::new(Passes::default());
        let contents = Contents::new(&log.opened, passes.clone());
        log.say(None);
        Self {
            log,
            passes,
            contents,
        }
    }

    fn is_overwritten(&mut self) -> bool {
        let wal = self.contents.read_wal();
        self.contents.refresh(wal);
        self.contents.set_newest_mark(self.log.newest_mark.clone());
        self.contents.database_overwritten()
    }

    /// Writes a page that SQLite's index of the log does not explain, as a pass in its middle or another program does.
    fn write_page(&self) {
        let file = fs::File::options().append(true).open(&self.log.opened.path);
        file.unwrap().write_all(&[7; 4096]).unwrap();
    }
}

#[test]
fn own_pass_explains_what_is_written_until_it_ends() {
    let folder = HistoryFolder::new();
    let mut watched = WatchedLog::new(&folder);
    watched.passes.begin();
    assert!(!watched.is_overwritten());
    for _ in 0..2 {
        watched.write_page();
        assert!(!watched.is_overwritten());
    }
    watched.write_page();
    watched.passes.end();
    assert!(!watched.is_overwritten());
    watched.write_page();
    assert!(watched.is_overwritten());
}

#[test]
fn own_pass_between_two_looks_explains_only_the_next_one() {
    let folder = HistoryFolder::new();
    let mut watched = WatchedLog::new(&folder);
    for _ in 0..2 {
        watched.passes.begin();
        watched.write_page();
        watched.passes.end();
        assert!(!watched.is_overwritten());
    }
    watched.write_page();
    assert!(watched.is_overwritten());
}

#[test]
fn checkpoint_of_another_program_is_no_overwriting() {
    let folder = HistoryFolder::new();
    let mut watched = WatchedLog::new(&folder);
    for held in [false, true, false] {
        if held {
            watched.log.toggle_reader();
        }
        for _ in 0..3 {
            watched.log.say(None);
            assert!(!watched.is_overwritten());
            watched.log.pass();
            assert!(!watched.is_overwritten());
        }
        if held {
            watched.log.toggle_reader();
        }
    }
    watched.write_page();
    assert!(watched.is_overwritten());
}

/// Another program's writing counted as the checkpoint's if both came between two looks.
#[test]
fn file_written_over_during_a_pass_is_noticed_after_it() {
    let folder = HistoryFolder::new();
    let mut watched = WatchedLog::new(&folder);
    watched.log.pass();
    fs::copy(folder.log(), folder.join("antes.db")).unwrap();
    for is_copied_over in [false, true] {
        watched.log.say(None);
        assert!(!watched.is_overwritten());
        watched.passes.begin();
        watched.log.pass();
        if is_copied_over {
            fs::copy(folder.join("antes.db"), folder.log()).unwrap();
        }
        watched.passes.end();
        assert_eq!(watched.is_overwritten(), is_copied_over);
    }
}
