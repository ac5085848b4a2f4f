//! The cost of the durable log: `cargo bench --bench history`.
//!
//! Prints a table and asserts only that everything stored is there, in order. The log is written and read both directly
//! and through the real server over loopback. Takes about two minutes and a gigabyte of disk in the build directory; a
//! number of entries after `--` changes the length of the long log.

#[cfg(target_os = "linux")]
mod load;

#[cfg(target_os = "linux")]
#[path = "history/log_driver.rs"]
mod log_driver;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("This benchmark measures through /proc and needs Linux.");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use load::process::{Storage, Subject};

    // `cargo test --benches` runs this too, without this argument; there is nothing to test.
    if !std::env::args().any(|word| word == "--bench") {
        println!("This is a benchmark: cargo bench --bench history");
        return std::process::ExitCode::SUCCESS;
    }
    let entries = std::env::args()
        .skip(1)
        .find_map(|word| word.parse().ok())
        .unwrap_or(1_000_000);
    let mut failures = Vec::new();
    println!("{:<58}{:>14}  target", "The durable log", "measured");
    report::measure_acks(&mut failures);
    report::measure_senders(&Subject::server(Storage::Disk), &mut failures);
    report::measure_long_log(entries);
    for failure in &failures {
        eprintln!("FAILED: {failure}");
    }
    std::process::ExitCode::from(u8::from(!failures.is_empty()))
}

#[cfg(target_os = "linux")]
mod report {
    use crate::load::crowd::Crowd;
    use crate::load::peer::Dialect;
    use crate::load::process::{Storage, Subject, history_in, new_folder};
    use crate::load::tally::{median, quantile};
    use crate::log_driver::LogDriver;
    use papo::protocol::PageRequest;
    use std::fs::File;
    use std::io::Write;
    use std::time::{Duration, Instant};

    fn print_row(what: &str, measured: &str, target: &str) {
        println!("{what:<58}{measured:>14}  {target}");
    }

    fn in_ms(time: Duration) -> String {
        format!("{:.2} ms", time.as_secs_f64() * 1e3)
    }

    /// The delay of an `ack` beside what the disk itself takes, in the same rhythm, a little of each in turn.
    pub fn measure_acks(failures: &mut Vec<String>) {
        const PER_SECOND: u32 = 20;
        let subject = Subject::server(Storage::Disk);
        let mut crowd = Crowd::new(subject.address, Dialect::Chat);
        crowd.enter(1, 1);
        let folder = new_folder();
        let mut file = File::create(folder.path().join("sync")).expect("a file");
        let mut syncs = Vec::new();
        for _ in 0..4 {
            crowd.send_at_rate(&[0], f64::from(PER_SECOND), Duration::from_secs(1));
            crowd.wait_for_deliveries();
            for _ in 0..PER_SECOND {
                std::thread::sleep(Duration::from_secs(1) / PER_SECOND);
                let start = Instant::now();
                // A commit of one message writes a few pages of 4 KiB.
                file.write_all(&[7; 16 * 1024])
                    .and_then(|()| file.sync_data())
                    .expect("the disk takes it");
                syncs.push(start.elapsed());
            }
        }
        let sync = median(syncs);
        let ack = quantile(&mut crowd.tally.ack_delays, 0.5);
        print_row("one fsync of this disk, median", &in_ms(sync), "");
        print_row(
            "ack of a sender of 20 messages/s, median",
            &in_ms(ack),
            &format!("≤ {}", in_ms(sync + Duration::from_millis(3))),
        );
        print_row(
            "the same, p99",
            &in_ms(quantile(&mut crowd.tally.ack_delays, 0.99)),
            "",
        );
        failures.append(&mut crowd.tally.failures);
    }

    /// Ten senders in one room, without listeners.
    pub fn measure_senders(subject: &Subject, failures: &mut Vec<String>) {
        const TIME: Duration = Duration::from_secs(5);
        let mut crowd = Crowd::new(subject.address, Dialect::Chat);
        crowd.enter(10, 1);
        let senders: Vec<usize> = (0..10).collect();
        crowd.send_at_full_rate(&senders, Duration::from_secs(1));
        let acked = crowd.tally.acked;
        let cpu = subject.cpu();
        let start = Instant::now();
        crowd.send_at_full_rate(&senders, TIME);
        let acked = crowd.tally.acked - acked;
        let cpu = subject.cpu() - cpu;
        let time = start.elapsed();
        crowd.wait_for_deliveries();
        let per_second = acked as f64 / time.as_secs_f64();
        print_row(
            "10 senders through the server",
            &format!("{per_second:.0}/s"),
            "≥ 20000/s",
        );
        print_row(
            "  server CPU per stored message",
            &format!("{:.1} µs", cpu.as_secs_f64() * 1e6 / acked as f64),
            "",
        );
        print_row(
            "  its memory after that",
            &format!("{:.1} MiB", subject.resident() as f64 / 1_048_576.0),
            "",
        );
        failures.append(&mut crowd.tally.failures);
    }

    /// A log that grows long, and what it costs to read in it.
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

    fn measure_reads(path: &std::path::Path, entries: u64) {
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
}
