//! The history in memory: numbers, duplicates, pages, search and its bounds.

use super::*;
use crate::history::fixtures;
use crate::history::fixtures::room;

fn history(max_bytes: usize, max_entries: usize) -> MemoryHistory {
    MemoryHistory::with_bounds("e1".into(), max_bytes, max_entries)
}

fn append(author: &str, id: &str, text: &str) -> Append {
    fixtures::append(author, id, text, 1000)
}

fn say(history: &mut MemoryHistory, author: &str, id: &str, text: &str) -> Outcome {
    history.submit(vec![HistoryRequest::Append(append(author, id, text))]);
    loop {
        match history.replies.try_recv() {
            Ok(HistoryReply::Appended(_, _, _, outcome)) => return outcome,
            Ok(HistoryReply::Trimmed(..)) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn page(history: &mut MemoryHistory, page_request: PageRequest, limit: usize) -> (Vec<u64>, bool) {
    history.submit(vec![HistoryRequest::Page(
        RequestId(1),
        room(),
        page_request,
        limit,
    )]);
    match history
        .replies
        .iter()
        .find(|reply| !matches!(reply, HistoryReply::Trimmed(..)))
    {
        Some(HistoryReply::Page(_, _, Some(page))) => (
            page.entries.iter().map(|entry| entry.seq).collect(),
            page.more,
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn entries_are_numbered_and_small_steps_back_are_smoothed() {
    let mut history = history(100_000, 100);
    let Outcome::Stored(first) = say(&mut history, "Ana", "1", "oi") else {
        panic!()
    };
    let mut earlier = append("Bruno", "1", "olá");
    earlier.at = 500;
    history.submit(vec![HistoryRequest::Append(earlier)]);
    let Ok(HistoryReply::Appended(_, _, _, Outcome::Stored(second))) = history.replies.try_recv()
    else {
        panic!()
    };
    assert_eq!((first.seq, second.seq), (1, 2));
    assert_eq!((first.at, second.at), (1000, 1000));
}

#[test]
fn resend_is_a_duplicate_and_other_text_is_id_reused() {
    let mut history = history(100_000, 100);
    say(&mut history, "Ana", "1", "oi");
    assert_eq!(
        say(&mut history, "Ana", "1", "oi"),
        Outcome::Duplicate { seq: 1, at: 1000 }
    );
    assert_eq!(say(&mut history, "Ana", "1", "tchau"), Outcome::IdReused);
    assert!(
        matches!(say(&mut history, "Bruno", "1", "oi"), Outcome::Stored(entry) if entry.seq == 2)
    );
}

#[test]
fn id_is_unique_per_person_across_rooms() {
    let mut history = history(100_000, 100);
    say(&mut history, "Ana", "1", "oi");
    let in_other_room = Append {
        room: RoomName::lobby(),
        ..append("Ana", "1", "oi")
    };
    history.submit(vec![HistoryRequest::Append(in_other_room)]);
    assert!(matches!(
        history.replies.try_recv(),
        Ok(HistoryReply::Appended(_, _, _, Outcome::IdReused))
    ));
}

#[test]
fn trimmed_entries_are_reported() {
    let mut history = history(100_000, 2);
    for n in 1..=3 {
        history.submit(vec![HistoryRequest::Append(append(
            "Ana",
            &n.to_string(),
            "oi",
        ))]);
    }
    let oldest: Vec<u64> = history
        .replies
        .try_iter()
        .filter_map(|reply| {
            if let HistoryReply::Trimmed(_, oldest) = reply {
                Some(oldest)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(oldest, [2]);
    assert!(
        matches!(say(&mut history, "Ana", "1", "oi"), Outcome::Stored(_)),
        "its id is dropped too"
    );
}

#[test]
fn room_keeps_its_first_spelling() {
    let mut history = history(100_000, 100);
    say(&mut history, "Ana", "1", "oi");
    history.submit(vec![HistoryRequest::RoomHead(
        RoomName::new("LABORATORIO").unwrap(),
    )]);
    let Ok(HistoryReply::RoomHead(requested, Some(head))) = history.replies.try_recv() else {
        panic!()
    };
    assert_eq!(
        (requested.as_str(), head.name.as_str()),
        ("LABORATORIO", "Laboratório")
    );
    assert_eq!((head.seq, head.oldest, head.entries.len()), (1, 1, 1));
}

#[test]
fn pages_read_both_directions_and_report_more() {
    let mut history = history(100_000, 100);
    for n in 1..=10 {
        say(&mut history, "Ana", &n.to_string(), "oi");
    }
    assert_eq!(
        page(&mut history, PageRequest::After(0), 3),
        (vec![1, 2, 3], true)
    );
    assert_eq!(
        page(&mut history, PageRequest::After(7), 3),
        (vec![8, 9, 10], false)
    );
    assert_eq!(
        page(&mut history, PageRequest::After(99), 3),
        (vec![], false)
    );
    assert_eq!(
        page(&mut history, PageRequest::Before(4), 2),
        (vec![2, 3], true)
    );
    assert_eq!(
        page(&mut history, PageRequest::Before(3), 5),
        (vec![1, 2], false)
    );
    assert_eq!(
        page(&mut history, PageRequest::Latest, 2),
        (vec![9, 10], true)
    );
}

#[test]
fn page_of_long_texts_is_cut_without_skipping() {
    let mut history = history(10_000_000, 100);
    for n in 1..=30 {
        say(&mut history, "Ana", &n.to_string(), &"ã".repeat(4000));
    }
    let (first, more) = page(&mut history, PageRequest::After(0), 30);
    assert!(more && first.len() < 30 && first[0] == 1);
    let (next, _) = page(&mut history, PageRequest::After(*first.last().unwrap()), 30);
    assert_eq!(next[0], first.last().unwrap() + 1);
    let (last, more) = page(&mut history, PageRequest::Latest, 30);
    assert!(more && last.ends_with(&[30]));
}

#[test]
fn memory_is_bounded_in_entries_and_in_bytes() {
    let mut few = history(1_000_000, 3);
    for n in 1..=5 {
        say(&mut few, "Ana", &n.to_string(), "oi");
    }
    assert_eq!(
        page(&mut few, PageRequest::After(0), 10),
        (vec![3, 4, 5], false)
    );
    // Room for two short entries and a half: the overhead of an entry counts, or a flood of the shortest messages would
    // take a hundred times the bound.
    let mut small = history(10 + 2 * ENTRY_OVERHEAD, 100);
    for n in 1..=5 {
        say(&mut small, "Ana", &n.to_string(), "1234");
    }
    assert_eq!(
        page(&mut small, PageRequest::After(0), 10),
        (vec![4, 5], false)
    );
    assert_eq!(small.bytes, 2 * (4 + ENTRY_OVERHEAD));
}

#[test]
fn bound_is_paid_by_the_largest_room_and_spares_the_last() {
    let in_room = |name: &str, id: usize, text: &str| Append {
        room: RoomName::new(name).unwrap(),
        ..append("Ana", &id.to_string(), text)
    };
    let large = "x".repeat(2000);
    let mut history = history(40 * ENTRY_OVERHEAD, 100);
    let mut trimmed = Vec::new();
    for n in 0..8 {
        let message = in_room("grande", n, &large);
        history.submit(vec![HistoryRequest::Append(message)]);
    }
    for n in 8..28 {
        let message = in_room(&format!("pequena-{}", n % 10), n, "oi");
        history.submit(vec![HistoryRequest::Append(message)]);
    }
    for reply in history.replies.try_iter() {
        if let HistoryReply::Trimmed(room, oldest) = reply {
            trimmed.push((room.as_str().to_owned(), oldest));
        }
    }
    let expected: Vec<_> = (2..=5)
        .map(|oldest| ("grande".to_owned(), oldest))
        .collect();
    assert_eq!(trimmed, expected);
    assert!(history.bytes <= history.max_bytes);
    // A room never loses its latest entry, so the bound may be exceeded.
    history.max_bytes = 1;
    say(&mut history, "Ana", "28", "oi");
    let entries = history.rooms.values().map(|log| log.entries.len());
    assert!(entries.max() == Some(1) && history.largest_rooms.largest().is_none());
}

#[test]
fn amended_entries_are_counted_at_their_new_size() {
    let mut history = history(10 * ENTRY_OVERHEAD, 100);
    say(&mut history, "Ana", "1", "1234");
    let edit = fixtures::edit("Ana", "2", 1, "123456", 1000);
    for (change, bytes) in [
        (edit, 12 + 2 * ENTRY_OVERHEAD),
        (fixtures::erase("Ana", "3", 1, 1000), 3 * ENTRY_OVERHEAD),
    ] {
        history.submit(vec![HistoryRequest::Append(change)]);
        assert!(matches!(
            history.replies.try_recv(),
            Ok(HistoryReply::Appended(_, _, _, Outcome::Stored(_)))
        ));
        assert_eq!(
            (history.bytes, history.rooms.values().next().unwrap().bytes),
            (bytes, bytes)
        );
    }
}

#[test]
fn trimmed_entry_cannot_be_erased() {
    let mut history = history(1000, 2);
    for n in 1..=3 {
        history.submit(vec![HistoryRequest::Append(append(
            "Ana",
            &n.to_string(),
            "oi",
        ))]);
    }
    while history.replies.try_recv().is_ok() {}
    for seq in [1, 4] {
        history.submit(vec![HistoryRequest::Append(fixtures::erase(
            "Ana", "x", seq, 1000,
        ))]);
        assert!(matches!(
            history.replies.try_recv(),
            Ok(HistoryReply::Appended(_, _, _, Outcome::NoSuchEntry))
        ));
    }
}

#[test]
fn search_folds_accents_and_lists_newest_first() {
    let mut history = history(100_000, 100);
    for (n, text) in ["a Conceição chegou", "nada", "viu a CONCEICAO hoje?"]
        .iter()
        .enumerate()
    {
        say(&mut history, "Ana", &n.to_string(), text);
    }
    history.submit(vec![HistoryRequest::Search(
        RequestId(1),
        room(),
        "conceiçao".into(),
        10,
    )]);
    let Ok(HistoryReply::Found(_, _, _, Some(page))) = history.replies.recv() else {
        panic!()
    };
    assert_eq!(
        page.entries
            .iter()
            .map(|entry| entry.seq)
            .collect::<Vec<_>>(),
        [3, 1]
    );
}

#[test]
fn reply_to_trimmed_entry_is_refused_unless_already_stored() {
    let mut history = history(100_000, 3);
    let reply = |history: &mut MemoryHistory, id: &str, to: u64| {
        history.submit(vec![HistoryRequest::Append(Append {
            reply_to: Some(to),
            ..append("Ana", id, "sim")
        })]);
        let replies = history.replies.try_iter().collect::<Vec<_>>();
        replies.into_iter().find_map(|reply| match reply {
            HistoryReply::Appended(_, _, _, outcome) => Some(outcome),
            _ => None,
        })
    };
    for id in ["1", "2", "3"] {
        say(&mut history, "Bruno", id, "oi");
    }
    assert!(matches!(reply(&mut history, "r1", 1), Some(Outcome::Stored(entry)) if entry.seq == 4));
    assert_eq!(
        reply(&mut history, "r1", 1),
        Some(Outcome::Duplicate { seq: 4, at: 1000 })
    );
    assert_eq!(reply(&mut history, "r2", 1), Some(Outcome::NoSuchEntry));
}
