//! Time: midnight, sleep, reconnect delays, a log trimmed meanwhile, and animations.

use crate::browser::{Browser, Profile};
use crate::harness::{start_process, start_server};
use crate::page_actions::file_page;
use crate::support::fake_server::FakeServer;
use crate::support::network::Network;
use crate::support::server::ReservedPort;
use crate::tab::Tab;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Replaces `Date` with a clock that a test can turn.
const CLOCK: &str = "window.forward = 0; window.Date = class extends Date {
    constructor(...given) { if (given.length) super(...given); else super(Date.now()); }
    static now() { return super.now() + window.forward; }
};";

pub const HOUR_MS: u64 = 3_600_000;

/// Opens a URL in a tab with `CLOCK`.
pub fn open_with_clock(profile: &Profile, url: &str) -> Tab {
    let tab = profile.tab(true);
    tab.call(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({"source": CLOCK}),
    );
    tab.goes_to(url);
    tab
}

#[test]
#[ignore = "needs chromium"]
fn day_heading_changes_at_midnight() {
    let server = start_server();
    let browser = Browser::start();
    let mut rita = server.enter("Rita");
    let ana = open_with_clock(&browser.profile(), &server.url());
    ana.enters("Ana");
    rita.say_acked("boa noite");
    ana.sees_message("Rita", "boa noite");
    let days = "Array.from(document.querySelectorAll('.day'), (day) => day.innerText).join()";
    ana.wait_until(&format!("{days} === 'hoje'"));
    ana.eval(&format!("window.forward = {}", 24 * HOUR_MS));
    ana.wait_until(&format!("{days} === 'ontem'"));
    ana.finish("midnight");
}

#[test]
#[ignore = "needs chromium"]
fn page_catches_up_after_sleep() {
    let server = start_server();
    let browser = Browser::start();
    let network = Network::reliable(server.address);
    let mut rita = server.enter("Rita");
    let ana = open_with_clock(&browser.profile(), &network.url());
    ana.enters("Ana");
    rita.say_acked("antes do sono");
    ana.sees_message("Rita", "antes do sono");
    // Asleep, no timer runs, and the connection dies without notice.
    ana.call("Page.setWebLifecycleState", json!({"state": "frozen"}));
    network.go_silent();
    for n in 1..=3 {
        rita.say_acked(&format!("durante o sono {n}"));
    }
    ana.eval(&format!("window.forward = {}", 8 * HOUR_MS));
    ana.call("Page.setWebLifecycleState", json!({"state": "active"}));
    // Awake, the page notices that the server does not answer.
    ana.sees("Sem conexão.");
    network.restore();
    ana.is_connected();
    for n in 1..=3 {
        ana.sees_message("Rita", &format!("durante o sono {n}"));
    }
    ana.says("acordei");
    rita.wait_for_text("acordei");
    ana.finish("slept");
}

/// Makes `Math.random` return 0.5 and records the page's reconnect delays.
const RECORD_DELAYS: &str = "((hooks) => {
    const original = hooks.onState;
    window.delays = [];
    Math.random = () => 0.5;
    hooks.onState = (state) => {
        if (state.name === 'waiting') window.delays.push(state.until - Papo.clock.now());
        original(state);
    };
    return 0;
})(Papo.connection.hooks)";

/// Waits for these reconnect delays, in milliseconds.
#[track_caller]
fn assert_delays(tab: &Tab, expected: &[f64]) {
    let delays = tab.wait_for("delays", |delays| {
        delays.as_array().unwrap().len() >= expected.len()
    });
    for (delay, expected) in delays.as_array().unwrap().iter().zip(expected) {
        assert!(
            (delay.as_f64().unwrap() - expected).abs() < 50.0,
            "{delay} {expected}"
        );
    }
}

#[test]
#[ignore = "needs chromium"]
fn reconnect_delay_doubles_after_each_failure() {
    let server = start_server();
    let browser = Browser::start();
    let network = Network::reliable(server.address);
    let ana = browser.profile().opens(&network.url());
    ana.enters("Ana");
    ana.eval(RECORD_DELAYS);
    network.take_down();
    assert_delays(&ana, &[250.0, 500.0, 1000.0, 2000.0]);
    // An `online` event ends the wait.
    network.restore();
    ana.eval("dispatchEvent(new Event('online'))");
    ana.is_connected();
    ana.finish("reconnected");
}

#[test]
#[ignore = "needs chromium"]
fn reconnect_delay_follows_the_bye_of_the_server() {
    let port = ReservedPort::new();
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let start = || start_process(&port, &folder, &[]);
    let mut server = start();
    let ana = browser.profile().opens(&port.url());
    ana.enters("Ana");
    ana.eval(RECORD_DELAYS);
    server.process.terminate();
    assert_delays(&ana, &[500.0]);
    ana.sees("O servidor foi desligado.");
    ana.screenshots("bye");
    let _server = start();
    ana.does_not_see("O servidor foi desligado.");
    ana.is_connected();
    ana.finish("back-again");
}

#[test]
#[ignore = "needs chromium"]
fn trimmed_entries_leave_a_gap_line() {
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let fake_server = FakeServer::listen();
    let address = fake_server.address;
    let entry = |seq: u64| {
        json!({"room": "geral", "seq": seq, "at": 1_772_557_500_000_u64 + seq, "from": "Rita", "tag": "rita",
            "text": format!("mensagem {seq}")})
    };
    let entries =
        move |range: std::ops::RangeInclusive<u64>| range.map(entry).collect::<Vec<Value>>();
    let trimming = std::thread::spawn(move || {
        let first = fake_server.accept(json!({"seq": 3, "entries": entries(1..=3)}));
        drop(first);
        let mut second =
            fake_server.accept(json!({"seq": 10, "oldest": 8, "entries": entries(8..=10)}));
        // Replies to a trimmed entry, to one that is there, and to one that never existed.
        for (seq, to) in [(11, 5), (12, 9), (13, 999)] {
            let mut answer = entry(seq);
            answer["type"] = "message".into();
            answer["reply_to"] = to.into();
            second.send(answer);
        }
        while second.receive("nothing").is_some() {}
    });
    let ana = browser
        .profile()
        .opens(&format!("{}#{address}", file_page(&folder)));
    ana.clicks("#nome");
    ana.types("Ana");
    ana.presses("Enter");
    ana.sees("mensagem 13");
    ana.sees("O servidor já não guarda 4 mensagens que faltam aqui.");
    // The gap line belongs to the day of the entry after it.
    ana.wait_until("document.querySelectorAll('.day').length === 1");
    let texts: Vec<String> = (1..=3)
        .chain(8..=13)
        .map(|n| format!("mensagem {n}"))
        .collect();
    ana.shows(&texts);
    let quotes =
        "Array.from(document.querySelectorAll('.quote'), (quote) => quote.innerText).join('|')";
    assert_eq!(
        ana.eval(quotes),
        "↪ mensagem 5|↪ Rita: mensagem 9|↪ mensagem 999"
    );
    ana.chooses("button", "↪ Rita: mensagem 9");
    ana.wait_until("textOf(document.activeElement) === 'mensagem 9'");
    ana.finish("trimmed");
    drop(browser);
    trimming.join().unwrap();
}

#[test]
#[ignore = "needs chromium"]
fn reduced_motion_disables_animations() {
    let server = start_server();
    let browser = Browser::start();
    let mut rita = server.enter("Rita");
    rita.say_acked("procurada");
    let ana = browser.profile().opens(&server.url());
    let features = json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]});
    ana.call("Emulation.setEmulatedMedia", features);
    ana.enters("Ana");
    ana.says("/buscar procurada");
    ana.sees("1 resultado");
    ana.clicks("#resultados button");
    ana.wait_until("textOf(document.activeElement) === 'procurada'");
    let slow = "document.getAnimations().filter((each) => each.effect.getComputedTiming().duration > 1).length";
    assert_eq!(ana.eval(slow), 0);
    ana.finish("no-motion");
}
