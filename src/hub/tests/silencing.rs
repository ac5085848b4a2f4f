//! Who has the word and who does not, and what is taken back of what was said.

use super::*;

#[test]
fn who_is_silenced_says_nothing_to_anybody_until_it_is_over() {
    let mut scene = hosted(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    scene.acts(ANA, r#""mute","name":"BRUNO","seconds":60"#);
    assert_eq!(scene.heard(BRUNO), ["* Ana silenciou Bruno por 1 minuto."]);
    scene.say(BRUNO, "b1", "mas");
    let refusal = scene.refusal(BRUNO);
    assert_eq!(
        (refusal.code, refusal.id.as_deref()),
        (ErrorCode::Muted, Some("b1"))
    );
    assert_eq!(refusal.retry_after_ms, Some(60_001));
    scene.says(
        BRUNO,
        r#"{"type":"whisper","to":"Célia","id":"b2","text":"psiu"}"#,
    );
    scene.says(BRUNO, r#"{"type":"typing","room":"geral"}"#);
    assert_eq!(scene.heard(BRUNO), ["error muted b2"]);
    // Neither leaving nor another name helps.
    scene.leaves(BRUNO);
    scene.enters(BRUNO, "Bruno");
    scene.says(BRUNO, r#"{"type":"rename","name":"Outro"}"#);
    scene.got.clear();
    scene.say(BRUNO, "b3", "e agora?");
    assert_eq!(scene.heard(BRUNO), ["error muted b3"]);
    assert_eq!(scene.heard(CELIA), nothing());
    scene.wait(Duration::from_secs(60));
    scene.say(BRUNO, "b4", "enfim");
    assert_eq!(scene.heard(BRUNO), ["ack b4 1"]);
}

#[test]
fn the_word_is_given_back_whatever_the_name_is_now() {
    let mut scene = hosted(&[(BRUNO, "Bruno")]);
    for name in ["Bruno", "Beto"] {
        scene.acts(ANA, r#""mute","name":"Bruno""#);
        scene.says(BRUNO, r#"{"type":"rename","name":"Beto"}"#);
        scene.got.clear();
        scene.acts(ANA, &format!(r#""unmute","name":"{name}""#));
        assert_eq!(scene.got.get(&BRUNO).map(Vec::len), Some(1));
        scene.leaves(BRUNO);
        scene.enters(BRUNO, "Bruno");
        scene.got.clear();
        scene.say(BRUNO, name, "obrigado");
        assert_eq!(scene.heard(BRUNO).len(), 1);
        assert!(
            scene
                .heard(ANA)
                .last()
                .unwrap()
                .ends_with("Bruno: obrigado")
        );
    }
}

#[test]
fn in_a_silent_room_only_hosts_speak_and_other_rooms_go_on() {
    let mut scene = hosted(&[(BRUNO, "Bruno")]);
    for conn in [ANA, BRUNO] {
        scene.says(conn, r#"{"type":"join","room":"lab"}"#);
    }
    scene.got.clear();
    scene.acts(ANA, r#""mute_all","room":"Geral","on":true"#);
    let notice = "* Ana pediu silêncio na sala geral: só quem organiza a conversa fala agora.";
    assert_eq!(
        (scene.heard(ANA), scene.heard(BRUNO)),
        (vec![notice.into()], vec![notice.into()])
    );
    scene.say(BRUNO, "b1", "posso?");
    let refusal = scene.refusal(BRUNO);
    assert_eq!(
        (refusal.code, refusal.retry_after_ms),
        (ErrorCode::Muted, None)
    );
    scene.says(
        BRUNO,
        r#"{"type":"say","room":"lab","id":"b2","text":"aqui sim"}"#,
    );
    scene.say(ANA, "a1", "atenção");
    assert_eq!(scene.heard(BRUNO), ["ack b2 1", "1 Ana: atenção"]);
    scene.acts(ANA, r#""mute_all","room":"geral","on":false"#);
    scene.say(BRUNO, "b3", "obrigado");
    assert_eq!(scene.heard(BRUNO)[1..], ["ack b3 2"]);
}

#[test]
fn in_a_slow_room_everybody_waits_between_two_messages_but_hosts() {
    let mut scene = hosted(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    scene.acts(ANA, r#""slow","room":"geral","seconds":10"#);
    assert_eq!(
        scene.heard(BRUNO),
        ["* Ana ligou o modo lento na sala geral: uma mensagem por pessoa a cada 10 segundos."]
    );
    scene.got.clear();
    scene.say(BRUNO, "b1", "um");
    scene.say(BRUNO, "b2", "dois");
    scene.say(CELIA, "c1", "eu também");
    scene.say(ANA, "a1", "eu");
    scene.say(ANA, "a2", "sempre");
    assert_eq!(
        scene.heard(BRUNO),
        [
            "ack b1 1",
            "error too_fast b2",
            "2 Célia: eu também",
            "3 Ana: eu",
            "4 Ana: sempre"
        ]
    );
    // Leaving the room, or the conversation, shortens nothing.
    scene.leaves(BRUNO);
    scene.enters(BRUNO, "Bruno");
    scene.got.clear();
    scene.say(BRUNO, "b3", "três");
    let wait = scene.refusal(BRUNO).retry_after_ms.unwrap();
    assert_eq!(wait, 10_001);
    scene.wait(Duration::from_millis(wait));
    scene.say(BRUNO, "b4", "quatro");
    scene.acts(ANA, r#""slow","room":"geral","seconds":0"#);
    scene.say(BRUNO, "b5", "cinco");
    assert_eq!(
        scene.heard(BRUNO),
        [
            "ack b4 5",
            "* Ana desligou o modo lento na sala geral.",
            "ack b5 6"
        ]
    );
    assert!(scene.hub.rooms.iter().all(|room| room.mode.is_none()));
}

#[test]
fn a_host_takes_back_what_anybody_said_lately_and_everybodys_copy_follows() {
    let mut scene = hosted(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    scene.say(BRUNO, "b1", "antes");
    scene.wait(Duration::from_secs(601));
    scene.say(BRUNO, "b2", "bobagem");
    scene.say(CELIA, "c1", "ei!");
    scene.say(BRUNO, "b3", "mais bobagem");
    scene.leaves(BRUNO);
    scene.got.clear();
    let erase = r#""erase","room":"geral","id":"e1","name":"BRUNO""#;
    scene.acts(ANA, erase);
    scene.acts(ANA, erase);
    assert_eq!(scene.heard(ANA), ["ack e1 5", "ack e1 5 again"]);
    assert_eq!(scene.heard(CELIA), ["5 Ana: -[2, 4]"]);
    scene.acts(ANA, r#""erase","room":"geral","id":"e2","name":"Zé""#);
    scene.acts(ANA, r#""erase","room":"lab","id":"e3","name":"Zé""#);
    assert_eq!(
        scene.heard(ANA),
        ["error no_such_entry e2", "error not_in_room e3"]
    );
}

#[test]
fn a_host_takes_back_one_message_of_anybody_and_puts_no_words_in_their_mouth() {
    let mut scene = hosted(&[(BRUNO, "Bruno")]);
    scene.say(BRUNO, "b1", "bobagem");
    scene.got.clear();
    scene.says(
        ANA,
        r#"{"type":"edit","room":"geral","id":"a1","seq":1,"text":"desculpem"}"#,
    );
    scene.says(ANA, r#"{"type":"erase","room":"geral","id":"a2","seq":1}"#);
    assert_eq!(scene.heard(ANA), ["error forbidden a1", "ack a2 2"]);
    assert_eq!(scene.heard(BRUNO), ["2 Ana: -[1]"]);
}

#[test]
fn who_has_no_word_can_not_edit_but_may_take_back() {
    let mut scene = hosted(&[(BRUNO, "Bruno")]);
    scene.acts(ANA, r#""slow","room":"geral","seconds":60"#);
    scene.say(BRUNO, "b1", "um");
    let edit =
        |id: &str| format!(r#"{{"type":"edit","room":"geral","id":"{id}","seq":1,"text":"dois"}}"#);
    scene.got.clear();
    scene.says(BRUNO, &edit("b2"));
    assert_eq!(
        scene.heard(BRUNO),
        ["ack b2 2"],
        "a slow room keeps nobody from correcting"
    );
    scene.acts(ANA, r#""mute_all","room":"geral","on":true"#);
    scene.says(BRUNO, &edit("b3"));
    scene.acts(ANA, r#""mute_all","room":"geral","on":false"#);
    scene.acts(ANA, r#""mute","name":"Bruno""#);
    scene.got.clear();
    scene.says(BRUNO, &edit("b4"));
    scene.says(
        BRUNO,
        r#"{"type":"erase","room":"geral","id":"b5","seq":1}"#,
    );
    assert_eq!(scene.heard(BRUNO), ["error muted b4", "ack b5 3"]);
}
