//! Coming in: from the served page and from the file, and being told why not.

use crate::browser::Browser;
use crate::port::Port;
use crate::stage::{Folder, Servidor, TestServer, Visitor};
use crate::talk::file_page;
use serde_json::json;
use std::io::{Read, Write};

#[test]
#[ignore = "needs chromium"]
fn somebody_enters_the_served_page() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let ana = browser.person().opens(&server.url());
    ana.presses("Enter");
    ana.sees("Escreva um nome para entrar.");
    ana.writes("a\u{202e}<b>");
    ana.presses("Enter");
    ana.sees(
        "Este nome não serve: use até 24 letras, números, espaços, ponto, hífen ou sublinhado.",
    );
    ana.poses("entering-refused");
    // The page knows that by itself, as it knows how long a name may be; accents are letters.
    for name in ["\u{301}Ana", "abcdefghijklmnopqrstuvwxy", "Ana!"] {
        ana.look("document.activeElement.select()");
        ana.writes(name);
        ana.sees_no("Este nome não serve");
        ana.presses("Enter");
        ana.sees("Este nome não serve");
    }
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    ana.look("document.activeElement.select()");
    ana.writes("RITA");
    ana.presses("Enter");
    ana.sees("O nome “RITA” já está em uso nesta conversa.");
    ana.enters("Ana");
    rita.hears(|message| message["type"] == "presence" && message["joined"][0]["name"] == "Ana");
    rita.says("oi, Ana");
    ana.hears("Rita", "oi, Ana");
    ana.ends("entering-served");
}

#[test]
#[ignore = "needs chromium"]
fn somebody_enters_from_the_file() {
    let (port, folder) = (Port::reserve(), Folder::new());
    let html = file_page(&folder);
    let history = folder.path().join("h.db");
    let browser = Browser::start();
    let person = browser.person();
    // Without a server the page says so, and tries when it is asked to.
    let ana = person.opens(&format!("{html}#{}", port.address));
    ana.writes("Ana");
    ana.presses("Enter");
    ana.sees(&format!("Não encontrei o servidor em {}.", port.address));
    let _server = Servidor::start(&port, &history, &[], folder.path());
    ana.reloads();
    ana.enters("Ana");
    ana.says("de um arquivo");
    ana.hears("Ana", "de um arquivo");
    ana.ends("entering-file");
}

/// A page of somewhere else with a frame that may run scripts and nothing more: it has the origin `null`, as a file has.
fn a_strange_page(chat: std::net::SocketAddr) -> String {
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

/// Serves one page to whoever asks, and for nothing else.
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
fn a_sandboxed_frame_of_another_page_does_not_get_in_and_the_file_does() {
    let (port, folder, browser) = (Port::reserve(), Folder::new(), Browser::start());
    let html = file_page(&folder);
    let _server = Servidor::start(&port, &folder.path().join("h.db"), &[], folder.path());
    let strange = browser
        .person()
        .opens(&format!("http://{}/", serve(a_strange_page(port.address))));
    let heard = strange.waits_for("document.querySelector('pre').textContent", |text| {
        text != ""
    });
    let answer = heard.as_str().unwrap();
    assert!(
        answer.starts_with(r#"null heard {"type":"error","code":"key_required""#),
        "{answer}"
    );
    assert!(
        !answer.contains("welcome") && !answer.contains("joined"),
        "{answer}"
    );
    let ana = browser.person().opens(&format!("{html}#{}", port.address));
    ana.enters("Ana");
    ana.waits("people().length === 1");
    ana.ends("file-key");
}

#[test]
#[ignore = "needs chromium"]
fn addresses_are_understood_as_people_write_them() {
    let (folder, browser) = (Folder::new(), Browser::start());
    let ana = browser.person().opens(&file_page(&folder));
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
        let parsed = ana.look(&format!(
            "Papo.address.parse({})?.url ?? null",
            crate::tab::quoted(typed)
        ));
        assert_eq!(parsed.as_str(), url, "{typed}");
    }
    ana.ends("addresses");
}

#[test]
#[ignore = "needs chromium"]
fn without_scripts_the_page_says_what_it_needs() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let ana = browser.person().tab(true);
    ana.ask(
        "Emulation.setScriptExecutionDisabled",
        json!({"value": true}),
    );
    ana.goes_to(&server.url());
    ana.sees("Esta página precisa de JavaScript.");
    // Without scripts nobody can wait for the page to be painted, as every other story does in the end.
    ana.keep("no-scripts");
}
