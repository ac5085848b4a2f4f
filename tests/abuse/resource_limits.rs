//! A system that gives no more: no descriptor for another connection, no thread, no memory for another stack. Whoever is
//! inside goes on talking, whoever comes is refused or waits, and as soon as there is something again the server is as
//! it was before.

use crate::background_chat::BackgroundChat;
use crate::client::WsClient;
use crate::harness::{
    Deadline, ProcessStats, Rng, ServerProcess, exclusive, exclusive_if_few_descriptors, long_form,
    long_or,
};
use crate::raw_conn::RawConn;
use rustix::process::Resource;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// Connections that come while there is nothing to be had.
const NEWCOMERS: usize = 300;

/// What happened while the system gave no more.
struct ScarcityResult {
    before: ProcessStats,
    during: ProcessStats,
    after: ProcessStats,
    served: usize,
}

/// Lets the crowd talk, takes something away, lets connections come until it is spent, as the server's figures or the
/// number of those who are refused tell, looks on for a while, gives it back, and lets somebody new come in.
fn run_under_scarcity(
    server: &mut ServerProcess,
    what: &str,
    take: impl Fn(&ServerProcess),
    spent: impl Fn(&ProcessStats, usize) -> bool,
    give: impl Fn(&ServerProcess),
) -> ScarcityResult {
    let deadline = Deadline::within_seconds(120);
    let (mut probe, _) = WsClient::enter(server.address, "Zelo", deadline);
    let crowd = BackgroundChat::start(server.address, 8, Duration::from_millis(400));
    let before = server.stats();
    take(server);
    let mut coming: Vec<RawConn> = (0..NEWCOMERS)
        .map(|_| RawConn::connect(server.address, b"G"))
        .collect();
    listen_for(&mut coming, &mut probe, Duration::from_secs(1));
    while !spent(&server.stats(), count_refused(&coming)) {
        listen_for(
            &mut coming,
            &mut probe,
            deadline.left().min(Duration::from_millis(100)),
        );
    }
    // By now whoever is refused was refused; what goes on is what it costs to have nothing.
    let begun = server.stats();
    listen_for(&mut coming, &mut probe, Duration::from_secs(long_or(5, 2)));
    let during = server.stats();
    let refused = count_refused(&coming);
    let served = NEWCOMERS
        - coming
            .iter()
            .filter(|conn| conn.closed_after.is_some())
            .count();
    drop(coming);
    give(server);
    let given = Instant::now();
    let (newcomer, _) = WsClient::enter(server.address, "Nova", deadline);
    let healed = given.elapsed();
    drop(newcomer);
    server.wait_until_recovered(&mut probe, deadline, &before);
    let wellbeing = crowd.finish();
    let after = server.stats();
    let cpu = during.cpu_since(&begun);
    println!(
        "no more {what}: {NEWCOMERS} came, {refused} refused with 503, {served} stayed; CPU {cpu:.1} % of a core meanwhile; \
         somebody new was in {:.0} ms after; healthy: {wellbeing}",
        healed.as_secs_f64() * 1000.0
    );
    if long_form() {
        assert!(cpu < 5.0 && healed < Duration::from_secs(1));
    }
    server.assert_healthy();
    ScarcityResult {
        before,
        during,
        after,
        served,
    }
}

/// How many were told that there is no more.
fn count_refused(coming: &[RawConn]) -> usize {
    coming
        .iter()
        .filter(|conn| conn.response().status == 503)
        .count()
}

/// Lets them hear what they are told for a while.
fn listen_for(coming: &mut [RawConn], probe: &mut WsClient, time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        probe.receive(Duration::from_millis(20));
        coming
            .iter_mut()
            .filter(|conn| conn.closed_after.is_none())
            .for_each(RawConn::read_available);
    }
}

#[test]
fn server_recovers_from_descriptor_exhaustion() {
    let _alone = exclusive();
    let mut server = ServerProcess::start(&[]);
    let take = |server: &ServerProcess| {
        let some = server.stats().descriptors as u64 + 20;
        server.set_limit(Resource::Nofile, Some(some.max(64)));
    };
    let spent = |figures: &ProcessStats, _| figures.descriptors >= 60;
    let drought = run_under_scarcity(&mut server, "descriptors", take, spent, |server| {
        server.set_limit(Resource::Nofile, None)
    });
    assert!(drought.served > 0, "some waited to be accepted");
    assert!(
        server.stderr_text().contains("Ninguém pode entrar agora"),
        "accepting failed: {}",
        server.stderr_text()
    );
    // A few at first, and then two a second.
    let (lines, seconds) = (
        server.stderr_text().lines().count(),
        (drought.after.at - drought.before.at).as_secs() as usize,
    );
    assert!(
        lines < 50 + 10 * seconds,
        "{lines} lines in the log in {seconds} s"
    );
}

/// `ulimit -n 64` from the start: the server knows how few it can hold, and says so to the others.
#[test]
fn server_with_64_descriptors_rejects_with_503() {
    let _alone = exclusive_if_few_descriptors();
    let mut server =
        ServerProcess::start_with(&[], |command| start_with_ulimit(command, "ulimit -n 64"));
    let deadline = Deadline::within_seconds(120);
    let (mut ana, _) = WsClient::enter(server.address, "Ana", deadline);
    let mut coming: Vec<RawConn> = (0..NEWCOMERS)
        .map(|_| RawConn::connect(server.address, b"G"))
        .collect();
    for conn in &mut coming {
        assert!(
            conn.wait_for_text("HTTP/1.1 503 ", deadline),
            "everybody is told: {:?}",
            conn.response()
        );
    }
    ana.ping(deadline);
    drop(coming);
    println!("ulimit -n 64: one inside, {NEWCOMERS} told that it is full");
    server.assert_healthy();
}

/// Root may have as many threads as it likes, so there the server runs as somebody of its own with few.
#[test]
fn server_recovers_from_thread_exhaustion() {
    /// Enough for the server itself and those who are inside.
    const THREADS: u64 = 60;
    let _alone = exclusive();
    let as_root = rustix::process::getuid().is_root();
    let server = ServerProcess::try_start(&[], |command| {
        if as_root {
            start_with_ulimit(
                command,
                &format!("ulimit -u {THREADS} 2>/dev/null || ulimit -p {THREADS}"),
            );
            // Somebody who has no thread yet, also not in another run beside this one.
            let own = 60_000 + Rng::new().below(5000) as u32;
            command.uid(own).gid(own).current_dir("/");
        }
    });
    let Some(mut server) = server else {
        return println!(
            "no more threads: the server can't be started as another user here, so nothing was proved"
        );
    };
    let limit = |server: &ServerProcess, soft| {
        if !as_root {
            server.set_limit(Resource::Nproc, soft);
        }
    };
    let spent = |_: &ProcessStats, refused| refused > NEWCOMERS / 2;
    let drought = run_under_scarcity(
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
    let lines = server.stderr_text().lines().count();
    assert!(lines > 0 && lines < 20, "{lines} lines in the log");
}

/// A shell sets a limit for itself and becomes the server.
fn start_with_ulimit(command: &mut Command, limit: &str) {
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
fn server_recovers_from_stack_memory_exhaustion() {
    let _alone = exclusive();
    let mut server = ServerProcess::start(&[]);
    // What the server keeps free, and room for some stacks.
    let take = |server: &ServerProcess| {
        server.set_limit(
            Resource::As,
            Some(server.stats().address_space + 280 * 1024 * 1024),
        )
    };
    let spent = |_: &ProcessStats, refused| refused > 0;
    let drought = run_under_scarcity(&mut server, "memory for stacks", take, spent, |server| {
        server.set_limit(Resource::As, None)
    });
    assert!(drought.after.threads <= drought.before.threads);
}
