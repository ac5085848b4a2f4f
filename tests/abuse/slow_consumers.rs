//! A room of which a twentieth never reads: these connections get a bounded amount and are cut as too slow; the others
//! notice nothing.

use crate::background_chat::{BackgroundChat, DeliveryStats};
use crate::harness::{exclusive, start_server};
use crate::raw_conn::{RawConn, wait_for_any};
use crate::support::client::WsClient;
use crate::support::process::ServerProcess;
use crate::support::raw::{self, PING, PONG, next_frame};
use crate::support::{Deadline, long_form, long_or};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

/// People who speak.
const SPEAKERS: usize = 10;
/// Memory that one connection may cost the server: its outbox, for which the allocator may take twice the room, its stack,
/// and what the kernel adds.
const MAX_KIB_PER_CONN: u64 = 2 * 256 + 64;

/// How often each of them does, and how many characters: in the long form 200 messages a second in all.
fn message_interval() -> Duration {
    Duration::from_millis(long_or(50, 200))
}

fn padding() -> usize {
    long_or(500, 2000)
}

/// People who only listen, all on one thread: each checks that no seq of the room is missing or comes twice.
struct Listeners {
    /// The room's last seq, once it is known.
    final_seq: Arc<AtomicU64>,
    thread: JoinHandle<()>,
    count: usize,
}

impl Listeners {
    fn start(address: SocketAddr, count: usize, deadline: Deadline) -> Self {
        let listener = |n| {
            let mut listener = RawConn::entered(address, &format!("Ouvinte {n}"));
            let head = listener
                .received
                .windows(4)
                .position(|end| end == b"\r\n\r\n")
                .expect("an answer has a head");
            listener.received.drain(..head + 4);
            (listener, 0)
        };
        let mut all: Vec<(RawConn, u64)> = (0..count).map(listener).collect();
        let final_seq = Arc::new(AtomicU64::new(u64::MAX));
        let until = final_seq.clone();
        let thread = spawn(move || {
            while all
                .iter()
                .any(|(_, seq)| *seq < until.load(Ordering::Relaxed))
            {
                assert!(!deadline.is_over(), "a listener missed the end");
                wait_for_any(all.iter().map(|(conn, _)| conn), Duration::from_millis(50));
                for (conn, seq) in &mut all {
                    conn.read_available();
                    assert!(conn.closed_after.is_none(), "a listener was cut");
                    if check_sequence(&mut conn.received, seq) {
                        conn.send(&raw::frame(PONG, b""));
                    }
                }
            }
        });
        Self {
            final_seq,
            thread,
            count,
        }
    }

    /// Waits until each of them has received everything.
    fn finish(self, last: u64) {
        self.final_seq.store(last, Ordering::Relaxed);
        self.thread.join().expect("a healthy listener was harmed");
    }
}

/// Takes whole frames off what was received; messages must follow each other. Returns whether there was a ping.
fn check_sequence(received: &mut Vec<u8>, seq: &mut u64) -> bool {
    let mut done = 0;
    let mut pinged = false;
    while let Some((first, payload, length)) = next_frame(&received[done..]) {
        pinged |= first == PING;
        if payload.starts_with(br#"{"type":"message""#) {
            let text = std::str::from_utf8(payload).unwrap();
            let number = text
                .split(r#""seq":"#)
                .nth(1)
                .and_then(|rest| rest.split(',').next()?.parse().ok());
            let number: u64 = number.expect("a message has a seq");
            assert!(*seq == 0 || number == *seq + 1, "{number} came after {seq}");
            *seq = number;
        }
        done += length;
    }
    received.drain(..done);
    pinged
}

/// The speakers chat until the time is over; gives back the delays.
fn measure_chat(
    server: &ServerProcess,
    name: &str,
    probe: &mut WsClient,
    seconds: u64,
) -> DeliveryStats {
    let crowd = BackgroundChat::start_with(
        server.address,
        name,
        SPEAKERS,
        message_interval(),
        padding(),
    );
    let until = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < until {
        probe.receive_within(until.saturating_duration_since(Instant::now()));
    }
    crowd.finish()
}

#[test]
fn stalled_consumers_are_disconnected_and_harm_nobody() {
    let _alone = exclusive();
    let (listeners, stalled) = long_or((475, 25), (95, 5));
    let mut server = start_server(&["--ritmo", "0"]);
    let deadline = Deadline::within_seconds(180);
    let mut probe = server.enter("Zelo");
    let listeners = Listeners::start(server.address, listeners, deadline);
    let before = server.stats();
    let baseline = measure_chat(&server, "Antes", &mut probe, long_or(10, 3));
    server.wait_until_recovered(&mut probe, deadline, &before);
    let before = server.stats();

    let mut stalled: Vec<RawConn> = (0..stalled)
        .map(|n| RawConn::entered_with_small_buffer(server.address, &format!("Surdo {n}")))
        .collect();
    let attacked = server.stats();
    assert!(
        attacked.threads >= before.threads + stalled.len(),
        "the stalled connections are not there"
    );
    let crowd = BackgroundChat::start_with(
        server.address,
        "Durante",
        SPEAKERS,
        message_interval(),
        padding(),
    );
    let cut = server.wait_until(&mut probe, deadline, |now| {
        now.threads <= before.threads + SPEAKERS
    });
    let wellbeing = crowd.finish();
    let after = server.stats();
    let all = listeners.count + stalled.len() + SPEAKERS + 1;
    listeners.finish(wellbeing.seq);
    let healed = server.wait_until_recovered(&mut probe, deadline, &before);

    for conn in &mut stalled {
        while conn.closed_after.is_none() {
            wait_for_any([&*conn].into_iter(), deadline.left());
            conn.read_available();
        }
        assert_eq!(
            conn.response().close_and_bye(),
            (Some(1013), Some("too_slow".into()))
        );
    }
    let received = stalled.iter().map(|conn| conn.received.len() / 1024);
    let growth = after.peak_kib.saturating_sub(before.peak_kib);
    println!(
        "stalled: {} of {} connections, all cut with 1013 within {:.1} s, having been given up to {} KiB; peak memory +{growth} \
         KiB, now {:+} KiB; threads and descriptors back {:.0} ms later; CPU {:.1} % of a core\n  without them: \
         {baseline}\n  beside them: {wellbeing}",
        stalled.len(),
        all,
        cut.as_secs_f64(),
        received.max().unwrap_or(0),
        after.resident_kib as i64 - before.resident_kib as i64,
        healed.as_secs_f64() * 1000.0,
        after.cpu_since(&before)
    );
    // On a busy machine the other connections may be behind for a moment too.
    let behind = long_or(stalled.len(), all) as u64;
    assert!(
        growth < behind * MAX_KIB_PER_CONN + 16 * 1024,
        "{growth} KiB more"
    );
    if long_form() {
        assert!(wellbeing.p99 < 2 * baseline.p99);
    }
    server.assert_healthy();
}
