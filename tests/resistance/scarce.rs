//! A system that gives no more: no descriptor for another connection, no thread, no memory for another stack. Whoever is
//! inside goes on talking, whoever comes is refused or waits, and as soon as there is something again the server is as
//! it was before.

use crate::crowd::BackgroundChat;
use crate::person::WsClient;
use crate::stage::{Deadline, Dice, Figures, Servidor, alone, alone_if_few, long_form, long_or};
use crate::swarm::Attacker;
use rustix::process::Resource;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// Connections that come while there is nothing to be had.
const COMING: usize = 300;

/// What happened while the system gave no more.
struct Drought {
    before: Figures,
    during: Figures,
    after: Figures,
    served: usize,
}

/// Lets the crowd talk, takes something away, lets connections come until it is spent, as the server's figures or the
/// number of those who are refused tell, looks on for a while, gives it back, and lets somebody new come in.
fn endure(
    server: &mut Servidor,
    what: &str,
    take: impl Fn(&Servidor),
    spent: impl Fn(&Figures, usize) -> bool,
    give: impl Fn(&Servidor),
) -> Drought {
    let deadline = Deadline::within_seconds(120);
    let (mut witness, _) = WsClient::enter(server.address, "Zelo", deadline);
    let crowd = BackgroundChat::start(server.address, 8, Duration::from_millis(400));
    let before = server.figures();
    take(server);
    let mut coming: Vec<Attacker> = (0..COMING)
        .map(|_| Attacker::connect(server.address, b"G"))
        .collect();
    watch(&mut coming, &mut witness, Duration::from_secs(1));
    while !spent(&server.figures(), refused(&coming)) {
        watch(
            &mut coming,
            &mut witness,
            deadline.left().min(Duration::from_millis(100)),
        );
    }
    // By now whoever is refused was refused; what goes on is what it costs to have nothing.
    let begun = server.figures();
    watch(
        &mut coming,
        &mut witness,
        Duration::from_secs(long_or(5, 2)),
    );
    let during = server.figures();
    let refused = refused(&coming);
    let served = COMING
        - coming
            .iter()
            .filter(|attacker| attacker.gone.is_some())
            .count();
    drop(coming);
    give(server);
    let given = Instant::now();
    let (newcomer, _) = WsClient::enter(server.address, "Nova", deadline);
    let healed = given.elapsed();
    drop(newcomer);
    server.heal(&mut witness, deadline, &before);
    let wellbeing = crowd.finish();
    let after = server.figures();
    let cpu = during.cpu_since(&begun);
    println!(
        "no more {what}: {COMING} came, {refused} refused with 503, {served} stayed; CPU {cpu:.1} % of a core meanwhile; \
         somebody new was in {:.0} ms after; healthy: {wellbeing}",
        healed.as_secs_f64() * 1000.0
    );
    if long_form() {
        assert!(cpu < 5.0 && healed < Duration::from_secs(1));
    }
    server.is_well();
    Drought {
        before,
        during,
        after,
        served,
    }
}

/// How many were told that there is no more.
fn refused(coming: &[Attacker]) -> usize {
    coming
        .iter()
        .filter(|attacker| attacker.answer().status == 503)
        .count()
}

/// Lets them hear what they are told for a while.
fn watch(coming: &mut [Attacker], witness: &mut WsClient, time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        witness.receive(Duration::from_millis(20));
        coming
            .iter_mut()
            .filter(|attacker| attacker.gone.is_none())
            .for_each(Attacker::listen);
    }
}

#[test]
fn without_descriptors_the_server_lives_and_heals() {
    let _alone = alone();
    let mut server = Servidor::start(&[]);
    let take = |server: &Servidor| {
        let some = server.figures().descriptors as u64 + 20;
        server.limit(Resource::Nofile, Some(some.max(64)));
    };
    let spent = |figures: &Figures, _| figures.descriptors >= 60;
    let drought = endure(&mut server, "descriptors", take, spent, |server| {
        server.limit(Resource::Nofile, None)
    });
    assert!(drought.served > 0, "some waited to be accepted");
    assert!(
        server.log().contains("Ninguém pode entrar agora"),
        "accepting failed: {}",
        server.log()
    );
    // A few at first, and then two a second.
    let (lines, seconds) = (
        server.log().lines().count(),
        (drought.after.at - drought.before.at).as_secs() as usize,
    );
    assert!(
        lines < 50 + 10 * seconds,
        "{lines} lines in the log in {seconds} s"
    );
}

/// `ulimit -n 64` from the start: the server knows how few it can hold, and says so to the others.
#[test]
fn with_64_descriptors_there_is_room_for_few_and_a_word_for_the_others() {
    let _alone = alone_if_few();
    let mut server = Servidor::start_with(&[], |command| limited(command, "ulimit -n 64"));
    let deadline = Deadline::within_seconds(120);
    let (mut ana, _) = WsClient::enter(server.address, "Ana", deadline);
    let mut coming: Vec<Attacker> = (0..COMING)
        .map(|_| Attacker::connect(server.address, b"G"))
        .collect();
    for attacker in &mut coming {
        assert!(
            attacker.hears("HTTP/1.1 503 ", deadline),
            "everybody is told: {:?}",
            attacker.answer()
        );
    }
    ana.ping(deadline);
    drop(coming);
    println!("ulimit -n 64: one inside, {COMING} told that it is full");
    server.is_well();
}

/// Root may have as many threads as it likes, so there the server runs as somebody of its own with few.
#[test]
fn without_threads_the_server_lives_and_heals() {
    /// Enough for the server itself and those who are inside.
    const THREADS: u64 = 60;
    let _alone = alone();
    let as_root = rustix::process::getuid().is_root();
    let server = Servidor::try_start(&[], |command| {
        if as_root {
            limited(
                command,
                &format!("ulimit -u {THREADS} 2>/dev/null || ulimit -p {THREADS}"),
            );
            // Somebody who has no thread yet, also not in another run beside this one.
            let own = 60_000 + Dice::new().below(5000) as u32;
            command.uid(own).gid(own).current_dir("/");
        }
    });
    let Some(mut server) = server else {
        return println!(
            "no more threads: the server can't be started as another user here, so nothing was proved"
        );
    };
    let limit = |server: &Servidor, soft| {
        if !as_root {
            server.limit(Resource::Nproc, soft);
        }
    };
    let spent = |_: &Figures, refused| refused > COMING / 2;
    let drought = endure(
        &mut server,
        "threads",
        |server| limit(server, Some(1)),
        spent,
        |server| limit(server, None),
    );
    assert!(
        (drought.during.threads as u64) <= THREADS,
        "{:?}",
        drought.during
    );
    let lines = server.log().lines().count();
    assert!(lines > 0 && lines < 20, "{lines} lines in the log");
}

/// A shell sets a limit for itself and becomes the server.
fn limited(command: &mut Command, limit: &str) {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("{limit}; exec \"$0\" \"$@\"")]);
    shell
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear();
    *command = shell;
}

/// Once the last stack that there was memory for ended the process: its thread found none to start with.
#[test]
fn without_memory_for_stacks_the_server_lives_and_heals() {
    let _alone = alone();
    let mut server = Servidor::start(&[]);
    // What the server keeps free, and room for some stacks.
    let take = |server: &Servidor| {
        server.limit(
            Resource::As,
            Some(server.figures().space + 280 * 1024 * 1024),
        )
    };
    let spent = |_: &Figures, refused| refused > 0;
    let drought = endure(&mut server, "memory for stacks", take, spent, |server| {
        server.limit(Resource::As, None)
    });
    assert!(drought.after.threads <= drought.before.threads);
}
