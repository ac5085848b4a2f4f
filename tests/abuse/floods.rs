//! Floods: frames that never become a message, pings whose pongs are never read, messages in pieces of one byte, and ten
//! thousand messages at once. Each waits in its own socket or is cut; no other connection waits.

use crate::background_chat::BackgroundChat;
use crate::harness::{exclusive, start_server};
use crate::raw_conn::RawConn;
use crate::support::raw::{self, CONTINUATION, PING, RawResponse, TEXT, TEXT_FIRST};
use crate::support::{Deadline, long_form};
use std::thread::spawn;
use std::time::Duration;

/// Messages that one person says at once.
const MESSAGES: usize = 10_000;
/// By then every flood has ended by itself, on a busy machine too: an unfinished message is given up after ten seconds.
const FLOOD_TIMEOUT: Duration = Duration::from_mins(1);

/// How a flood ended.
struct FloodResult {
    sent: usize,
    /// When the server first took no more, or said that it is too fast.
    slowed_after: Option<f64>,
    /// When the server cut it; `None` if it was only slowed.
    closed_after: Option<f64>,
    response: RawResponse,
}

impl std::fmt::Display for FloodResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (close, bye) = self.response.close_and_bye();
        let time =
            |time: Option<f64>| time.map_or("never".into(), |time| format!("after {time:.2} s"));
        let slowed = time(self.slowed_after);
        let cut = time(self.closed_after);
        write!(
            f,
            "{} KiB sent, slowed {slowed}, cut {cut} with {close:?} {bye:?}",
            self.sent / 1024
        )
    }
}

/// Sends the same again and again until the server cuts it.
fn flood(mut conn: RawConn, piece: &[u8], reads: bool) -> FloodResult {
    let begun = conn.sent;
    let mut slowed = None;
    let mut at = 0;
    let chunk = piece.repeat((64 * 1024 / piece.len()).max(1));
    while conn.closed_after.is_none() && !conn.write_failed && conn.since.elapsed() < FLOOD_TIMEOUT
    {
        let taken = conn.send(&chunk[at..]);
        at = (at + taken) % chunk.len();
        if taken == 0 && !conn.write_failed {
            slowed.get_or_insert(conn.since.elapsed().as_secs_f64());
            conn.wait_writable(reads, Duration::from_secs(1));
        }
        if reads {
            conn.read_available();
        }
    }
    let cut = (conn.closed_after.is_some() || conn.write_failed)
        .then(|| conn.since.elapsed().as_secs_f64());
    // A connection that has never read may do so now.
    conn.read_available();
    FloodResult {
        sent: conn.sent - begun,
        slowed_after: slowed,
        closed_after: cut,
        response: conn.response(),
    }
}

/// Sends [`MESSAGES`] messages as fast as the kernel takes them, and reads every answer.
fn send_messages(mut conn: RawConn) -> FloodResult {
    let say = |n: usize| {
        let text = format!(r#"{{"type":"say","room":"geral","id":"{n}","text":"x"}}"#);
        raw::frame(TEXT, text.as_bytes())
    };
    let all: Vec<u8> = (0..MESSAGES).flat_map(say).collect();
    let begun = conn.sent;
    let mut at = 0;
    let last = format!(r#""id":"{}""#, MESSAGES - 1);
    while at < all.len() {
        let taken = conn.send(&all[at..]);
        at += taken;
        if taken == 0 {
            conn.wait_writable(true, Duration::from_secs(1));
        }
        conn.read_available();
    }
    conn.wait_for_text("too_fast");
    let slowed = Some(conn.since.elapsed().as_secs_f64());
    conn.wait_for_text(&last);
    let cut = conn.closed_after.map(|gone| gone.as_secs_f64());
    FloodResult {
        sent: conn.sent - begun,
        slowed_after: slowed,
        closed_after: cut,
        response: conn.response(),
    }
}

#[test]
fn flooding_peer_is_slowed_or_closed_and_harms_nobody() {
    let _alone = exclusive();
    let mut server = start_server(&[]);
    let deadline = Deadline::within_seconds(180);
    let mut probe = server.enter("Zelo");
    let crowd = BackgroundChat::start(server.address, 8, Duration::from_millis(400));
    let before = server.stats();

    let address = server.address;
    let empty = [raw::frame(TEXT_FIRST, b""), raw::frame(CONTINUATION, b"")];
    let continuations = spawn(move || {
        let mut conn = RawConn::entered_with_small_buffer(address, "Vazio");
        conn.send(&empty[0]);
        flood(conn, &empty[1], true)
    });
    let pieces = spawn(move || {
        let mut conn = RawConn::entered_with_small_buffer(address, "Migalha");
        conn.send(&raw::frame(TEXT_FIRST, b"x"));
        flood(conn, &raw::frame(CONTINUATION, b"x"), true)
    });
    let pings = spawn(move || {
        flood(
            RawConn::entered_with_small_buffer(address, "Pingue"),
            &raw::frame(PING, &[b'p'; 125]),
            false,
        )
    });
    let messages = spawn(move || send_messages(RawConn::entered(address, "Fala Tudo")));

    let floods = [messages, pieces, pings, continuations];
    while !floods.iter().all(|flood| flood.is_finished()) {
        // A client that reads nothing for long is dropped, the probe too.
        probe.receive_within(Duration::from_millis(100));
    }
    let [messages, pieces, pings, continuations] = floods.map(|flood| flood.join().unwrap());
    let after = server.stats();
    server.wait_until_recovered(&mut probe, deadline, &before);
    let wellbeing = crowd.finish();

    let acks = messages.response.count(r#""type":"ack""#);
    let errors = messages.response.count(r#""code":"too_fast""#);
    // Every message has its answer, unless the sender could not read so many answers at once.
    let too_slow = messages.response.close_and_bye() == (Some(1013), Some("too_slow".into()));
    assert!(
        acks + errors == MESSAGES || too_slow,
        "{messages}, {acks} acks, {errors} errors"
    );
    assert!((20..300).contains(&acks), "{acks} messages were taken");
    assert_eq!(
        continuations.response.close_and_bye(),
        (Some(1008), Some("protocol".into()))
    );
    assert_eq!(
        pieces.response.close_and_bye(),
        (Some(1009), Some("protocol".into()))
    );
    // The close frame arrives only if the kernel still had room for it.
    assert!(
        pings.closed_after.is_some() && matches!(pings.response.close, None | Some(1013)),
        "{pings}"
    );
    let cpu = after.cpu_since(&before);
    println!(
        "floods: empty continuations: {continuations}\n  1-byte fragments: {pieces}\n  unread pings: {pings}\n  {MESSAGES} \
         messages: {messages}; {acks} taken, {errors} too_fast\n  CPU {cpu:.1} % of a core, peak {} KiB over {} KiB; \
         healthy: {wellbeing}",
        after.peak_kib, before.resident_kib
    );
    let slowed = |outcome: &FloodResult| outcome.slowed_after.is_some_and(|slowed| slowed < 1.0);
    assert!(
        [&continuations, &pieces, &pings]
            .into_iter()
            .all(|outcome| outcome.slowed_after.is_some())
    );
    assert!(
        after.peak_kib < before.peak_kib + 32 * 1024,
        "{} KiB",
        after.peak_kib
    );
    if long_form() {
        assert!(
            [&continuations, &pieces, &pings, &messages]
                .into_iter()
                .all(slowed)
        );
        assert!(wellbeing.p99 < Duration::from_millis(10));
    }
    server.assert_healthy();
}
