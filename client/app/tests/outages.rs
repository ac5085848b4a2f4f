//! Lost connections, and reconnecting.

use super::*;

#[test]
fn reconnect_neither_loses_nor_repeats_messages() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.receive(message(1, "Bruno", "um"));
    harness.submit("chegou");
    harness.submit("não chegou");
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    assert!(harness.take_effects().contains(&AppEffect::Retry(None)));
    harness.submit("escrita sem conexão");
    assert!(harness.take_sent().is_empty());
    harness.enter(
        "e1",
        3,
        &[entry(2, "Ana", "chegou"), entry(3, "Bruno", "perdida")],
    );
    assert_eq!(
        harness.take_sent(),
        [
            "enter Ana Some(1)",
            "geral x-1 chegou",
            "geral x-2 não chegou",
            "geral x-3 escrita sem conexão"
        ]
    );
    harness.receive(ack("x-1", 2));
    harness.receive(ack("x-2", 4));
    harness.receive(ack("x-3", 5));
    assert_eq!(
        harness.take_shown(),
        [
            "Ana: chegou",
            "Bruno: perdida",
            "Ana: não chegou",
            "Ana: escrita sem conexão"
        ]
    );
}

#[test]
fn short_outage_is_silent_and_long_one_is_reported() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    harness.advance(500);
    harness.enter("e1", 0, &[]);
    assert!(harness.take_shown().is_empty());
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    harness.advance(2000);
    assert!(harness.app.view_model(harness.now).offline);
    harness.enter("e1", 0, &[]);
    let expected = [
        "Sem conexão. Suas mensagens serão enviadas quando a conexão voltar.",
        "Conexão restabelecida.",
    ];
    assert_eq!(harness.take_shown(), expected);
}

#[test]
fn missed_entries_are_fetched_in_pages_and_in_order() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.receive(message(1, "Bruno", "um"));
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    harness.handle(AppEvent::Connected);
    harness.receive(welcome("Ana"));
    harness.effects.clear();
    harness.receive(joined("geral", "e1", 4, &[entry(2, "Bruno", "dois")], true));
    assert_eq!(harness.take_sent(), ["after geral 2"]);
    harness.receive(message(5, "Bruno", "cinco"));
    let page = vec![entry(3, "Bruno", "três"), entry(4, "Bruno", "quatro")];
    harness.receive(history(page));
    assert_eq!(
        harness.take_shown(),
        [
            "Bruno: dois",
            "Bruno: três",
            "Bruno: quatro",
            "Bruno: cinco"
        ]
    );
}

#[test]
fn retry_waits_as_the_stopping_server_asked() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    let text = "O servidor foi desligado.".to_owned();
    harness.receive(ServerMessage::Bye {
        code: ByeCode::Shutdown,
        text,
        retry_after_ms: Some(3000),
    });
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    assert_eq!(harness.take_shown(), ["O servidor foi desligado."]);
    assert_eq!(
        harness.take_effects(),
        [AppEffect::Retry(Some(Duration::from_secs(3)))]
    );
}

#[test]
fn kicked_client_does_not_reconnect() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.receive(ServerMessage::Bye {
        code: ByeCode::Kicked,
        text: "Até outro dia.".into(),
        retry_after_ms: None,
    });
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    assert_eq!(harness.take_shown(), ["! Até outro dia."]);
    assert_eq!(
        harness.take_effects(),
        [AppEffect::Close, AppEffect::Exit(Exit::Refused)]
    );
}

#[test]
fn pending_join_is_repeated_after_reconnect() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("/entrar lab");
    harness.submit("já cheguei");
    harness.effects.clear();
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    harness.enter("e1", 0, &[]);
    assert_eq!(harness.take_sent(), ["enter Ana Some(0)", "join lab None"]);
    harness.receive(joined("lab", "e7", 0, &[], false));
    assert_eq!(harness.take_sent(), ["lab x-1 já cheguei"]);
    harness.submit("e continuo aqui");
    assert_eq!(harness.take_sent(), ["lab x-2 e continuo aqui"]);
}

#[test]
fn log_reset_is_announced_in_its_room() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("/entrar lab");
    harness.receive(joined("lab", "e7", 0, &[], false));
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    harness.effects.clear();
    harness.enter("outra", 0, &[]);
    let text = "O servidor recomeçou a conversa: as mensagens anteriores não estão mais guardadas.";
    assert_eq!(harness.take_shown(), [format!("(geral) {text}")]);
}

#[test]
fn missed_marker_ignores_own_messages() {
    let missed = |entries: &[Arc<Entry>]| {
        let mut harness = AppHarness::in_lobby(INTERACTIVE);
        harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
        harness.enter("e1", entries.len() as u64, entries);
        harness
            .take_effects()
            .contains(&AppEffect::Show(Output::MissedMarker {
                room: "geral".into(),
            }))
    };
    assert!(!missed(&[entry(1, "Ana", "chegou antes do corte")]));
    assert!(missed(&[
        entry(1, "Ana", "chegou"),
        entry(2, "Bruno", "não vi")
    ]));
}

#[test]
fn rename_waits_until_no_message_is_in_flight() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("um");
    harness.submit("/nome Bia");
    harness.submit("dois");
    assert_eq!(
        harness.take_sent(),
        ["geral x-1 um"],
        "under the old name, and nothing else until it is stored"
    );
    harness.receive(ack("x-1", 1));
    let sent = harness.take_sent();
    assert!(
        matches!(&sent[..], [rename] if rename.starts_with("Rename")),
        "{sent:?}"
    );
    harness.receive(welcome("Bia"));
    assert_eq!(harness.take_sent(), ["geral x-2 dois"]);
    harness.submit("/nome Ana");
    harness.receive(ack("x-2", 2));
    harness.submit("três");
    harness.receive(refusal(ErrorCode::NameTaken, None));
    assert_eq!(
        harness.take_sent().last().unwrap(),
        "geral x-3 três",
        "a refused rename does not hold messages back"
    );
}

/// It may concern another request, so it decides about no message.
#[test]
fn refusal_without_id_gives_no_message_up() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("oi");
    harness.receive(refusal(ErrorCode::BadJson, None));
    assert_eq!(harness.take_shown(), ["! Não."]);
    harness.receive(ack("x-1", 1));
    assert_eq!(harness.take_shown(), ["Ana: oi"]);
}

/// A connection on which no answer comes counts as lost; what is unanswered on three of them is given up.
#[test]
fn unanswered_message_is_sent_three_times() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("sem resposta");
    for _ in 0..2 {
        harness.receive(refusal(ErrorCode::BadJson, None));
        harness.advance(30_000);
        assert!(harness.effects.contains(&AppEffect::Retry(None)));
        assert!(
            !harness.effects.contains(&AppEffect::Close),
            "leaving would free the name"
        );
        harness.enter("e1", 0, &[]);
        assert_eq!(
            harness.take_sent().last().unwrap(),
            "geral x-1 sem resposta"
        );
    }
    harness.submit("depois");
    harness.effects.clear();
    harness.advance(30_000);
    assert_eq!(
        harness.take_shown()[0],
        "! O servidor não confirmou a mensagem. Não enviada: “sem resposta”"
    );
    harness.enter("e1", 0, &[]);
    assert_eq!(harness.take_sent().last().unwrap(), "geral x-2 depois");
}
