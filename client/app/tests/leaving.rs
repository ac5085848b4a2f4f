//! Going away, and what is left behind.

use super::*;

#[test]
fn leaving_waits_for_the_last_confirmation() {
    let mut desk = AppHarness::in_lobby(INTERACTIVE);
    desk.submit("tchau");
    desk.submit("/sair");
    assert!(!desk.take_effects().contains(&AppEffect::Close));
    desk.receive(ack("x-1", 1));
    assert_eq!(desk.take_effects().last(), Some(&AppEffect::Close));
    desk.handle(AppEvent::Disconnected(Disconnect::Closed));
    assert_eq!(desk.take_shown(), ["Até logo."]);
    assert_eq!(desk.take_effects(), [AppEffect::Exit(Exit::Success)]);
}

#[test]
fn leaving_while_offline_reports_unsent_messages() {
    let mut desk = AppHarness::in_lobby(INTERACTIVE);
    desk.handle(AppEvent::Disconnected(Disconnect::Closed));
    ["um", "dois", "três"]
        .into_iter()
        .for_each(|text| desk.submit(text));
    desk.effects.clear();
    desk.handle(AppEvent::Leave);
    assert_eq!(desk.take_shown(), ["! 3 mensagens não foram enviadas."]);
    assert_eq!(desk.take_effects(), [AppEffect::Exit(Exit::ConnectionLost)]);
}

#[test]
fn interrupt_asks_for_confirmation_for_two_seconds() {
    let mut desk = AppHarness::in_lobby(INTERACTIVE);
    desk.handle(AppEvent::Interrupt);
    assert!(desk.app.view_model(desk.now).confirming_exit);
    desk.advance(2000);
    assert!(!desk.app.view_model(desk.now).confirming_exit);
    desk.handle(AppEvent::Interrupt);
    assert_eq!(desk.take_effects(), []);
    desk.handle(AppEvent::Interrupt);
    desk.handle(AppEvent::Disconnected(Disconnect::Closed));
    assert!(
        desk.take_effects()
            .contains(&AppEffect::Exit(Exit::Interrupted))
    );
}

/// A closed terminal is told by a signal, by the end of the keys and by every write; the goodbye was lost with it.
#[test]
fn repeated_shutdown_requests_close_once() {
    let mut desk = AppHarness::in_lobby(INTERACTIVE);
    desk.handle(AppEvent::ShutdownRequested);
    desk.handle(AppEvent::ShutdownRequested);
    assert_eq!(desk.take_effects(), [AppEffect::Close]);
    desk.handle(AppEvent::Disconnected(Disconnect::Closed));
    assert_eq!(
        desk.take_effects().last(),
        Some(&AppEffect::Exit(Exit::Interrupted))
    );
}

#[test]
fn repeated_leave_does_not_extend_the_deadline() {
    let mut desk = AppHarness::in_lobby(INTERACTIVE);
    desk.submit("nunca confirmada");
    for _ in 0..4 {
        desk.handle(AppEvent::Leave);
        desk.advance(1000);
    }
    assert!(desk.take_effects().contains(&AppEffect::Close));
}
