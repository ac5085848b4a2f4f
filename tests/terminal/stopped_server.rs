//! A `servidor` whose terminal takes nothing: stopped with Ctrl+S, or with a window that is stuck.

use crate::pty::PtyClient;
use crate::support::client::WsClient;
use crate::support::process::{SERVER_PATH, moderator_key};
use rustix::process::Signal;
use serde_json::json;
use std::net::SocketAddr;

/// Wide enough for the line with the key.
const COLUMNS: u16 = 200;
/// More log lines than a pseudo-terminal holds.
const ACTS: usize = 2000;
/// So many acts are sent before everybody reads: all must fit into an outbox.
const BATCH: usize = 100;

/// A server in a terminal, its moderator, and somebody else.
struct Harness {
    pty: PtyClient,
    ana: WsClient,
    bruno: WsClient,
}

impl Harness {
    fn start() -> Self {
        let mut pty = PtyClient::server(&["--ritmo", "0"], COLUMNS, 24);
        pty.wait_for_text("Ctrl+C");
        let banner = pty.screen().join("\n");
        let rest = banner.split("localhost:").nth(1).expect("an address");
        let port = rest.split('/').next().unwrap().parse().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut ana = WsClient::connect(address).unwrap();
        let key = json!({"moderator_key": moderator_key(&banner)});
        assert_eq!(ana.enter_with("Ana", key)["moderator"], true);
        let bruno = WsClient::entered(address, "Bruno");
        Self { pty, ana, bruno }
    }

    /// Each act is one log line, written by the thread that serves everybody.
    fn act_often(&mut self) {
        for _ in 0..ACTS / BATCH {
            for _ in 0..BATCH {
                self.ana.send(json!({"type": "moderate", "act": "lock"}));
            }
            self.ana.ping();
            self.bruno.ping();
        }
    }

    fn assert_they_talk(&mut self) {
        self.ana.say("alguém me ouve?");
        self.bruno.wait_for_text("alguém me ouve?");
        self.bruno.say("eu ouço");
        self.ana.wait_for_text("eu ouço");
    }

    /// Nothing can be written any more, and the server ends all the same.
    fn assert_ends(mut self) {
        self.pty.signal(Signal::TERM);
        self.bruno.wait_for_disconnect();
        assert_eq!(self.pty.child.wait().unwrap().exit_code(), 0);
    }
}

/// One act of a moderator was one log line, and the hub waited in it until Ctrl+Q.
#[test]
fn ctrl_s_on_the_server_delays_no_message_and_no_end() {
    let mut harness = Harness::start();
    harness.pty.type_keys("\x13");
    harness.act_often();
    harness.assert_they_talk();
    harness.pty.type_keys("\x11");
    harness.pty.wait_for_text("Ana destrancou a conversa");
    harness.pty.type_keys("\x13");
    harness.act_often();
    harness.assert_ends();
}

/// Its first word stopped a server in the background.
#[test]
fn background_server_is_not_stopped_by_its_own_output() {
    let mut shell = PtyClient::shell();
    shell.type_keys(&format!(
        "stty tostop; '{SERVER_PATH}' --porta 0 --historico nenhum & echo $! > pid\r"
    ));
    shell.wait_for_text("Para encerrar: Ctrl+C");
    shell.type_keys("kill $(cat pid); wait $(cat pid); echo código $?\r");
    shell.wait_for_text("Até logo.");
    shell.wait_for_text("código 0");
}

#[test]
fn stuck_window_of_the_server_delays_no_message_and_no_end() {
    let mut harness = Harness::start();
    harness.pty.stop_reading();
    harness.act_often();
    harness.assert_they_talk();
    harness.assert_ends();
}
