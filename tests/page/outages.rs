//! Outages: a reload, a killed server, a lost network. No message is lost and none comes twice.

use crate::browser::Browser;
use crate::harness::{start_process, start_server};
use crate::page_actions::file_page;
use crate::support::client::WsClient;
use crate::support::network::Network;
use crate::support::server::ReservedPort;
use serde_json::json;
use tempfile::TempDir;

/// The texts in the log of the lobby.
fn lobby_log(address: std::net::SocketAddr) -> Vec<String> {
    let mut reader = WsClient::entered(address, "Quem lê");
    reader.send(json!({"type": "history", "room": "geral", "after": 0, "limit": 200}));
    let page = reader.receive_where(|message| message["type"] == "history");
    page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
#[ignore = "needs chromium"]
fn unsent_messages_and_draft_survive_a_reload() {
    let port = ReservedPort::new();
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let html = file_page(&folder);
    let start = || start_process(&port, &folder, &["--ritmo", "0"]);
    let mut server = start();
    let ana = browser.profile().opens(&format!("{html}#{}", port.address));
    ana.enters("Ana");
    ana.says("antes");
    ana.sees_message("Ana", "antes");
    server.process.terminate();
    ana.says("sem servidor 1");
    ana.says("sem servidor 2");
    ana.sees("aguardando conexão");
    ana.types_draft("ainda não acabei de");
    ana.wait_until("document.querySelector('#mensagem').value === 'ainda não acabei de'");
    ana.screenshots("unsent");
    ana.reloads();
    // Without a server the page says so, and keeps the queue and the draft.
    ana.sees(&format!("Não encontrei o servidor em {}.", port.address));
    let server = start();
    ana.enters("Ana");
    ana.sees_message("Ana", "sem servidor 1");
    ana.sees_message("Ana", "sem servidor 2");
    ana.wait_until("document.querySelector('#mensagem').value === 'ainda não acabei de'");
    ana.presses("End");
    ana.says(" escrever");
    ana.sees_message("Ana", "ainda não acabei de escrever");
    // Another reload sends nothing twice.
    ana.reloads();
    ana.comes_back("Ana");
    let expected = [
        "antes",
        "sem servidor 1",
        "sem servidor 2",
        "ainda não acabei de escrever",
    ];
    ana.shows(&expected.map(String::from));
    assert_eq!(lobby_log(port.address), expected);
    ana.finish("reload");
    drop(server);
}

#[test]
#[ignore = "needs chromium"]
fn killed_server_loses_and_repeats_nothing() {
    let port = ReservedPort::new();
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let start = || start_process(&port, &folder, &["--ritmo", "0"]);
    let mut server = start();
    let ana = browser.profile().opens(&port.url());
    let bruno = browser.profile().opens(&port.url());
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
        // Cuts whatever is in flight in either direction.
        server.process.kill();
        for (tab, name) in [(&ana, "Ana"), (&bruno, "Bruno")] {
            said.push(format!("{name} {round} sem servidor"));
            tab.says(said.last().unwrap());
        }
        server = start();
        for (tab, name) in [(&ana, "Ana"), (&bruno, "Bruno")] {
            tab.wait_until(&format!(
                "texts().includes('{name} {round} sem servidor') && entries().every((e) => !isUnsent(e))"
            ));
        }
    }
    let log = lobby_log(port.address);
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
    // The reconnects are not announced as people leaving.
    ana.does_not_see("saiu");
    ana.finish("killed");
    bruno.assert_healthy();
}

#[test]
#[ignore = "needs chromium"]
fn page_reconnects_after_a_network_outage() {
    let server = start_server();
    let browser = Browser::start();
    let network = Network::reliable(server.address);
    let mut rita = server.enter("Rita");
    let ana = browser.profile().opens(&network.url());
    ana.enters("Ana");
    ana.says("até aqui");
    rita.wait_for_text("até aqui");
    let offline = |yes: bool| {
        let conditions =
            json!({"offline": yes, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        ana.call("Network.emulateNetworkConditions", conditions);
    };
    offline(true);
    network.take_down();
    ana.sees("Sem conexão.");
    ana.sees("Suas mensagens serão enviadas quando a conexão voltar.");
    ana.says("no escuro");
    ana.sees("aguardando conexão");
    for n in 1..=3 {
        rita.say_acked(&format!("perdida {n}"));
    }
    ana.screenshots("offline");
    network.restore();
    offline(false);
    ana.is_connected();
    rita.wait_for_text("no escuro");
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
    ana.does_not_see("Sem conexão.");
    // A connection that died silently is noticed after half a minute.
    network.go_silent();
    ana.says("no silêncio");
    ana.sees("Sem conexão.");
    rita.say_acked("no meio");
    network.restore();
    ana.is_connected();
    rita.wait_for_text("no silêncio");
    ana.wait_until("countOf('no silêncio') === 1 && countOf('no meio') === 1 && entries().every((e) => !isUnsent(e))");
    ana.finish("network");
}
