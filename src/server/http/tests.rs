//! Requests of browsers, programs and attackers.

use super::*;
use crate::history::HistoryFault;
use crate::ws::TimedRead;
use std::io::{self, Read};
use std::time::{Duration, Instant};

/// A peer that sends these pieces and then waits.
struct ScriptedPeer(Vec<Vec<u8>>);

impl Read for ScriptedPeer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.0.first_mut() else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let read = piece.len().min(buffer.len());
        buffer[..read].copy_from_slice(&piece[..read]);
        piece.drain(..read);
        if piece.is_empty() {
            self.0.remove(0);
        }
        Ok(read)
    }
}

impl TimedRead for ScriptedPeer {
    fn set_read_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
}

fn read(request: &str) -> Result<(RequestHead, Vec<u8>), HeadError> {
    read_head(
        &mut ScriptedPeer(vec![request.as_bytes().to_vec()]),
        Instant::now() + Duration::from_secs(5),
    )
}

fn policy() -> Policy {
    Policy {
        domains: vec!["maquina".into()],
        origins: vec!["https://site.exemplo".into()],
        ..Policy::default()
    }
}

/// The response to a request: its status, and all of it as text.
fn answer(request: &str) -> (u16, String) {
    answer_of(request, &ServerHealth::default())
}

fn answer_of(request: &str, health: &ServerHealth) -> (u16, String) {
    let response = match read(request) {
        Ok((head, _)) => match route(&head, &policy(), health) {
            Route::Respond(response) | Route::Upgrade(response, _) => response,
        },
        Err(HeadError::Refused(response)) => response,
        Err(HeadError::Gone(error)) => panic!("{error}"),
    };
    (
        response.status,
        String::from_utf8(response.to_bytes()).unwrap(),
    )
}

fn get(path: &str, headers: &str) -> (u16, String) {
    answer(&format!("GET {path} HTTP/1.1\r\n{headers}\r\n"))
}

const UPGRADE: &str = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[test]
fn page_files_are_served_with_their_content_types() {
    let (status, text) = get("/?x=1", "Host: localhost\r\n");
    assert_eq!(status, 200);
    assert!(
        text.contains("text/html; charset=utf-8") && text.contains("frame-ancestors 'none'"),
        "{text}"
    );
    for (path, content_type, contents) in page::FILES {
        let (status, text) = get(path, "Host: localhost\r\n");
        assert_eq!(status, 200, "{path}");
        assert!(
            text.contains(content_type) && text.as_bytes().ends_with(contents),
            "{path}"
        );
    }
}

#[test]
fn page_files_are_all_embedded() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/html");
    let mut on_disk: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    on_disk.retain(|name| name != "chave.js");
    on_disk.sort();
    let mut inside: Vec<_> = page::FILES
        .iter()
        .map(|(path, ..)| path.trim_start_matches('/').to_owned())
        .collect();
    inside.sort();
    assert_eq!(inside, on_disk);
}

#[test]
fn head_request_is_answered_without_a_body() {
    let (status, text) = answer("HEAD /saude HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(status, 200);
    assert!(
        text.contains("Content-Length: ") && text.ends_with("\r\n\r\n"),
        "{text}"
    );
}

#[test]
fn unknown_path_or_method_has_its_status_and_a_sentence() {
    assert_eq!(
        get("http://localhost:9000/saude", "Host: localhost\r\n").0,
        200,
        "a whole URL as the target, as to a proxy"
    );
    assert_eq!(get("http://localhost", "Host: localhost\r\n").0, 200);
    let (status, text) = get("/nada", "Host: 10.0.0.1:9000\r\n");
    assert_eq!(status, 404);
    assert!(
        text.ends_with("Não há nada aqui. A conversa fica em http://10.0.0.1:9000/\n"),
        "{text}"
    );
    let (status, text) = answer("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(
        status == 405 && text.contains("Allow: GET, HEAD\r\n"),
        "{text}"
    );
    let (status, text) = answer("POST /nada HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(
        status == 404 && text.contains("Não há nada aqui."),
        "{text}"
    );
    let (status, text) = answer("HEAD /nada HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(status == 404 && text.ends_with("\r\n\r\n"), "{text}");
    assert_eq!(get("/chave.js", "Host: localhost\r\n").0, 404);
    assert_eq!(get("/../Cargo.toml", "Host: localhost\r\n").0, 404);
}

#[test]
fn full_server_states_its_connection_limit() {
    let sentence = |ceiling| String::from_utf8(Response::full(ceiling).to_bytes()).unwrap();
    assert!(sentence(1000).contains("A conversa está cheia (1.000 conexões). Tente mais tarde."));
    assert!(sentence(1).contains("A conversa está cheia (1 conexão). Tente mais tarde."));
}

fn health_of(path: &str, health: &ServerHealth) -> (u16, serde_json::Value) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let (status, text) = answer_of(&request, health);
    let body = text.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap())
}

#[test]
fn health_is_json_under_both_of_its_names() {
    for path in ["/saude", "/health"] {
        let (status, health) = health_of(path, &ServerHealth::default());
        assert_eq!(
            (status, &health["status"], &health["people"]),
            (200, &"ok".into(), &0.into())
        );
        assert_eq!(health.get("reason"), None);
    }
}

#[test]
fn health_is_degraded_while_nothing_can_be_stored() {
    let server = ServerHealth::default();
    server.history.set(Some(HistoryFault::NoSpace));
    let (status, health) = health_of("/saude", &server);
    assert_eq!(
        (status, &health["status"], &health["reason"]),
        (503, &"degraded".into(), &"no_space".into())
    );
    assert!(health["text"].as_str().unwrap().contains("Libere espaço"));
    server.history.set(None);
    assert_eq!(health_of("/saude", &server).0, 200);
}

#[test]
fn handshake_is_answered_with_the_rfc_accept_key() {
    let (status, text) = get("/qualquer", &format!("Host: localhost\r\n{UPGRADE}"));
    assert_eq!(status, 101);
    assert!(
        text.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
        "{text}"
    );
}

#[test]
fn bytes_after_the_head_belong_to_the_websocket() {
    let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}\r\nquadro");
    let pieces = request.as_bytes().chunks(7).map(<[u8]>::to_vec).collect();
    let (head, rest) = read_head(
        &mut ScriptedPeer(pieces),
        Instant::now() + Duration::from_secs(5),
    )
    .unwrap();
    assert!(head.upgrade.is_some());
    assert_eq!(b"quadro"[..rest.len()], rest[..]);
}

#[test]
fn broken_handshakes_are_rejected_with_a_status() {
    let cases = [
        ("Connection: keep-alive, Upgrade\r\n", "", 400),
        ("Version: 13", "Version: 8", 426),
        ("Sec-WebSocket-Version: 13\r\n", "", 426),
        ("dGhlIHNhbXBsZSBub25jZQ==", "curta", 400),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400),
    ];
    for (from, to, expected) in cases {
        let (status, text) = get(
            "/",
            &format!("Host: localhost\r\n{}", UPGRADE.replace(from, to)),
        );
        assert_eq!(status, expected, "{from} → {to}: {text}");
    }
    assert_eq!(
        answer(&format!(
            "GET / HTTP/1.0\r\nHost: localhost\r\n{UPGRADE}\r\n"
        ))
        .0,
        400
    );
    assert_eq!(
        answer(&format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}\r\n"
        ))
        .0,
        400
    );
}

#[test]
fn foreign_host_is_rejected() {
    for good in [
        "localhost",
        "LOCALHOST:9000",
        "localhost.",
        "127.0.0.1:9000",
        "192.168.0.10",
        "[::1]:9000",
        "[::1]",
        "sala.local",
        "maquina",
        "maquina:9000",
    ] {
        assert_eq!(get("/", &format!("Host: {good}\r\n")).0, 200, "{good}");
    }
    for bad in [
        "exemplo.com",
        "localhost.exemplo.com",
        "127.0.0.1.exemplo.com",
        ".local",
        "xlocal",
        "a:b:c",
        "",
        "[::1",
        "x/.local",
        "x#.local",
        "x?.local",
    ] {
        assert_eq!(get("/", &format!("Host: {bad}\r\n")).0, 421, "{bad}");
    }
    assert_eq!(get("/", "").0, 400);
    assert_eq!(get("/", "Host: localhost\r\nHost: localhost\r\n").0, 400);
}

#[test]
fn foreign_origin_is_rejected() {
    let from = |host: &str, origin: &str| {
        get(
            "/",
            &format!("Host: {host}\r\nOrigin: {origin}\r\n{UPGRADE}"),
        )
        .0
    };
    for (host, origin) in [
        ("localhost:9000", "http://localhost:9000"),
        ("LOCALHOST:9000", "http://localhost:9000"),
        ("[::1]:9000", "http://[::1]:9000"),
        ("maquina", "http://maquina"),
        ("maquina:80", "http://maquina"),
        ("maquina", "https://maquina"),
        ("maquina:443", "https://maquina"),
        ("localhost:9000", "https://site.exemplo"),
        ("localhost:9000", "null"),
    ] {
        assert_eq!(from(host, origin), 101, "{host} {origin}");
    }
    for (host, origin) in [
        ("localhost:9000", "http://localhost"),
        ("localhost:9000", "http://localhost:9001"),
        ("localhost:9000", "http://127.0.0.1:9000"),
        ("localhost", "http://localhost.exemplo.com"),
        ("localhost:9000", "http://site.exemplo"),
        ("localhost:9000", "ftp://localhost:9000"),
        ("localhost:9000", "localhost:9000"),
        ("localhost:9000", ""),
    ] {
        assert_eq!(from(host, origin), 403, "{host} {origin}");
    }
    assert_eq!(
        get("/", &format!("Host: localhost\r\n{UPGRADE}")).0,
        101,
        "programs send no origin"
    );
}

#[test]
fn oversized_or_unfinished_head_is_rejected() {
    let long = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "x".repeat(9000)
    );
    assert_eq!(answer(&long).0, 431);
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(100));
    assert_eq!(answer(&many).0, 431);
    assert_eq!(answer("\x16\x03\x01 isto é TLS\r\n\r\n").0, 400);
    assert_eq!(answer("GET / HTTP/1.1\r\nHost: localhost\r\n").0, 408);
    assert!(matches!(read(""), Err(HeadError::Gone(_))));
}
