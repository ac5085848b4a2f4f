//! People who say far too much: frames that never become a message, pings whose pongs nobody reads, messages in pieces of
//! one byte, and ten thousand messages in a second. Each waits in their own socket or is cut; nobody else waits.

use crate::background_chat::BackgroundChat;
use crate::client::WsClient;
use crate::frames;
use crate::frames::{CONTINUATION, PING, RawResponse, TEXT, TEXT_FIRST};
use crate::harness::{Deadline, ServerProcess, exclusive, long_form};
use crate::raw_conn::RawConn;
use std::net::SocketAddr;
use std::thread::spawn;
use std::time::{Duration, Instant};

/// Messages that one person says at once.
const MESSAGES: usize = 10_000;
/// By then every flood has ended by itself, on a busy machine too: an unfinished message is given up after ten seconds.
const FLOOD_TIMEOUT: Duration = Duration::from_secs(60);

/// How a flood ended.
struct FloodResult {
    sent: usize,
    /// When the server first took no more, or said that it is too fast.
    slowed_after: Option<f64>,
    /// When the server had enough; whoever was only slowed never finds out.
    closed_after: Option<f64>,
    response: RawResponse,
}

impl std::fmt::Display for FloodResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (close, bye) = self.response.close_and_bye();
        let time =
            |time: Option<f64>| time.map_or("never".into(), |time| format!("after {time:.2} s"));
        let (slowed, cut) = (time(self.slowed_after), time(self.closed_after));
        write!(
            f,
            "{} KiB sent, slowed {slowed}, cut {cut} with {close:?} {bye:?}",
            self.sent / 1024
        )
    }
}

/// Somebody who entered; the narrow hear little at once.
fn connect_entered(address: SocketAddr, name: &str, narrow: bool) -> RawConn {
    let connect = if narrow {
        RawConn::connect_with_small_buffer
    } else {
        RawConn::connect
    };
    let mut conn = connect(address, &frames::handshake_and_enter(name));
    assert!(conn.wait_for_text(r#""type":"joined""#, Deadline::within_seconds(60)));
    conn.since = Instant::now();
    conn
}

/// Sends the same again and again until the server cuts it.
fn flood(mut conn: RawConn, piece: &[u8], hear: bool) -> FloodResult {
    let (begun, mut slowed, mut at) = (conn.sent, None, 0);
    let chunk = piece.repeat((64 * 1024 / piece.len()).max(1));
    while conn.closed_after.is_none() && !conn.write_failed && conn.since.elapsed() < FLOOD_TIMEOUT
    {
        let taken = conn.send(&chunk[at..]);
        at = (at + taken) % chunk.len();
        if taken == 0 && !conn.write_failed {
            slowed.get_or_insert(conn.since.elapsed().as_secs_f64());
            conn.wait_writable(hear, Duration::from_secs(1));
        }
        if hear {
            conn.read_available();
        }
    }
    let cut = (conn.closed_after.is_some() || conn.write_failed)
        .then(|| conn.since.elapsed().as_secs_f64());
    // Who never listened may do so now.
    conn.read_available();
    FloodResult {
        sent: conn.sent - begun,
        slowed_after: slowed,
        closed_after: cut,
        response: conn.response(),
    }
}

/// Says so many messages as fast as the kernel takes them, and hears every answer.
fn send_messages(mut conn: RawConn) -> FloodResult {
    let say = |n: usize| {
        let text = format!(r#"{{"type":"say","room":"geral","id":"{n}","text":"x"}}"#);
        frames::frame(TEXT, text.as_bytes())
    };
    let all: Vec<u8> = (0..MESSAGES).flat_map(say).collect();
    let (mut at, begun) = (0, conn.sent);
    let last = format!(r#""id":"{}""#, MESSAGES - 1);
    while at < all.len() {
        let taken = conn.send(&all[at..]);
        at += taken;
        if taken == 0 {
            conn.wait_writable(true, Duration::from_secs(1));
        }
        conn.read_available();
    }
    conn.wait_for_text("too_fast", Deadline::within_seconds(60));
    let slowed = Some(conn.since.elapsed().as_secs_f64());
    conn.wait_for_text(&last, Deadline::within_seconds(60));
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
    let mut server = ServerProcess::start(&[]);
    let deadline = Deadline::within_seconds(180);
    let (mut probe, _) = WsClient::enter(server.address, "Zelo", deadline);
    let crowd = BackgroundChat::start(server.address, 8, Duration::from_millis(400));
    let before = server.stats();

    let address = server.address;
    let empty = [
        frames::frame(TEXT_FIRST, b""),
        frames::frame(CONTINUATION, b""),
    ];
    let continuations = spawn(move || {
        let mut conn = connect_entered(address, "Vazio", true);
        conn.send(&empty[0]);
        flood(conn, &empty[1], true)
    });
    let pieces = spawn(move || {
        let mut conn = connect_entered(address, "Migalha", true);
        conn.send(&frames::frame(TEXT_FIRST, b"x"));
        flood(conn, &frames::frame(CONTINUATION, b"x"), true)
    });
    let pings = spawn(move || {
        flood(
            connect_entered(address, "Pingue", true),
            &frames::frame(PING, &[b'p'; 125]),
            false,
        )
    });
    let messages = spawn(move || send_messages(connect_entered(address, "Fala Tudo", false)));

    let floods = [messages, pieces, pings, continuations];
    while !floods.iter().all(|flood| flood.is_finished()) {
        // Whoever says nothing for long is dead, the probe too.
        probe.receive(Duration::from_millis(100));
    }
    let [messages, pieces, pings, continuations] = floods.map(|flood| flood.join().unwrap());
    let after = server.stats();
    server.wait_until_recovered(&mut probe, deadline, &before);
    let wellbeing = crowd.finish();

    let (acks, errors) = (
        messages.response.count(r#""type":"ack""#),
        messages.response.count(r#""code":"too_fast""#),
    );
    // Every message has its answer, unless so many answers at once were more than the speaker could hear.
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
    // Whoever never reads hears of the end only if there is still room for it in the kernel.
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
