//! The fan-out over real sockets on loopback: order, recipients, and disconnected peers.

use super::*;
use crate::ids::ClientAddr;
use crate::protocol::{ByeCode, Entry};
use crate::ws::frame;
use socket2::SockRef;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

const GENERAL: RoomId = RoomId(0);
const LAB: RoomId = RoomId(1);

/// How long a test waits for anything.
const DEADLINE: Duration = Duration::from_secs(30);

/// A fan-out with a clock of its own.
struct Harness {
    fanout: Fanout,
    now: Instant,
    next: u64,
}

/// The other end of a connection.
struct TestPeer {
    conn: ConnId,
    socket: TcpStream,
    handle: Arc<ConnHandle>,
}

impl Harness {
    fn new(limits: DeliveryLimits) -> Self {
        let now = Instant::now();
        Self {
            fanout: Fanout::new(limits, now),
            now,
            next: 0,
        }
    }

    fn peer(&mut self, rooms: &[RoomId]) -> TestPeer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let (server, _) = listener.accept().unwrap();
        // As in the real server: the kernel takes little, whatever the system's limits are.
        SockRef::from(&server)
            .set_tcp_notsent_lowat(64 * 1024)
            .unwrap();
        self.next += 1;
        let handle = Arc::new(ConnHandle::new(
            ConnId(self.next),
            ClientAddr::LOCAL,
            Arc::new(server),
            None,
            self.now,
        ));
        self.fanout.add(handle.clone());
        for room in rooms {
            self.fanout.subscribe(handle.id, *room);
        }
        TestPeer {
            conn: handle.id,
            socket,
            handle,
        }
    }

    fn advance(&mut self, time: Duration) {
        self.now += time;
        self.fanout.tick(self.now);
        self.fanout.flush(self.now);
    }
}

impl TestPeer {
    /// Everything that this peer gets until the connection ends.
    fn read_all(&self) -> Vec<String> {
        self.read_all_with(|| {})
    }

    /// The same, calling `on_text` after each text.
    fn read_all_with(&self, on_text: impl Fn()) -> Vec<String> {
        let mut socket = WebSocket::from_raw_socket(&self.socket, Role::Client, None);
        let mut received = Vec::new();
        loop {
            match socket.read() {
                Ok(Message::Text(text)) => {
                    received.push(label(&text));
                    on_text();
                }
                Ok(Message::Ping(_)) => received.push("ping".into()),
                Ok(Message::Close(Some(close))) => {
                    received.push(format!("close {}", u16::from(close.code)));
                }
                Ok(_) => {}
                Err(_) => return received,
            }
        }
    }
}

/// A message in a few words.
fn label(json: &str) -> String {
    match serde_json::from_str(json).unwrap() {
        ServerMessage::Message(entry) => entry.text.clone(),
        ServerMessage::Ack { id, .. } => format!("ack {id}"),
        ServerMessage::Bye { code, .. } => format!("bye {code:?}"),
        other => format!("{other:?}"),
    }
}

fn message(text: &str) -> ServerMessage {
    let entry = Entry {
        room: "geral".into(),
        seq: 1,
        at: 0,
        from: "Ana".into(),
        tag: "aaaaaaaa".into(),
        text: text.into(),
        ..Entry::default()
    };
    ServerMessage::Message(Arc::new(entry))
}

fn ack(id: &str) -> ServerMessage {
    ServerMessage::Ack {
        id: id.into(),
        room: None,
        seq: None,
        at: 0,
        text: None,
        duplicate: false,
    }
}

#[test]
fn ack_takes_the_place_of_the_senders_message() {
    let mut harness = Harness::new(DeliveryLimits::default());
    let ana = harness.peer(&[GENERAL]);
    let bruno = harness.peer(&[GENERAL]);
    harness.fanout.broadcast(GENERAL, &message("um"), None);
    harness
        .fanout
        .broadcast(GENERAL, &message("dois"), Some(ana.conn));
    harness.fanout.send(ana.conn, &ack("dois"));
    harness.fanout.broadcast(GENERAL, &message("três"), None);
    harness.fanout.flush(harness.now);
    for peer in [&ana, &bruno] {
        harness.fanout.remove(peer.conn, harness.now);
    }
    assert_eq!(ana.read_all(), ["um", "ack dois", "três"]);
    assert_eq!(bruno.read_all(), ["um", "dois", "três"]);
}

#[test]
fn subscriber_gets_its_part_of_a_turn_when_joining_or_leaving() {
    let mut harness = Harness::new(DeliveryLimits::default());
    let ana = harness.peer(&[GENERAL]);
    let bruno = harness.peer(&[]);
    harness.fanout.broadcast(GENERAL, &message("um"), None);
    harness.fanout.subscribe(bruno.conn, GENERAL);
    harness.fanout.broadcast(GENERAL, &message("dois"), None);
    harness.fanout.unsubscribe(ana.conn, GENERAL);
    harness.fanout.broadcast(GENERAL, &message("três"), None);
    harness.fanout.flush(harness.now);
    for peer in [&ana, &bruno] {
        harness.fanout.remove(peer.conn, harness.now);
    }
    assert_eq!(ana.read_all(), ["um", "dois"]);
    assert_eq!(bruno.read_all(), ["dois", "três"]);
}

#[test]
fn order_holds_per_room_for_a_connection_in_two_rooms() {
    let mut harness = Harness::new(DeliveryLimits::default());
    let ana = harness.peer(&[GENERAL, LAB]);
    let bruno = harness.peer(&[LAB]);
    for n in 0..3 {
        harness
            .fanout
            .broadcast(GENERAL, &message(&format!("geral {n}")), None);
        harness
            .fanout
            .broadcast(LAB, &message(&format!("lab {n}")), None);
    }
    harness.fanout.flush(harness.now);
    for peer in [&ana, &bruno] {
        harness.fanout.remove(peer.conn, harness.now);
    }
    let received = ana.read_all();
    for room in ["geral", "lab"] {
        let of_room: Vec<_> = received
            .iter()
            .filter(|text| text.starts_with(room))
            .collect();
        assert_eq!(
            of_room,
            [
                &format!("{room} 0"),
                &format!("{room} 1"),
                &format!("{room} 2")
            ]
        );
    }
    assert_eq!(bruno.read_all(), ["lab 0", "lab 1", "lab 2"]);
}

#[test]
fn multicast_stands_between_the_broadcasts_around_it() {
    let mut harness = Harness::new(DeliveryLimits::default());
    let ana = harness.peer(&[GENERAL]);
    let bruno = harness.peer(&[GENERAL, LAB]);
    let celia = harness.peer(&[GENERAL]);
    let gone = ConnId(99);
    harness.fanout.broadcast(GENERAL, &message("um"), None);
    harness
        .fanout
        .multicast(&[ana.conn, gone, bruno.conn], &message("aviso"));
    harness.fanout.broadcast(GENERAL, &message("dois"), None);
    let conns = [bruno.conn, celia.conn];
    let bye = ServerMessage::Bye {
        code: ByeCode::Shutdown,
        text: "fim".into(),
        retry_after_ms: None,
    };
    harness.fanout.close(&conns, 1001, &bye, harness.now);
    harness.fanout.broadcast(GENERAL, &message("três"), None);
    harness.fanout.flush(harness.now);
    harness.fanout.remove(ana.conn, harness.now);
    assert_eq!(ana.read_all(), ["um", "aviso", "dois", "três"]);
    let end = ["bye Shutdown", "close 1001"];
    let with_notice = ["um", "aviso", "dois"];
    assert_eq!(bruno.read_all(), [&with_notice[..], &end].concat());
    assert_eq!(celia.read_all(), [&["um", "dois"][..], &end].concat());
}

#[test]
fn slow_consumer_is_closed_with_1013_and_others_miss_nothing() {
    let mut harness = Harness::new(DeliveryLimits {
        max_outbox_bytes: 50_000,
        ..DeliveryLimits::default()
    });
    let slow = harness.peer(&[GENERAL]);
    let bruno = harness.peer(&[GENERAL]);
    let (on_text, received) = std::sync::mpsc::channel();
    let reading =
        std::thread::spawn(move || bruno.read_all_with(|| on_text.send(()).unwrap_or_default()));
    let text = "x".repeat(4000);
    let mut sent = 0;
    while harness
        .fanout
        .outbounds
        .get(0)
        .is_some_and(Outbound::is_open)
    {
        harness.fanout.broadcast(GENERAL, &message(&text), None);
        sent += 1;
        harness.fanout.flush(harness.now);
        harness.advance(Duration::from_millis(10));
        // Wait for Bruno's thread: on a busy machine it would be a slow consumer too.
        received
            .recv_timeout(DEADLINE)
            .expect("Bruno gets every message");
        assert!(sent < 20_000, "the kernel took everything");
    }
    // A slow peer that still reads finds the reason at the end of its stream.
    harness.advance(Duration::from_secs(1));
    let received = slow.read_all();
    assert!(received.len() < sent, "nothing was dropped");
    assert_eq!(
        received[received.len() - 2..],
        ["bye TooSlow", "close 1013"]
    );
    harness.fanout.flush(harness.now);
    harness
        .fanout
        .close(&[ConnId(2)], 1001, &ack("fim"), harness.now);
    assert_eq!(reading.join().unwrap().len(), sent + 2);
}

#[test]
fn stalled_consumer_is_disconnected_below_the_byte_limit() {
    let mut harness = Harness::new(DeliveryLimits {
        max_outbox_bytes: usize::MAX,
        ..DeliveryLimits::default()
    });
    let stalled = harness.peer(&[GENERAL]);
    let open = |harness: &Harness| {
        harness
            .fanout
            .outbounds
            .get(0)
            .is_some_and(Outbound::is_open)
    };
    // More than any kernel takes. On a busy machine it may go on taking for a moment, which resets the stall time.
    harness
        .fanout
        .broadcast(GENERAL, &message(&"x".repeat(8_000_000)), None);
    harness.fanout.flush(harness.now);
    harness.advance(Duration::from_secs(10));
    assert!(open(&harness));
    let deadline = Instant::now() + DEADLINE;
    while open(&harness) {
        assert!(
            Instant::now() < deadline,
            "the stalled peer was not disconnected"
        );
        harness.advance(Duration::from_secs(10));
    }
    drop(stalled);
}

#[test]
fn largest_outbox_is_shed_first_over_the_total_limit() {
    let mut harness = Harness::new(DeliveryLimits {
        max_outbox_bytes: usize::MAX,
        max_total_outbox_bytes: 1_000_000,
        ..DeliveryLimits::default()
    });
    let large = harness.peer(&[GENERAL, LAB]);
    let small = harness.peer(&[GENERAL]);
    for peer in [&large, &small] {
        let slot = harness.fanout.slots[&peer.conn];
        let outbound = &mut harness.fanout.outbounds[slot];
        while outbound.outbox.is_empty() {
            outbound
                .outbox
                .send(&*outbound.handle.socket, &frame_of(60_000), harness.now)
                .unwrap();
        }
        harness.fanout.after_send(slot, harness.now);
    }
    harness
        .fanout
        .broadcast(LAB, &message(&"x".repeat(4_000_000)), None);
    harness
        .fanout
        .broadcast(GENERAL, &message(&"x".repeat(100)), None);
    harness.fanout.flush(harness.now);
    harness.advance(Duration::from_millis(10));
    let open = |peer: &TestPeer| {
        harness
            .fanout
            .outbounds
            .get(harness.fanout.slots[&peer.conn])
            .is_some_and(Outbound::is_open)
    };
    assert!(!open(&large));
    assert!(open(&small));
}

fn frame_of(length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(&mut bytes, frame::Opcode::Text, &vec![b'x'; length]);
    bytes
}

#[test]
fn idle_peer_is_pinged_and_dead_peer_is_aborted() {
    let mut harness = Harness::new(DeliveryLimits::default());
    let dead = harness.peer(&[]);
    let alive = harness.peer(&[]);
    for _ in 0..60 {
        harness.advance(Duration::from_secs(1));
        alive.handle.last_seen.touch(harness.now);
    }
    let mut rest = Vec::new();
    (&dead.socket).read_to_end(&mut rest).unwrap();
    assert_eq!(rest, [0x89, 0, 0x89, 0], "two pings, then the end");
    harness.fanout.remove(alive.conn, harness.now);
    assert_eq!(alive.read_all(), Vec::<String>::new());
}
