//! Connections that are too slow, too silent, too many or too late.

use crate::support::client::{Disconnect, WsClient, disconnected_with};
use crate::support::raw::{self, GET_PAGE, token_for};
use crate::support::server::{TestServer, without_rate};
use crate::support::{Deadline, patience};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tungstenite::Message;

#[test]
fn slow_consumer_gets_1013_and_others_miss_nothing() {
    const MESSAGES: usize = 4000;
    let server = TestServer::start_with(without_rate);
    let mut slow = server.enter("Lento");
    let mut ana = server.enter("Ana");
    let mut bruno = server.enter("Bruno");
    // Ana waits for Bruno: on a busy machine Bruno's thread would be a slow consumer too.
    let (received, pace) = mpsc::sync_channel(MESSAGES);
    let receiving = std::thread::spawn(move || {
        let mut seqs = Vec::new();
        while seqs.len() < MESSAGES {
            let message = bruno.receive();
            if message["type"] == "message" {
                seqs.push(message["seq"].as_u64().unwrap());
                let _ = received.send(());
            }
        }
        seqs
    });
    let text = "x".repeat(3000);
    let mut acknowledged = 0;
    for n in 0..MESSAGES {
        ana.say(&text);
        // At most 16 unread answers, so that they never fill Ana's own socket.
        if n >= 16 {
            acknowledged += usize::from(ana.receive()["type"] == "ack");
            pace.recv_timeout(patience())
                .expect("Bruno receives everything");
        }
    }
    while acknowledged < MESSAGES {
        acknowledged += usize::from(ana.receive()["type"] == "ack");
    }
    assert_eq!(
        receiving.join().unwrap(),
        (1..=MESSAGES as u64).collect::<Vec<_>>()
    );
    assert_eq!(
        slow.wait_for_disconnect(),
        disconnected_with("too_slow", 1013)
    );
}

/// A client that asked for more than fits into an outbox was once cut for it, and again at every return.
#[test]
fn joining_many_full_rooms_at_once_delivers_all() {
    const ROOMS: usize = 12;
    let server = TestServer::start_with(without_rate);
    let mut ana = server.enter("Ana");
    for room in 0..ROOMS {
        let room = format!("sala-{room}");
        ana.send(json!({"type": "join", "room": room}));
        assert_eq!(ana.receive()["type"], "joined");
        for n in 0..30 {
            ana.send(json!({"type": "say", "room": room, "id": format!("{room}-{n}"), "text": "x".repeat(3900)}));
            assert_eq!(ana.receive()["type"], "ack");
        }
    }
    let mut bruno = server.enter("Bruno");
    for room in 0..ROOMS {
        bruno.send(json!({"type": "join", "room": format!("sala-{room}")}));
        bruno.send(json!({"type": "history", "room": format!("sala-{room}"), "after": 0}));
    }
    bruno.send(json!({"type": "leave", "room": "sala-0"}));
    for room in 0..ROOMS {
        let joined = bruno.receive();
        assert_eq!(
            (&joined["type"], &joined["room"]),
            (&json!("joined"), &json!(format!("sala-{room}")))
        );
        assert_eq!(bruno.receive()["type"], "history");
    }
    bruno.expect(&["left sala-0"]);
}

/// Unread frames of the peer once made the kernel reset the connection, and the `bye` was lost.
#[test]
fn slow_consumer_that_sends_still_gets_its_bye() {
    let deadline = Deadline::of_one_event();
    let ending = loop {
        // The server reads for a second from a connection that it has cut. If the machine stood still meanwhile, nothing
        // is proved, and the test runs again.
        let (ending, took) = send_while_being_disconnected();
        if took < Duration::from_millis(800) || deadline.is_over() {
            break ending;
        }
    };
    assert_eq!(ending, disconnected_with("too_slow", 1013));
}

/// A client reads nothing and sends something now and then, from before it is cut until shortly after. Gives back how
/// that ended, and how long it took from before the cut to the last message.
fn send_while_being_disconnected() -> (Disconnect, Duration) {
    let server = TestServer::start_with(|setup| {
        without_rate(setup);
        setup.delivery_limits.closing_timeout = patience();
    });
    let mut slow = WsClient::connect_with_small_buffer(server.address).unwrap();
    slow.enter("Lento");
    let mut ana = server.enter("Ana");
    let text = "x".repeat(3000);
    let mut before = Instant::now();
    let mut took = Duration::ZERO;
    for n in 0..250 {
        // The cut comes when the outbox is full of these, and a small kernel buffer: around the 110th.
        if n == 80 {
            before = Instant::now();
        }
        ana.say(&text);
        if n < 140 && n % 4 == 0 {
            let say = json!({"type": "say", "room": "geral", "id": format!("m{n}"), "text": "alguém me ouve?"});
            let _ = slow.try_send(&say.to_string());
            took = before.elapsed();
        }
        // Until it was delivered: what the server has not read yet would come when the other reads already.
        while ana.receive()["type"] != "ack" {}
    }
    (slow.wait_for_disconnect(), took)
}

#[test]
fn connection_without_enter_is_closed_as_idle() {
    let server =
        TestServer::start_with(|setup| setup.rules.entry_timeout = Duration::from_millis(50));
    assert_eq!(
        server.connect().wait_for_disconnect(),
        disconnected_with("idle", 1008)
    );
}

#[test]
fn malformed_messages_close_the_connection() {
    let server = TestServer::start();
    let mut client = server.enter("Ana");
    for _ in 0..101 {
        client.socket.write(Message::text("?")).unwrap();
    }
    client.socket.flush().unwrap();
    assert_eq!(
        client.wait_for_disconnect(),
        disconnected_with("protocol", 1008)
    );
}

#[test]
fn idle_peer_is_pinged_and_dropped_without_pong() {
    // Each connection is checked every four seconds. Ana's last sign of life is up to so old then, and the rest of this
    // time is there to answer the ping.
    let server = TestServer::start_with(|setup| {
        setup.delivery_limits.ping_after = Duration::from_millis(100);
        setup.delivery_limits.dead_after = Duration::from_millis(7500);
        setup.rules.grace = Duration::from_millis(100);
    });
    let _silent = server.enter("Surdo");
    let mut ana = server.enter("Ana");
    // Reading answers the pings; the kernel of the silent client takes them, and nothing answers.
    ana.expect(&["1 online -Surdo"]);
    ana.expect_nothing();
}

#[test]
fn full_server_sends_503_until_a_connection_ends() {
    let server = TestServer::start_with(|setup| setup.max_connections = 3);
    let mut clients: Vec<WsClient> = (0..3)
        .map(|n| server.enter(&format!("Pessoa {n}")))
        .collect();
    for _ in 0..5 {
        let refusal = raw::request(server.address, GET_PAGE);
        assert!(
            refusal.starts_with("HTTP/1.1 503 ") && refusal.contains("Retry-After: "),
            "{refusal}"
        );
        assert!(
            refusal.contains("A conversa está cheia (3 conexões). Tente mais tarde."),
            "{refusal}"
        );
    }
    match WsClient::connect(server.address).err() {
        Some(tungstenite::Error::Http(response)) => assert_eq!(response.status(), 503),
        other => panic!("{other:?}"),
    }
    clients.pop().unwrap().leave();
    let deadline = Deadline::of_one_event();
    let joined = loop {
        deadline.left();
        // The permit is free as soon as the thread that served the connection has ended.
        match WsClient::connect(server.address) {
            Ok(mut client) => break client.enter("Outra"),
            Err(tungstenite::Error::Http(_)) => {}
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(joined["online"], 3);
}

/// Connections that send nothing once delayed every other refusal.
#[test]
fn silent_peers_do_not_delay_other_rejections() {
    let server = TestServer::start_with(|setup| setup.max_connections = 1);
    let _ana = server.enter("Ana");
    let silent: Vec<_> = (0..60).map(|_| raw::send(server.address, b"")).collect();
    let refusal = raw::request(server.address, GET_PAGE);
    assert!(refusal.starts_with("HTTP/1.1 503 "), "{refusal}");
    for socket in silent {
        assert!(raw::read_all(socket).starts_with(b"HTTP/1.1 503 "));
    }
}

#[test]
fn connections_before_enter_are_limited_to_256() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    let waiting: Vec<WsClient> = (0..256).map(|_| server.connect()).collect();
    match WsClient::connect(server.address).err() {
        Some(tungstenite::Error::Http(response)) => assert_eq!(response.status(), 503),
        other => panic!("{other:?}"),
    }
    ana.send(json!({"type": "ping"}));
    ana.expect(&["pong"]);
    drop(waiting);
}

/// Each arrival and each departure was once a frame to everybody in the room: a hundred of them here.
#[test]
fn fifty_people_coming_and_going_cost_four_frames_a_second() {
    let server = TestServer::start_with(without_rate);
    let mut ana = server.enter("Ana");
    let start = Instant::now();
    let names: Vec<String> = (1..50).map(|n| format!("Pessoa {n}")).collect();
    let others: Vec<WsClient> = names.iter().map(|name| server.enter(name)).collect();
    others.into_iter().for_each(WsClient::leave);
    let mut frames = 0;
    let mut gone = BTreeSet::new();
    loop {
        let presence = ana.receive_where(|message| message["type"] == "presence");
        frames += 1;
        let left = presence["left"].as_array().unwrap().iter();
        gone.extend(left.map(|member| member["name"].as_str().unwrap().to_owned()));
        if gone.len() == names.len() && presence["online"] == 1 {
            break;
        }
    }
    let intervals = start.elapsed().as_millis() / 250;
    assert!(frames <= intervals + 1, "{frames} in {intervals}");
    ana.expect_nothing();
}

#[test]
fn presence_is_coalesced_in_a_large_room() {
    let server = TestServer::start_with(without_rate);
    let mut ana = server.enter("Ana");
    let mut others: Vec<WsClient> = (0..120).map(|_| server.connect()).collect();
    // All send `enter` before any reads an answer: joins far apart are announced one by one.
    for (n, other) in others.iter_mut().enumerate() {
        let name = format!("Pessoa {n}");
        other.send(json!({"type": "enter", "name": name, "token": token_for(&name)}));
    }
    let mut frames = 0;
    let mut online = 1;
    let mut named = 0;
    while online < 121 {
        let presence = ana.receive();
        frames += 1;
        online = presence["online"].as_u64().unwrap();
        named += presence["joined"].as_array().unwrap().len();
    }
    assert_eq!(named, 120);
    assert!(frames < 120, "{frames}");
    drop(others);
}
