//! The check of a whole experiment: what the file holds, what every client holds, and what was acknowledged agree.

use crate::log_entry::LogEntry;
use crate::transcript::{Ack, Transcript};
use papo::history::sqlite::{self, Format};
use papo::name::RoomName;
use papo::protocol::Entry;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The lobby's log in the file.
pub fn stored_entries(history: &Path) -> Vec<LogEntry> {
    let mut json = Vec::new();
    sqlite::export(
        history,
        &RoomName::lobby(),
        Format::Json,
        time::UtcOffset::UTC,
        &mut json,
    )
    .unwrap();
    let entries = json
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let entries = entries.map(|line| serde_json::from_slice::<Entry>(line).unwrap());
    entries.map(|entry| LogEntry::of(&entry)).collect()
}

/// Checks every promise over a log and the clients that made it.
pub fn assert_consistent<'a>(log: &[LogEntry], clients: impl IntoIterator<Item = &'a Transcript>) {
    let seqs: Vec<u64> = log.iter().map(|line| line.seq).collect();
    assert_eq!(
        seqs,
        (1..=log.len() as u64).collect::<Vec<_>>(),
        "the seqs have a hole"
    );
    let different: HashSet<&str> = log.iter().map(|line| &*line.text).collect();
    assert_eq!(different.len(), log.len(), "something was stored twice");
    let mut said = 0;
    for client in clients {
        said += client.sent.len();
        assert_same_entries(log, client);
        assert_sending_order(log, client);
        assert_acked_is_stored(log, client);
    }
    assert_eq!(
        said,
        log.len(),
        "something is stored that was not sent, or the other way round"
    );
}

/// A client's copy is the log, entry by entry.
fn assert_same_entries(log: &[LogEntry], client: &Transcript) {
    let name = &client.name;
    let count = client.entries.len();
    if let Some(other) = log
        .iter()
        .zip(&client.entries)
        .find(|(line, copy)| line != copy)
    {
        panic!("{name} holds something else: {other:?}");
    }
    assert_eq!(count, log.len(), "{name} does not hold all of it");
}

/// What one person sent is in the log once and in the order of sending.
fn assert_sending_order(log: &[LogEntry], client: &Transcript) {
    let stored: Vec<&str> = log
        .iter()
        .filter(|line| line.from == client.name)
        .map(|line| &*line.text)
        .collect();
    let said: Vec<&str> = client.sent.iter().map(|said| &*said.text).collect();
    assert_eq!(stored, said, "{}: out of order", client.name);
}

/// Every `ack` has the seq under which its message is stored, and every message has one.
fn assert_acked_is_stored(log: &[LogEntry], client: &Transcript) {
    let mut places = HashMap::new();
    for Ack { id, seq, .. } in &client.acks {
        let first = *places.entry(&**id).or_insert(*seq);
        assert_eq!(
            first, *seq,
            "{}: {id} was acknowledged at two places",
            client.name
        );
    }
    for said in &client.sent {
        let Some(seq) = places.get(&*said.id) else {
            panic!("{}: {} has no ack", client.name, said.id)
        };
        let line = log
            .get(*seq as usize - 1)
            .unwrap_or_else(|| panic!("{}: {seq} is not stored", client.name));
        assert_eq!(
            (&*line.from, &*line.text),
            (&*client.name, &*said.text),
            "at {seq}"
        );
    }
}
