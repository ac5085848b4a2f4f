//! The cost of one message inside the server, without sockets or disk: `cargo bench --bench inside`.
//!
//! Each step on its own: parsing a request, encoding a message, delivering it to a room, and a whole turn of the hub.

#[path = "inside/memory_history.rs"]
mod memory_history;

use divan::{Bencher, black_box};
use papo::auth::PasswordHash;
use papo::history::{Append, HistoryReply, HistoryRequest, Outcome};
use papo::name::{Name, RoomName};
use papo::protocol::{
    ClientMessage, Credentials, Enter, Entry, Password, ResumePoint, ServerMessage, Token,
};
use papo::server::{DeliveryLimits, Rules};
use papo::testing::{
    Chat, ClientAddr, ConnHandle, ConnId, Effect, Event, Fanout, Now, Opcode, Outbox, RoomId, Sink,
    write_frame,
};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Instant;

const TEXT: &str = "Bom dia, gente! A reunião de hoje ficou para as três da tarde, na sala de sempre; \
                    quem puder, leve as anotações, por favor.";
const ROOM: RoomId = RoomId(0);

fn main() {
    divan::main();
}

fn say_json(id: &str) -> String {
    format!(r#"{{"type":"say","room":"geral","id":"{id}","text":"{TEXT}"}}"#)
}

fn entry(seq: u64) -> Arc<Entry> {
    Arc::new(Entry {
        room: "geral".into(),
        seq,
        at: 1_700_000_000_000,
        from: "Conceição".into(),
        tag: "abcd2345".into(),
        text: TEXT.into(),
        ..Entry::default()
    })
}

fn encode(message: &ServerMessage) -> Vec<u8> {
    let mut json = Vec::new();
    let mut bytes = Vec::new();
    message.write_json(&mut json);
    write_frame(&mut bytes, Opcode::Text, &json);
    bytes
}

/// A peer that takes everything, or nothing.
struct Peer {
    accepts: bool,
}

impl Sink for Peer {
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(if self.accepts { bytes.len() } else { 0 })
    }
}

#[divan::bench]
fn parse_and_check_one_say(bencher: Bencher) {
    let text = say_json("0123456789abcdef");
    bencher.bench(|| ClientMessage::parse(black_box(&text)));
}

#[divan::bench]
fn encode_one_message(bencher: Bencher) {
    let message = ServerMessage::Message(entry(123_456));
    bencher.bench(|| encode(black_box(&message)));
}

/// The cost of a thousand slow consumers: the bytes are copied for each.
#[divan::bench]
fn append_to_1000_outboxes(bencher: Bencher) {
    let bytes = encode(&ServerMessage::Message(entry(123_456)));
    let peer = Peer { accepts: false };
    let now = Instant::now();
    let fresh = || (0..1000).map(|_| Outbox::default()).collect::<Vec<_>>();
    bencher
        .with_inputs(fresh)
        .bench_local_values(|mut outboxes| {
            for outbox in &mut outboxes {
                outbox
                    .send(&peer, &bytes, now)
                    .expect("this peer has no errors");
            }
            outboxes
        });
}

/// The usual case: nothing is copied, each outbox only passes the room's buffer on.
#[divan::bench]
fn pass_through_1000_empty_outboxes(bencher: Bencher) {
    let bytes = encode(&ServerMessage::Message(entry(123_456)));
    let peer = Peer { accepts: true };
    let now = Instant::now();
    let mut outboxes: Vec<Outbox> = (0..1000).map(|_| Outbox::default()).collect();
    bencher.bench_local(|| {
        for outbox in &mut outboxes {
            outbox
                .send(&peer, black_box(&bytes), now)
                .expect("this peer has no errors");
        }
    });
}

/// The same with sockets: what is left beside the system calls is the cost of the design.
#[divan::bench]
fn one_turn_of_64_messages_to_100_sockets(bencher: Bencher) {
    let now = Instant::now();
    let mut fanout = Fanout::new(DeliveryLimits::default(), now);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let peers: Vec<TcpStream> = (0..100)
        .map(|_| TcpStream::connect(address).expect("a socket"))
        .collect();
    for number in 0..peers.len() as u64 {
        let (socket, _) = listener.accept().expect("a socket");
        fanout.add(Arc::new(ConnHandle::new(
            ConnId(number),
            ClientAddr::LOCAL,
            Arc::new(socket),
            None,
            now,
        )));
        fanout.subscribe(ConnId(number), ROOM);
    }
    let message = ServerMessage::Message(entry(123_456));
    let mut scratch = vec![0; 64 * 1024];
    bencher.bench_local(|| {
        for _ in 0..64 {
            fanout.broadcast(ROOM, &message, None);
        }
        fanout.flush(Instant::now());
        // Reading keeps the kernel's buffers empty; it is the smaller part of the time.
        for peer in &peers {
            let _ = io::Read::read(&mut (&*peer), &mut scratch);
        }
    });
}

/// The rules alone: 64 requests, the replies of the history, and their effects, in a room of a thousand.
#[divan::bench]
fn hub_turn_of_64_messages_in_a_room_of_1000(bencher: Bencher) {
    let now = Now {
        instant: Instant::now(),
        unix_ms: 1_700_000_000_000,
    };
    let mut chat = full_chat(1000, now);
    let mut seq = 0;
    let mut id = 0_u64;
    bencher.bench_local(|| {
        for sender in 0..64 {
            id += 1;
            let said = ClientMessage::parse(&say_json(&id.to_string())).expect("a message");
            chat.handle(Event::Request(ConnId(sender), said), now);
        }
        for effect in chat.take_effects() {
            if let Effect::Submit(HistoryRequest::Append(append)) = effect {
                seq += 1;
                chat.handle(Event::HistoryReplied(stored(append, seq)), now);
            }
        }
        black_box(chat.take_effects().len())
    });
}

/// A moderator's notice to a thousand people, from the request to the sockets.
#[divan::bench]
fn notice_to_1000(bencher: Bencher) {
    let now = Now {
        instant: Instant::now(),
        unix_ms: 1_700_000_000_000,
    };
    let mut chat = full_chat(1000, now);
    let mut fanout = Fanout::new(DeliveryLimits::default(), now.instant);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    // Few sockets, because a process may open few: each belongs to a hundred connections.
    let mut peers = Vec::new();
    for first in (0..1000).step_by(100) {
        let peer = TcpStream::connect(address).expect("a socket");
        peer.set_nonblocking(true).expect("a socket");
        peers.push(peer);
        let socket = Arc::new(listener.accept().expect("a socket").0);
        for number in first..first + 100 {
            let socket = socket.clone();
            let handle =
                ConnHandle::new(ConnId(number), ClientAddr::LOCAL, socket, None, now.instant);
            fanout.add(Arc::new(handle));
            fanout.subscribe(ConnId(number), ROOM);
        }
    }
    let announce = format!(r#"{{"type":"moderate","act":"announce","text":"{TEXT}"}}"#);
    let mut scratch = vec![0; 64 * 1024];
    bencher.bench_local(|| {
        let request = ClientMessage::parse(&announce).expect("a message");
        chat.handle(Event::Request(ConnId(0), request), now);
        for effect in chat.take_effects() {
            if let Effect::Multicast(conns, message) = effect {
                fanout.multicast(&conns, &message);
            }
        }
        fanout.flush(Instant::now());
        for peer in &peers {
            while io::Read::read(&mut (&*peer), &mut scratch).is_ok() {}
        }
    });
}

/// A core with so many people in one room, and without a rate limit. The first is a moderator.
fn full_chat(people: u64, now: Now) -> Chat {
    let moderator_key = Password::new("chave").expect("a password");
    let mut chat = Chat::new(
        Rules {
            rate: None,
            moderator_key: Some(PasswordHash::of("chave")),
            ..Rules::default()
        },
        "0123456789abcdef".into(),
    );
    for number in 0..people {
        chat.handle(Event::Connected(ConnId(number), ClientAddr::LOCAL), now);
        let enter = ClientMessage::Enter(Enter {
            name: Name::new(&format!("pessoa {number}")).expect("a name"),
            token: Token::new(&format!("token-of-person-{number}")),
            room: None,
            resume: ResumePoint::default(),
            local_key: None,
            credentials: Credentials {
                moderator_key: (number == 0).then(|| moderator_key.clone()),
                ..Credentials::default()
            },
        });
        chat.handle(Event::Request(ConnId(number), enter.into()), now);
    }
    let name = RoomName::lobby();
    let tail = papo::history::RoomHead {
        name: name.clone(),
        seq: 0,
        oldest: 1,
        entries: Vec::new(),
        owner: None,
    };
    chat.handle(
        Event::HistoryReplied(HistoryReply::RoomHead(name, Some(tail))),
        now,
    );
    store_moderation(&mut chat, now);
    chat
}

/// Drops the chat's effects, and lets the history reply that the changes among them are stored.
fn store_moderation(chat: &mut Chat, now: Now) {
    loop {
        let effects = chat.take_effects();
        if effects.is_empty() {
            return;
        }
        for effect in effects {
            if let Effect::Submit(HistoryRequest::SaveModeration(request_id, _)) = effect {
                let reply = HistoryReply::ModerationSaved(request_id, true);
                chat.handle(Event::HistoryReplied(reply), now);
            }
        }
    }
}

/// The history's reply to an append.
fn stored(append: Append, seq: u64) -> HistoryReply {
    let entry = Entry {
        room: append.room.as_str().into(),
        seq,
        at: append.at,
        from: append.from,
        tag: append.tag,
        text: append.text,
        action: append.action,
        reply_to: append.reply_to,
        ..Entry::default()
    };
    HistoryReply::Appended(
        append.request_id,
        append.id,
        append.room,
        Outcome::Stored(Arc::new(entry)),
    )
}
