//! Edited and erased messages, and ignored people.

use super::*;

fn edit_entry(seq: u64, from: &str, edited: u64, text: &str) -> Arc<Entry> {
    Arc::new(Entry {
        edits: Some(edited),
        ..Entry::clone(&entry(seq, from, text))
    })
}

fn erase_entry(seq: u64, from: &str, erased: &[u64]) -> Arc<Entry> {
    Arc::new(Entry {
        erases: erased.to_vec(),
        ..Entry::clone(&entry(seq, from, ""))
    })
}

#[test]
fn edits_and_erasures_count_in_order_but_never_alert() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("/avisos sim");
    harness.effects.clear();
    harness.receive(message(1, "Bruno", "oi"));
    harness.receive(ServerMessage::Message(edit_entry(2, "Bruno", 1, "oi, Ana")));
    harness.receive(ServerMessage::Message(edit_entry(3, "Bruno", 1, "")));
    harness.receive(ServerMessage::Message(erase_entry(4, "Bruno", &[1])));
    assert_eq!(
        harness.take_shown(),
        ["Bruno: oi", "Bruno edits 1: oi, Ana", "Bruno erases [1]"]
    );
    assert!(harness.take_effects().is_empty(), "no bell rings for it");
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    harness.handle(AppEvent::Connected);
    assert_eq!(
        harness.take_sent(),
        ["enter Ana Some(4)"],
        "they count like any entry"
    );
}

#[test]
fn history_shows_messages_in_their_current_form() {
    let mut harness = AppHarness::new(INTERACTIVE, Some("Ana"));
    let edited = Arc::new(Entry {
        edited: true,
        ..Entry::clone(&entry(1, "Bruno", "agora"))
    });
    let erased = Arc::new(Entry {
        erased: true,
        ..Entry::clone(&entry(2, "Bruno", ""))
    });
    harness.enter(
        "e1",
        4,
        &[
            edited,
            erased,
            edit_entry(3, "Bruno", 1, "agora"),
            erase_entry(4, "Bruno", &[2]),
        ],
    );
    let states = harness
        .take_effects()
        .into_iter()
        .filter_map(|effect| match effect {
            AppEffect::Show(Output::Message {
                seq, state, text, ..
            }) => Some((seq, state, text)),
            _ => None,
        });
    let expected = [
        (1, MessageState::Edited, "agora".to_owned()),
        (2, MessageState::Erased, String::new()),
    ];
    assert_eq!(states.collect::<Vec<_>>(), expected);
}

#[test]
fn erased_message_stays_empty_after_a_later_edit() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.receive(message(1, "Bruno", "segredo"));
    let Some(AppEffect::Show(mut output)) = harness.take_effects().pop() else {
        panic!("nothing shown")
    };
    MessageChange::Erased(vec![1]).apply(&mut output);
    MessageChange::Edited {
        seq: 1,
        text: "outra vez".into(),
    }
    .apply(&mut output);
    assert!(
        matches!(output, Output::Message { state: MessageState::Erased, text, .. } if text.is_empty())
    );
}

#[test]
fn last_own_message_is_edited_and_erased() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("um");
    harness.receive(ack("x-1", 1));
    harness.submit("/editar");
    assert!(
        harness
            .take_effects()
            .contains(&AppEffect::RestoreInput("/editar um".into()))
    );
    harness.submit("/editar dois");
    harness.submit("/apagar");
    let sent: Vec<String> = harness
        .take_effects()
        .iter()
        .map(|effect| match effect {
            AppEffect::Send(message) => message.to_json(),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        r#"{"type":"edit","room":"geral","id":"x-2","seq":1,"text":"dois"}"#,
        r#"{"type":"erase","room":"geral","id":"x-3","seq":1}"#,
    ];
    assert_eq!(sent, expected);
    harness.receive(ack("x-2", 2));
    harness.receive(ack("x-3", 3));
    assert_eq!(
        harness.take_shown(),
        ["Ana edits 1: dois", "Ana erases [1]"]
    );
}

#[test]
fn edit_and_erase_need_an_acknowledged_own_message() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    let no_message = "! Não há mensagem sua aqui para mudar.";
    harness.submit("/apagar");
    assert_eq!(harness.take_shown(), [no_message]);
    harness.submit("um");
    harness.submit("/editar dois");
    assert!(harness.take_shown()[0].starts_with("! Sua última mensagem ainda não foi confirmada."));
    harness.receive(ack("x-1", 1));
    harness.submit("/apagar");
    harness.receive(ack("x-2", 2));
    harness.effects.clear();
    harness.submit("/apagar");
    assert_eq!(harness.take_shown(), [no_message]);
}

#[test]
fn unacknowledged_changes_are_sent_again_after_reconnect() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("um");
    harness.receive(ack("x-1", 1));
    harness.submit("/editar dois");
    harness.submit("/apagar");
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    harness.effects.clear();
    harness.enter("e1", 1, &[]);
    let again: Vec<_> = harness
        .take_sent()
        .into_iter()
        .filter(|sent| sent.contains("x-"))
        .collect();
    assert_eq!(again.len(), 2, "{again:?}");
}

#[test]
fn unanswered_change_is_dropped_when_the_log_is_reset() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("um");
    harness.receive(ack("x-1", 1));
    harness.submit("/apagar");
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    harness.effects.clear();
    harness.enter("e2", 1, &[entry(1, "Bruno", "outra conversa")]);
    assert!(
        harness
            .take_shown()
            .contains(&"! O que você queria mudar não está mais guardado no servidor.".into())
    );
    assert_eq!(harness.app.queue.len(), 0);
}

#[test]
fn ignored_person_is_not_shown_and_never_alerts() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("/avisos sim");
    harness.submit("/ignorar bruno");
    harness.effects.clear();
    harness.receive(message(1, "Bruno", "@Ana oi"));
    harness.receive(whisper("Bruno", "psiu"));
    assert!(harness.take_effects().is_empty());
    harness.submit("/ignorar Bruno");
    harness.receive(message(2, "Bruno", "e agora?"));
    assert_eq!(
        harness.take_shown(),
        ["Você volta a ver o que Bruno escreve.", "Bruno: e agora?"]
    );
}
