//! What was said and is not as it was: edited, or taken back.

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
    let mut desk = AppHarness::in_lobby(INTERACTIVE);
    desk.submit("/avisos sim");
    desk.effects.clear();
    desk.receive(message(1, "Bruno", "oi"));
    desk.receive(ServerMessage::Message(edit_entry(2, "Bruno", 1, "oi, Ana")));
    desk.receive(ServerMessage::Message(edit_entry(3, "Bruno", 1, "")));
    desk.receive(ServerMessage::Message(erase_entry(4, "Bruno", &[1])));
    assert_eq!(
        desk.take_shown(),
        ["Bruno: oi", "Bruno edits 1: oi, Ana", "Bruno erases [1]"]
    );
    assert!(desk.take_effects().is_empty(), "nobody is called for it");
    desk.handle(AppEvent::Disconnected(Disconnect::Closed));
    desk.handle(AppEvent::Connected);
    assert_eq!(
        desk.take_sent(),
        ["enter Ana Some(4)"],
        "they count as any entry"
    );
}

#[test]
fn history_shows_messages_in_their_current_form() {
    let mut desk = AppHarness::new(INTERACTIVE, Some("Ana"));
    let edited = Arc::new(Entry {
        edited: true,
        ..Entry::clone(&entry(1, "Bruno", "agora"))
    });
    let erased = Arc::new(Entry {
        erased: true,
        ..Entry::clone(&entry(2, "Bruno", ""))
    });
    desk.enter(
        "e1",
        4,
        &[
            edited,
            erased,
            edit_entry(3, "Bruno", 1, "agora"),
            erase_entry(4, "Bruno", &[2]),
        ],
    );
    let states = desk
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
    let mut desk = AppHarness::in_lobby(INTERACTIVE);
    desk.receive(message(1, "Bruno", "segredo"));
    let Some(AppEffect::Show(mut line)) = desk.take_effects().pop() else {
        panic!("a line")
    };
    MessageChange::Erased(vec![1]).apply(&mut line);
    MessageChange::Edited {
        seq: 1,
        text: "outra vez".into(),
    }
    .apply(&mut line);
    assert!(
        matches!(line, Output::Message { state: MessageState::Erased, text, .. } if text.is_empty())
    );
}

#[test]
fn last_own_message_is_edited_and_erased() {
    let mut desk = AppHarness::in_lobby(INTERACTIVE);
    desk.submit("/apagar");
    assert_eq!(
        desk.take_shown(),
        ["! Não há mensagem sua aqui para mudar."]
    );
    desk.submit("um");
    desk.submit("/editar dois");
    assert!(desk.take_shown()[0].starts_with("! Sua última mensagem ainda não foi confirmada."));
    desk.receive(ack("x-1", 1));
    desk.submit("/editar");
    assert!(
        desk.take_effects()
            .contains(&AppEffect::RestoreInput("/editar um".into()))
    );
    desk.submit("/editar dois");
    desk.submit("/apagar");
    let json = |effect| {
        if let AppEffect::Send(message) = effect {
            message.to_json()
        } else {
            panic!("{effect:?}")
        }
    };
    let expected = [
        r#"{"type":"edit","room":"geral","id":"x-2","seq":1,"text":"dois"}"#,
        r#"{"type":"erase","room":"geral","id":"x-3","seq":1}"#,
    ];
    assert_eq!(
        desk.take_effects()
            .into_iter()
            .map(json)
            .collect::<Vec<_>>(),
        expected
    );
    desk.handle(AppEvent::Disconnected(Disconnect::Closed));
    desk.enter("e1", 1, &[]);
    let again: Vec<_> = desk
        .take_sent()
        .into_iter()
        .filter(|sent| sent.contains("x-"))
        .collect();
    assert_eq!(
        again.len(),
        2,
        "what has no answer is said again: {again:?}"
    );
    desk.effects.clear();
    desk.receive(ack("x-2", 2));
    desk.receive(ack("x-3", 3));
    assert_eq!(desk.take_shown(), ["Ana edits 1: dois", "Ana erases [1]"]);
    desk.submit("/apagar");
    assert_eq!(
        desk.take_shown(),
        ["! Não há mensagem sua aqui para mudar."]
    );
}

#[test]
fn unanswered_change_is_dropped_when_the_log_is_reset() {
    let mut desk = AppHarness::in_lobby(INTERACTIVE);
    desk.submit("um");
    desk.receive(ack("x-1", 1));
    desk.submit("/apagar");
    desk.handle(AppEvent::Disconnected(Disconnect::Closed));
    desk.effects.clear();
    desk.enter("e2", 1, &[entry(1, "Bruno", "outra conversa")]);
    assert!(
        desk.take_shown()
            .contains(&"! O que você queria mudar não está mais guardado no servidor.".into())
    );
    assert_eq!(desk.app.queue.len(), 0);
}

#[test]
fn ignored_person_is_not_shown_and_never_alerts() {
    let mut desk = AppHarness::in_lobby(INTERACTIVE);
    desk.submit("/avisos sim");
    desk.submit("/ignorar bruno");
    desk.effects.clear();
    desk.receive(message(1, "Bruno", "@Ana oi"));
    let (from, tag, to, text) = (
        "Bruno".into(),
        "tag-Bruno".into(),
        "Ana".into(),
        "psiu".to_owned(),
    );
    desk.receive(ServerMessage::Whisper {
        from,
        tag,
        to,
        at: 2,
        text,
    });
    assert!(desk.take_effects().is_empty());
    desk.submit("/ignorar Bruno");
    desk.receive(message(2, "Bruno", "e agora?"));
    assert_eq!(
        desk.take_shown(),
        ["Você volta a ver o que Bruno escreve.", "Bruno: e agora?"]
    );
}
