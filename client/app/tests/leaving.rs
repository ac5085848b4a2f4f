//! Leaving, and messages that were not sent.

use super::*;

#[test]
fn leaving_waits_for_the_last_confirmation() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("tchau");
    harness.submit("/sair");
    assert!(!harness.take_effects().contains(&AppEffect::Close));
    harness.receive(ack("x-1", 1));
    assert_eq!(harness.take_effects().last(), Some(&AppEffect::Close));
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    assert_eq!(harness.take_shown(), ["Até logo."]);
    assert_eq!(harness.take_effects(), [AppEffect::Exit(Exit::Success)]);
}

#[test]
fn leaving_while_offline_reports_unsent_messages() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    for text in ["um", "dois", "três"] {
        harness.submit(text);
    }
    harness.effects.clear();
    harness.handle(AppEvent::Leave);
    assert_eq!(harness.take_shown(), ["! 3 mensagens não foram enviadas."]);
    assert_eq!(
        harness.take_effects(),
        [AppEffect::Exit(Exit::ConnectionLost)]
    );
}

#[test]
fn interrupt_asks_for_confirmation_for_two_seconds() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.handle(AppEvent::Interrupt);
    assert!(harness.app.view_model(harness.now).confirming_exit);
    harness.advance(2000);
    assert!(!harness.app.view_model(harness.now).confirming_exit);
    harness.handle(AppEvent::Interrupt);
    assert_eq!(harness.take_effects(), []);
    harness.handle(AppEvent::Interrupt);
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    assert!(
        harness
            .take_effects()
            .contains(&AppEffect::Exit(Exit::Interrupted))
    );
}

/// A closed terminal causes a signal, an end of input and write errors; each used to cancel the close of the one before.
#[test]
fn repeated_shutdown_requests_close_once() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.handle(AppEvent::ShutdownRequested(Exit::Terminated));
    harness.handle(AppEvent::ShutdownRequested(Exit::Terminated));
    assert_eq!(harness.take_effects(), [AppEffect::Close]);
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    assert_eq!(
        harness.take_effects().last(),
        Some(&AppEffect::Exit(Exit::Terminated))
    );
}

#[test]
fn repeated_leave_does_not_extend_the_deadline() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("nunca confirmada");
    for _ in 0..4 {
        harness.handle(AppEvent::Leave);
        harness.advance(1000);
    }
    assert!(harness.take_effects().contains(&AppEffect::Close));
}
