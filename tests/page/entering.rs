//! Entering from the served page and from the file, and refusals.

use crate::browser::Browser;
use crate::harness::{start_process, start_server};
use crate::page_actions::file_page;
use crate::support::fake_server::FakeServer;
use crate::support::server::ReservedPort;
use serde_json::json;
use std::io::{Read, Write};
use tempfile::TempDir;

#[test]
#[ignore = "needs chromium"]
fn person_enters_from_the_served_page() {
    let server = start_server();
    let browser = Browser::start();
    let ana = browser.profile().opens(&server.url());
    ana.presses("Enter");
    ana.sees("Escreva um nome para entrar.");
    ana.types("a\u{202e}<b>");
    ana.presses("Enter");
    ana.sees(
        "Este nome não serve: use até 24 letras, números, espaços, ponto, hífen ou sublinhado.",
    );
    ana.screenshots("entering-refused");
    // The page checks the characters and the length of a name by itself.
    for name in ["\u{301}Ana", "abcdefghijklmnopqrstuvwxy", "Ana!"] {
        ana.eval("document.activeElement.select()");
        ana.types(name);
        ana.does_not_see("Este nome não serve");
        ana.presses("Enter");
        ana.sees("Este nome não serve");
    }
    let mut rita = server.enter("Rita");
    ana.eval("document.activeElement.select()");
    ana.types("RITA");
    ana.presses("Enter");
    ana.sees("O nome “RITA” já está em uso nesta conversa.");
    ana.enters("Ana");
    rita.receive_where(|message| {
        message["type"] == "presence" && message["joined"][0]["name"] == "Ana"
    });
    rita.say_acked("oi, Ana");
    ana.sees_message("Rita", "oi, Ana");
    ana.finish("entering-served");
}

#[test]
#[ignore = "needs chromium"]
fn person_enters_from_the_file() {
    let port = ReservedPort::new();
    let folder = TempDir::new().unwrap();
    let html = file_page(&folder);
    let browser = Browser::start();
    let profile = browser.profile();
    // Without a server the page says so, and tries again on request.
    let ana = profile.opens(&format!("{html}#{}", port.address));
    ana.types("Ana");
    ana.presses("Enter");
    ana.sees(&format!("Não encontrei o servidor em {}.", port.address));
    let _server = start_process(&port, &folder, &[]);
    ana.reloads();
    ana.enters("Ana");
    ana.says("de um arquivo");
    ana.sees_message("Ana", "de um arquivo");
    ana.finish("entering-file");
}

/// A foreign page with a sandboxed frame, whose origin is `null`, as a file's is.
fn foreign_page(chat: std::net::SocketAddr) -> String {
    let script = format!(
        "const socket = new WebSocket('ws://{chat}/');
        socket.onopen = () => socket.send(JSON.stringify({{ type: 'enter', name: 'Eve' }}));
        socket.onmessage = ({{ data }}) => parent.postMessage(origin + ' heard ' + data, '*');"
    );
    format!(
        "<!doctype html><title>Outra</title><pre></pre>
        <script>onmessage = ({{ data }}) => document.querySelector('pre').append(data + '\\n')</script>
        <iframe sandbox=\"allow-scripts\" srcdoc=\"<script>{script}</script>\"></iframe>"
    )
}

/// Serves this page for every request.
fn serve(page: String) -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n",
                page.len()
            );
            let _ = stream.write_all((head + &page).as_bytes());
        }
    });
    address
}

#[test]
#[ignore = "needs chromium"]
fn sandboxed_frame_is_refused_and_the_file_admitted() {
    let port = ReservedPort::new();
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let html = file_page(&folder);
    let _server = start_process(&port, &folder, &[]);
    let foreign = browser
        .profile()
        .opens(&format!("http://{}/", serve(foreign_page(port.address))));
    let heard = foreign.wait_for("document.querySelector('pre').textContent", |text| {
        text != ""
    });
    let answer = heard.as_str().unwrap();
    assert!(
        answer.starts_with(r#"null heard {"type":"error","code":"local_key_required""#),
        "{answer}"
    );
    assert!(
        !answer.contains("welcome") && !answer.contains("joined"),
        "{answer}"
    );
    let ana = browser.profile().opens(&format!("{html}#{}", port.address));
    ana.enters("Ana");
    ana.wait_until("people().length === 1");
    ana.finish("file-key");
}

#[test]
#[ignore = "needs chromium"]
fn addresses_are_parsed_in_common_forms() {
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let ana = browser.profile().opens(&file_page(&folder));
    for (typed, url) in [
        ("localhost", Some("ws://localhost:9000/")),
        (
            "http://192.168.0.10:9001/#sala",
            Some("ws://192.168.0.10:9001/"),
        ),
        ("::1", Some("ws://[::1]:9000/")),
        ("fe80::1", Some("ws://[fe80::1]:9000/")),
        ("[::1]:9001", Some("ws://[::1]:9001/")),
        ("dois pontos", None),
        ("", None),
    ] {
        let parsed = ana.eval(&format!(
            "Papo.address.parse({})?.url ?? null",
            crate::tab::quoted(typed)
        ));
        assert_eq!(parsed.as_str(), url, "{typed}");
    }
    ana.finish("addresses");
}

#[test]
#[ignore = "needs chromium"]
fn page_without_scripts_asks_for_javascript() {
    let server = start_server();
    let browser = Browser::start();
    let ana = browser.profile().tab(true);
    ana.call(
        "Emulation.setScriptExecutionDisabled",
        json!({"value": true}),
    );
    ana.goes_to(&server.url());
    ana.sees("Esta página precisa de JavaScript.");
    // Without scripts `finish` cannot wait for the page to be painted.
    ana.screenshot("no-scripts");
}

/// The history is busy, or too many come at once: nobody is in, and the page asks again by itself, first in the form and
/// later in the chat.
#[test]
#[ignore = "needs chromium"]
fn busy_server_is_asked_again_by_the_page() {
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let fake_server = FakeServer::listen();
    let address = fake_server.address;
    let busy = "O servidor não conseguiu ler o histórico desta sala.";
    let refuse = move |code: &str| {
        let mut server = fake_server.handshake();
        let enter = server.receive("enter").unwrap();
        server.send(
            json!({"type": "error", "code": code, "text": busy, "retry_after_ms": 3_600_000_u64}),
        );
        (server, enter)
    };
    let (shown, go_on) = std::sync::mpsc::channel();
    let serving = std::thread::spawn(move || {
        refuse("history_unavailable");
        go_on.recv().unwrap();
        let (mut server, enter) = refuse("too_fast");
        drop((server.receive("nothing"), enter));
    });
    let ana = browser
        .profile()
        .opens(&format!("{}#{address}", file_page(&folder)));
    // The server asks for an hour; a minute is the most that a client waits.
    ana.eval("window.waits = []");
    ana.eval(
        "((hooks) => {
            const original = hooks.onState;
            hooks.onState = (state) => {
                if (state.name === 'waiting') window.waits.push(Math.round(state.until - Papo.clock.now()));
                original(state);
            };
            return 0;
        })(Papo.connection.hooks)",
    );
    ana.clicks("#nome");
    ana.types("Ana");
    ana.presses("Enter");
    ana.sees(&format!("{busy} Nova tentativa em 60 s."));
    ana.wait_until("waits.join() === '60000'");
    ana.screenshots("busy");
    shown.send(()).unwrap();
    // The button asks at once; another name ends the tries.
    ana.presses("Enter");
    ana.wait_until("waits.join() === '60000,60000'");
    ana.types("bela");
    ana.does_not_see(busy);
    ana.finish("busy-cancelled");
    drop(browser);
    serving.join().unwrap();
}

/// On a reconnect the refusal of `enter` used to throw everybody out of the chat.
#[test]
#[ignore = "needs chromium"]
fn busy_server_after_a_restart_keeps_the_page_in_the_chat() {
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let fake_server = FakeServer::listen();
    let address = fake_server.address;
    let busy = "O servidor ainda está lendo o histórico.";
    let serving = std::thread::spawn(move || {
        drop(fake_server.accept(json!({})));
        for code in ["history_unavailable", "too_fast"] {
            let mut server = fake_server.handshake();
            let enter = server.receive("enter").unwrap();
            // `welcome` alone is no entry.
            server.welcome(&enter);
            server.send(json!({"type": "error", "code": code, "text": busy}));
        }
        let mut server = fake_server.accept(json!({}));
        let say = server.receive("say").unwrap();
        server.send(json!({"type": "ack", "id": say["id"], "room": "geral", "seq": 1, "at": 1_772_557_500_000_u64}));
        while server.receive("nothing").is_some() {}
    });
    let ana = browser
        .profile()
        .opens(&format!("{}#{address}", file_page(&folder)));
    ana.clicks("#nome");
    ana.types("Ana");
    ana.presses("Enter");
    ana.wait_until("isVisible(document.querySelector('#mensagem'))");
    ana.says("na fila");
    ana.sees(busy);
    ana.screenshots("busy-again");
    ana.sees_message("Ana", "na fila");
    ana.does_not_see(busy);
    ana.finish("busy-is-over");
    drop(browser);
    serving.join().unwrap();
}
