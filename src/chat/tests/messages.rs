//! Messages, whispers, typing and history: recipients and order.

use super::*;

#[test]
fn message_is_broadcast_and_sender_gets_ack_in_order() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.say(BRUNO, "b1", "oi");
    harness.say(ANA, "a1", "olá");
    harness.say(BRUNO, "b2", "tudo bem?");
    assert_eq!(
        harness.take_labels(ANA),
        ["1 Bruno: oi", "ack a1 2", "3 Bruno: tudo bem?"]
    );
    assert_eq!(
        harness.take_labels(BRUNO),
        ["ack b1 1", "2 Ana: olá", "ack b2 3"]
    );
}

#[test]
fn second_tab_of_sender_receives_the_message() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Ana")]);
    harness.say(ANA, "a1", "oi");
    assert_eq!(harness.take_labels(BRUNO), ["1 Ana: oi"]);
}

#[test]
fn resend_with_same_id_is_acked_as_duplicate() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.say(ANA, "a1", "oi");
    harness.say(ANA, "a1", "oi");
    harness.say(ANA, "a1", "outra coisa");
    assert_eq!(
        harness.take_labels(ANA),
        ["ack a1 1", "ack a1 1 again", "error id_reused a1"]
    );
    assert_eq!(harness.take_labels(BRUNO), ["1 Ana: oi"]);
}

#[test]
fn message_is_refused_and_not_broadcast_when_disk_is_full() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.disk_full = true;
    harness.say(ANA, "a1", "oi");
    assert_eq!(harness.take_labels(ANA), ["error history_unavailable a1"]);
    assert_eq!(harness.take_labels(BRUNO), Vec::<String>::new());
}

/// The file was moved away in the middle of a commit: the batch was taken back, and its seqs went to other messages. Who
/// had pulled a page in between held two different entries under one seq.
#[test]
fn page_shows_nothing_before_it_was_a_message() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.say(ANA, "a1", "oi");
    harness.take_labels(BRUNO);
    harness.disk_full = true;
    harness.say(ANA, "a2", "oi");
    harness.send_json(BRUNO, r#"{"type":"history","room":"geral","after":0}"#);
    harness.send_json(BRUNO, r#"{"type":"history","room":"geral","after":1}"#);
    harness.send_json(BRUNO, r#"{"type":"search","room":"geral","query":"oi"}"#);
    assert_eq!(
        harness.take_labels(BRUNO),
        ["history [1] false", "history [] false", "found [1]"]
    );
}

#[test]
fn message_is_broadcast_after_its_sender_left() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    let say = r#"{"type":"say","room":"geral","id":"a1","text":"fui"}"#;
    harness.chat.handle(
        Event::Request(ANA, ClientMessage::parse(say).unwrap()),
        harness.now,
    );
    harness
        .chat
        .handle(Event::Disconnected(ANA, true), harness.now);
    harness.apply_effects();
    assert_eq!(harness.take_labels(BRUNO), ["1 online -Ana", "1 Ana: fui"]);
}

#[test]
fn message_reaches_only_members_of_its_room() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno"), (CELIA, "Célia")]);
    harness.send_json(ANA, r#"{"type":"join","room":"Laboratório"}"#);
    harness.send_json(BRUNO, r#"{"type":"join","room":"laboratorio"}"#);
    harness.send_json(
        ANA,
        r#"{"type":"say","room":"LABORATORIO","id":"a1","text":"aqui"}"#,
    );
    harness.send_json(
        CELIA,
        r#"{"type":"say","room":"laboratorio","id":"c1","text":"e eu?"}"#,
    );
    assert_eq!(
        harness.take_labels(ANA),
        ["joined Laboratório 1 0", "2 online +Bruno", "ack a1 1"]
    );
    assert_eq!(
        harness.take_labels(BRUNO),
        ["joined Laboratório 2 0", "1 Ana: aqui"]
    );
    assert_eq!(harness.take_labels(CELIA), ["error not_in_room c1"]);
    harness.wait_for_updates();
    harness.send_json(BRUNO, r#"{"type":"leave","room":"laboratorio"}"#);
    harness.send_json(BRUNO, r#"{"type":"leave","room":"laboratorio"}"#);
    assert_eq!(
        harness.take_labels(BRUNO),
        ["left Laboratório", "error not_in_room"]
    );
    assert_eq!(harness.take_labels(ANA), ["1 online -Bruno"]);
    harness.send_json(CELIA, r#"{"type":"rooms"}"#);
    assert_eq!(harness.take_labels(CELIA), ["geral:3 Laboratório:1"]);
}

#[test]
fn empty_room_is_closed_but_its_log_is_kept() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    harness.send_json(ANA, r#"{"type":"join","room":"lab"}"#);
    harness.send_json(ANA, r#"{"type":"say","room":"lab","id":"a1","text":"oi"}"#);
    harness.send_json(ANA, r#"{"type":"leave","room":"lab"}"#);
    assert_eq!(harness.chat.rooms(), 1);
    harness.send_json(ANA, r#"{"type":"join","room":"LAB"}"#);
    assert_eq!(harness.take_labels(ANA).last().unwrap(), "joined lab 1 1");
}

#[test]
fn whisper_reaches_every_connection_of_its_recipient() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno"), (CELIA, "Célia")]);
    harness.enter(ConnId(4), "Bruno");
    harness.inbox.clear();
    harness.send_json(
        ANA,
        r#"{"type":"whisper","to":"bruno","id":"w1","text":"psiu"}"#,
    );
    harness.send_json(
        ANA,
        r#"{"type":"whisper","to":"bruno","id":"w1","text":"psiu"}"#,
    );
    harness.send_json(
        ANA,
        r#"{"type":"whisper","to":"bruno","id":"w1","text":"outra coisa"}"#,
    );
    assert_eq!(
        harness.take_labels(ANA),
        ["ack w1", "ack w1 again", "error id_reused w1"]
    );
    assert_eq!(harness.take_labels(BRUNO), ["Ana>Bruno: psiu"]);
    assert_eq!(harness.take_labels(ConnId(4)), ["Ana>Bruno: psiu"]);
    assert_eq!(harness.take_labels(CELIA), Vec::<String>::new());
}

#[test]
fn whisper_to_absent_or_dropped_person_is_refused() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.send_json(ANA, r#"{"type":"whisper","to":"Zé","id":"w1","text":"oi"}"#);
    harness.drop_connection(BRUNO);
    harness.send_json(
        ANA,
        r#"{"type":"whisper","to":"Bruno","id":"w2","text":"oi"}"#,
    );
    assert_eq!(
        harness.take_labels(ANA),
        ["error no_such_person w1", "error no_such_person w2"]
    );
}

#[test]
fn typing_is_throttled_and_sent_only_to_others() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    for _ in 0..5 {
        harness.send_json(ANA, r#"{"type":"typing","room":"geral"}"#);
        harness.advance(Duration::from_secs(1));
    }
    assert_eq!(harness.take_labels(BRUNO), ["Ana types", "Ana types"]);
    assert_eq!(harness.take_labels(ANA), Vec::<String>::new());
}

#[test]
fn message_does_not_reset_the_typing_throttle() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.send_json(ANA, r#"{"type":"typing","room":"geral"}"#);
    harness.say(ANA, "a1", "oi");
    harness.send_json(ANA, r#"{"type":"typing","room":"geral"}"#);
    assert_eq!(
        harness.take_labels(BRUNO),
        ["Ana types", "1 Ana: oi"],
        "at most one in 3 s"
    );
    harness.advance(Duration::from_secs(3));
    harness.send_json(ANA, r#"{"type":"typing","room":"geral"}"#);
    assert_eq!(harness.take_labels(BRUNO), ["Ana types"]);
}

#[test]
fn reply_to_missing_entry_is_refused() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    harness.say(ANA, "a1", "pergunta");
    for (id, seq) in [("a2", 1), ("a3", 3), ("a4", 0)] {
        harness.send_json(
            ANA,
            &format!(r#"{{"type":"say","room":"geral","id":"{id}","text":"x","reply_to":{seq}}}"#),
        );
    }
    assert_eq!(
        harness.take_labels(ANA)[1..],
        [
            "ack a2 2",
            "error no_such_entry a3",
            "error no_such_entry a4"
        ]
    );
}

#[test]
fn history_and_search_are_answered_only_to_members() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    for n in 1..=5 {
        harness.say(
            ANA,
            &n.to_string(),
            if n == 2 { "Conceição" } else { "nada" },
        );
    }
    harness.inbox.clear();
    harness.send_json(
        ANA,
        r#"{"type":"history","room":"geral","before":4,"limit":2}"#,
    );
    harness.send_json(
        ANA,
        r#"{"type":"history","room":"geral","after":0,"limit":9999}"#,
    );
    harness.send_json(
        ANA,
        r#"{"type":"search","room":"geral","query":"conceicao"}"#,
    );
    harness.send_json(ANA, r#"{"type":"history","room":"lab"}"#);
    let expected = [
        "history [2, 3] true",
        "history [1, 2, 3, 4, 5] false",
        "found [2]",
        "error not_in_room",
    ];
    assert_eq!(harness.take_labels(ANA), expected);
}

#[test]
fn reconnect_receives_entries_after_its_last_seq() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.say(ANA, "a1", "um");
    harness.drop_connection(BRUNO);
    harness.say(ANA, "a2", "dois");
    harness.handle(Event::Connected(CELIA, ClientAddr::LOCAL));
    let epoch = harness.history.epoch();
    let enter = r#"{"type":"enter","name":"Bruno","token":"token-of-Bruno-0123456789","after":1,"epoch":"E"}"#;
    harness.send_json(
        CELIA,
        &enter
            .replace('E', &epoch)
            .replace(&format!("ntoken-of-{epoch}"), "token"),
    );
    assert_eq!(
        harness.take_labels(CELIA),
        ["welcome Bruno", "joined geral 2 1"]
    );
}
