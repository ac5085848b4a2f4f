//! Unusual terminals, keyboards and servers.

use crate::pty::PtyClient;
use crate::support::fake_server::{FakeServer, entry};
use crate::support::server::TestServer;
use serde_json::json;

#[test]
fn terminal_without_size_is_drawn_as_80_by_24() {
    let server = TestServer::start();
    let mut ana = PtyClient::new("Ana", server.address, 0, 0);
    ana.wait_for_text("Você entrou como Ana.");
    ana.type_keys("oi\r");
    ana.wait_for_text("Ana  oi");
    ana.wait_until("an empty line", |pty| pty.screen()[23] == " Ana ›");
}

#[test]
fn invalid_utf_8_input_is_harmless() {
    let server = TestServer::start();
    let mut ana = PtyClient::new("Ana", server.address, 80, 24);
    ana.wait_for_text("Você entrou");
    ana.type_bytes(b"cora\xe7\xe3o \xff\xfe\xc3");
    ana.type_keys(" e segue\r");
    ana.wait_for_text("segue");
    ana.wait_until("it is confirmed", |pty| pty.screen()[23].ends_with('›'));
}

#[test]
fn unknown_kinds_and_fields_are_ignored() {
    let fake_server = FakeServer::listen();
    let mut ana = PtyClient::new("Ana", fake_server.address, 80, 24);
    let mut conn = fake_server.accept(json!({}));
    conn.send(json!({"type": "reaction", "room": "geral", "seq": 1, "emoji": "👍"}));
    conn.send(json!(["nothing", "of", "ours"]));
    let mut message = entry(1, "Bruno", "entendido");
    message["pinned"] = json!({"by": "Bruno", "at": 7});
    conn.send(message);
    ana.wait_for_text("Bruno  entendido");
    assert!(ana.is_full_screen());
}

#[test]
fn missed_messages_follow_a_divider() {
    let fake_server = FakeServer::listen();
    let mut ana = PtyClient::new("Ana", fake_server.address, 80, 24);
    let mut conn = fake_server.accept(json!({}));
    conn.send_message("Bruno", "antes do corte");
    ana.wait_for_text("Bruno  antes do corte");
    drop(conn);
    let missed: Vec<_> = (2..=4)
        .map(|seq| entry(seq, "Bruno", &format!("perdida {seq}")))
        .collect();
    let mut conn = fake_server.accept(json!({"seq": 4, "entries": missed}));
    conn.send_message("Bruno", "de agora");
    ana.wait_for_text("de agora");
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
