//! What goes wrong between people: a reload, a server that is killed, a network that goes away. Nothing is lost and
//! nothing comes twice.

use crate::browser::Browser;
use crate::port::Port;
use crate::stage::{Folder, Servidor, TestServer, Visitor};
use crate::talk::file_page;
use crate::wire::Wire;
use serde_json::json;

/// The log of the lobby, as whoever comes in gets it.
fn the_log(address: std::net::SocketAddr) -> Vec<String> {
    let mut reader = Visitor::enter(address, "Quem lê", "geral");
    reader.send(json!({"type": "history", "room": "geral", "after": 0, "limit": 200}));
    let page = reader.hears(|message| message["type"] == "history");
    page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
#[ignore = "needs chromium"]
fn what_was_unsent_at_a_reload_goes_out_once_and_the_draft_is_still_there() {
    let (port, folder, browser) = (Port::reserve(), Folder::new(), Browser::start());
    let (html, history) = (file_page(&folder), folder.path().join("h.db"));
    let start = || Servidor::start(&port, &history, &["--ritmo", "0"], folder.path());
    let server = start();
    let ana = browser.person().opens(&format!("{html}#{}", port.address));
    ana.enters("Ana");
    ana.says("antes");
    ana.hears("Ana", "antes");
    server.stop();
    ana.says("sem servidor 1");
    ana.says("sem servidor 2");
    ana.sees("aguardando conexão");
    ana.writes_draft("ainda não acabei de");
    ana.waits("document.querySelector('#mensagem').value === 'ainda não acabei de'");
    ana.poses("unsent");
    ana.reloads();
    // Nobody answers: the page says so, and keeps what it has.
    ana.sees(&format!("Não encontrei o servidor em {}.", port.address));
    let server = start();
    ana.enters("Ana");
    ana.hears("Ana", "sem servidor 1");
    ana.hears("Ana", "sem servidor 2");
    ana.waits("document.querySelector('#mensagem').value === 'ainda não acabei de'");
    ana.presses("End");
    ana.says(" escrever");
    ana.hears("Ana", "ainda não acabei de escrever");
    // A reload in the middle of everything sends nothing again.
    ana.reloads();
    ana.comes_back("Ana");
    let expected = [
        "antes",
        "sem servidor 1",
        "sem servidor 2",
        "ainda não acabei de escrever",
    ];
    ana.shows(&expected.map(String::from));
    assert_eq!(the_log(port.address), expected);
    ana.ends("reload");
    drop(server);
}

#[test]
#[ignore = "needs chromium"]
fn a_server_killed_in_mid_conversation_loses_nothing_and_repeats_nothing() {
    let (port, folder, browser) = (Port::reserve(), Folder::new(), Browser::start());
    let history = folder.path().join("h.db");
    let start = || Servidor::start(&port, &history, &["--ritmo", "0"], folder.path());
    let mut server = start();
    let (ana, bruno) = (
        browser.person().opens(&port.url()),
        browser.person().opens(&port.url()),
    );
    ana.enters("Ana");
    bruno.enters("Bruno");
    let mut said = Vec::new();
    for round in 1..=3 {
        for (tab, name) in [(&ana, "Ana"), (&bruno, "Bruno")] {
            for n in 1..=3 {
                said.push(format!("{name} {round}.{n}"));
                tab.says(said.last().unwrap());
            }
        }
        // Whatever was on its way now, in either direction, is cut.
        server.kill();
        for (tab, name) in [(&ana, "Ana"), (&bruno, "Bruno")] {
            said.push(format!("{name} {round} sem servidor"));
            tab.says(said.last().unwrap());
        }
        server = start();
        for (tab, name) in [(&ana, "Ana"), (&bruno, "Bruno")] {
            tab.waits(&format!(
                "texts().includes('{name} {round} sem servidor') && entries().every((e) => !isUnsent(e))"
            ));
        }
    }
    let log = the_log(port.address);
    ana.shows(&log);
    bruno.shows(&log);
    for name in ["Ana", "Bruno"] {
        let of = |texts: &[String]| {
            texts
                .iter()
                .filter(|text| text.starts_with(name))
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&log), of(&said));
    }
    assert_eq!(log.len(), said.len());
    // It was the same conversation all along: nobody came or left.
    ana.sees_no("saiu");
    ana.ends("killed");
    bruno.is_healthy();
}

#[test]
#[ignore = "needs chromium"]
fn the_network_goes_away_and_comes_back() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let wire = Wire::to(server.address);
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    let ana = browser.person().opens(&wire.url());
    ana.enters("Ana");
    ana.says("até aqui");
    rita.hears_text("até aqui");
    let offline = |yes: bool| {
        let conditions =
            json!({"offline": yes, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        ana.ask("Network.emulateNetworkConditions", conditions);
    };
    offline(true);
    wire.goes_down();
    ana.sees("Sem conexão.");
    ana.sees("Suas mensagens serão enviadas quando a conexão voltar.");
    ana.says("no escuro");
    ana.sees("aguardando conexão");
    for n in 1..=3 {
        rita.says(&format!("perdida {n}"));
    }
    ana.poses("offline");
    wire.comes_back();
    offline(false);
    ana.is_connected();
    rita.hears_text("no escuro");
    ana.shows(
        &[
            "até aqui",
            "perdida 1",
            "perdida 2",
            "perdida 3",
            "no escuro",
        ]
        .map(String::from),
    );
    ana.sees_no("Sem conexão.");
    // A connection that died without a word is noticed too, after half a minute of silence.
    wire.falls_silent();
    ana.says("no silêncio");
    ana.sees("Sem conexão.");
    rita.says("no meio");
    wire.comes_back();
    ana.is_connected();
    rita.hears_text("no silêncio");
    ana.waits("howOften('no silêncio') === 1 && howOften('no meio') === 1 && entries().every((e) => !isUnsent(e))");
    ana.ends("network");
}
