//! A log that grows long, and what it costs to read in it.

use crate::load::process::{history_in, new_folder};
use crate::load::tally::median;
use crate::log_driver::LogDriver;
use crate::row::{in_ms, print_row};
use papo::protocol::PageRequest;
use std::path::Path;
use std::time::Instant;

/// Ten senders directly into the log, until it has so many entries; then pages and searches.
pub fn measure_long_log(entries: u64) {
    let folder = new_folder();
    let path = history_in(&folder);
    let mut log = LogDriver::open(&path);
    let early = (entries / 10).max(1);
    let start = Instant::now();
    log.grow_to(early);
    let before = log.resident();
    log.grow_to(entries);
    let after = log.resident();
    let time = start.elapsed();
    print_row(
        "10 senders directly into the log",
        &format!("{:.0}/s", entries as f64 / time.as_secs_f64()),
        "≥ 20000/s",
    );
    print_row(
        &format!("memory at {early} entries"),
        &format!("{before:.1} MiB"),
        "",
    );
    print_row(
        &format!("memory at {entries} entries"),
        &format!("{after:.1} MiB"),
        "the same",
    );
    drop(log);
    let size = path.metadata().map_or(0, |data| data.len());
    print_row(
        "size of the file",
        &format!("{:.0} MiB", size as f64 / 1_048_576.0),
        "",
    );
    measure_reads(&path, entries);
}

fn measure_reads(path: &Path, entries: u64) {
    let start = Instant::now();
    let mut log = LogDriver::open(path);
    print_row("starting with that log", &in_ms(start.elapsed()), "");
    let tail = log.room_head();
    print_row("opening its room, first time", &in_ms(tail), "< 10 ms");
    let page = log.page(PageRequest::Latest, entries);
    print_row("  and its last page of 200", &in_ms(page), "");
    print_row(
        "opening and last page, together",
        &in_ms(tail + page),
        "< 10 ms",
    );
    print_row(
        "a page from the middle",
        &in_ms(log.page(PageRequest::Before(entries / 2), entries / 2 - 1)),
        "",
    );
    let searches = [
        ("a rare word", "jabuticaba"),
        ("a common word", "que"),
        ("two words", "que conversa"),
    ];
    for (what, query) in searches.into_iter().chain([
        ("two rare words", "jabuticaba que"),
        ("a prefix", "conv"),
        ("a short prefix", "c"),
    ]) {
        let first = log.search(query);
        let again = median((0..9).map(|_| log.search(query)).collect());
        print_row(
            &format!("search: {what} (first, then median)"),
            &format!("{} {}", in_ms(first), in_ms(again)),
            "< 50 ms",
        );
    }
}
