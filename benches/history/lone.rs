//! Messages that come one at a time: what each makes the disk write, and what it makes the history's thread do.
//!
//! `CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="valgrind --tool=callgrind --separate-threads=yes" cargo bench --bench
//! history -- --lone 1200` counts the instructions of each thread; the second is the history's. The same with 200
//! messages taken off it leaves those of 1000.

use crate::load::client::Client;
use crate::load::disk::JournalIndex;
use crate::load::process::{Cores, Storage, Subject, history_in, new_folder};
use crate::load::text::Sentences;
use crate::log_driver::LogDriver;
use crate::row::print_row;
use rusqlite::Connection;

/// Bytes written for each message, all included: the journal, and moving it into the database.
pub fn measure_bytes() {
    const WARM_UP: usize = 50;
    const MESSAGES: usize = 1000;
    let subject = Subject::server(Storage::Disk, Cores::Shared);
    let index = JournalIndex::open(&subject.history());
    let mut client = Client::enter(subject.address, "Ana", "geral", None);
    let mut sentences = Sentences::new(2);
    for _ in 0..WARM_UP {
        client.say(&sentences.exactly(130));
    }
    let written = subject.written();
    let transactions = index.read().transactions;
    for _ in 0..MESSAGES {
        client.say(&sentences.exactly(130));
    }
    let written = subject.written() - written;
    let transactions = index.read().transactions - transactions;
    print_row(
        "bytes written for a lone message of 130 bytes",
        &format!("{:.1} kB", written as f64 / 1e3 / MESSAGES as f64),
        "≤ 16 kB",
    );
    print_row(
        "  transactions for each",
        &format!("{:.2}", f64::from(transactions) / MESSAGES as f64),
        "",
    );
}

/// Only stores messages, so many at once, into a fresh log of this process: for a program that counts instructions.
pub fn store_only(messages: u64, batch: u64) {
    let folder = new_folder();
    let path = history_in(&folder);
    let mut log = LogDriver::open(&path);
    let index = JournalIndex::open(&path);
    let lock = Connection::open(&path).expect("the file can be opened");
    let transactions = index.read().transactions;
    log.store_in_batches(messages, batch, &lock);
    let transactions = index.read().transactions - transactions;
    drop(lock);
    drop(log);
    println!("{messages} messages in {transactions} transactions");
}
