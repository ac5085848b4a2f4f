//! A room of which a twentieth never reads: they are given a bounded amount, told that they are too slow, and cut; for
//! the others the room is what it was before.

use crate::crowd::{BackgroundChat, DeliveryStats};
use crate::person::WsClient;
use crate::stage::{Deadline, Servidor, alone, long_form, long_or};
use crate::swarm::{Attacker, wait_for_any};
use crate::wire::{self, PING, PONG, next_frame};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

/// People who speak.
const SPEAKERS: usize = 10;
/// What one connection may make the server keep: its outbox, which the allocator may give twice the room, its stack, and
/// what the kernel counts for us.
const KIB_EACH: u64 = 2 * 256 + 64;

/// How often each of them does, and how many characters: in the long form 200 messages a second in all.
fn every() -> Duration {
    Duration::from_millis(long_or(50, 200))
}

fn padding() -> usize {
    long_or(500, 2000)
}

/// People who only listen, all on one thread: each checks that no seq of the room is missing or comes twice.
struct Listeners {
    /// The room's last seq, once it is known.
    last: Arc<AtomicU64>,
    thread: JoinHandle<()>,
    count: usize,
}

impl Listeners {
    fn start(address: SocketAddr, count: usize, deadline: Deadline) -> Self {
        let listener = |n| {
            let mut listener = entered(address, "Ouvinte", n, false, deadline);
            let head = listener
                .heard
                .windows(4)
                .position(|end| end == b"\r\n\r\n")
                .expect("an answer has a head");
            listener.heard.drain(..head + 4);
            (listener, 0)
        };
        let mut all: Vec<(Attacker, u64)> = (0..count).map(listener).collect();
        let last = Arc::new(AtomicU64::new(u64::MAX));
        let until = last.clone();
        let thread = spawn(move || {
            while all
                .iter()
                .any(|(_, seq)| *seq < until.load(Ordering::Relaxed))
            {
                assert!(!deadline.is_over(), "a listener missed the end");
                wait_for_any(
                    all.iter().map(|(attacker, _)| attacker),
                    Duration::from_millis(50),
                );
                for (attacker, seq) in &mut all {
                    attacker.listen();
                    assert!(attacker.gone.is_none(), "a listener was cut");
                    if listen_closely(&mut attacker.heard, seq) {
                        attacker.send(&wire::frame(PONG, b""));
                    }
                }
            }
        });
        Self {
            last,
            thread,
            count,
        }
    }

    /// Waits until each of them has heard everything.
    fn finish(self, last: u64) {
        self.last.store(last, Ordering::Relaxed);
        self.thread.join().expect("a healthy listener was harmed");
    }
}

/// Takes whole frames off what was heard; messages must follow each other. Tells whether there was a ping among them.
fn listen_closely(heard: &mut Vec<u8>, seq: &mut u64) -> bool {
    let (mut done, mut pinged) = (0, false);
    while let Some((first, payload, length)) = next_frame(&heard[done..]) {
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
    heard.drain(..done);
    pinged
}

/// Somebody who entered; what follows the handshake is left to be heard.
fn entered(
    address: SocketAddr,
    name: &str,
    n: usize,
    narrow: bool,
    deadline: Deadline,
) -> Attacker {
    let words = wire::handshake_and_enter(&format!("{name} {n}"));
    let connect = if narrow {
        Attacker::connect_narrow
    } else {
        Attacker::connect
    };
    let mut attacker = connect(address, &words);
    assert!(
        attacker.hears(r#""type":"joined""#, deadline),
        "{:?}",
        attacker.answer()
    );
    attacker.since = Instant::now();
    attacker
}

/// The speakers chat until the time is over, and tell how it was.
fn chat(server: &Servidor, name: &str, witness: &mut WsClient, seconds: u64) -> DeliveryStats {
    let crowd = BackgroundChat::start_with(server.address, name, SPEAKERS, every(), padding());
    let until = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < until {
        witness.receive(until.saturating_duration_since(Instant::now()));
    }
    crowd.finish()
}

#[test]
fn who_never_reads_is_cut_and_the_others_notice_nothing() {
    let _alone = alone();
    let (listeners, deaf) = long_or((475, 25), (95, 5));
    let mut server = Servidor::start(&["--ritmo", "0"]);
    let deadline = Deadline::within_seconds(180);
    let (mut witness, _) = WsClient::enter(server.address, "Zelo", deadline);
    let listeners = Listeners::start(server.address, listeners, deadline);
    let before = server.figures();
    let baseline = chat(&server, "Antes", &mut witness, long_or(10, 3));
    server.heal(&mut witness, deadline, &before);
    let before = server.figures();

    let mut deaf: Vec<Attacker> = (0..deaf)
        .map(|n| entered(server.address, "Surdo", n, true, deadline))
        .collect();
    let attacked = server.figures();
    assert!(
        attacked.threads >= before.threads + deaf.len(),
        "they are there"
    );
    let crowd = BackgroundChat::start_with(server.address, "Durante", SPEAKERS, every(), padding());
    let cut = server.settle(&mut witness, deadline, |now| {
        now.threads <= before.threads + SPEAKERS
    });
    let wellbeing = crowd.finish();
    let after = server.figures();
    let all = listeners.count + deaf.len() + SPEAKERS + 1;
    listeners.finish(wellbeing.seq);
    let healed = server.heal(&mut witness, deadline, &before);

    for attacker in &mut deaf {
        while attacker.gone.is_none() {
            wait_for_any([&*attacker].into_iter(), deadline.left());
            attacker.listen();
        }
        assert_eq!(
            attacker.answer().close_and_bye(),
            (Some(1013), Some("too_slow".into()))
        );
    }
    let heard = deaf.iter().map(|attacker| attacker.heard.len() / 1024);
    let growth = after.peak.saturating_sub(before.peak);
    println!(
        "deaf: {} of {} connections, all cut with 1013 within {:.1} s, having been given up to {} KiB; peak memory +{growth} \
         KiB, now {:+} KiB; threads and descriptors back {:.0} ms later; CPU {:.1} % of a core\n  without them: \
         {baseline}\n  beside them: {wellbeing}",
        deaf.len(),
        all,
        cut.as_secs_f64(),
        heard.max().unwrap_or(0),
        after.resident as i64 - before.resident as i64,
        healed.as_secs_f64() * 1000.0,
        after.cpu_since(&before)
    );
    // On a busy machine the others may be behind for a moment too.
    let behind = long_or(deaf.len(), all) as u64;
    assert!(growth < behind * KIB_EACH + 16 * 1024, "{growth} KiB more");
    if long_form() {
        assert!(wellbeing.p99 < 2 * baseline.p99);
    }
    server.is_well();
}
