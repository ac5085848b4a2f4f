//! Going away, and what is left behind.

use super::*;

#[test]
fn leaving_waits_for_the_last_confirmation() {
    let mut desk = Desk::talking(PERSON);
    desk.types("tchau");
    desk.types("/sair");
    assert!(!desk.did().contains(&AppEffect::Close));
    desk.hears(ack("x-1", 1));
    assert_eq!(desk.did().last(), Some(&AppEffect::Close));
    desk.happens(AppEvent::Disconnected(Disconnect::Closed));
    assert_eq!(desk.shown(), ["Até logo."]);
    assert_eq!(desk.did(), [AppEffect::Exit(Exit::Success)]);
}

#[test]
fn leaving_without_connection_says_what_was_left_behind() {
    let mut desk = Desk::talking(PERSON);
    desk.happens(AppEvent::Disconnected(Disconnect::Closed));
    ["um", "dois", "três"]
        .into_iter()
        .for_each(|text| desk.types(text));
    desk.effects.clear();
    desk.happens(AppEvent::Leave);
    assert_eq!(desk.shown(), ["! 3 mensagens não foram enviadas."]);
    assert_eq!(desk.did(), [AppEffect::Exit(Exit::ConnectionLost)]);
}

#[test]
fn ctrl_c_asks_for_two_seconds() {
    let mut desk = Desk::talking(PERSON);
    desk.happens(AppEvent::Interrupt);
    assert!(desk.app.view_model(desk.now).confirming_exit);
    desk.waits(2000);
    assert!(!desk.app.view_model(desk.now).confirming_exit);
    desk.happens(AppEvent::Interrupt);
    assert_eq!(desk.did(), []);
    desk.happens(AppEvent::Interrupt);
    desk.happens(AppEvent::Disconnected(Disconnect::Closed));
    assert!(desk.did().contains(&AppEffect::Exit(Exit::Interrupted)));
}

/// A closed terminal is told by a signal, by the end of the keys and by every write; the goodbye was lost with it.
#[test]
fn however_often_the_system_asks_the_server_gets_its_goodbye() {
    let mut desk = Desk::talking(PERSON);
    desk.happens(AppEvent::ShutdownRequested);
    desk.happens(AppEvent::ShutdownRequested);
    assert_eq!(desk.did(), [AppEffect::Close]);
    desk.happens(AppEvent::Disconnected(Disconnect::Closed));
    assert_eq!(desk.did().last(), Some(&AppEffect::Exit(Exit::Interrupted)));
}

#[test]
fn asking_again_does_not_make_the_end_come_later() {
    let mut desk = Desk::talking(PERSON);
    desk.types("nunca confirmada");
    for _ in 0..4 {
        desk.happens(AppEvent::Leave);
        desk.waits(1000);
    }
    assert!(desk.did().contains(&AppEffect::Close));
}
