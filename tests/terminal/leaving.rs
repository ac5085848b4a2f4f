//! However the client ends or stops, the terminal is as it was, and what was said stays on it.

use crate::seat::{CLIENTE, Seat};
use crate::server::{Liar, TestServer};
use rustix::process::Signal;

/// Ana, who has just said something.
fn ana(server: &TestServer) -> Seat {
    let mut ana = Seat::new("Ana", server.address, 80, 24);
    ana.sees("Você entrou");
    ana.types("antes de sair\r");
    ana.sees("Ana  antes de sair");
    ana.waits("it is confirmed", |seat| seat.screen()[23].ends_with('›'));
    ana
}

#[track_caller]
fn all_is_as_it_was(seat: &Seat) {
    assert!(!seat.is_full_screen() && !seat.takes_pastes());
    assert!(
        seat.screen()
            .iter()
            .any(|row| row.ends_with("Ana  antes de sair")),
        "{:#?}",
        seat.screen()
    );
}

#[test]
fn ctrl_c_asks_first() {
    let server = TestServer::start();
    let mut ana = ana(&server);
    ana.types("apagada\x03");
    ana.waits("the line is gone", |seat| seat.screen()[23].ends_with('›'));
    ana.types("\x03");
    ana.sees("Sair? Tecle Ctrl+C de novo.");
    // Twice: on a busy machine the answer may come so late that the client asks once more.
    ana.types("\x03\x03");
    assert_eq!(ana.ends(), 130);
    all_is_as_it_was(&ana);
}

#[test]
fn ctrl_d_leaves() {
    let server = TestServer::start();
    let mut ana = ana(&server);
    ana.types("\x04");
    assert_eq!(ana.ends(), 0);
    all_is_as_it_was(&ana);
}

#[test]
fn a_signal_ends_it_with_the_terminal_in_order() {
    for signal in [Signal::TERM, Signal::HUP] {
        let server = TestServer::start();
        let mut ana = ana(&server);
        ana.signal(signal);
        assert_eq!(ana.ends(), 130);
        all_is_as_it_was(&ana);
    }
}

#[test]
fn a_closed_window_ends_it_and_the_others_see_it_at_once() {
    let server = TestServer::start();
    let mut bia = Seat::new("Bia", server.address, 80, 24);
    bia.sees("Você entrou");
    let mut ana = ana(&server);
    bia.sees("Ana  antes de sair");
    ana.closes_the_window();
    // A connection that was only cut would be believed in for half a minute.
    bia.sees("−Ana");
    assert_eq!(ana.child.wait().unwrap().exit_code(), 130);
}

#[test]
fn a_terminal_that_takes_nothing_can_not_hold_up_the_end() {
    let (liar, address) = Liar::listen();
    let mut ana = Seat::new("Ana", address, 200, 60);
    let mut lies = liar.welcome();
    ana.sees("Você entrou");
    ana.looks_away();
    lies.speaks_to_the_wall();
    ana.signal(Signal::TERM);
    assert_eq!(ana.child.wait().unwrap().exit_code(), 130);
}

/// Ana, who has started the client from her shell.
fn ana_at_her_shell(server: &TestServer) -> Seat {
    let mut ana = Seat::shell();
    // The shell writes down who the client will be, for whoever has a signal for it.
    ana.types(&format!(
        "sh -c 'echo $$ > pid; exec \"{CLIENTE}\" --nome Ana {}'\r",
        server.address
    ));
    ana.sees("Você entrou");
    ana.types("antes de parar\r");
    ana.sees("Ana  antes de parar");
    ana
}

#[track_caller]
fn goes_on(ana: &mut Seat) {
    // Whatever was done to the terminal meanwhile. A line feed ends a line in every mode.
    ana.types("stty sane; echo em outra coisa; fg\n");
    ana.waits("the screen is back", |seat| {
        let shell = seat
            .screen()
            .iter()
            .any(|row| row.contains("pronto>") || row.contains("Stopped"));
        seat.is_full_screen() && seat.takes_pastes() && !seat.gathers_lines() && !shell
    });
    ana.sees("Ana  antes de parar");
    ana.types("de volta\r");
    ana.sees("de volta");
    ana.types("\x04");
    ana.waits("the shell is back", |seat| !seat.is_full_screen());
    ana.sees("Até logo.");
    ana.types("echo linha inteira\r");
    ana.sees("linha inteira");
    assert!(ana.gathers_lines());
}

#[test]
fn ctrl_z_gives_the_terminal_back_until_the_shell_calls() {
    let server = TestServer::start();
    let mut ana = ana_at_her_shell(&server);
    ana.types("\x1a");
    ana.waits("the terminal is given back", |seat| !seat.is_full_screen());
    ana.sees("Stopped");
    goes_on(&mut ana);
}

/// Nobody asks a program that is stopped like this, so it can't give anything back; the shell cleans up after it, and
/// the keys stayed as the shell wants them.
#[test]
fn a_stop_without_warning_is_survived_too() {
    let server = TestServer::start();
    let mut ana = ana_at_her_shell(&server);
    let pid = std::fs::read_to_string(ana.home.join("pid")).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::STOP).unwrap();
    ana.sees("Stopped");
    goes_on(&mut ana);
}

#[test]
fn without_a_shell_behind_it_ctrl_z_says_so_and_nothing_stops() {
    let server = TestServer::start();
    let mut ana = ana(&server);
    for key in [true, false] {
        if key {
            ana.types("\x1a")
        } else {
            ana.signal(Signal::TSTP)
        }
        ana.sees("Não há para onde voltar");
        ana.types("sigo aqui\r");
        ana.waits("the hint is gone", |seat| {
            !seat
                .screen()
                .iter()
                .any(|row| row.contains("Não há para onde"))
        });
    }
}
