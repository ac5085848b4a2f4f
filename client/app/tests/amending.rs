//! What was said and is not as it was: edited, or taken back.

use super::*;

fn edits(seq: u64, from: &str, edited: u64, text: &str) -> Arc<Entry> {
    Arc::new(Entry {
        edits: Some(edited),
        ..Entry::clone(&entry(seq, from, text))
    })
}

fn erases(seq: u64, from: &str, erased: &[u64]) -> Arc<Entry> {
    Arc::new(Entry {
        erases: erased.to_vec(),
        ..Entry::clone(&entry(seq, from, ""))
    })
}

#[test]
fn changes_take_their_place_in_the_order_and_are_no_lines() {
    let mut desk = Desk::talking(PERSON);
    desk.types("/avisos sim");
    desk.effects.clear();
    desk.hears(says(1, "Bruno", "oi"));
    desk.hears(ServerMessage::Message(edits(2, "Bruno", 1, "oi, Ana")));
    desk.hears(ServerMessage::Message(edits(3, "Bruno", 1, "")));
    desk.hears(ServerMessage::Message(erases(4, "Bruno", &[1])));
    assert_eq!(
        desk.shown(),
        ["Bruno: oi", "Bruno edits 1: oi, Ana", "Bruno erases [1]"]
    );
    assert!(desk.did().is_empty(), "nobody is called for it");
    desk.happens(AppEvent::Disconnected(Disconnect::Closed));
    desk.happens(AppEvent::Connected);
    assert_eq!(
        desk.sent(),
        ["enter Ana Some(4)"],
        "they count as any entry"
    );
}

#[test]
fn what_the_history_tells_is_as_it_is_now() {
    let mut desk = Desk::new(PERSON, Some("Ana"));
    let edited = Arc::new(Entry {
        edited: true,
        ..Entry::clone(&entry(1, "Bruno", "agora"))
    });
    let erased = Arc::new(Entry {
        erased: true,
        ..Entry::clone(&entry(2, "Bruno", ""))
    });
    desk.enters(
        "e1",
        4,
        &[
            edited,
            erased,
            edits(3, "Bruno", 1, "agora"),
            erases(4, "Bruno", &[2]),
        ],
    );
    let states = desk.did().into_iter().filter_map(|effect| match effect {
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
fn an_erased_message_stays_empty_whatever_comes_later() {
    let mut desk = Desk::talking(PERSON);
    desk.hears(says(1, "Bruno", "segredo"));
    let Some(AppEffect::Show(mut line)) = desk.did().pop() else {
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
fn the_last_own_message_is_edited_and_taken_back() {
    let mut desk = Desk::talking(PERSON);
    desk.types("/apagar");
    assert_eq!(desk.shown(), ["! Não há mensagem sua aqui para mudar."]);
    desk.types("um");
    desk.types("/editar dois");
    assert!(desk.shown()[0].starts_with("! Sua última mensagem ainda não foi confirmada."));
    desk.hears(ack("x-1", 1));
    desk.types("/editar");
    assert!(
        desk.did()
            .contains(&AppEffect::RestoreInput("/editar um".into()))
    );
    desk.types("/editar dois");
    desk.types("/apagar");
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
        desk.did().into_iter().map(json).collect::<Vec<_>>(),
        expected
    );
    desk.happens(AppEvent::Disconnected(Disconnect::Closed));
    desk.enters("e1", 1, &[]);
    let again: Vec<_> = desk
        .sent()
        .into_iter()
        .filter(|sent| sent.contains("x-"))
        .collect();
    assert_eq!(
        again.len(),
        2,
        "what has no answer is said again: {again:?}"
    );
    desk.effects.clear();
    desk.hears(ack("x-2", 2));
    desk.hears(ack("x-3", 3));
    assert_eq!(desk.shown(), ["Ana edits 1: dois", "Ana erases [1]"]);
    desk.types("/apagar");
    assert_eq!(desk.shown(), ["! Não há mensagem sua aqui para mudar."]);
}

#[test]
fn a_change_without_an_answer_is_forgotten_when_the_log_begins_anew() {
    let mut desk = Desk::talking(PERSON);
    desk.types("um");
    desk.hears(ack("x-1", 1));
    desk.types("/apagar");
    desk.happens(AppEvent::Disconnected(Disconnect::Closed));
    desk.effects.clear();
    desk.enters("e2", 1, &[entry(1, "Bruno", "outra conversa")]);
    assert!(
        desk.shown()
            .contains(&"! O que você queria mudar não está mais guardado no servidor.".into())
    );
    assert_eq!(desk.app.queue.len(), 0);
}

#[test]
fn who_is_ignored_is_neither_read_nor_heard() {
    let mut desk = Desk::talking(PERSON);
    desk.types("/avisos sim");
    desk.types("/ignorar bruno");
    desk.effects.clear();
    desk.hears(says(1, "Bruno", "@Ana oi"));
    let (from, tag, to, text) = (
        "Bruno".into(),
        "tag-Bruno".into(),
        "Ana".into(),
        "psiu".to_owned(),
    );
    desk.hears(ServerMessage::Whisper {
        from,
        tag,
        to,
        at: 2,
        text,
    });
    assert!(desk.did().is_empty());
    desk.types("/ignorar Bruno");
    desk.hears(says(2, "Bruno", "e agora?"));
    assert_eq!(
        desk.shown(),
        ["Você volta a ver o que Bruno escreve.", "Bruno: e agora?"]
    );
}
