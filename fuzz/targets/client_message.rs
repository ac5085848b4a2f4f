//! Any text as a client's message: never a panic; what is accepted is within the limits and stays the same when it is
//! written and read again. No answer gets the id of another message.

#![no_main]

use libfuzzer_sys::fuzz_target;
use papo::name::{MAX_NAME, MAX_ROOM};
use papo::protocol::{Enter, Rename, Say, Whisper, ClientMessage, MAX_TEXT, Refusal, ServerMessage};

fn check_text(id: &str, text: &str) {
    assert!((1..=MAX_TEXT).contains(&text.chars().count()), "{text:?}");
    assert!((1..=64).contains(&id.chars().count()), "{id:?}");
}

fn check(message: &ClientMessage) {
    match message {
        ClientMessage::Say(Say { room, id, text, .. }) => {
            check_text(id, text);
            assert!((1..=MAX_ROOM).contains(&room.as_str().chars().count()));
        }
        ClientMessage::Whisper(Whisper { to, id, text }) => {
            check_text(id, text);
            assert!((1..=MAX_NAME).contains(&to.as_str().chars().count()));
        }
        ClientMessage::Enter(Enter { name, .. }) | ClientMessage::Rename(Rename { name }) => {
            assert!((1..=MAX_NAME).contains(&name.as_str().chars().count()));
        }
        _ => {}
    }
}

fn check_refusal(refusal: Refusal) {
    assert!(!refusal.text.is_empty());
    let mut json = Vec::new();
    ServerMessage::Error(refusal).write_json(&mut json);
    assert!(std::str::from_utf8(&json).is_ok_and(|json| json.starts_with('{')));
}

fn check_id(id: Option<&str>) {
    if let Some(id) = id {
        assert!((1..=64).contains(&id.chars().count()), "{id:?}");
    }
}

/// Behind an id anything may follow: the answer has this id, or none in doubt.
fn check_after_id(rest: &str) {
    let id = match ClientMessage::parse(&format!(r#"{{"id":"m1",{rest}"#)) {
        Ok(request) => request.id().map(str::to_owned),
        Err(refusal) => refusal.id,
    };
    assert!(id.is_none_or(|id| id == "m1"), "{rest:?}");
}

fuzz_target!(|json: &str| {
    match ClientMessage::parse(json) {
        Ok(request) => {
            check(&request.message);
            check_id(request.id());
            let again = ClientMessage::parse(&request.to_json());
            let again = again.map(|request| request.message);
            assert_eq!(again.as_ref(), Ok(&request.message), "written and read again");
        }
        Err(refusal) => {
            check_id(refusal.id.as_deref());
            check_refusal(refusal);
        }
    }
    check_after_id(json);
});
