//! Who has the word and who does not, and what is taken back of what was said.

use super::*;

#[test]
fn muted_person_cannot_speak_until_the_mute_ends() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    scene.moderate(ANA, r#""mute","name":"BRUNO","seconds":60"#);
    assert_eq!(
        scene.take_labels(BRUNO),
        ["* Ana silenciou Bruno por 1 minuto."]
    );
    scene.say(BRUNO, "b1", "mas");
    let refusal = scene.take_refusal(BRUNO);
    assert_eq!(
        (refusal.code, refusal.id.as_deref()),
        (ErrorCode::Muted, Some("b1"))
    );
    assert_eq!(refusal.retry_after_ms, Some(60_001));
    scene.send_json(
        BRUNO,
        r#"{"type":"whisper","to":"Célia","id":"b2","text":"psiu"}"#,
    );
    scene.send_json(BRUNO, r#"{"type":"typing","room":"geral"}"#);
    assert_eq!(scene.take_labels(BRUNO), ["error muted b2"]);
    // Neither leaving nor another name helps.
    scene.close_cleanly(BRUNO);
    scene.enter(BRUNO, "Bruno");
    scene.send_json(BRUNO, r#"{"type":"rename","name":"Outro"}"#);
    scene.inbox.clear();
    scene.say(BRUNO, "b3", "e agora?");
    assert_eq!(scene.take_labels(BRUNO), ["error muted b3"]);
    assert_eq!(scene.take_labels(CELIA), nothing());
    scene.advance(Duration::from_secs(60));
    scene.say(BRUNO, "b4", "enfim");
    assert_eq!(scene.take_labels(BRUNO), ["ack b4 1"]);
}

#[test]
fn unmute_works_by_old_and_by_new_name() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno")]);
    for name in ["Bruno", "Beto"] {
        scene.moderate(ANA, r#""mute","name":"Bruno""#);
        scene.send_json(BRUNO, r#"{"type":"rename","name":"Beto"}"#);
        scene.inbox.clear();
        scene.moderate(ANA, &format!(r#""unmute","name":"{name}""#));
        assert_eq!(scene.inbox.get(&BRUNO).map(Vec::len), Some(1));
        scene.close_cleanly(BRUNO);
        scene.enter(BRUNO, "Bruno");
        scene.inbox.clear();
        scene.say(BRUNO, name, "obrigado");
        assert_eq!(scene.take_labels(BRUNO).len(), 1);
        assert!(
            scene
                .take_labels(ANA)
                .last()
                .unwrap()
                .ends_with("Bruno: obrigado")
        );
    }
}

#[test]
fn moderators_only_mode_affects_guests_of_that_room_only() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno")]);
    for conn in [ANA, BRUNO] {
        scene.send_json(conn, r#"{"type":"join","room":"lab"}"#);
    }
    scene.inbox.clear();
    scene.moderate(ANA, r#""mute_all","room":"Geral","on":true"#);
    let notice = "* Ana pediu silêncio na sala geral: só quem organiza a conversa fala agora.";
    assert_eq!(
        (scene.take_labels(ANA), scene.take_labels(BRUNO)),
        (vec![notice.into()], vec![notice.into()])
    );
    scene.say(BRUNO, "b1", "posso?");
    let refusal = scene.take_refusal(BRUNO);
    assert_eq!(
        (refusal.code, refusal.retry_after_ms),
        (ErrorCode::Muted, None)
    );
    scene.send_json(
        BRUNO,
        r#"{"type":"say","room":"lab","id":"b2","text":"aqui sim"}"#,
    );
    scene.say(ANA, "a1", "atenção");
    assert_eq!(scene.take_labels(BRUNO), ["ack b2 1", "1 Ana: atenção"]);
    scene.moderate(ANA, r#""mute_all","room":"geral","on":false"#);
    scene.say(BRUNO, "b3", "obrigado");
    assert_eq!(scene.take_labels(BRUNO)[1..], ["ack b3 2"]);
}

#[test]
fn slow_mode_delays_everyone_but_moderators() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    scene.moderate(ANA, r#""slow","room":"geral","seconds":10"#);
    assert_eq!(
        scene.take_labels(BRUNO),
        ["* Ana ligou o modo lento na sala geral: uma mensagem por pessoa a cada 10 segundos."]
    );
    scene.inbox.clear();
    scene.say(BRUNO, "b1", "um");
    scene.say(BRUNO, "b2", "dois");
    scene.say(CELIA, "c1", "eu também");
    scene.say(ANA, "a1", "eu");
    scene.say(ANA, "a2", "sempre");
    assert_eq!(
        scene.take_labels(BRUNO),
        [
            "ack b1 1",
            "error too_fast b2",
            "2 Célia: eu também",
            "3 Ana: eu",
            "4 Ana: sempre"
        ]
    );
    // Leaving the room, or the conversation, shortens nothing.
    scene.close_cleanly(BRUNO);
    scene.enter(BRUNO, "Bruno");
    scene.inbox.clear();
    scene.say(BRUNO, "b3", "três");
    let wait = scene.take_refusal(BRUNO).retry_after_ms.unwrap();
    assert_eq!(wait, 10_001);
    scene.advance(Duration::from_millis(wait));
    scene.say(BRUNO, "b4", "quatro");
    scene.moderate(ANA, r#""slow","room":"geral","seconds":0"#);
    scene.say(BRUNO, "b5", "cinco");
    assert_eq!(
        scene.take_labels(BRUNO),
        [
            "ack b4 5",
            "* Ana desligou o modo lento na sala geral.",
            "ack b5 6"
        ]
    );
    assert!(scene.chat.rooms.iter().all(|room| room.mode.is_none()));
}

#[test]
fn moderator_erases_recent_entries_of_a_person() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    scene.say(BRUNO, "b1", "antes");
    scene.advance(Duration::from_secs(601));
    scene.say(BRUNO, "b2", "bobagem");
    scene.say(CELIA, "c1", "ei!");
    scene.say(BRUNO, "b3", "mais bobagem");
    scene.close_cleanly(BRUNO);
    scene.inbox.clear();
    let erase = r#""erase","room":"geral","id":"e1","name":"BRUNO""#;
    scene.moderate(ANA, erase);
    scene.moderate(ANA, erase);
    assert_eq!(scene.take_labels(ANA), ["ack e1 5", "ack e1 5 again"]);
    assert_eq!(scene.take_labels(CELIA), ["5 Ana: -[2, 4]"]);
    scene.moderate(ANA, r#""erase","room":"geral","id":"e2","name":"Zé""#);
    scene.moderate(ANA, r#""erase","room":"lab","id":"e3","name":"Zé""#);
    assert_eq!(
        scene.take_labels(ANA),
        ["error no_such_entry e2", "error not_in_room e3"]
    );
}

#[test]
fn moderator_may_erase_but_not_edit_others_entries() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno")]);
    scene.say(BRUNO, "b1", "bobagem");
    scene.inbox.clear();
    scene.send_json(
        ANA,
        r#"{"type":"edit","room":"geral","id":"a1","seq":1,"text":"desculpem"}"#,
    );
    scene.send_json(ANA, r#"{"type":"erase","room":"geral","id":"a2","seq":1}"#);
    assert_eq!(scene.take_labels(ANA), ["error forbidden a1", "ack a2 2"]);
    assert_eq!(scene.take_labels(BRUNO), ["2 Ana: -[1]"]);
}

#[test]
fn muted_person_may_erase_but_not_edit() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno")]);
    scene.moderate(ANA, r#""slow","room":"geral","seconds":60"#);
    scene.say(BRUNO, "b1", "um");
    let edit =
        |id: &str| format!(r#"{{"type":"edit","room":"geral","id":"{id}","seq":1,"text":"dois"}}"#);
    scene.inbox.clear();
    scene.send_json(BRUNO, &edit("b2"));
    assert_eq!(
        scene.take_labels(BRUNO),
        ["ack b2 2"],
        "a slow room keeps nobody from correcting"
    );
    scene.moderate(ANA, r#""mute_all","room":"geral","on":true"#);
    scene.send_json(BRUNO, &edit("b3"));
    scene.moderate(ANA, r#""mute_all","room":"geral","on":false"#);
    scene.moderate(ANA, r#""mute","name":"Bruno""#);
    scene.inbox.clear();
    scene.send_json(BRUNO, &edit("b4"));
    scene.send_json(
        BRUNO,
        r#"{"type":"erase","room":"geral","id":"b5","seq":1}"#,
    );
    assert_eq!(scene.take_labels(BRUNO), ["error muted b4", "ack b5 3"]);
}
