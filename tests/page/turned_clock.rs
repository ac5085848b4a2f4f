//! A wall clock that is turned while the page is open: it is only shown, and nothing is measured with it.

use crate::browser::Browser;
use crate::harness::{generous, start_server};
use crate::support::fake_server::FakeServer;
use crate::support::network::Network;
use crate::support::server::TestServer;
use crate::tab::Tab;
use crate::time::{HOUR_MS, open_with_clock};
use serde_json::json;

fn turn_clock(tab: &Tab, ms: i64) {
    tab.eval(&format!("window.forward = {ms}"));
}

const HOUR: i64 = HOUR_MS as i64;

/// Set back an hour while the page waited for the rate limit, it sent nothing for an hour.
#[test]
#[ignore = "needs chromium"]
fn turned_clock_holds_no_message_back() {
    for turned in [-HOUR, HOUR] {
        let server = TestServer::start_with(generous);
        let browser = Browser::start();
        let ana = open_with_clock(&browser.profile(), &server.url());
        ana.enters("Ana");
        ana.eval(&format!(
            "((hooks) => {{
                const original = hooks.onPause;
                hooks.onPause = (ms) => {{
                    original(ms);
                    window.forward = {turned};
                }};
                return 0;
            }})(Papo.sendQueue.hooks)"
        ));
        let said: Vec<String> = (1..=25).map(|n| format!("linha {n}")).collect();
        ana.eval(&format!(
            "{said:?}.map((text) => Papo.commands.perform(text))"
        ));
        ana.wait_until("window.forward !== 0");
        ana.wait_until("entries().every((entry) => !isUnsent(entry))");
        ana.shows(&said);
        ana.assert_healthy();
    }
}

/// Set back an hour, a connection that had died still counted as alive for an hour.
#[test]
#[ignore = "needs chromium"]
fn turned_clock_hides_no_dead_connection() {
    let server = start_server();
    let browser = Browser::start();
    let network = Network::reliable(server.address);
    let mut rita = server.enter("Rita");
    let ana = open_with_clock(&browser.profile(), &network.url());
    ana.enters("Ana");
    turn_clock(&ana, -HOUR);
    network.go_silent();
    ana.says("no silêncio");
    ana.sees("Sem conexão.");
    // An hour ahead, what has waited for seconds does not count as too old.
    turn_clock(&ana, HOUR);
    network.restore();
    ana.is_connected();
    rita.wait_for_text("no silêncio");
    ana.sees_message("Ana", "no silêncio");
    // Ahead, too, the page notices that nothing comes any more.
    network.go_silent();
    ana.sees("Sem conexão.");
    ana.assert_healthy();
}

#[test]
#[ignore = "needs chromium"]
fn stored_queue_keeps_its_order_over_a_turned_clock() {
    let server = start_server();
    let browser = Browser::start();
    let network = Network::reliable(server.address);
    let mut rita = server.enter("Rita");
    let ana = open_with_clock(&browser.profile(), &network.url());
    ana.enters("Ana");
    network.take_down();
    for (text, turned) in [("um", 0), ("dois", -HOUR), ("três", -HOUR / 2)] {
        turn_clock(&ana, turned / 60);
        ana.says(text);
    }
    ana.sees("aguardando conexão");
    // The reload itself needs the server.
    network.restore();
    ana.eval("Papo.connection.leave()");
    ana.reloads();
    ana.comes_back("Ana");
    for text in ["um", "dois", "três"] {
        let message = rita.receive_where(|message| message["type"] == "message");
        assert_eq!(message["text"], text);
    }
    ana.shows(&["um", "dois", "três"].map(String::from));
    ana.assert_healthy();
}

/// A server whose clock was wrong for a while: seq orders the lines, and each day has its heading.
#[test]
#[ignore = "needs chromium"]
fn wrong_stamps_do_not_disturb_the_order() {
    const NOON: u64 = 1_772_557_500_000;
    const YEAR_MS: u64 = 365 * 24 * HOUR_MS;
    let folder = tempfile::TempDir::new().unwrap();
    let browser = Browser::start();
    let fake_server = FakeServer::listen();
    let address = fake_server.address;
    let entry = |seq: u64, at: u64| {
        json!({"type": "message", "room": "geral", "seq": seq, "at": at, "from": "Rita", "tag": "rita",
            "text": format!("mensagem {seq}")})
    };
    let stamps = [NOON, NOON + 10 * YEAR_MS, 1000, NOON + 1];
    let entries: Vec<_> = (1..).zip(stamps).map(|(seq, at)| entry(seq, at)).collect();
    let serving = std::thread::spawn(move || {
        let mut server = fake_server.accept(json!({"seq": 4, "entries": entries}));
        server.send(json!({"type": "whisper", "from": "Rita", "tag": "rita", "to": "Ana", "at": NOON + 2, "text": "psiu"}));
        server.send(entry(5, NOON + 20 * YEAR_MS));
        server.send(entry(6, NOON + 3));
        let request = server.receive("history").unwrap();
        assert_eq!(request["limit"], 100);
        let at = [
            NOON,
            NOON + 10 * YEAR_MS,
            1000,
            NOON + 1,
            NOON + 20 * YEAR_MS,
            NOON + 3,
        ];
        let entries: Vec<_> = (1..).zip(at).map(|(seq, at)| entry(seq, at)).collect();
        server.send(json!({"type": "history", "room": "geral", "epoch": "e", "oldest": 1, "entries": entries, "more": false}));
        while server.receive("nothing").is_some() {}
    });
    let ana = browser.profile().opens(&format!(
        "{}#{address}",
        crate::page_actions::file_page(&folder)
    ));
    ana.enters("Ana");
    let expected = [
        "mensagem 1",
        "mensagem 2",
        "mensagem 3",
        "mensagem 4",
        "psiu",
        "mensagem 5",
        "mensagem 6",
    ]
    .map(String::from);
    ana.shows(&expected);
    let days = "document.querySelectorAll('.day').length";
    ana.wait_until(&format!("{days} === 6"));
    // Drawn anew from the log, everything is where it was.
    ana.eval("Papo.history.loadLatest(Papo.rooms.current)");
    ana.wait_until("document.querySelector('.timeline').ariaBusy !== 'true'");
    ana.shows(&expected);
    ana.wait_until(&format!("{days} === 6"));
    ana.finish("wrong-stamps");
    drop(browser);
    serving.join().unwrap();
}
