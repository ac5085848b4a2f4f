//! Delivery over real sockets on loopback: order, who gets what, and who is given up.

use super::*;
use crate::frame;
use crate::link::ClientAddr;
use crate::protocol::Entry;
use socket2::SockRef;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

const GENERAL: RoomId = RoomId(0);
const LAB: RoomId = RoomId(1);

/// How long anybody waits for anything.
const DEADLINE: Duration = Duration::from_secs(30);

/// A delivery with its clock, and the peers' sides of its connections.
struct Scene {
    delivery: Fanout,
    now: Instant,
    next: u64,
}

/// The other end of a connection.
struct Peer {
    conn: ConnId,
    socket: TcpStream,
    link: Arc<ConnHandle>,
}

impl Scene {
    fn new(patience: DeliveryLimits) -> Self {
        let now = Instant::now();
        Self {
            delivery: Fanout::new(patience, now),
            now,
            next: 0,
        }
    }

    fn peer(&mut self, channels: &[RoomId]) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let (server, _) = listener.accept().unwrap();
        // As the sockets of the real server have it: the kernel takes little, whatever the system's limits are.
        SockRef::from(&server)
            .set_tcp_notsent_lowat(64 * 1024)
            .unwrap();
        self.next += 1;
        let link = Arc::new(ConnHandle::new(
            ConnId(self.next),
            ClientAddr::LOCAL,
            Arc::new(server),
            None,
            self.now,
        ));
        self.delivery.add(link.clone());
        for channel in channels {
            self.delivery.subscribe(link.id, *channel);
        }
        Peer {
            conn: link.id,
            socket,
            link,
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.delivery.tick(self.now);
        self.delivery.flush(self.now);
    }
}

impl Peer {
    /// Everything that this peer is sent until the connection ends, text by text.
    fn read_all(&self) -> Vec<String> {
        self.read_all_and_tell(|| {})
    }

    /// The same, telling of each text that comes.
    fn read_all_and_tell(&self, heard: impl Fn()) -> Vec<String> {
        let mut socket = WebSocket::from_raw_socket(&self.socket, Role::Client, None);
        let mut got = Vec::new();
        loop {
            match socket.read() {
                Ok(Message::Text(text)) => {
                    got.push(label(&text));
                    heard();
                }
                Ok(Message::Ping(_)) => got.push("ping".into()),
                Ok(Message::Close(Some(close))) => {
                    got.push(format!("close {}", u16::from(close.code)))
                }
                Ok(_) => {}
                Err(_) => return got,
            }
        }
    }
}

/// What a frame says, as short as a test needs it.
fn label(json: &str) -> String {
    match serde_json::from_str(json).unwrap() {
        ServerMessage::Message(entry) => entry.text.clone(),
        ServerMessage::Ack { id, .. } => format!("ack {id}"),
        ServerMessage::Bye { code, .. } => format!("bye {code:?}"),
        other => format!("{other:?}"),
    }
}

fn message(text: &str) -> ServerMessage {
    let (room, from, tag) = ("geral".into(), "Ana".into(), "aaaaaaaa".into());
    let entry = Entry {
        room,
        seq: 1,
        at: 0,
        from,
        tag,
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
        duplicate: false,
    }
}

#[test]
fn an_ack_stands_where_the_senders_own_message_would_stand() {
    let mut scene = Scene::new(DeliveryLimits::default());
    let (ana, bruno) = (scene.peer(&[GENERAL]), scene.peer(&[GENERAL]));
    scene.delivery.broadcast(GENERAL, &message("um"), None);
    scene
        .delivery
        .broadcast(GENERAL, &message("dois"), Some(ana.conn));
    scene.delivery.send(ana.conn, &ack("dois"));
    scene.delivery.broadcast(GENERAL, &message("três"), None);
    scene.delivery.flush(scene.now);
    for peer in [&ana, &bruno] {
        scene.delivery.remove(peer.conn, scene.now);
    }
    assert_eq!(ana.read_all(), ["um", "ack dois", "três"]);
    assert_eq!(bruno.read_all(), ["um", "dois", "três"]);
}

#[test]
fn who_joins_or_leaves_in_the_middle_of_a_turn_gets_exactly_their_part() {
    let mut scene = Scene::new(DeliveryLimits::default());
    let (ana, bruno) = (scene.peer(&[GENERAL]), scene.peer(&[]));
    scene.delivery.broadcast(GENERAL, &message("um"), None);
    scene.delivery.subscribe(bruno.conn, GENERAL);
    scene.delivery.broadcast(GENERAL, &message("dois"), None);
    scene.delivery.unsubscribe(ana.conn, GENERAL);
    scene.delivery.broadcast(GENERAL, &message("três"), None);
    scene.delivery.flush(scene.now);
    for peer in [&ana, &bruno] {
        scene.delivery.remove(peer.conn, scene.now);
    }
    assert_eq!(ana.read_all(), ["um", "dois"]);
    assert_eq!(bruno.read_all(), ["dois", "três"]);
}

#[test]
fn somebody_in_two_rooms_gets_each_rooms_order() {
    let mut scene = Scene::new(DeliveryLimits::default());
    let (ana, bruno) = (scene.peer(&[GENERAL, LAB]), scene.peer(&[LAB]));
    for n in 0..3 {
        scene
            .delivery
            .broadcast(GENERAL, &message(&format!("geral {n}")), None);
        scene
            .delivery
            .broadcast(LAB, &message(&format!("lab {n}")), None);
    }
    scene.delivery.flush(scene.now);
    for peer in [&ana, &bruno] {
        scene.delivery.remove(peer.conn, scene.now);
    }
    let got = ana.read_all();
    for room in ["geral", "lab"] {
        let of_room: Vec<_> = got.iter().filter(|text| text.starts_with(room)).collect();
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
fn who_does_not_read_is_told_so_and_closed_with_1013_and_the_others_miss_nothing() {
    let mut scene = Scene::new(DeliveryLimits {
        max_outbox_bytes: 50_000,
        ..DeliveryLimits::default()
    });
    let (deaf, bruno) = (scene.peer(&[GENERAL]), scene.peer(&[GENERAL]));
    let (heard, pace) = std::sync::mpsc::channel();
    let reading =
        std::thread::spawn(move || bruno.read_all_and_tell(|| heard.send(()).unwrap_or_default()));
    let text = "x".repeat(4000);
    let mut said = 0;
    while scene
        .delivery
        .outbounds
        .get(0)
        .is_some_and(Outbound::is_open)
    {
        scene.delivery.broadcast(GENERAL, &message(&text), None);
        said += 1;
        scene.delivery.flush(scene.now);
        scene.wait(Duration::from_millis(10));
        // Bruno is waited for: on a machine that gives him no time to read he would be deaf too.
        pace.recv_timeout(DEADLINE).expect("Bruno hears everything");
        assert!(said < 20_000, "the kernel takes everything");
    }
    // Whoever reads slowly, but reads, still finds the reason at the end of what it was sent.
    scene.wait(Duration::from_secs(1));
    let got = deaf.read_all();
    assert!(got.len() < said, "nothing was dropped");
    assert_eq!(got[got.len() - 2..], ["bye TooSlow", "close 1013"]);
    scene.delivery.flush(scene.now);
    scene
        .delivery
        .close(ConnId(2), 1001, &ack("fim"), scene.now);
    assert_eq!(reading.join().unwrap().len(), said + 2);
}

#[test]
fn who_takes_nothing_for_long_is_given_up_even_below_the_bound() {
    let mut scene = Scene::new(DeliveryLimits {
        max_outbox_bytes: usize::MAX,
        ..DeliveryLimits::default()
    });
    let deaf = scene.peer(&[GENERAL]);
    let open = |scene: &Scene| {
        scene
            .delivery
            .outbounds
            .get(0)
            .is_some_and(Outbound::is_open)
    };
    // More than any kernel takes, which on a busy machine may go on taking for a moment: time passes in vain only then.
    scene
        .delivery
        .broadcast(GENERAL, &message(&"x".repeat(8_000_000)), None);
    scene.delivery.flush(scene.now);
    scene.wait(Duration::from_secs(10));
    assert!(open(&scene));
    let deadline = Instant::now() + DEADLINE;
    while open(&scene) {
        assert!(Instant::now() < deadline, "nobody was given up");
        scene.wait(Duration::from_secs(10));
    }
    drop(deaf);
}

#[test]
fn over_all_bounds_the_fattest_goes_first() {
    let mut scene = Scene::new(DeliveryLimits {
        max_outbox_bytes: usize::MAX,
        max_total_outbox_bytes: 1_000_000,
        ..DeliveryLimits::default()
    });
    let (fat, thin) = (scene.peer(&[GENERAL, LAB]), scene.peer(&[GENERAL]));
    for peer in [&fat, &thin] {
        let at = scene.delivery.slots[&peer.conn];
        let line = &mut scene.delivery.outbounds[at];
        while line.outbox.is_empty() {
            line.outbox
                .send(&*line.handle.socket, &frame_of(60_000), scene.now)
                .unwrap();
        }
        scene.delivery.after_send(at, scene.now);
    }
    scene
        .delivery
        .broadcast(LAB, &message(&"x".repeat(4_000_000)), None);
    scene
        .delivery
        .broadcast(GENERAL, &message(&"x".repeat(100)), None);
    scene.delivery.flush(scene.now);
    scene.wait(Duration::from_millis(10));
    let open = |peer: &Peer| {
        scene
            .delivery
            .outbounds
            .get(scene.delivery.slots[&peer.conn])
            .is_some_and(Outbound::is_open)
    };
    assert_eq!((open(&fat), open(&thin)), (false, true));
}

fn frame_of(length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(&mut bytes, frame::Opcode::Text, &vec![b'x'; length]);
    bytes
}

#[test]
fn the_silent_are_pinged_and_the_dead_are_cut() {
    let mut scene = Scene::new(DeliveryLimits::default());
    let (dead, alive) = (scene.peer(&[]), scene.peer(&[]));
    for _ in 0..60 {
        scene.wait(Duration::from_secs(1));
        alive.link.last_seen.touch(scene.now);
    }
    let mut rest = Vec::new();
    (&dead.socket).read_to_end(&mut rest).unwrap();
    assert_eq!(rest, [0x89, 0, 0x89, 0], "two pings, then the end");
    scene.delivery.remove(alive.conn, scene.now);
    assert_eq!(alive.read_all(), Vec::<String>::new());
}
