//! Changing one's mind about what one said.

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
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.enter(CELIA, "Ana");
    scene.inbox.clear();
    scene.say(ANA, "a1", "bom dia");
    scene.edit(ANA, "a2", 1, "boa tarde");
    scene.say(BRUNO, "b1", "oi");
    scene.erase(ANA, "a3", 1);
    assert_eq!(
        scene.take_labels(ANA),
        ["ack a1 1", "ack a2 2", "3 Bruno: oi", "ack a3 4"]
    );
    assert_eq!(
        scene.take_labels(BRUNO),
        [
            "1 Ana: bom dia",
            "2 Ana: 1=boa tarde",
            "ack b1 3",
            "4 Ana: -[1]"
        ]
    );
    assert_eq!(
        scene.take_labels(CELIA),
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
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana")]);
    scene.say(ANA, "a1", "bom dia");
    scene.say(ANA, "a2", "segredo");
    scene.edit(ANA, "a3", 1, "boa tarde");
    scene.erase(ANA, "a4", 2);
    scene.enter(BRUNO, "Bruno");
    let joined = scene.inbox.remove(&BRUNO).unwrap().pop();
    let Some(ServerMessage::Joined { entries, .. }) = joined else {
        panic!("{joined:?}")
    };
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| (entry_label(entry), entry.edited, entry.erased))
        .collect();
    let seen: Vec<_> = seen
        .iter()
        .map(|(said, edited, erased)| (&**said, *edited, *erased))
        .collect();
    assert_eq!(
        seen,
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
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.say(ANA, "a1", "oi");
    scene.inbox.clear();
    scene.edit(BRUNO, "b1", 1, "fui eu");
    scene.erase(BRUNO, "b2", 1);
    scene.erase(BRUNO, "b3", 0);
    scene.erase(BRUNO, "b4", 2);
    scene.send_json(BRUNO, r#"{"type":"erase","room":"lab","id":"b5","seq":1}"#);
    let refused = [
        "error forbidden b1",
        "error forbidden b2",
        "error no_such_entry b3",
        "error no_such_entry b4",
        "error not_in_room b5",
    ];
    assert_eq!(scene.take_labels(BRUNO), refused);
    assert_eq!(scene.take_labels(ANA), Vec::<String>::new());
}

#[test]
fn author_is_identified_by_token_and_name() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana")]);
    scene.say(ANA, "a1", "oi");
    scene.send_json(ANA, r#"{"type":"rename","name":"Ana Maria"}"#);
    scene.inbox.clear();
    scene.erase(ANA, "a2", 1);
    assert_eq!(scene.take_labels(ANA), ["error forbidden a2"]);
    scene.send_json(ANA, r#"{"type":"rename","name":"ANA"}"#);
    scene.inbox.clear();
    scene.erase(ANA, "a3", 1);
    assert_eq!(scene.take_labels(ANA), ["ack a3 2"]);
}

#[test]
fn resent_edit_is_acked_as_duplicate_and_not_rebroadcast() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.say(ANA, "a1", "oi");
    scene.inbox.clear();
    for _ in 0..2 {
        scene.edit(ANA, "a2", 1, "olá");
        scene.erase(ANA, "a3", 1);
    }
    scene.edit(ANA, "a2", 1, "outra coisa");
    scene.say(ANA, "a1", "oi");
    let heard = [
        "ack a2 2",
        "ack a3 3",
        "ack a2 2 again",
        "ack a3 3 again",
        "error id_reused a2",
        "ack a1 1 again",
    ];
    assert_eq!(scene.take_labels(ANA), heard);
    assert_eq!(scene.take_labels(BRUNO), ["2 Ana: 1=olá", "3 Ana: -[1]"]);
}

#[test]
fn edits_count_against_the_message_rate() {
    let mut scene = ChatHarness::with_rules(Rules {
        burst: 3,
        ..Rules::default()
    });
    scene.enter(ANA, "Ana");
    scene.say(ANA, "a1", "oi");
    scene.inbox.clear();
    for n in 2..=4 {
        scene.edit(ANA, &format!("a{n}"), 1, &n.to_string());
    }
    assert_eq!(
        scene.take_labels(ANA),
        ["ack a2 2", "ack a3 3", "error too_fast a4"]
    );
}

#[test]
fn edit_is_refused_and_not_broadcast_when_disk_is_full() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.say(ANA, "a1", "oi");
    scene.inbox.clear();
    scene.disk_full = true;
    scene.erase(ANA, "a2", 1);
    assert_eq!(scene.take_labels(ANA), ["error history_unavailable a2"]);
    assert_eq!(scene.take_labels(BRUNO), Vec::<String>::new());
}

#[test]
fn erased_entry_can_be_replied_to() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana")]);
    scene.say(ANA, "a1", "pergunta");
    scene.erase(ANA, "a2", 1);
    scene.send_json(
        ANA,
        r#"{"type":"say","room":"geral","id":"a3","text":"resposta","reply_to":1}"#,
    );
    assert_eq!(scene.take_labels(ANA), ["ack a1 1", "ack a2 2", "ack a3 3"]);
}
