//! Time that passes: midnight, a laptop that sleeps, a log that was trimmed meanwhile, and motion that nobody wants.

use crate::browser::{Browser, Person};
use crate::port::Port;
use crate::puppet::Puppet;
use crate::stage::{Folder, Servidor, TestServer, Visitor};
use crate::tab::Tab;
use crate::talk::file_page;
use crate::wire::Wire;
use serde_json::{Value, json};
use std::net::TcpListener;

/// A clock that may be set forward, in every page of the tab.
const CLOCK: &str = "window.forward = 0; window.Date = class extends Date {
    constructor(...given) { if (given.length) super(...given); else super(Date.now()); }
    static now() { return super.now() + window.forward; }
};";

const HOUR_MS: u64 = 3_600_000;

/// Opens an address in a tab whose clock may be set forward.
fn opens_with_a_clock(person: &Person, url: &str) -> Tab {
    let tab = person.tab(true);
    tab.ask(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({"source": CLOCK}),
    );
    tab.goes_to(url);
    tab
}

#[test]
#[ignore = "needs chromium"]
fn at_midnight_today_becomes_yesterday() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    let ana = opens_with_a_clock(&browser.person(), &server.url());
    ana.enters("Ana");
    rita.says("boa noite");
    ana.hears("Rita", "boa noite");
    let days = "Array.from(document.querySelectorAll('.day'), (day) => day.innerText).join()";
    ana.waits(&format!("{days} === 'hoje'"));
    ana.look(&format!("window.forward = {}", 24 * HOUR_MS));
    ana.waits(&format!("{days} === 'ontem'"));
    ana.ends("midnight");
}

#[test]
#[ignore = "needs chromium"]
fn a_laptop_that_slept_catches_up() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let wire = Wire::to(server.address);
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    let ana = opens_with_a_clock(&browser.person(), &wire.url());
    ana.enters("Ana");
    rita.says("antes do sono");
    ana.hears("Rita", "antes do sono");
    // It falls asleep: no timer runs, nothing comes through, and nobody tells anybody that the connection is gone.
    ana.ask("Page.setWebLifecycleState", json!({"state": "frozen"}));
    wire.falls_silent();
    for n in 1..=3 {
        rita.says(&format!("durante o sono {n}"));
    }
    ana.look(&format!("window.forward = {}", 8 * HOUR_MS));
    ana.ask("Page.setWebLifecycleState", json!({"state": "active"}));
    // It notices by itself that nobody answers any more.
    ana.sees("Sem conexão.");
    wire.comes_back();
    ana.is_connected();
    for n in 1..=3 {
        ana.hears("Rita", &format!("durante o sono {n}"));
    }
    ana.says("acordei");
    rita.hears_text("acordei");
    ana.ends("slept");
}

/// Makes chance always the middle, and notes how long the page is going to wait.
const MIDDLE: &str = "((hooks) => {
    const tell = hooks.onState;
    window.delays = [];
    Math.random = () => 0.5;
    hooks.onState = (state) => {
        if (state.name === 'waiting') window.delays.push(state.until - Date.now());
        tell(state);
    };
    return 0;
})(Papo.connection.hooks)";

/// That the page waited so many milliseconds, one time after the other.
#[track_caller]
fn waited(tab: &Tab, expected: &[f64]) {
    let delays = tab.waits_for("delays", |delays| {
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
fn after_a_cut_the_page_waits_by_chance_within_a_bound_that_doubles() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let wire = Wire::to(server.address);
    let ana = browser.person().opens(&wire.url());
    ana.enters("Ana");
    ana.look(MIDDLE);
    wire.goes_down();
    waited(&ana, &[250.0, 500.0, 1000.0, 2000.0]);
    // Whoever looks at the page again does not wait.
    wire.comes_back();
    ana.look("dispatchEvent(new Event('online'))");
    ana.is_connected();
    ana.ends("chance");
}

#[test]
#[ignore = "needs chromium"]
fn after_a_farewell_the_page_waits_by_chance_within_what_the_server_asks() {
    let (port, folder, browser) = (Port::reserve(), Folder::new(), Browser::start());
    let history = folder.path().join("h.db");
    let start = || Servidor::start(&port, &history, &[], folder.path());
    let server = start();
    let ana = browser.person().opens(&port.url());
    ana.enters("Ana");
    ana.look(MIDDLE);
    server.stop();
    waited(&ana, &[500.0]);
    ana.sees("O servidor foi desligado.");
    ana.poses("farewell");
    let _server = start();
    ana.sees_no("O servidor foi desligado.");
    ana.is_connected();
    ana.ends("back-again");
}

#[test]
#[ignore = "needs chromium"]
fn what_was_trimmed_meanwhile_leaves_a_line() {
    let (folder, browser) = (Folder::new(), Browser::start());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let entry = |seq: u64| {
        json!({"room": "geral", "seq": seq, "at": 1_772_557_500_000_u64 + seq, "from": "Rita", "tag": "rita",
            "text": format!("mensagem {seq}")})
    };
    let entries =
        move |span: std::ops::RangeInclusive<u64>| span.map(entry).collect::<Vec<Value>>();
    let trimming = std::thread::spawn(move || {
        let first = Puppet::lets_in(&listener, &json!({"seq": 3, "entries": entries(1..=3)}));
        drop(first);
        let mut second = Puppet::lets_in(
            &listener,
            &json!({"seq": 10, "oldest": 8, "entries": entries(8..=10)}),
        );
        // An answer to something that is gone, one to something that is there, and one to nothing.
        for (seq, to) in [(11, 5), (12, 9), (13, 999)] {
            let mut answer = entry(seq);
            answer["type"] = "message".into();
            answer["reply_to"] = to.into();
            second.says(answer);
        }
        while second.hears("nothing").is_some() {}
    });
    let ana = browser
        .person()
        .opens(&format!("{}#{address}", file_page(&folder)));
    ana.clicks("#nome");
    ana.writes("Ana");
    ana.presses("Enter");
    ana.sees("mensagem 13");
    ana.sees("O servidor já não guarda 4 mensagens que faltam aqui.");
    // The line of the gap belongs to the day of what follows it.
    ana.waits("document.querySelectorAll('.day').length === 1");
    let texts: Vec<String> = (1..=3)
        .chain(8..=13)
        .map(|n| format!("mensagem {n}"))
        .collect();
    ana.shows(&texts);
    let quotes =
        "Array.from(document.querySelectorAll('.quote'), (quote) => quote.innerText).join('|')";
    assert_eq!(
        ana.look(quotes),
        "↪ mensagem 5|↪ Rita: mensagem 9|↪ mensagem 999"
    );
    ana.chooses("button", "↪ Rita: mensagem 9");
    ana.waits("textOf(document.activeElement) === 'mensagem 9'");
    ana.ends("trimmed");
    drop(browser);
    trimming.join().unwrap();
}

#[test]
#[ignore = "needs chromium"]
fn nothing_moves_for_who_wants_no_motion() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    rita.says("procurada");
    let ana = browser.person().opens(&server.url());
    let features = json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]});
    ana.ask("Emulation.setEmulatedMedia", features);
    ana.enters("Ana");
    ana.says("/buscar procurada");
    ana.sees("1 resultado");
    ana.clicks("#resultados button");
    ana.waits("textOf(document.activeElement) === 'procurada'");
    let slow = "document.getAnimations().filter((each) => each.effect.getComputedTiming().duration > 1).length";
    assert_eq!(ana.look(slow), 0);
    ana.ends("no-motion");
}
