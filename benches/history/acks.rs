//! The log through the real server, on a calm day and flat out.

use crate::load::crowd::Crowd;
use crate::load::disk::SyncProbe;
use crate::load::peer::Dialect;
use crate::load::process::{Cores, Storage, Subject};
use crate::load::tally::{median, quantile};
use crate::row::{in_ms, print_row};
use std::time::{Duration, Instant};

/// The delay of an `ack` beside what the disk itself takes, in the same rhythm, a little of each in turn.
pub fn measure_acks(failures: &mut Vec<String>) {
    const PER_SECOND: u32 = 20;
    let subject = Subject::server(Storage::Disk, Cores::Apart);
    let mut crowd = Crowd::new(subject.address, Dialect::Chat);
    crowd.enter(1, 1);
    let mut probe = SyncProbe::new();
    let mut syncs = Vec::new();
    for _ in 0..4 {
        crowd.send_at_rate(&[0], f64::from(PER_SECOND), Duration::from_secs(1));
        crowd.wait_for_deliveries();
        for _ in 0..PER_SECOND {
            std::thread::sleep(Duration::from_secs(1) / PER_SECOND);
            // A commit of one message writes a few pages of 4 KiB.
            syncs.push(probe.append(16 * 1024));
        }
    }
    let sync = median(syncs);
    let mut delays = crowd.tally.ack_delays_since(0);
    let ack = quantile(&mut delays, 0.5);
    print_row("one fsync of this disk, median", &in_ms(sync), "");
    print_row(
        "ack of a sender of 20 messages/s, median",
        &in_ms(ack),
        &format!("≤ {}", in_ms(sync + Duration::from_millis(3))),
    );
    print_row("the same, p99", &in_ms(quantile(&mut delays, 0.99)), "");
    failures.append(&mut crowd.tally.failures);
}

/// Ten senders in one room, without listeners.
pub fn measure_senders(failures: &mut Vec<String>) {
    const TIME: Duration = Duration::from_secs(5);
    let subject = Subject::server(Storage::Disk, Cores::Apart);
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
