//! What an amendment does, tested with both backends.

use crate::history::fixtures::{HistoryFolder, append, edit, erase, erase_by_author, room};
use crate::history::memory::MemoryHistory;
use crate::history::sqlite::SqliteHistory;
use crate::history::{Append, History, HistoryReply, HistoryRequest, Outcome, RequestId, RoomHead};
use crate::protocol::{Entry, ErrorCode, PageRequest, Refusal};
use std::sync::Arc;
use std::time::Duration;

/// Runs the scenario with each backend.
fn with_each_backend(scenario: impl Fn(&mut dyn History)) {
    scenario(&mut MemoryHistory::new().unwrap());
    let folder = HistoryFolder::new();
    scenario(&mut SqliteHistory::open(&folder.log(), None).unwrap());
}

fn request(history: &mut dyn History, request: HistoryRequest) -> HistoryReply {
    history.submit(vec![request]);
    history
        .replies()
        .recv_timeout(Duration::from_secs(20))
        .unwrap()
}

fn submit(history: &mut dyn History, append: Append) -> Outcome {
    match request(history, HistoryRequest::Append(append)) {
        HistoryReply::Appended(_, _, _, outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

fn stored(history: &mut dyn History, append: Append) -> Arc<Entry> {
    match submit(history, append) {
        Outcome::Stored(entry) => entry,
        other => panic!("{other:?}"),
    }
}

fn room_head(history: &mut dyn History) -> RoomHead {
    match request(history, HistoryRequest::RoomHead(room())) {
        HistoryReply::RoomHead(_, Some(head)) => head,
        other => panic!("{other:?}"),
    }
}

/// Each entry in short form.
fn summarize_log(history: &mut dyn History) -> Vec<String> {
    let short = |entry: Arc<Entry>| {
        let edits = entry.edits.map_or(String::new(), |seq| format!("{seq}="));
        let erases = if entry.erases.is_empty() {
            String::new()
        } else {
            format!("-{:?}", entry.erases)
        };
        let mark = if entry.edited { "*" } else { "" };
        let gone = if entry.erased { "†" } else { "" };
        format!("{edits}{erases}{}{mark}{gone}", entry.text)
    };
    room_head(history).entries.into_iter().map(short).collect()
}

fn search(history: &mut dyn History, query: &str) -> Vec<u64> {
    match request(
        history,
        HistoryRequest::Search(RequestId(1), room(), query.into(), 10),
    ) {
        HistoryReply::Found(_, _, _, Some(page)) => {
            page.entries.iter().map(|entry| entry.seq).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn edit_is_an_entry_and_changes_its_target() {
    with_each_backend(|history| {
        stored(history, append("Ana", "1", "bom dia", 1000));
        stored(history, append("Bruno", "1", "olá", 1001));
        let edited = stored(history, edit("Ana", "2", 1, "boa tarde", 1002));
        assert_eq!(
            (edited.seq, edited.edits, &*edited.text, &*edited.from),
            (3, Some(1), "boa tarde", "Ana")
        );
        assert_eq!(summarize_log(history), ["boa tarde*", "olá", "1=boa tarde"]);
        assert_eq!(
            (search(history, "dia"), search(history, "tarde")),
            (vec![], vec![1])
        );
        stored(history, edit("Ana", "3", 1, "boa noite", 1003));
        assert_eq!(
            summarize_log(history),
            ["boa noite*", "olá", "1=boa noite", "1=boa noite"]
        );
        assert_eq!(
            (search(history, "tarde"), search(history, "noite")),
            (vec![], vec![1])
        );
    });
}

#[test]
fn erase_empties_the_entry_and_its_edits() {
    with_each_backend(|history| {
        stored(history, append("Ana", "1", "segredo", 1000));
        stored(history, edit("Ana", "2", 1, "outro segredo", 1001));
        let erased = stored(history, erase("Ana", "3", 1, 1002));
        assert_eq!(
            (erased.seq, &erased.erases[..], &*erased.text),
            (3, &[1][..], "")
        );
        assert_eq!(summarize_log(history), ["†", "1=", "-[1]"]);
        assert_eq!(search(history, "segredo"), Vec::<u64>::new());
        assert_eq!(
            submit(history, edit("Ana", "4", 1, "voltou", 1003)),
            Outcome::Forbidden
        );
        assert_eq!(
            submit(history, erase("Ana", "5", 1, 1003)),
            Outcome::Forbidden
        );
        assert_eq!(
            room_head(history).seq,
            3,
            "a refused amendment takes no seq"
        );
    });
}

#[test]
fn only_own_messages_can_be_amended() {
    with_each_backend(|history| {
        stored(history, append("Ana", "1", "oi", 1000));
        stored(history, edit("Ana", "2", 1, "olá", 1001));
        for refused in [
            edit("Bruno", "1", 1, "x", 1002),
            erase("Bruno", "2", 1, 1002),
            edit("Ana", "3", 2, "x", 1002),
        ] {
            assert_eq!(submit(history, refused), Outcome::Forbidden);
        }
        let edit_by_other = Append {
            any_author: true,
            ..edit("Bruno", "3", 1, "x", 1002)
        };
        assert_eq!(submit(history, edit_by_other), Outcome::Forbidden);
        for seq in [0, 3, 9, u64::MAX, i64::MAX as u64] {
            assert_eq!(
                submit(history, erase("Ana", "4", seq, 1002)),
                Outcome::NoSuchEntry,
                "{seq}"
            );
        }
        // The ids of refused amendments are still free.
        assert_eq!(stored(history, append("Bruno", "1", "agora", 1003)).seq, 3);
        assert_eq!(
            stored(
                history,
                Append {
                    any_author: true,
                    ..erase("Bruno", "2", 1, 1004)
                }
            )
            .erases,
            [1]
        );
    });
}

#[test]
fn resent_amendment_is_a_duplicate() {
    with_each_backend(|history| {
        stored(history, append("Ana", "1", "um", 1000));
        stored(history, append("Ana", "2", "dois", 1000));
        for first in [
            edit("Ana", "3", 1, "três", 1001),
            erase("Ana", "4", 1, 1002),
            erase_by_author("Bia", "1", "Ana", 0, 1003),
        ] {
            let seq = stored(history, first.clone()).seq;
            let again = Append {
                at: first.at + 7000,
                ..first
            };
            assert!(
                matches!(submit(history, again), Outcome::Duplicate { seq: same, .. } if same == seq)
            );
        }
        let since = erase_by_author("Bia", "1", "Ana", 999, 9000);
        assert!(matches!(
            submit(history, since),
            Outcome::Duplicate { seq: 5, .. }
        ));
        for other in [
            edit("Ana", "3", 1, "quatro", 1),
            edit("Ana", "3", 2, "três", 1),
            erase("Ana", "3", 1, 1),
        ] {
            assert_eq!(submit(history, other), Outcome::IdReused);
        }
        assert_eq!(
            submit(history, append("Ana", "3", "três", 1)),
            Outcome::IdReused
        );
        assert_eq!(submit(history, erase("Ana", "4", 2, 1)), Outcome::IdReused);
        // A resend of an erased message is still a duplicate.
        assert!(matches!(
            submit(history, append("Ana", "1", "um", 1)),
            Outcome::Duplicate { seq: 1, .. }
        ));
        assert_eq!(
            submit(history, append("Ana", "1", "", 1)),
            Outcome::IdReused
        );
    });
}

#[test]
fn erase_by_author_empties_the_recent_entries() {
    with_each_backend(|history| {
        for (n, (author, text)) in [
            ("José", "a"),
            ("JOSE", "b"),
            ("Ana", "c"),
            ("José", "d"),
            ("José", "e"),
        ]
        .into_iter()
        .enumerate()
        {
            stored(
                history,
                append(author, &n.to_string(), text, 1000 + n as u64),
            );
        }
        stored(history, erase("José", "x", 4, 1010));
        assert_eq!(
            stored(history, erase_by_author("Bia", "1", "jose", 1001, 1011)).erases,
            [2, 5]
        );
        assert_eq!(
            summarize_log(history),
            ["a", "†", "c", "†", "†", "-[4]", "-[2, 5]"]
        );
        assert_eq!(
            submit(history, erase_by_author("Bia", "2", "José", 1001, 1012)),
            Outcome::NothingToErase
        );
        assert_eq!(
            stored(history, erase_by_author("Bia", "3", "José", 0, 1013)).erases,
            [1]
        );
        assert_eq!(
            submit(history, erase_by_author("Bia", "4", "Zé", 0, 1014)),
            Outcome::NothingToErase
        );
    });
}

#[test]
fn page_shows_the_current_text() {
    with_each_backend(|history| {
        for n in 1..=5 {
            stored(
                history,
                append("Ana", &n.to_string(), &format!("texto {n}"), 1000),
            );
        }
        stored(history, edit("Ana", "6", 2, "outro", 1000));
        stored(history, erase("Ana", "7", 3, 1000));
        let HistoryReply::Page(_, _, Some(page)) = request(
            history,
            HistoryRequest::Page(RequestId(1), room(), PageRequest::After(1), 2),
        ) else {
            panic!()
        };
        let seen: Vec<_> = page
            .entries
            .iter()
            .map(|entry| (&*entry.text, entry.edited, entry.erased))
            .collect();
        assert_eq!(seen, [("outro", true, false), ("", false, true)]);
    });
}

#[test]
fn messages_and_amendments_of_one_batch_are_stored() {
    with_each_backend(|history| {
        let all = [
            append("Ana", "1", "primeira", 1000),
            edit("Ana", "2", 1, "segunda", 1000),
            append("Ana", "3", "terceira", 1000),
            erase("Ana", "4", 3, 1000),
            edit("Ana", "5", 1, "quarta", 1000),
        ];
        history.submit(all.into_iter().map(HistoryRequest::Append).collect());
        for _ in 0..5 {
            let reply = history
                .replies()
                .recv_timeout(Duration::from_secs(20))
                .unwrap();
            assert!(
                matches!(reply, HistoryReply::Appended(_, _, _, Outcome::Stored(_))),
                "{reply:?}"
            );
        }
        assert_eq!(
            summarize_log(history),
            ["quarta*", "1=quarta", "†", "-[3]", "1=quarta"]
        );
        for gone in ["primeira", "segunda", "terceira"] {
            assert_eq!(search(history, gone), Vec::<u64>::new(), "{gone}");
        }
        assert_eq!(search(history, "quarta"), [1]);
    });
}

#[test]
fn bulk_erasure_spares_what_a_wrong_clock_dated_into_its_window() {
    let now = 1_800_000_000_000;
    let future = now + 800 * 24 * 3600 * 1000;
    with_each_backend(|history| {
        let times = [now - 9000, future, now - 8000, 7, now - 500, 8, now - 400];
        for (n, at) in times.into_iter().enumerate() {
            stored(history, append("Ana", &n.to_string(), "oi", at));
        }
        let append = Append {
            amends: Some(crate::history::Amendment::EraseByAuthor {
                name: crate::name::Name::new("Ana").unwrap(),
                since_ms: now - 1000,
                limit: 100,
            }),
            ..erase_by_author("Bia", "1", "Ana", 0, now)
        };
        // The sixth stands between two recent ones; how old the fourth is, nothing tells.
        assert_eq!(stored(history, append).erases, [5, 6, 7]);
    });
}

#[test]
fn message_from_the_future_does_not_date_those_after_it() {
    let now = 1_800_000_000_000;
    let future = now + 800 * 24 * 3600 * 1000;
    with_each_backend(|history| {
        let times = [now, future, now + 1000, now - 60_000, now + 2000];
        let stamps = times.map(|at| stored(history, append("Ana", &at.to_string(), "oi", at)).at);
        // A small step back is smoothed, a large one believed.
        let expected = [now, future, now + 1000, now + 1000, now + 2000];
        assert_eq!(stamps, expected);
        let seqs: Vec<u64> = room_head(history)
            .entries
            .iter()
            .map(|entry| entry.seq)
            .collect();
        assert_eq!(seqs, [1, 2, 3, 4, 5], "order is by seq");
        assert_eq!(search(history, "oi"), [5, 4, 3, 2, 1]);
    });
}

/// Refusing a resend would tell its author that a message, which everyone reads, was not sent.
#[test]
fn refused_message_is_not_stored_but_its_resend_is_known() {
    with_each_backend(|history| {
        let refusal = Box::new(Refusal::new(ErrorCode::Muted));
        let refused = |append| Append {
            refused: Some(refusal.clone()),
            ..append
        };
        let first = append("Ana", "1", "um", 1000);
        let outcome = submit(history, refused(first.clone()));
        assert_eq!(outcome, Outcome::Refused(refusal.clone()));
        assert_eq!(stored(history, first.clone()).seq, 1);
        assert!(matches!(
            submit(history, refused(first)),
            Outcome::Duplicate { seq: 1, .. }
        ));
        let change = edit("Ana", "2", 1, "dois", 1001);
        assert_eq!(
            submit(history, refused(change)),
            Outcome::Refused(refusal.clone())
        );
        assert_eq!(room_head(history).seq, 1);
    });
}
