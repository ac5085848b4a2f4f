//! Terminals, keyboards and servers that are not as one would expect.

use crate::seat::Seat;
use crate::server::{Liar, TestServer, entry};
use serde_json::json;

#[test]
fn a_terminal_that_tells_no_size_gets_the_usual_one() {
    let server = TestServer::start();
    let mut ana = Seat::new("Ana", server.address, 0, 0);
    ana.sees("Você entrou como Ana.");
    ana.types("oi\r");
    ana.sees("Ana  oi");
    ana.waits("an empty line", |seat| seat.screen()[23] == " Ana ›");
}

#[test]
fn a_keyboard_that_does_not_speak_utf_8_harms_nobody() {
    let server = TestServer::start();
    let mut ana = Seat::new("Ana", server.address, 80, 24);
    ana.sees("Você entrou");
    ana.types_bytes(b"cora\xe7\xe3o \xff\xfe\xc3");
    ana.types(" e segue\r");
    ana.sees("segue");
    ana.waits("it is confirmed", |seat| seat.screen()[23].ends_with('›'));
}

#[test]
fn a_server_from_the_future_is_understood_as_far_as_possible() {
    let (liar, address) = Liar::listen();
    let mut ana = Seat::new("Ana", address, 80, 24);
    let mut lies = liar.welcome();
    lies.send(json!({"type": "reaction", "room": "geral", "seq": 1, "emoji": "👍"}));
    lies.send(json!(["nothing", "of", "ours"]));
    let mut message = entry(1, "Bruno", "entendido");
    message["pinned"] = json!({"by": "Bruno", "at": 7});
    lies.send(message);
    ana.sees("Bruno  entendido");
    assert!(ana.is_full_screen());
}

#[test]
fn what_was_missed_stands_under_a_line() {
    let (liar, address) = Liar::listen();
    let mut ana = Seat::new("Ana", address, 80, 24);
    let mut lies = liar.welcome();
    lies.says("Bruno", "antes do corte");
    ana.sees("Bruno  antes do corte");
    drop(lies);
    let missed: Vec<_> = (2..=4)
        .map(|seq| entry(seq, "Bruno", &format!("perdida {seq}")))
        .collect();
    let mut lies = liar.welcome_back(&json!({"seq": 4, "entries": missed}));
    lies.says("Bruno", "de agora");
    ana.sees("de agora");
    let screen = ana.screen();
    let end = screen
        .iter()
        .position(|row| row.ends_with("antes do corte"))
        .unwrap();
    assert!(
        screen[end + 1].contains("── novas mensagens ──"),
        "{screen:#?}"
    );
    let below: Vec<&str> = screen[end + 2..]
        .iter()
        .take(4)
        .map(|row| row.trim_start())
        .collect();
    assert_eq!(below[1..], ["perdida 3", "perdida 4", "de agora"]);
    assert!(below[0].ends_with("Bruno  perdida 2"), "{below:?}");
}
