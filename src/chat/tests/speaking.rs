//! Speaking restrictions, and erasing as a moderator.

use super::*;

#[test]
fn muted_person_cannot_speak_until_the_mute_ends() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    harness.moderate(ANA, r#""mute","name":"BRUNO","seconds":60"#);
    assert_eq!(
        harness.take_labels(BRUNO),
        ["* Ana silenciou Bruno por 1 minuto."]
    );
    harness.say(BRUNO, "b1", "mas");
    let refusal = harness.take_refusal(BRUNO);
    assert_eq!(
        (refusal.code, refusal.id.as_deref()),
        (ErrorCode::Muted, Some("b1"))
    );
    assert_eq!(refusal.retry_after_ms, Some(60_001));
    harness.send_json(
        BRUNO,
        r#"{"type":"whisper","to":"Célia","id":"b2","text":"psiu"}"#,
    );
    harness.send_json(BRUNO, r#"{"type":"typing","room":"geral"}"#);
    assert_eq!(harness.take_labels(BRUNO), ["error muted b2"]);
    // Neither leaving nor another name helps.
    harness.close_cleanly(BRUNO);
    harness.enter(BRUNO, "Bruno");
    harness.send_json(BRUNO, r#"{"type":"rename","name":"Outro"}"#);
    harness.wait_for_updates();
    harness.inbox.clear();
    harness.say(BRUNO, "b3", "e agora?");
    assert_eq!(harness.take_labels(BRUNO), ["error muted b3"]);
    assert_eq!(harness.take_labels(CELIA), nothing());
    harness.advance(Duration::from_mins(1));
    harness.say(BRUNO, "b4", "enfim");
    assert_eq!(harness.take_labels(BRUNO), ["ack b4 1"]);
}

/// Its `ack` was lost with the connection: a refusal would say that the message, which everyone reads, was not sent.
#[test]
fn resend_is_acked_although_its_author_was_muted() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    harness.say(BRUNO, "b1", "antes");
    harness.send_json(
        BRUNO,
        r#"{"type":"edit","room":"geral","id":"b2","seq":1,"text":"depois"}"#,
    );
    assert_eq!(harness.take_labels(BRUNO), ["ack b1 1", "ack b2 2"]);
    for act in [
        r#""mute","name":"Bruno""#,
        r#""moderators_only","room":"geral","on":true"#,
    ] {
        harness.moderate(ANA, act);
        harness.inbox.clear();
        harness.say(BRUNO, "b1", "antes");
        harness.send_json(
            BRUNO,
            r#"{"type":"edit","room":"geral","id":"b2","seq":1,"text":"depois"}"#,
        );
        harness.say(BRUNO, "b3", "nova");
        let labels = harness.take_labels(BRUNO);
        assert_eq!(labels[..2], ["ack b1 1 again", "ack b2 2 again"], "{act}");
        assert_eq!(labels[2], "error muted b3");
    }
    assert_eq!(harness.take_labels(ANA), nothing());
}

#[test]
fn unmute_works_by_old_and_by_new_name() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    for name in ["Bruno", "Beto"] {
        harness.moderate(ANA, r#""mute","name":"Bruno""#);
        harness.send_json(BRUNO, r#"{"type":"rename","name":"Beto"}"#);
        harness.inbox.clear();
        harness.moderate(ANA, &format!(r#""unmute","name":"{name}""#));
        assert_eq!(harness.inbox.get(&BRUNO).map(Vec::len), Some(1));
        harness.close_cleanly(BRUNO);
        harness.enter(BRUNO, "Bruno");
        harness.wait_for_updates();
        harness.inbox.clear();
        harness.say(BRUNO, name, "obrigado");
        assert_eq!(harness.take_labels(BRUNO).len(), 1);
        assert!(
            harness
                .take_labels(ANA)
                .last()
                .unwrap()
                .ends_with("Bruno: obrigado")
        );
    }
}

#[test]
fn moderators_only_mode_affects_guests_of_that_room_only() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    for conn in [ANA, BRUNO] {
        harness.send_json(conn, r#"{"type":"join","room":"lab"}"#);
    }
    harness.inbox.clear();
    harness.moderate(ANA, r#""moderators_only","room":"Geral","on":true"#);
    let notice = "* Ana pediu silêncio na sala geral: só quem organiza a conversa fala agora.";
    assert_eq!(
        (harness.take_labels(ANA), harness.take_labels(BRUNO)),
        (vec![notice.into()], vec![notice.into()])
    );
    harness.say(BRUNO, "b1", "posso?");
    let refusal = harness.take_refusal(BRUNO);
    assert_eq!(
        (refusal.code, refusal.retry_after_ms),
        (ErrorCode::ModeratorsOnly, None)
    );
    harness.send_json(
        BRUNO,
        r#"{"type":"say","room":"lab","id":"b2","text":"aqui sim"}"#,
    );
    harness.say(ANA, "a1", "atenção");
    assert_eq!(harness.take_labels(BRUNO), ["ack b2 1", "1 Ana: atenção"]);
    harness.moderate(ANA, r#""moderators_only","room":"geral","on":false"#);
    harness.say(BRUNO, "b3", "obrigado");
    assert_eq!(harness.take_labels(BRUNO)[1..], ["ack b3 2"]);
}

#[test]
fn slow_mode_delays_everyone_but_moderators() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    harness.moderate(ANA, r#""slow","room":"geral","seconds":10"#);
    assert_eq!(
        harness.take_labels(BRUNO),
        ["* Ana ligou o modo lento na sala geral: uma mensagem por pessoa a cada 10 segundos."]
    );
    harness.inbox.clear();
    harness.say(BRUNO, "b1", "um");
    harness.say(BRUNO, "b2", "dois");
    harness.say(CELIA, "c1", "eu também");
    harness.say(ANA, "a1", "eu");
    harness.say(ANA, "a2", "sempre");
    assert_eq!(
        harness.take_labels(BRUNO),
        [
            "ack b1 1",
            "error slow_mode b2",
            "2 Célia: eu também",
            "3 Ana: eu",
            "4 Ana: sempre"
        ]
    );
    // Leaving the room, or the conversation, shortens nothing.
    harness.close_cleanly(BRUNO);
    harness.enter(BRUNO, "Bruno");
    harness.wait_for_updates();
    harness.inbox.clear();
    harness.say(BRUNO, "b3", "três");
    let wait = harness.take_refusal(BRUNO).retry_after_ms.unwrap();
    assert_eq!(wait, 9_501);
    harness.advance(Duration::from_millis(wait));
    harness.say(BRUNO, "b4", "quatro");
    harness.moderate(ANA, r#""slow","room":"geral","seconds":0"#);
    harness.say(BRUNO, "b5", "cinco");
    assert_eq!(
        harness.take_labels(BRUNO),
        [
            "ack b4 5",
            "* Ana desligou o modo lento na sala geral.",
            "ack b5 6"
        ]
    );
    assert!(harness.chat.rooms.iter().all(|room| room.mode.is_none()));
}

#[test]
fn moderator_erases_recent_entries_of_a_person() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    harness.say(BRUNO, "b1", "antes");
    harness.advance(Duration::from_secs(601));
    harness.say(BRUNO, "b2", "bobagem");
    harness.say(CELIA, "c1", "ei!");
    harness.say(BRUNO, "b3", "mais bobagem");
    harness.close_cleanly(BRUNO);
    harness.inbox.clear();
    let erase = r#""erase","room":"geral","id":"e1","name":"BRUNO""#;
    harness.moderate(ANA, erase);
    harness.moderate(ANA, erase);
    assert_eq!(harness.take_labels(ANA), ["ack e1 5", "ack e1 5 again"]);
    assert_eq!(harness.take_labels(CELIA), ["5 Ana: -[2, 4]"]);
    harness.moderate(ANA, r#""erase","room":"geral","id":"e2","name":"Zé""#);
    harness.moderate(ANA, r#""erase","room":"lab","id":"e3","name":"Zé""#);
    assert_eq!(
        harness.take_labels(ANA),
        ["error no_such_entry e2", "error not_in_room e3"]
    );
}

#[test]
fn moderator_may_erase_but_not_edit_others_entries() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    harness.say(BRUNO, "b1", "bobagem");
    harness.inbox.clear();
    harness.send_json(
        ANA,
        r#"{"type":"edit","room":"geral","id":"a1","seq":1,"text":"desculpem"}"#,
    );
    harness.send_json(ANA, r#"{"type":"erase","room":"geral","id":"a2","seq":1}"#);
    assert_eq!(harness.take_labels(ANA), ["error forbidden a1", "ack a2 2"]);
    assert_eq!(harness.take_labels(BRUNO), ["2 Ana: -[1]"]);
}

#[test]
fn muted_person_may_erase_but_not_edit() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    harness.moderate(ANA, r#""slow","room":"geral","seconds":60"#);
    harness.say(BRUNO, "b1", "um");
    let edit =
        |id: &str| format!(r#"{{"type":"edit","room":"geral","id":"{id}","seq":1,"text":"dois"}}"#);
    harness.inbox.clear();
    harness.send_json(BRUNO, &edit("b2"));
    assert_eq!(
        harness.take_labels(BRUNO),
        ["ack b2 2"],
        "slow mode does not delay edits"
    );
    harness.moderate(ANA, r#""moderators_only","room":"geral","on":true"#);
    harness.send_json(BRUNO, &edit("b3"));
    harness.moderate(ANA, r#""moderators_only","room":"geral","on":false"#);
    harness.moderate(ANA, r#""mute","name":"Bruno""#);
    harness.inbox.clear();
    harness.send_json(BRUNO, &edit("b4"));
    harness.send_json(
        BRUNO,
        r#"{"type":"erase","room":"geral","id":"b5","seq":1}"#,
    );
    assert_eq!(harness.take_labels(BRUNO), ["error muted b4", "ack b5 3"]);
}
