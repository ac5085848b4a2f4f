//! Those who begin and never finish: heads and messages that come a byte a second, frames that stop in the middle, and
//! handshakes after which nobody enters. Each has a deadline, and the others notice nothing of them.

use crate::crowd::BackgroundChat;
use crate::person::WsClient;
use crate::stage::{Deadline, Servidor, alone_if_few, few_descriptors, long_form, long_or};
use crate::swarm::{Attacker, span, until_gone};
use crate::wire::{self, HANDSHAKE, TEXT};
use std::time::{Duration, Instant};

/// Sockets that send a request's head, one byte a second, and how many where there are few descriptors: in any case more
/// than may stand in the door.
const TRICKLING: usize = 1000;
const TRICKLING_IF_FEW: usize = 500;
/// Connections of people who entered and stop in the middle of a frame; every other one adds a byte a second.
const HALF: usize = 200;
/// Connections that are upgraded and then say nothing.
const MUTE: usize = 200;
const SECOND: Duration = Duration::from_secs(1);

/// How much later than their deadlines they may be gone, in seconds: a busy machine looks at them when it has the time.
fn margin() -> f64 {
    long_or(1.0, 60.0)
}

#[test]
fn the_slow_the_unfinished_and_the_mute_are_gone_in_time() {
    let _alone = alone_if_few();
    let count = if few_descriptors() {
        TRICKLING_IF_FEW
    } else {
        TRICKLING
    };
    let mut server = Servidor::start(&[]);
    let deadline = Deadline::within_seconds(180);
    let (mut witness, _) = WsClient::enter(server.address, "Zelo", deadline);
    let crowd = BackgroundChat::start(server.address, 8, Duration::from_millis(400));
    let before = server.figures();

    let mut half: Vec<Attacker> = (0..HALF).map(|n| half_said(&server, n, deadline)).collect();
    witness.ping(deadline);
    let mut trickling = Vec::new();
    let mut next = Instant::now() + SECOND;
    for _ in 0..count {
        trickling.push(Attacker::connect(server.address, b"G"));
        // The first do not wait for the last.
        if next <= Instant::now() {
            witness.ping(deadline);
            trickling.iter_mut().for_each(trickle);
            next = Instant::now() + SECOND;
        }
    }
    until_gone(&mut trickling, SECOND, deadline, &mut witness, trickle);
    let mut mute: Vec<Attacker> = (0..MUTE)
        .map(|_| Attacker::connect(server.address, HANDSHAKE.as_bytes()))
        .collect();
    let mut both: Vec<Attacker> = half.drain(..).chain(mute.drain(..)).collect();
    let mut turn = 0;
    until_gone(&mut both, SECOND, deadline, &mut witness, |attacker| {
        turn += 1;
        // The mute never say anything; of the others every second one adds a byte.
        if attacker.sent > HANDSHAKE.len() && turn % 2 == 0 {
            attacker.send(b"x");
        }
    });
    let after = server.figures();
    let healed = server.heal(&mut witness, deadline, &before);
    let wellbeing = crowd.finish();
    let (half, mute) = both.split_at(HALF);

    let statuses: Vec<u16> = trickling
        .iter()
        .map(|attacker| attacker.answer().status)
        .collect();
    let with = |status| statuses.iter().filter(|&&other| other == status).count();
    let (late, full) = (with(408), with(503));
    assert_eq!(late + full, count, "{statuses:?}");
    assert!(late > 0 && full > 0, "{late} were let in, {full} were not");
    for attacker in half {
        assert_eq!(
            attacker.answer().close_and_bye(),
            (Some(1008), Some("protocol".into()))
        );
    }
    for attacker in mute {
        assert_eq!(
            attacker.answer().close_and_bye(),
            (Some(1008), Some("idle".into()))
        );
    }
    let let_in = || {
        trickling
            .iter()
            .filter(|attacker| attacker.answer().status == 408)
    };
    let (heads, halves, mutes) = (span(let_in()), span(half.iter()), span(mute.iter()));
    let least = let_in().map(|attacker| attacker.sent).min().unwrap_or(0);
    assert!(
        least >= long_or(5, 2),
        "they did not go on sending: only {least} bytes in all"
    );
    assert!(heads.0 > 4.0 && heads.1 < 5.0 + margin(), "{heads:?}");
    assert!(halves.0 > 9.0 && halves.1 < 10.0 + margin(), "{halves:?}");
    assert!(mutes.0 > 9.0 && mutes.1 < 10.0 + margin(), "{mutes:?}");
    let cpu = after.cpu_since(&before);
    println!(
        "slow: {late} heads gone after {:.2}–{:.2} s, {full} refused with 503; {HALF} half frames after {:.2}–{:.2} s; \
         {MUTE} mute after {:.2}–{:.2} s; CPU {cpu:.1} % of a core; threads and descriptors back {:.0} ms later; \
         healthy: {wellbeing}",
        heads.0,
        heads.1,
        halves.0,
        halves.1,
        mutes.0,
        mutes.1,
        healed.as_secs_f64() * 1000.0
    );
    if long_form() {
        assert!(cpu < 10.0 && wellbeing.p99 < Duration::from_millis(10) && healed < SECOND);
    }
    server.is_well();
}

/// Somebody who entered and stopped in the middle of a frame.
fn half_said(server: &Servidor, n: usize, deadline: Deadline) -> Attacker {
    let mut attacker = Attacker::connect(
        server.address,
        &wire::handshake_and_enter(&format!("Metade {n}")),
    );
    assert!(
        attacker.hears(r#""type":"joined""#, deadline),
        "{:?}",
        attacker.answer()
    );
    let frame = wire::frame(TEXT, &[b' '; 100]);
    attacker.since = Instant::now();
    attacker.send(&frame[..10]);
    attacker
}

/// The next byte of a request.
fn trickle(attacker: &mut Attacker) {
    let next = attacker.sent;
    attacker.send(&HANDSHAKE.as_bytes()[next..=next]);
}
