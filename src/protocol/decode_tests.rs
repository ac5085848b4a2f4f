//! What the parser accepts and refuses, frame by frame.

use super::*;
use proptest::prelude::*;

fn code(json: &str) -> ErrorCode {
    ClientMessage::parse(json).expect_err(json).code
}

#[test]
fn client_messages_round_trip_through_json() {
    for json in [
        r#"{"type":"enter","name":"Ana"}"#,
        r#"{"type":"enter","name":"Ana","token":"0123456789abcdef","room":"lab","epoch":"e1","after":7}"#,
        r#"{"type":"enter","name":"Ana","password":"maçã","moderator_key":"c0ffee","room_password":"lá"}"#,
        r#"{"type":"join","room":"lab","after":0}"#,
        r#"{"type":"join","room":"lab","room_password":"abre-te, sésamo"}"#,
        r#"{"type":"room_password","room":"lab","password":"x"}"#,
        r#"{"type":"room_password","room":"lab"}"#,
        r#"{"type":"leave","room":"lab"}"#,
        r#"{"type":"say","room":"geral","id":"a1","text":"oi"}"#,
        r#"{"type":"say","room":"geral","id":"a1","text":"acena","action":true,"reply_to":3}"#,
        r#"{"type":"edit","room":"geral","id":"a3","seq":7,"text":"olá"}"#,
        r#"{"type":"erase","room":"geral","id":"a4","seq":7}"#,
        r#"{"type":"whisper","to":"Bruno","id":"a2","text":"psiu"}"#,
        r#"{"type":"typing","room":"geral"}"#,
        r#"{"type":"history","room":"geral","before":40,"limit":50}"#,
        r#"{"type":"history","room":"geral","after":40}"#,
        r#"{"type":"search","room":"geral","query":"conceição"}"#,
        r#"{"type":"rename","name":"Ana Maria"}"#,
        r#"{"type":"rooms"}"#,
        r#"{"type":"ping"}"#,
    ] {
        assert_eq!(ClientMessage::parse(json).expect(json).to_json(), json);
    }
}

#[test]
fn non_object_is_bad_json() {
    for json in [
        "",
        "oi",
        "[]",
        "5",
        "null",
        "\"a\"",
        "{",
        "{}x",
        r#"{"type":"say","text":"\ud800"}"#,
        "{\"after\":1e999}",
    ] {
        assert_eq!(code(json), ErrorCode::BadJson, "{json}");
    }
}

#[test]
fn missing_or_malformed_field_is_named() {
    assert_eq!(code("{}"), ErrorCode::BadField);
    assert_eq!(code(r#"{"type":5}"#), ErrorCode::BadField);
    assert_eq!(code(r#"{"type":"enter"}"#), ErrorCode::BadField);
    assert_eq!(
        code(r#"{"type":"enter","name":"Ana","token":"curto"}"#),
        ErrorCode::BadField
    );
    assert_eq!(
        code(r#"{"type":"history","room":"a","before":1,"after":1}"#),
        ErrorCode::BadField
    );
    assert_eq!(
        code(r#"{"type":"history","room":"a","before":-1}"#),
        ErrorCode::BadField
    );
    let refusal =
        ClientMessage::parse(r#"{"type":"say","room":"a","id":"","text":"oi"}"#).unwrap_err();
    assert!(refusal.text.contains("“id”"), "{}", refusal.text);
}

#[test]
fn edit_and_erase_check_seq_and_text() {
    assert_eq!(
        code(r#"{"type":"edit","room":"a","id":"1","text":"oi"}"#),
        ErrorCode::BadField
    );
    assert_eq!(
        code(r#"{"type":"erase","room":"a","id":"1","seq":-7}"#),
        ErrorCode::BadField
    );
    assert_eq!(
        code(r#"{"type":"edit","room":"a","id":"1","seq":7,"text":" "}"#),
        ErrorCode::TextEmpty
    );
    assert!(matches!(
        ClientMessage::parse("{\"type\":\"edit\",\"room\":\"a\",\"id\":\"1\",\"seq\":7,\"text\":\"o\u{200B}i\"}"),
        Ok(ClientMessage::Edit(Edit { text, .. })) if text == "oi"
    ));
}

#[test]
fn refusal_keeps_the_id_of_its_message() {
    let refusal =
        ClientMessage::parse(r#"{"text":"","id":"a1","room":"geral","type":"say"}"#).unwrap_err();
    assert_eq!(
        (refusal.code, refusal.id.as_deref()),
        (ErrorCode::TextEmpty, Some("a1"))
    );
}

#[test]
fn repeated_field_is_refused_and_unknown_field_ignored() {
    assert_eq!(
        code(r#"{"type":"ping","type":"rooms"}"#),
        ErrorCode::BadField
    );
    assert!(ClientMessage::parse(r#"{"type":"ping","x":[{"y":null}],"x":2,"name":5}"#).is_ok());
}

#[test]
fn refusal_names_the_repeated_field_and_keeps_the_id() {
    let json = r#"{"type":"ping","type":"rooms","id":"a1"}"#;
    let refusal = ClientMessage::parse(json).unwrap_err();
    assert_eq!(refusal.text, "O campo “type” aparece duas vezes.");
    assert_eq!(refusal.id.as_deref(), Some("a1"));
    assert_eq!(code(r#"{"id":"a","id":"b","x":1}"#), ErrorCode::BadField);
    assert_eq!(code(r#"{"id":"a","id":"b""#), ErrorCode::BadField);
    assert_eq!(code(r#"{"to":1,"to":2,"x""#), ErrorCode::BadJson);
}

#[test]
fn array_of_all_fields_is_bad_json() {
    let fields = ["\"ping\""; 22].join(",");
    assert_eq!(code(&format!(" [{fields}]")), ErrorCode::BadJson);
}

#[test]
fn null_is_absent_and_a_whole_float_is_a_number() {
    let json = r#"{"type":"join","room":"a","epoch":null,"after":5.0}"#;
    let expected = ResumePoint {
        epoch: None,
        after: Some(5),
    };
    assert!(
        matches!(ClientMessage::parse(json), Ok(ClientMessage::Join(Join { resume, .. })) if resume == expected)
    );
}

#[test]
fn empty_password_is_none_and_malformed_one_is_refused() {
    let json = r#"{"type":"room_password","room":"a","password":""}"#;
    assert!(matches!(
        ClientMessage::parse(json),
        Ok(ClientMessage::RoomPassword(SetRoomPassword {
            password: None,
            ..
        }))
    ));
    for password in [
        r#""a\nb""#.to_owned(),
        "5".into(),
        format!("\"{}\"", "x".repeat(Password::MAX + 1)),
    ] {
        assert_eq!(
            code(&format!(
                r#"{{"type":"enter","name":"Ana","password":{password}}}"#
            )),
            ErrorCode::BadField
        );
    }
}

#[test]
fn texts_are_cleaned_before_they_are_measured() {
    let long = "á".repeat(MAX_TEXT);
    let say = |text: &str| format!(r#"{{"type":"say","room":"a","id":"1","text":"{text}"}}"#);
    assert!(ClientMessage::parse(&say(&long)).is_ok());
    assert!(ClientMessage::parse(&say(&"a\u{301}".repeat(MAX_TEXT))).is_ok());
    assert_eq!(code(&say(&format!("{long}x"))), ErrorCode::TextTooLong);
    assert_eq!(code(&say(" \\n\u{200B}\u{200D} ")), ErrorCode::TextEmpty);
}

#[test]
fn invalid_names_and_rooms_have_their_own_codes() {
    assert_eq!(
        code(r#"{"type":"enter","name":"<b>"}"#),
        ErrorCode::NameInvalid
    );
    assert_eq!(
        code(r#"{"type":"join","room":"a b"}"#),
        ErrorCode::RoomInvalid
    );
    assert_eq!(code(r#"{"type":"canta"}"#), ErrorCode::UnknownType);
}

#[test]
fn deep_nesting_costs_no_stack() {
    let nested = |field: &str, depth: usize| {
        format!(
            r#"{{"type":"ping","{field}":{}{}}}"#,
            r#"[{"x":"#.repeat(depth) + "1",
            "}]".repeat(depth)
        )
    };
    let parse_all = move || {
        for depth in [1, 64, 127, 128, 200, 5_000] {
            assert_eq!(
                ClientMessage::parse(&nested("x", depth)),
                Ok(ClientMessage::Ping),
                "{depth}"
            );
            assert_eq!(
                ClientMessage::parse(&nested("after", depth)),
                Ok(ClientMessage::Ping),
                "{depth}"
            );
            assert_eq!(
                code(&nested("type", depth).replacen(r#""type":"ping","#, "", 1)),
                ErrorCode::BadField
            );
        }
        assert_eq!(code(&"[".repeat(60_000)), ErrorCode::BadJson);
        assert_eq!(code(&r#"{"x":"#.repeat(10_000)), ErrorCode::BadJson);
    };
    let thread = std::thread::Builder::new()
        .stack_size(crate::server::connection::STACK_SIZE)
        .spawn(parse_all);
    thread.unwrap().join().unwrap();
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(json in any::<String>()) {
        let _ = ClientMessage::parse(&json);
    }

    #[test]
    fn parsed_message_is_parsed_again_unchanged(text in any::<String>(), id in "\\PC{1,64}") {
        let json = serde_json::json!({"type": "say", "room": "a", "id": id, "text": text}).to_string();
        if let Ok(message) = ClientMessage::parse(&json) {
            prop_assert_eq!(ClientMessage::parse(&message.to_json()), Ok(message));
        }
    }
}
