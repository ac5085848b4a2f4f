//! Editing and erasing messages.

use super::*;

impl ChatHarness {
    fn edit(&mut self, conn: ConnId, id: &str, seq: u64, text: &str) {
        self.send_json(
            conn,
            &format!(r#"{{"type":"edit","room":"geral","id":"{id}","seq":{seq},"text":"{text}"}}"#),
        );
    }

    fn erase(&mut self, conn: ConnId, id: &str, seq: u64) {
        self.send_json(
            conn,
            &format!(r#"{{"type":"erase","room":"geral","id":"{id}","seq":{seq}}}"#),
        );
    }
}

#[test]
fn edit_is_broadcast_and_sender_gets_ack_in_order() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.enter(CELIA, "Ana");
    harness.inbox.clear();
    harness.say(ANA, "a1", "bom dia");
    harness.edit(ANA, "a2", 1, "boa tarde");
    harness.say(BRUNO, "b1", "oi");
    harness.erase(ANA, "a3", 1);
    assert_eq!(
        harness.take_labels(ANA),
        ["ack a1 1", "ack a2 2", "3 Bruno: oi", "ack a3 4"]
    );
    assert_eq!(
        harness.take_labels(BRUNO),
        [
            "1 Ana: bom dia",
            "2 Ana: 1=boa tarde",
            "ack b1 3",
            "4 Ana: -[1]"
        ]
    );
    assert_eq!(
        harness.take_labels(CELIA),
        [
            "1 Ana: bom dia",
            "2 Ana: 1=boa tarde",
            "3 Bruno: oi",
            "4 Ana: -[1]"
        ]
    );
}

#[test]
fn joiner_sees_entries_as_edited_and_erased() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    harness.say(ANA, "a1", "bom dia");
    harness.say(ANA, "a2", "segredo");
    harness.edit(ANA, "a3", 1, "boa tarde");
    harness.erase(ANA, "a4", 2);
    harness.enter(BRUNO, "Bruno");
    let joined = harness.inbox.remove(&BRUNO).unwrap().pop();
    let Some(ServerMessage::Joined { entries, .. }) = joined else {
        panic!("{joined:?}")
    };
    let labels: Vec<_> = entries
        .iter()
        .map(|entry| (entry_label(entry), entry.edited, entry.erased))
        .collect();
    let labels: Vec<_> = labels
        .iter()
        .map(|(label, edited, erased)| (&**label, *edited, *erased))
        .collect();
    assert_eq!(
        labels,
        [
            ("1 Ana: boa tarde", true, false),
            ("2 Ana: ", false, true),
            ("3 Ana: 1=boa tarde", false, false),
            ("4 Ana: -[2]", false, false)
        ]
    );
}

#[test]
fn forbidden_edit_is_refused_and_not_broadcast() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.say(ANA, "a1", "oi");
    harness.inbox.clear();
    harness.edit(BRUNO, "b1", 1, "fui eu");
    harness.erase(BRUNO, "b2", 1);
    harness.erase(BRUNO, "b3", 0);
    harness.erase(BRUNO, "b4", 2);
    harness.send_json(BRUNO, r#"{"type":"erase","room":"lab","id":"b5","seq":1}"#);
    let refused = [
        "error forbidden b1",
        "error forbidden b2",
        "error no_such_entry b3",
        "error no_such_entry b4",
        "error not_in_room b5",
    ];
    assert_eq!(harness.take_labels(BRUNO), refused);
    assert_eq!(harness.take_labels(ANA), Vec::<String>::new());
}

#[test]
fn author_is_identified_by_token_and_name() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    harness.say(ANA, "a1", "oi");
    harness.send_json(ANA, r#"{"type":"rename","name":"Ana Maria"}"#);
    harness.inbox.clear();
    harness.erase(ANA, "a2", 1);
    assert_eq!(harness.take_labels(ANA), ["error forbidden a2"]);
    harness.send_json(ANA, r#"{"type":"rename","name":"ANA"}"#);
    harness.wait_for_updates();
    harness.inbox.clear();
    harness.erase(ANA, "a3", 1);
    assert_eq!(harness.take_labels(ANA), ["ack a3 2"]);
}

#[test]
fn resent_edit_is_acked_as_duplicate_and_not_rebroadcast() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.say(ANA, "a1", "oi");
    harness.inbox.clear();
    for _ in 0..2 {
        harness.edit(ANA, "a2", 1, "olá");
        harness.erase(ANA, "a3", 1);
    }
    harness.edit(ANA, "a2", 1, "outra coisa");
    harness.say(ANA, "a1", "oi");
    let expected = [
        "ack a2 2",
        "ack a3 3",
        "ack a2 2 again",
        "ack a3 3 again",
        "error id_reused a2",
        "ack a1 1 again",
    ];
    assert_eq!(harness.take_labels(ANA), expected);
    assert_eq!(harness.take_labels(BRUNO), ["2 Ana: 1=olá", "3 Ana: -[1]"]);
}

#[test]
fn edits_count_against_the_message_rate() {
    let mut harness = ChatHarness::with_rules(Rules {
        burst: 3,
        ..Rules::default()
    });
    harness.enter(ANA, "Ana");
    harness.say(ANA, "a1", "oi");
    harness.inbox.clear();
    for n in 2..=4 {
        harness.edit(ANA, &format!("a{n}"), 1, &n.to_string());
    }
    assert_eq!(
        harness.take_labels(ANA),
        ["ack a2 2", "ack a3 3", "error too_fast a4"]
    );
}

#[test]
fn edit_is_refused_and_not_broadcast_when_disk_is_full() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.say(ANA, "a1", "oi");
    harness.inbox.clear();
    harness.disk_full = true;
    harness.erase(ANA, "a2", 1);
    assert_eq!(harness.take_labels(ANA), ["error history_unavailable a2"]);
    assert_eq!(harness.take_labels(BRUNO), Vec::<String>::new());
}

#[test]
fn erased_entry_can_be_replied_to() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    harness.say(ANA, "a1", "pergunta");
    harness.erase(ANA, "a2", 1);
    harness.send_json(
        ANA,
        r#"{"type":"say","room":"geral","id":"a3","text":"resposta","reply_to":1}"#,
    );
    assert_eq!(
        harness.take_labels(ANA),
        ["ack a1 1", "ack a2 2", "ack a3 3"]
    );
}
