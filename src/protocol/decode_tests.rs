//! What the parser accepts and refuses, frame by frame.

use super::*;
use proptest::prelude::*;

fn code(json: &str) -> ErrorCode {
    ClientMessage::parse(json).expect_err(json).code
}

fn message(json: &str) -> Result<ClientMessage, Refusal> {
    ClientMessage::parse(json).map(|request| request.message)
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
        r#"{"type":"enter","name":"Ana","id":"e1"}"#,
        r#"{"type":"join","room":"lab","after":0,"id":"j1"}"#,
        r#"{"type":"history","room":"geral","before":40,"id":"h1"}"#,
        r#"{"type":"moderate","act":"kick","name":"Bruno","id":"k1"}"#,
        r#"{"type":"rooms","id":"r1"}"#,
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
        message("{\"type\":\"edit\",\"room\":\"a\",\"id\":\"1\",\"seq\":7,\"text\":\"o\u{200B}i\"}"),
        Ok(ClientMessage::Edit(Edit { text, .. })) if text == "oi"
    ));
}

#[test]
fn refusal_has_the_id_whatever_is_wrong() {
    for (json, expected) in [
        (
            r#"{"text":"","id":"a1","room":"geral","type":"say"}"#,
            ErrorCode::TextEmpty,
        ),
        (
            r#"{"type":"say","id":"a1","room":5,"text":"oi"}"#,
            ErrorCode::BadField,
        ),
        (
            r#"{"type":"say","id":"a1","room":"a b","text":"oi"}"#,
            ErrorCode::RoomInvalid,
        ),
        (
            r#"{"type":"enter","id":"a1","name":"<b>"}"#,
            ErrorCode::NameInvalid,
        ),
        (
            r#"{"type":"history","id":"a1","room":"a","limit":0}"#,
            ErrorCode::BadField,
        ),
        (
            r#"{"type":"moderate","id":"a1","act":"dança"}"#,
            ErrorCode::BadField,
        ),
        (r#"{"type":"canta","id":"a1"}"#, ErrorCode::UnknownType),
        (r#"{"type":{},"id":"a1"}"#, ErrorCode::BadField),
        (r#"{"id":"a1"}"#, ErrorCode::BadField),
        (
            r#"{"id":"a1","x":1,"type":"ping","type":"ping"}"#,
            ErrorCode::BadField,
        ),
        (r#"{"id":"a1","type":"say","text":"oi"#, ErrorCode::BadJson),
        (
            r#"{"type":"say","text":"\x","id":"a1"}"#,
            ErrorCode::BadJson,
        ),
        (
            r#"{"type":"say","text":"\ud8","id":"a1"}"#,
            ErrorCode::BadJson,
        ),
        (r#"{"after":1e999,"id":"a1"}"#, ErrorCode::BadJson),
        (r#"{"id":"a1"} e mais"#, ErrorCode::BadJson),
        (r#"{"text":"\ud83d","id":"a1",}"#, ErrorCode::BadJson),
    ] {
        let refusal = ClientMessage::parse(json).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.id.as_deref()),
            (expected, Some("a1")),
            "{json}"
        );
    }
}

#[test]
fn malformed_id_is_neither_kept_nor_echoed() {
    let long = "x".repeat(MAX_ID + 1);
    for id in [
        "5",
        "\"\"",
        r#""a\nb""#,
        "[\"a1\"]",
        "null",
        &format!("\"{long}\""),
    ] {
        let ping = ClientMessage::parse(&format!(r#"{{"type":"ping","id":{id}}}"#));
        assert_eq!(ping, Ok(ClientMessage::Ping.into()), "{id}");
        for rest in ["", r#","type":"canta"}"#] {
            let refusal = ClientMessage::parse(&format!(r#"{{"id":{id}{rest}"#)).unwrap_err();
            assert_eq!(refusal.id, None, "{id} {rest}");
        }
    }
    let nested = ClientMessage::parse(r#"{"type":"ping","x":{"id":"a1"}}"#);
    assert_eq!(nested, Ok(ClientMessage::Ping.into()));
}

#[test]
fn lone_surrogate_in_any_field_is_replaced() {
    let say =
        r#"{"type":"say","\udfff":"\ud800","room":"a","id":"m\ud83d","text":"metade \ud83d aqui"}"#;
    let request = ClientMessage::parse(say).unwrap();
    let ids = (request.id(), request.message.text());
    assert_eq!(ids, (Some("m\u{FFFD}"), Some("metade \u{FFFD} aqui")));
    assert!(request.text_changed);
    for (json, expected) in [
        (
            r#"{"type":"enter","name":"An\ud83da","id":"a1"}"#,
            ErrorCode::NameInvalid,
        ),
        (
            r#"{"type":"join","room":"\ude00\ud83d","id":"a1"}"#,
            ErrorCode::RoomInvalid,
        ),
        (r#"{"type":"\ud83d","id":"a1"}"#, ErrorCode::UnknownType),
    ] {
        let refusal = ClientMessage::parse(json).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.id.as_deref()),
            (expected, Some("a1")),
            "{json}"
        );
    }
}

#[test]
fn request_knows_whether_its_text_was_changed() {
    for (text, changed) in [
        ("oi", false),
        (r"ol\u00e1 \ud83d\ude00", false),
        ("a\u{301}", true),
        (r"a\u200bb", true),
        (r"a\r\nb", true),
        (r"\ud83d", true),
    ] {
        for rest in [
            r#""type":"say","room":"a""#,
            r#""type":"whisper","to":"Bia""#,
        ] {
            let json = format!(r#"{{{rest},"id":"1","text":"{text}"}}"#);
            let request = ClientMessage::parse(&json).expect(&json);
            assert_eq!(request.text_changed, changed, "{json}");
        }
    }
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
    assert_eq!(code(r#"{"id":"a","id":"b""#), ErrorCode::BadJson);
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
        matches!(message(json), Ok(ClientMessage::Join(Join { resume, .. })) if resume == expected)
    );
}

#[test]
fn empty_password_is_none_and_malformed_one_is_refused() {
    let json = r#"{"type":"room_password","room":"a","password":""}"#;
    assert!(matches!(
        message(json),
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
                message(&nested("x", depth)),
                Ok(ClientMessage::Ping),
                "{depth}"
            );
            assert_eq!(
                message(&nested("after", depth)),
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
        if let Ok(message) = message(&json) {
            let again = ClientMessage::parse(&message.to_json());
            prop_assert_eq!(again, Ok(ClientRequest::from(message)));
        }
    }
}
