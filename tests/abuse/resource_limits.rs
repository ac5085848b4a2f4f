//! Exhausted resources: no descriptor for another connection, no thread, no memory for another stack. People who have
//! entered go on talking, new connections are refused or wait, and afterwards the server is as it was before.

use crate::background_chat::BackgroundChat;
use crate::harness::{exclusive, exclusive_if_few_descriptors, start_server};
use crate::raw_conn::RawConn;
use crate::support::client::WsClient;
use crate::support::proc::ProcessStats;
use crate::support::process::{Program, ServerProcess};
use crate::support::rng::Rng;
use crate::support::{Deadline, long_form, long_or};
use rustix::process::Resource;
use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

/// Connections that come while a resource is exhausted.
const NEWCOMERS: usize = 300;

/// What happened while a resource was exhausted.
struct ScarcityResult {
    before: ProcessStats,
    during: ProcessStats,
    after: ProcessStats,
    served: usize,
}

/// Lets the crowd talk, takes a resource away, lets connections come until it is exhausted, as the server's figures or
/// the number of refused connections show, waits, gives the resource back, and lets a new person enter.
fn run_under_scarcity(
    server: &mut ServerProcess,
    what: &str,
    take: impl Fn(&ServerProcess),
    spent: impl Fn(&ProcessStats, usize) -> bool,
    give: impl Fn(&ServerProcess),
) -> ScarcityResult {
    let deadline = Deadline::within_seconds(120);
    let mut probe = server.enter("Zelo");
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
    // From here on nothing new happens: measured is what exhaustion itself costs.
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
    let newcomer = server.enter("Nova");
    let healed = given.elapsed();
    drop(newcomer);
    server.wait_until_recovered(&mut probe, deadline, &before);
    let wellbeing = crowd.finish();
    let after = server.stats();
    let cpu = during.cpu_since(&begun);
    println!(
        "no more {what}: {NEWCOMERS} came, {refused} refused with 503, {served} stayed; CPU {cpu:.1} % of a core meanwhile; \
         a new person was in {:.0} ms after; healthy: {wellbeing}",
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

/// How many were refused with 503.
fn count_refused(coming: &[RawConn]) -> usize {
    coming
        .iter()
        .filter(|conn| conn.response().status == 503)
        .count()
}

/// Reads from all of them for a while.
fn listen_for(coming: &mut [RawConn], probe: &mut WsClient, time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        probe.receive_within(Duration::from_millis(20));
        coming
            .iter_mut()
            .filter(|conn| conn.closed_after.is_none())
            .for_each(RawConn::read_available);
    }
}

#[test]
fn server_recovers_from_descriptor_exhaustion() {
    let _alone = exclusive();
    let mut server = start_server(&[]);
    let take = |server: &ServerProcess| {
        let some = server.stats().descriptors as u64 + 20;
        server
            .process
            .set_limit(Resource::Nofile, Some(some.max(64)));
    };
    let spent = |figures: &ProcessStats, _| figures.descriptors >= 60;
    let result = run_under_scarcity(&mut server, "descriptors", take, spent, |server| {
        server.process.set_limit(Resource::Nofile, None);
    });
    assert!(result.served > 0, "none waited to be accepted");
    assert!(
        server
            .process
            .stderr()
            .contains("Ninguém pode entrar agora"),
        "accepting failed: {}",
        server.process.stderr()
    );
    // A few at first, and then two a second.
    let lines = server.process.stderr().lines().count();
    let seconds = (result.after.at - result.before.at).as_secs() as usize;
    assert!(
        lines < 50 + 10 * seconds,
        "{lines} lines in the log in {seconds} s"
    );
}

/// `ulimit -n 64` from the start: the server knows how few connections it can hold, and refuses the others.
#[test]
fn server_with_64_descriptors_rejects_with_503() {
    let _alone = exclusive_if_few_descriptors();
    let mut program = Program::server(&[]);
    program.wrap_in_shell("ulimit -n 64; ", "");
    let mut server = ServerProcess::start(&mut program);
    let mut ana = server.enter("Ana");
    let mut coming: Vec<RawConn> = (0..NEWCOMERS)
        .map(|_| RawConn::connect(server.address, b"G"))
        .collect();
    for conn in &mut coming {
        assert!(
            conn.wait_for_text("HTTP/1.1 503 "),
            "each is refused: {:?}",
            conn.response()
        );
    }
    ana.ping();
    drop(coming);
    println!("ulimit -n 64: one inside, {NEWCOMERS} refused");
    server.assert_healthy();
}

/// Root has no limit of threads, so there the server runs as another user.
#[test]
fn server_recovers_from_thread_exhaustion() {
    /// Enough for the server itself and the people who have entered.
    const THREADS: u64 = 60;
    let _alone = exclusive();
    let as_root = rustix::process::getuid().is_root();
    let mut program = Program::server(&[]);
    if as_root {
        let limit = format!("ulimit -u {THREADS} 2>/dev/null || ulimit -p {THREADS}; ");
        program.wrap_in_shell(&limit, "");
        // A user without any thread, also of another run beside this one.
        let user = 60_000 + Rng::new().below(5000) as u32;
        program.command.uid(user).gid(user).current_dir("/");
    }
    let Some(mut server) = ServerProcess::try_start(&mut program) else {
        return println!(
            "no more threads: the server can't be started as another user here, so nothing was proved"
        );
    };
    let limit = |server: &ServerProcess, soft| {
        if !as_root {
            server.process.set_limit(Resource::Nproc, soft);
        }
    };
    let spent = |_: &ProcessStats, refused| refused > NEWCOMERS / 2;
    let result = run_under_scarcity(
        &mut server,
        "threads",
        |server| limit(server, Some(1)),
        spent,
        |server| limit(server, None),
    );
    assert!(
        (result.during.threads as u64) <= THREADS,
        "{:?}",
        result.during
    );
    let lines = server.process.stderr().lines().count();
    assert!(lines > 0 && lines < 20, "{lines} lines in the log");
}

/// Once the last stack that fitted ended the process: its thread had no memory left to start with.
#[test]
fn server_recovers_from_stack_memory_exhaustion() {
    let _alone = exclusive();
    let mut server = start_server(&[]);
    // What the server keeps free, and room for some stacks.
    let take = |server: &ServerProcess| {
        server.process.set_limit(
            Resource::As,
            Some(server.stats().address_space + 280 * 1024 * 1024),
        );
    };
    let spent = |_: &ProcessStats, refused| refused > 0;
    let result = run_under_scarcity(&mut server, "memory for stacks", take, spent, |server| {
        server.process.set_limit(Resource::As, None);
    });
    assert!(result.after.threads <= result.before.threads);
}
