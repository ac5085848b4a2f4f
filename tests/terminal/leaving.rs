//! However the client ends or stops, the terminal is as it was, and what was said stays on it.

use crate::seat::Seat;
use crate::server::TestServer;
use rustix::process::{Signal, WaitOptions, waitpid};

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
    assert!(seat.screen().iter().any(|row| row.ends_with("Ana  antes de sair")), "{:#?}", seat.screen());
}

#[test]
fn ctrl_c_asks_first() {
    let server = TestServer::start();
    let mut ana = ana(&server);
    ana.types("apagada\x03");
    ana.waits("the line is gone", |seat| seat.screen()[23].ends_with('›'));
    ana.types("\x03");
    ana.sees("Sair? Tecle Ctrl+C de novo.");
    ana.types("\x03");
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
fn ctrl_z_gives_the_terminal_back_until_it_goes_on() {
    let server = TestServer::start();
    for key in [true, false] {
        let mut ana = ana(&server);
        if key {
            ana.types("\x1a")
        } else {
            ana.signal(Signal::TSTP)
        }
        ana.waits("the terminal is given back", |seat| !seat.is_full_screen());
        let stopped = waitpid(Some(ana.pid()), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(stopped.1.stopped());
        ana.signal(Signal::CONT);
        ana.waits("the screen is back", |seat| seat.is_full_screen() && seat.takes_pastes());
        ana.sees("Ana  antes de sair");
        ana.types("de volta\r");
        ana.sees("de volta");
    }
}
