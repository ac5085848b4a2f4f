//! A history at its largest size: nothing is added, erasing goes on.

use super::*;
use crate::history::fixtures::{edit, erase};
use crate::history::{HistoryFault, SpaceLimit, SpaceWarning};

const MAX_BYTES: u64 = 1_000_000;

fn open_limited(folder: &HistoryFolder) -> SqliteHistory {
    let options = HistoryOptions {
        max_bytes: Some(MAX_BYTES),
        ..HistoryOptions::default()
    };
    SqliteHistory::open_with(&folder.log(), options).unwrap()
}

/// The outcome of an append; warnings that come before it are collected.
fn submit(
    history: &mut SqliteHistory,
    append: Append,
    warnings: &mut Vec<SpaceWarning>,
) -> Outcome {
    history.submit(vec![HistoryRequest::Append(append)]);
    loop {
        match history.replies().recv_timeout(DEADLINE).unwrap() {
            HistoryReply::Appended(_, _, _, outcome) => return outcome,
            HistoryReply::Space(warning) => warnings.extend(warning),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn full_history_takes_no_text_but_erases() {
    let folder = HistoryFolder::new();
    let mut history = open_limited(&folder);
    let mut warnings = Vec::new();
    let text = "x".repeat(10_000);
    let mut stored = 0;
    let refused = loop {
        let id = stored.to_string();
        match submit(&mut history, append("Ana", &id, &text), &mut warnings) {
            Outcome::Stored(_) => stored += 1,
            refused => break refused,
        }
        assert!(stored < 1_000, "no limit");
    };
    assert_eq!(refused, Outcome::NoSpace(HistoryFault::LimitReached));
    let health = history.health();
    assert_eq!(health.last_fault(), Some(HistoryFault::LimitReached));
    let at = append("Ana", "", "").at;
    let refused = submit(&mut history, edit("Ana", "e", 1, "y", at), &mut warnings);
    assert_eq!(refused, Outcome::NoSpace(HistoryFault::LimitReached));
    let resent = submit(&mut history, append("Ana", "0", &text), &mut warnings);
    assert!(matches!(resent, Outcome::Duplicate { seq: 1, .. }));
    drop(history);
    // The first measure of a start finds it full, and says so.
    let mut history = open_limited(&folder);
    let refused = submit(&mut history, append("Ana", "later", &text), &mut warnings);
    assert_eq!(refused, Outcome::NoSpace(HistoryFault::LimitReached));
    let erased = submit(&mut history, erase("Ana", "d", 1, at), &mut warnings);
    assert!(matches!(erased, Outcome::Stored(_)), "not erased");
    let last = warnings.last().unwrap();
    assert_eq!((last.threshold, last.limit), (95, SpaceLimit::History));
}
