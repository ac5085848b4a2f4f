//! However the client ends or stops, the terminal is as it was, and what was said stays on it.

use crate::pty::PtyClient;
use crate::support::fake_server::FakeServer;
use crate::support::process::CLIENT_PATH;
use crate::support::server::TestServer;
use rustix::process::Signal;
use serde_json::json;

/// Ana, who has just said something.
fn ana_in_chat(server: &TestServer) -> PtyClient {
    let mut ana = PtyClient::new("Ana", server.address, 80, 24);
    ana.wait_for_text("Você entrou");
    ana.type_keys("antes de sair\r");
    ana.wait_for_text("Ana  antes de sair");
    ana.wait_until("it is confirmed", |pty| pty.screen()[23].ends_with('›'));
    ana
}

#[track_caller]
fn assert_terminal_restored(pty: &PtyClient) {
    assert!(!pty.is_full_screen() && !pty.has_bracketed_paste());
    assert!(
        pty.screen()
            .iter()
            .any(|row| row.ends_with("Ana  antes de sair")),
        "{:#?}",
        pty.screen()
    );
}

#[test]
fn ctrl_c_asks_before_exit() {
    let server = TestServer::start();
    let mut ana = ana_in_chat(&server);
    ana.type_keys("apagada\x03");
    ana.wait_until("the line is gone", |pty| pty.screen()[23].ends_with('›'));
    ana.type_keys("\x03");
    ana.wait_for_text("Sair? Tecle Ctrl+C de novo.");
    // Twice: on a busy machine the answer may come so late that the client asks once more.
    ana.type_keys("\x03\x03");
    assert_eq!(ana.wait_for_exit(), 130);
    assert_terminal_restored(&ana);
}

#[test]
fn ctrl_d_exits_with_code_0() {
    let server = TestServer::start();
    let mut ana = ana_in_chat(&server);
    ana.type_keys("\x04");
    assert_eq!(ana.wait_for_exit(), 0);
    assert_terminal_restored(&ana);
}

#[test]
fn signal_exits_and_restores_the_terminal() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let server = TestServer::start();
        let mut ana = ana_in_chat(&server);
        ana.signal(signal);
        assert_eq!(ana.wait_for_exit(), code);
        assert_terminal_restored(&ana);
    }
}

#[test]
fn closed_window_exits_and_leaves_at_once() {
    let server = TestServer::start();
    let mut bia = PtyClient::new("Bia", server.address, 80, 24);
    bia.wait_for_text("Você entrou");
    let mut ana = ana_in_chat(&server);
    bia.wait_for_text("Ana  antes de sair");
    ana.close_window();
    // A connection that was only cut would keep its place for half a minute.
    bia.wait_for_text("−Ana");
    assert_eq!(ana.child.wait().unwrap().exit_code(), 129);
}

#[test]
fn blocked_terminal_does_not_delay_exit() {
    let fake_server = FakeServer::listen();
    let mut ana = PtyClient::new("Ana", fake_server.address, 200, 60);
    let mut conn = fake_server.accept(json!({}));
    ana.wait_for_text("Você entrou");
    ana.stop_reading();
    conn.send_until_blocked();
    ana.signal(Signal::TERM);
    assert_eq!(ana.child.wait().unwrap().exit_code(), 143);
}

/// Ana, who has started the client from her shell.
fn ana_under_shell(server: &TestServer) -> PtyClient {
    let mut ana = PtyClient::shell();
    // The shell writes down the client's process id, for signals.
    ana.type_keys(&format!(
        "sh -c 'echo $$ > pid; exec \"{CLIENT_PATH}\" --nome Ana {}'\r",
        server.address
    ));
    ana.wait_for_text("Você entrou");
    ana.type_keys("antes de parar\r");
    ana.wait_for_text("Ana  antes de parar");
    ana
}

#[track_caller]
fn assert_resumes(ana: &mut PtyClient) {
    // Whatever happened to the terminal meanwhile. A line feed ends a line in every mode.
    ana.type_keys("stty sane; echo em outra coisa; fg\n");
    ana.wait_until("the screen is back", |pty| {
        let shell = pty
            .screen()
            .iter()
            .any(|row| row.contains("pronto>") || row.contains("Stopped"));
        pty.is_full_screen() && pty.has_bracketed_paste() && !pty.is_canonical() && !shell
    });
    ana.wait_for_text("Ana  antes de parar");
    ana.type_keys("de volta\r");
    ana.wait_for_text("de volta");
    ana.type_keys("\x04");
    ana.wait_until("the shell is back", |pty| !pty.is_full_screen());
    ana.wait_for_text("Até logo.");
    ana.type_keys("echo linha inteira\r");
    ana.wait_for_text("linha inteira");
    assert!(ana.is_canonical());
}

#[test]
fn ctrl_z_restores_the_terminal_until_resumed() {
    let server = TestServer::start();
    let mut ana = ana_under_shell(&server);
    ana.type_keys("\x1a");
    ana.wait_until("the terminal is given back", |pty| !pty.is_full_screen());
    ana.wait_for_text("Stopped");
    assert_resumes(&mut ana);
}

/// A program that is stopped like this can restore nothing; the shell cleans up after it, and the keys stay as the shell
/// wants them.
#[test]
fn sigstop_is_survived() {
    let server = TestServer::start();
    let mut ana = ana_under_shell(&server);
    let pid = std::fs::read_to_string(ana.state_dir.path().join("pid")).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::STOP).unwrap();
    ana.wait_for_text("Stopped");
    assert_resumes(&mut ana);
}

#[test]
fn ctrl_z_without_shell_is_refused_with_a_hint() {
    let server = TestServer::start();
    let mut ana = ana_in_chat(&server);
    for key in [true, false] {
        if key {
            ana.type_keys("\x1a");
        } else {
            ana.signal(Signal::TSTP);
        }
        ana.wait_for_text("Não há para onde voltar");
        ana.type_keys("sigo aqui\r");
        ana.wait_until("the hint is gone", |pty| {
            !pty.screen()
                .iter()
                .any(|row| row.contains("Não há para onde"))
        });
    }
}
