//! Plain HTTP, and bytes that no well-behaved client sends.

use crate::support::client::{WsClient, disconnected_with, merged};
use crate::support::raw::{GET_PAGE, HANDSHAKE, TEXT, frame, request, send, token_for};
use crate::support::server::TestServer;
use papo::auth::PasswordHash;
use serde_json::json;
use std::io::{Read, Write};
use std::time::Duration;

#[test]
fn one_port_serves_page_health_and_chat() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    let page = request(server.address, GET_PAGE);
    assert!(
        page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("<!doctype html>"),
        "{page}"
    );
    let health = request(
        server.address,
        b"GET /saude HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    assert!(health.contains(r#""people":1"#), "{health}");
    let nothing = request(
        server.address,
        b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    assert!(nothing.starts_with("HTTP/1.1 404 "), "{nothing}");
    ana.expect_nothing();
}

#[test]
fn foreign_origin_and_host_are_refused_before_upgrade() {
    let server = TestServer::start();
    let status = |host: &str, origin: &str| {
        let head = HANDSHAKE.replace("localhost\r\n", &format!("{host}\r\n{origin}"));
        let mut socket = send(server.address, head.as_bytes());
        let mut line = [0; 12];
        socket.read_exact(&mut line).unwrap();
        String::from_utf8_lossy(&line[9..]).into_owned()
    };
    let own = server.address.to_string();
    assert_eq!(status(&own, ""), "101");
    assert_eq!(status(&own, &format!("Origin: http://{own}\r\n")), "101");
    assert_eq!(status(&own, "Origin: null\r\n"), "101");
    assert_eq!(status(&own, "Origin: http://exemplo.com\r\n"), "403");
    assert_eq!(status("exemplo.com", ""), "421");
}

#[test]
fn null_origin_needs_the_local_page_key() {
    let server = TestServer::start_with(|setup| {
        setup.policy.local_page_key = Some(PasswordHash::of("a-chave-do-arquivo"));
    });
    let enter = |key: Option<&str>| json!({"type": "enter", "name": "Ana", "token": token_for("Ana"), "local_key": key});
    let mut page = WsClient::connect_from(server.address, "null").unwrap();
    for key in [None, Some("outra"), Some("")] {
        page.send(merged(enter(key), json!({"id": "e1"})));
        let error = page.receive();
        let got = (&error["code"], &error["id"]);
        assert_eq!(got, (&json!("local_key_required"), &json!("e1")));
    }
    page.send(enter(Some("a-chave-do-arquivo")));
    page.expect(&["welcome Ana", "joined geral 1"]);
    // A page of another origin needs no key.
    server.enter("Bruno");
}

#[test]
fn null_origin_without_key_needs_allowed_origin() {
    let enter = json!({"type": "enter", "name": "Ana", "token": token_for("Ana")});
    let server = TestServer::start();
    let mut page = WsClient::connect_from(server.address, "null").unwrap();
    page.send(enter.clone());
    page.expect(&["error local_key_required"]);
    let server = TestServer::start_with(|setup| setup.policy.origins = vec!["null".into()]);
    let mut page = WsClient::connect_from(server.address, "null").unwrap();
    page.send(enter);
    page.expect(&["welcome Ana", "joined geral 1"]);
}

#[test]
fn frame_sent_with_the_handshake_is_processed() {
    let server = TestServer::start();
    let ping = frame(TEXT, br#"{"type":"ping"}"#);
    let bytes = [HANDSHAKE.as_bytes(), &ping].concat();
    let mut socket = send(server.address, &bytes);
    let mut got = Vec::new();
    let mut piece = [0; 512];
    while !String::from_utf8_lossy(&got).contains(r#"{"type":"pong"}"#) {
        let read = socket.read(&mut piece).unwrap();
        assert!(read > 0, "closed");
        got.extend_from_slice(&piece[..read]);
    }
}

#[test]
fn broken_frames_get_their_close_code() {
    let server = TestServer::start();
    let huge = [&[0x81, 0xFF][..], &(70_000_u64).to_be_bytes(), &[0; 4]].concat();
    for (bytes, code) in [
        (frame(0x82, b"bytes"), 1003),
        (frame(0x81, &[0xC3, 0x28]), 1007),
        (huge, 1009),
        (frame(0x83, b"?"), 1002),
        (vec![0x81, 1, b'a'], 1002),
    ] {
        let mut client = server.enter("Ana");
        client.socket.get_mut().write_all(&bytes).unwrap();
        assert_eq!(
            client.wait_for_disconnect(),
            disconnected_with("protocol", code)
        );
    }
}

#[test]
fn ping_flood_does_not_disturb_others() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    let mut bruno = server.enter("Bruno");
    ana.expect(&["2 online +Bruno"]);
    let pings = [0x89, 0x80, 0, 0, 0, 0].repeat(20_000);
    bruno.socket.get_mut().write_all(&pings).unwrap();
    ana.say("ainda aqui?");
    bruno.expect(&["1 Ana: ainda aqui?"]);
    ana.expect(&["ack m1 1"]);
}

#[test]
fn connection_reset_counts_as_leaving_after_grace() {
    let server = TestServer::start_with(|setup| setup.rules.grace = Duration::from_millis(20));
    let mut bruno = server.enter("Bruno");
    let ana = server.enter("Ana");
    bruno.expect(&["2 online +Ana"]);
    socket2::SockRef::from(ana.socket.get_ref())
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(ana);
    bruno.expect(&["1 online -Ana"]);
}
