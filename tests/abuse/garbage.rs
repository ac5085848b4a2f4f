//! Bytes that are no HTTP and frames that are no WebSocket, by the thousand: every answer is a known one, nothing panics,
//! and the memory is freed afterwards.

use crate::background_chat::BackgroundChat;
use crate::harness::{exclusive, start_server};
use crate::support::client::WsClient;
use crate::support::raw::{self, HANDSHAKE, TEXT, round_trip};
use crate::support::rng::Rng;
use crate::support::{Deadline, long_form, long_or};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Statuses that the server may send; 0 is a connection that ends without an answer, as after half a request.
const STATUSES: [u16; 12] = [0, 101, 200, 400, 403, 404, 405, 408, 421, 426, 431, 503];
/// Close codes that the server may send; `None` is an end without a close frame, after one that can't be answered.
const CLOSES: [Option<u16>; 8] = [
    None,
    Some(1000),
    Some(1002),
    Some(1003),
    Some(1005),
    Some(1007),
    Some(1008),
    Some(1009),
];
/// Frames sent on one connection.
const FRAMES_PER_CONN: usize = 120;

/// A handshake with something wrong in it, or wrong altogether.
fn malformed_handshake(rng: &mut Rng) -> Vec<u8> {
    let swap = |from: &str, to: &str| HANDSHAKE.replacen(from, to, 1).into_bytes();
    let mut head = HANDSHAKE.as_bytes().to_vec();
    match rng.below(20) {
        0 => swap(
            "GET",
            rng.pick(&["POST", "G T", "", "GETTTTT", "get", "CONNECT", "\0"]),
        ),
        1 => swap(
            "HTTP/1.1",
            rng.pick(&["HTTP/1.0", "HTTP/9.9", "HTTP/2", "", "1.1"]),
        ),
        2 => swap(
            "localhost",
            rng.pick(&[
                "exemplo.com",
                "",
                "a b",
                "localhost:99999999",
                "[::1",
                "....",
                "é",
            ]),
        ),
        3 => swap(
            "Host: localhost\r\n",
            rng.pick(&["", "Host: a\r\nHost: b\r\n", "Host\r\n", "Host : a\r\n"]),
        ),
        4 => swap(
            "13",
            rng.pick(&["", "12", "13, 13", "999999999999999999999", "-13"]),
        ),
        5 => swap(
            "dGhlIHNhbXBsZSBub25jZQ==",
            rng.pick(&[
                "",
                "x",
                "dGhlIHNhbXBsZSBub25jZQ=",
                "????????????????????????",
            ]),
        ),
        6 => swap(
            "Connection: Upgrade",
            rng.pick(&["Connection: close", "Connection:", "Conection: Upgrade"]),
        ),
        7 => swap(
            "Upgrade: websocket",
            rng.pick(&[
                "Upgrade: h2c",
                "Upgrade: web socket",
                "Origin: http://mau.example",
            ]),
        ),
        8 => swap("\r\n\r\n", "\r\n"),
        9 => swap("GET /", "GET /../../../../etc/passwd"),
        10 => [b"GET /", &vec![b'a'; 9000][..], b" HTTP/1.1\r\n\r\n"].concat(),
        11 => swap("Upgrade:", &format!("{}Upgrade:", "X: y\r\n".repeat(100))),
        12 => swap("\r\nHost", "\nHost"),
        13 => rng.bytes(200),
        14 => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        15 => head[..rng.below(head.len())].to_vec(),
        _ => {
            for _ in 0..=rng.below(5) {
                let at = rng.below(head.len());
                head[at] = rng.byte();
            }
            head
        }
    }
}

/// A request for each status, so that no seed leaves one out.
fn check_known_handshakes(address: SocketAddr) {
    let swap = |from: &str, to: &str| HANDSHAKE.replacen(from, to, 1);
    let plain = |line: &str| format!("{line} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for (head, expected) in [
        (HANDSHAKE[..40].to_owned(), 0),
        (HANDSHAKE.to_owned(), 101),
        (plain("GET /"), 200),
        (swap("GET /", "GET"), 400),
        (
            swap("\r\n\r\n", "\r\nOrigin: http://mau.example\r\n\r\n"),
            403,
        ),
        (plain("GET /nada"), 404),
        (plain("POST /"), 405),
        (swap("localhost", "exemplo.com"), 421),
        (swap("13", "12"), 426),
        (plain(&format!("GET /{}", "a".repeat(9000))), 431),
    ] {
        assert_eq!(
            round_trip(address, head.as_bytes()).status,
            expected,
            "{head}"
        );
    }
}

/// Frames for each close code.
fn check_known_frames(address: SocketAddr) {
    for (frames, expected) in [
        (raw::frame(0x88, &1000_u16.to_be_bytes()), 1000),
        (raw::frame(0x83, b"?"), 1002),
        (raw::frame(0x82, b"bytes"), 1003),
        (raw::frame(TEXT, &[0xC3, 0x28]), 1007),
        (raw::frame(TEXT, b"?").repeat(FRAMES_PER_CONN), 1008),
        (raw::frame(TEXT, &[b' '; 70_000]), 1009),
    ] {
        let bytes = [raw::handshake_and_enter("Ruído"), frames].concat();
        let answer = round_trip(address, &bytes);
        assert_eq!(answer.close, Some(expected));
    }
}

/// A whole text frame with something like JSON in it, or nothing like it.
fn any_text(rng: &mut Rng) -> Vec<u8> {
    const WORDS: [&str; 8] = [
        "{\"type\":",
        "\"ping\"",
        "\"say\",",
        "\"room\":\"geral\"",
        "}",
        "[",
        "\"id\":\"1\",",
        "é",
    ];
    let text: String = (0..rng.below(6)).map(|_| rng.pick(&WORDS)).collect();
    raw::frame(TEXT, text.as_bytes())
}

/// A frame of any kind and length, honest about its length or not, with anything in it.
fn any_frame(rng: &mut Rng) -> Vec<u8> {
    let length = rng.below(130);
    match rng.below(8) {
        0..=3 => any_text(rng),
        4 => raw::frame(rng.pick(&[0x01, 0x02, 0x80, 0x82, 0x88, 0x89, 0x8A]), b"{}"),
        5 => raw::frame(rng.byte(), &rng.bytes(length)),
        6 => [
            &[TEXT, 0xFF, 0, 0, 0, 0, 0, rng.byte()][..],
            &rng.bytes(length),
        ]
        .concat(),
        _ => rng.bytes(length),
    }
}

/// A client that reads nothing for long is dropped: the probe gives a sign of life every twenty round trips.
fn ping_if_due(probe: &mut WsClient, round_trips: usize) {
    if round_trips.is_multiple_of(20) {
        probe.ping();
    }
}

/// Counts equal items.
fn tally<T: Ord>(what: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    what.fold(BTreeMap::new(), |mut tally, item| {
        *tally.entry(item).or_default() += 1;
        tally
    })
}

fn send_handshakes(
    address: SocketAddr,
    rng: &mut Rng,
    count: usize,
    probe: &mut WsClient,
) -> BTreeMap<u16, usize> {
    let mut end = |n| {
        ping_if_due(probe, n);
        round_trip(address, &malformed_handshake(rng)).status
    };
    let statuses = tally((0..count).map(&mut end));
    assert!(
        statuses.keys().all(|status| STATUSES.contains(status)),
        "{statuses:?}"
    );
    statuses
}

/// Sends so many frames; gives back how the connections ended, and how many errors were sent.
fn send_frames(
    address: SocketAddr,
    rng: &mut Rng,
    count: usize,
    probe: &mut WsClient,
) -> (BTreeMap<Option<u16>, usize>, usize) {
    let mut errors = 0;
    let mut end = |n: usize| {
        ping_if_due(probe, n);
        let begin = if n.is_multiple_of(4) {
            HANDSHAKE.as_bytes().to_vec()
        } else {
            raw::handshake_and_enter("Ruído")
        };
        // Every third connection breaks the framing sooner or later; the others only send nonsense.
        let any = if n.is_multiple_of(3) {
            any_frame
        } else {
            any_text
        };
        let noise: Vec<u8> = (0..FRAMES_PER_CONN).flat_map(|_| any(rng)).collect();
        let answer = round_trip(address, &[begin, noise].concat());
        for text in &answer.texts {
            let message: Result<papo::protocol::ServerMessage, _> = serde_json::from_str(text);
            assert!(message.is_ok(), "{text}");
        }
        errors += answer.count(r#""type":"error""#);
        answer.close
    };
    let closes = tally((0..count / FRAMES_PER_CONN).map(&mut end));
    assert!(
        closes.keys().all(|close| CLOSES.contains(close)),
        "{closes:?}"
    );
    (closes, errors)
}

#[test]
fn random_bytes_get_known_answers_and_leak_nothing() {
    let _alone = exclusive();
    let heads = long_or(10_000, 1_500);
    let noise = long_or(200_000, 20_000);
    let mut server = start_server(&[]);
    let deadline = Deadline::within_seconds(long_or(900, 300));
    let mut probe = server.enter("Zelo");
    let crowd = BackgroundChat::start(server.address, 8, Duration::from_millis(400));
    check_known_handshakes(server.address);
    check_known_frames(server.address);
    let mut rng = Rng::new();
    // The first ones fill what the allocator keeps anyway.
    send_handshakes(server.address, &mut rng, heads / 10, &mut probe);
    send_frames(server.address, &mut rng, noise / 4, &mut probe);
    server.wait_until(&mut probe, deadline, |now| now.threads <= 24);
    let before = server.stats();
    let start = Instant::now();
    let statuses = send_handshakes(server.address, &mut rng, heads, &mut probe);
    let (closes, errors) = send_frames(server.address, &mut rng, noise, &mut probe);
    let took = start.elapsed();
    let after = server.stats();
    let healed = server.wait_until_recovered(&mut probe, deadline, &before);
    let wellbeing = crowd.finish();
    let now = server.stats();
    let growth = 100.0 * (now.resident_kib as f64 / before.resident_kib as f64 - 1.0);
    println!(
        "garbage: {heads} handshakes: {statuses:?}; {noise} frames: {closes:?}, {errors} errors sent; {:.1} s, CPU {:.1} % \
         of a core; memory {} KiB, {growth:+.1} %; threads and descriptors back {:.0} ms later; healthy: {wellbeing}",
        took.as_secs_f64(),
        after.cpu_since(&before),
        now.resident_kib,
        healed.as_secs_f64() * 1000.0
    );
    assert!(
        errors > noise / 100,
        "too few errors: it was not noise enough"
    );
    assert!(
        now.resident_kib < before.resident_kib * 13 / 10,
        "{} KiB",
        now.resident_kib
    );
    if long_form() {
        assert!(growth < 5.0 && wellbeing.p99 < Duration::from_millis(10));
    }
    server.assert_healthy();
}
