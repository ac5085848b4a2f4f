//! A server that cleans nothing: its strings must not control the terminal.

use crate::pty::PtyClient;
use crate::support::fake_server::FakeServer;
use crate::support::rng::Rng;
use serde_json::json;

/// Strings that do something to a terminal that obeys them.
const HOSTILE_PARTS: [&str; 24] = [
    "\x1b[2J",
    "\x1b[H",
    "\x1b[1;1H!",
    "\x1b]0;título\x07",
    "\x1b[?1049l",
    "\x1b[?25l",
    "\x1bc",
    "\x1b[8;1;1t",
    "\x1b[10M",
    "\x1b[5L",
    "\x1b[41m",
    "\x1bP1$r\x1b\\",
    "\u{9b}2J",
    "\u{90}q",
    "\u{9d}0;x\u{9c}",
    "\u{202e}",
    "\u{2066}",
    "\r",
    "\x08\x08\x08",
    "\x0b\x0c\x0e\x0f",
    "\u{7f}",
    "a\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}",
    "漢字🙂",
    "\t\n",
];

#[test]
fn hostile_strings_do_not_affect_the_screen() {
    let fake_server = FakeServer::listen();
    let address = fake_server.address;
    let mut ana = PtyClient::new("Ana", address, 80, 24);
    let members = json!([{"name": "Ana", "tag": "a"}, {"name": "Bruno", "tag": "b"}]);
    let mut conn = fake_server.accept(json!({"online": 2, "members": members}));
    let mut rng = Rng::new();
    for _ in 0..5000 {
        let count = 1 + rng.below(7);
        let parts: Vec<&str> = (0..count).map(|_| rng.pick(&HOSTILE_PARTS)).collect();
        let text = parts.concat() + "x";
        conn.send_message(rng.pick(&HOSTILE_PARTS), &text);
    }
    // As many plain words as the screen has rows: any harm done would show beside them.
    (1..=30).for_each(|number| conn.send_message("Bruno", &format!("palavra {number}")));
    ana.wait_for_text("palavra 30");
    let mut expected = vec![format!(
        " ● {:66}/ajuda  F2",
        format!("{address} · Ana · 2 pessoas")
    )];
    expected.extend((10..=30).map(|number| format!("{:16}palavra {number}", "")));
    expected.extend([String::new(), " Ana ›".to_owned()]);
    // What is drawn may come in pieces.
    ana.wait_until("nothing but the plain words", |pty| {
        pty.screen() == expected
    });
    assert!(ana.is_full_screen());
}
