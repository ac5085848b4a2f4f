//! Connections that begin and never finish: heads and frames that come a byte a second or stop in the middle, and
//! handshakes without an `enter`. Each times out, and the others notice nothing.

use crate::background_chat::BackgroundChat;
use crate::harness::{exclusive_if_few_descriptors, few_descriptors, start_server};
use crate::raw_conn::{RawConn, min_max_seconds, run_until_closed};
use crate::support::process::ServerProcess;
use crate::support::raw::{self, HANDSHAKE, TEXT};
use crate::support::{Deadline, long_form, long_or};
use std::time::{Duration, Instant};

/// Sockets that send a request's head, one byte a second, and how many where there are few descriptors: in any case more
/// than may be pending.
const TRICKLING_CONNS: usize = 1000;
const TRICKLING_CONNS_IF_FEW: usize = 500;
/// Connections that have entered and stop in the middle of a frame; every other one adds a byte a second.
const HALF_FRAME_CONNS: usize = 200;
/// Connections that are upgraded and then say nothing.
const SILENT_CONNS: usize = 200;
const SECOND: Duration = Duration::from_secs(1);

/// How much later than their deadlines they may end, in seconds: a busy machine gets to them late.
fn margin() -> f64 {
    long_or(1.0, 60.0)
}

#[test]
fn slow_unfinished_and_silent_peers_time_out() {
    let _alone = exclusive_if_few_descriptors();
    let count = if few_descriptors() {
        TRICKLING_CONNS_IF_FEW
    } else {
        TRICKLING_CONNS
    };
    let mut server = start_server(&[]);
    let deadline = Deadline::within_seconds(180);
    let mut probe = server.enter("Zelo");
    let crowd = BackgroundChat::start(server.address, 8, Duration::from_millis(400));
    let before = server.stats();

    let mut half: Vec<RawConn> = (0..HALF_FRAME_CONNS)
        .map(|n| enter_with_half_frame(&server, n))
        .collect();
    probe.ping();
    let mut trickling = Vec::new();
    let mut next = Instant::now() + SECOND;
    for _ in 0..count {
        trickling.push(RawConn::connect(server.address, b"G"));
        // The first do not wait for the last.
        if next <= Instant::now() {
            probe.ping();
            trickling.iter_mut().for_each(send_next_byte);
            next = Instant::now() + SECOND;
        }
    }
    run_until_closed(&mut trickling, SECOND, deadline, &mut probe, send_next_byte);
    let mut silent: Vec<RawConn> = (0..SILENT_CONNS)
        .map(|_| RawConn::connect(server.address, HANDSHAKE.as_bytes()))
        .collect();
    let mut both: Vec<RawConn> = half.drain(..).chain(silent.drain(..)).collect();
    let mut turn = 0;
    run_until_closed(&mut both, SECOND, deadline, &mut probe, |conn| {
        turn += 1;
        // The silent ones send nothing; of the others every second one adds a byte.
        if conn.sent > HANDSHAKE.len() && turn % 2 == 0 {
            conn.send(b"x");
        }
    });
    let after = server.stats();
    let healed = server.wait_until_recovered(&mut probe, deadline, &before);
    let wellbeing = crowd.finish();
    let (half, silent) = both.split_at(HALF_FRAME_CONNS);

    let statuses: Vec<u16> = trickling
        .iter()
        .map(|conn| conn.response().status)
        .collect();
    let with = |status| statuses.iter().filter(|&&other| other == status).count();
    let late = with(408);
    let full = with(503);
    assert_eq!(late + full, count, "{statuses:?}");
    assert!(late > 0 && full > 0, "{late} were let in, {full} were not");
    for conn in half {
        assert_eq!(
            conn.response().close_and_bye(),
            (Some(1008), Some("protocol".into()))
        );
    }
    for conn in silent {
        assert_eq!(
            conn.response().close_and_bye(),
            (Some(1008), Some("idle".into()))
        );
    }
    let let_in = || {
        trickling
            .iter()
            .filter(|conn| conn.response().status == 408)
    };
    let heads = min_max_seconds(let_in());
    let halves = min_max_seconds(half.iter());
    let silences = min_max_seconds(silent.iter());
    let least = let_in().map(|conn| conn.sent).min().unwrap_or(0);
    assert!(
        least >= long_or(5, 2),
        "they did not go on sending: only {least} bytes in all"
    );
    assert!(heads.0 > 4.0 && heads.1 < 5.0 + margin(), "{heads:?}");
    assert!(halves.0 > 9.0 && halves.1 < 10.0 + margin(), "{halves:?}");
    assert!(
        silences.0 > 9.0 && silences.1 < 10.0 + margin(),
        "{silences:?}"
    );
    let cpu = after.cpu_since(&before);
    println!(
        "slow: {late} heads gone after {:.2}–{:.2} s, {full} refused with 503; {HALF_FRAME_CONNS} half frames after {:.2}–{:.2} s; \
         {SILENT_CONNS} silent after {:.2}–{:.2} s; CPU {cpu:.1} % of a core; threads and descriptors back {:.0} ms later; \
         healthy: {wellbeing}",
        heads.0,
        heads.1,
        halves.0,
        halves.1,
        silences.0,
        silences.1,
        healed.as_secs_f64() * 1000.0
    );
    if long_form() {
        assert!(cpu < 10.0 && wellbeing.p99 < Duration::from_millis(10) && healed < SECOND);
    }
    server.assert_healthy();
}

/// A connection that has entered and stopped in the middle of a frame.
fn enter_with_half_frame(server: &ServerProcess, n: usize) -> RawConn {
    let mut conn = RawConn::entered(server.address, &format!("Metade {n}"));
    let frame = raw::frame(TEXT, &[b' '; 100]);
    conn.send(&frame[..10]);
    conn
}

/// The next byte of a request.
fn send_next_byte(conn: &mut RawConn) {
    let next = conn.sent;
    conn.send(&HANDSHAKE.as_bytes()[next..=next]);
}
