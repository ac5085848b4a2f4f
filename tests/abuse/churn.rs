//! People and rooms that come and go without end, and too many rooms: resources are freed, and limits are enforced.

use crate::background_chat::BackgroundChat;
use crate::harness::{exclusive, exclusive_if_few_descriptors, start_server};
use crate::support::client::WsClient;
use crate::support::{Deadline, long_form, long_or};
use papo::protocol::{ErrorCode, ServerMessage};
use std::net::SocketAddr;
use std::thread::spawn;
use std::time::{Duration, Instant};

/// Rooms that the server keeps open, the lobby included, and those of one connection.
const MAX_ROOMS: usize = 10_000;
const ROOMS_EACH: usize = 32;
/// On a busy machine all these rooms take long, and the server drops a client that answers no ping for more than twice
/// this.
const PING_INTERVAL: Duration = Duration::from_secs(15);
/// People who go from room to room at the same time.
const ROOM_HOPPERS: usize = 4;

/// Asks for a room, or to leave it, and waits for the answer.
fn request_room(person: &mut WsClient, verb: &str, room: &str) -> ServerMessage {
    person.send_text(&format!(r#"{{"type":"{verb}","room":"{room}"}}"#));
    loop {
        match person.receive_answer() {
            ServerMessage::Message(_) => {}
            answer => return answer,
        }
    }
}

/// How many rooms are listed, and how long the answer took.
fn list_rooms(person: &mut WsClient) -> (usize, Duration) {
    let start = Instant::now();
    person.send_text(r#"{"type":"rooms"}"#);
    loop {
        if let ServerMessage::Rooms { rooms, .. } = person.receive_answer() {
            return (rooms.len(), start.elapsed());
        }
    }
}

fn is_too_many_rooms(answer: &ServerMessage) -> bool {
    matches!(answer, ServerMessage::Error(refusal) if refusal.code == ErrorCode::TooManyRooms)
}

#[test]
fn rooms_are_limited_and_freed_when_empty() {
    let _alone = exclusive_if_few_descriptors();
    let mut server = start_server(&["--ritmo", "0"]);
    let deadline = Deadline::within_seconds(300);
    let mut probe = server.enter("Zelo");
    let before = server.stats();
    let mut people: Vec<WsClient> = Vec::new();
    let mut rooms = 1;
    let mut full = 0;
    let mut pinged = Instant::now();
    while full == 0 {
        if pinged.elapsed() > PING_INTERVAL {
            people
                .iter_mut()
                .chain([&mut probe])
                .for_each(|person| person.ping());
            pinged = Instant::now();
        }
        let mut person = server.enter(&format!("Dona {}", people.len()));
        for _ in 1..ROOMS_EACH {
            let answer = request_room(&mut person, "join", &format!("sala-{rooms}"));
            let opened = matches!(answer, ServerMessage::Joined { .. });
            assert!(opened || is_too_many_rooms(&answer), "{answer:?}");
            rooms += usize::from(opened);
            full += usize::from(!opened);
        }
        if full == 0 {
            assert!(
                is_too_many_rooms(&request_room(&mut person, "join", "mais-uma")),
                "a connection has 32 rooms"
            );
        }
        people.push(person);
    }
    assert_eq!(rooms, MAX_ROOMS);
    let crowded = server.stats();
    let (shown, took) = list_rooms(&mut probe);
    assert_eq!(shown, 500, "a list has an end too");
    assert!(
        is_too_many_rooms(&request_room(&mut probe, "join", "outra")),
        "the server is full of rooms"
    );
    assert!(matches!(
        request_room(&mut probe, "join", "sala-1"),
        ServerMessage::Joined { .. }
    ));
    request_room(&mut probe, "leave", "sala-1");
    let count = people.len();
    people.into_iter().for_each(|person| person.leave());
    while list_rooms(&mut probe).0 > 1 {
        deadline.left();
    }
    server.wait_until_recovered(&mut probe, deadline, &before);
    let after = server.stats();
    println!(
        "rooms: {rooms} held open by {count} connections, then no more; {:+} KiB in all, a list of them in {:.1} ms; \
         afterwards only the lobby, {:+} KiB",
        crowded.resident_kib as i64 - before.resident_kib as i64,
        took.as_secs_f64() * 1000.0,
        after.resident_kib as i64 - before.resident_kib as i64
    );
    assert!(
        crowded.resident_kib < before.resident_kib + 64 * 1024,
        "{} KiB",
        crowded.resident_kib
    );
    server.assert_healthy();
}

/// Opens and leaves new rooms.
fn hop_rooms(address: SocketAddr, n: usize, names: usize) {
    let mut person = WsClient::entered(address, &format!("Viajante {n}"));
    for name in 0..names {
        let room = format!("r-{n}-{name}");
        let joined = request_room(&mut person, "join", &room);
        assert!(matches!(joined, ServerMessage::Joined { .. }), "{joined:?}");
        assert!(matches!(
            request_room(&mut person, "leave", &room),
            ServerMessage::Left { .. }
        ));
    }
    person.leave();
}

/// So many people enter and leave, one after the other.
fn enter_and_leave(address: SocketAddr, first: usize, people: usize) {
    for n in first..first + people {
        WsClient::entered(address, &format!("Visita {n}")).leave();
    }
}

#[test]
fn room_and_connection_churn_leaks_nothing() {
    let _alone = exclusive();
    let names = long_or(100_000, 6_000);
    let visits = long_or(10_000, 1_000);
    let mut server = start_server(&["--ritmo", "0"]);
    let deadline = Deadline::within_seconds(long_or(900, 300));
    let crowd = BackgroundChat::start(server.address, 8, Duration::from_millis(400));
    let address = server.address;
    let round = |round: usize, names: usize, visits: usize| {
        let wanderers = (0..ROOM_HOPPERS)
            .map(|n| spawn(move || hop_rooms(address, round * 10 + n, names / ROOM_HOPPERS)));
        let visitors = spawn(move || enter_and_leave(address, round * 100_000, visits));
        wanderers
            .collect::<Vec<_>>()
            .into_iter()
            .chain([visitors])
            .for_each(|thread| thread.join().unwrap());
    };
    // A first round fills what the allocator keeps anyway.
    round(0, names / 5, visits / 5);
    let probe = server.enter("Zelo");
    let before = server.stats();
    // A client that reads none of these presences would be too slow.
    probe.leave();
    let start = Instant::now();
    round(1, names, visits);
    let took = start.elapsed().as_secs_f64();
    let after = server.stats();
    let mut probe = server.enter("Zelo");
    server.wait_until_recovered(&mut probe, deadline, &before);
    let wellbeing = crowd.finish();
    assert_eq!(list_rooms(&mut probe).0, 1, "only the lobby is left");
    let growth = after.resident_kib as i64 - before.resident_kib as i64;
    println!(
        "coming and going: {names} rooms opened and left, {visits} people came and went, {:.0} of both a second; memory \
         {:+} KiB of {} KiB; CPU {:.0} % of a core; healthy: {wellbeing}",
        (names + visits) as f64 / took,
        growth,
        before.resident_kib,
        after.cpu_since(&before)
    );
    assert!(growth < 2048, "{growth} KiB more");
    if long_form() {
        assert!(
            (names + visits) as f64 / took > 500.0 && wellbeing.p99 < Duration::from_millis(10)
        );
    }
    server.assert_healthy();
}
