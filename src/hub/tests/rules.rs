//! What is refused, what is limited, and how it ends.

use super::*;

#[test]
fn nothing_but_entering_is_possible_before_entering() {
    let mut scene = ChatHarness::new();
    scene.handle(Event::Connected(ANA, ClientAddr::LOCAL));
    scene.say(ANA, "a1", "oi");
    scene.send_json(ANA, r#"{"type":"ping"}"#);
    scene.send_json(ANA, r#"{"type":"rooms"}"#);
    assert_eq!(
        scene.take_labels(ANA),
        ["error not_entered a1", "pong", "error not_entered"]
    );
    scene.send_json(
        ANA,
        r#"{"type":"enter","name":"Ana","token":"0123456789abcdef","room":"lab"}"#,
    );
    scene.send_json(
        ANA,
        r#"{"type":"enter","name":"Ana","token":"0123456789abcdef"}"#,
    );
    assert_eq!(
        scene.take_labels(ANA),
        ["welcome Ana", "joined lab 1 0", "error already_entered"]
    );
}

#[test]
fn who_does_not_enter_in_time_is_closed() {
    let mut scene = ChatHarness::new();
    scene.handle(Event::Connected(ANA, ClientAddr::LOCAL));
    scene.enter(BRUNO, "Bruno");
    scene.advance(Duration::from_secs(9));
    assert_eq!(scene.closed, []);
    scene.advance(Duration::from_secs(1));
    assert_eq!(scene.closed, [(ANA, 1008)]);
    assert_eq!(scene.take_labels(ANA), ["bye Idle"]);
}

#[test]
fn one_person_speaks_no_faster_than_the_rate_whatever_the_number_of_connections() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Ana")]);
    for n in 0..20 {
        scene.say(if n % 2 == 0 { ANA } else { BRUNO }, &n.to_string(), "oi");
    }
    scene.inbox.clear();
    scene.say(ANA, "a21", "oi");
    let refused = scene.inbox.remove(&ANA).unwrap();
    let [ServerMessage::Error(refusal)] = &refused[..] else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (refusal.code, refusal.id.as_deref()),
        (ErrorCode::TooFast, Some("a21"))
    );
    scene.advance(Duration::from_millis(refusal.retry_after_ms.unwrap()));
    scene.say(ANA, "a21", "oi");
    assert_eq!(scene.take_labels(ANA), ["ack a21 21"]);
}

#[test]
fn without_a_rate_nobody_is_too_fast() {
    let mut scene = ChatHarness::with_rules(Rules {
        rate: None,
        ..Rules::default()
    });
    scene.enter(ANA, "Ana");
    for n in 0..1000 {
        scene.say(ANA, &n.to_string(), "oi");
    }
    assert_eq!(scene.take_labels(ANA).last().unwrap(), "ack 999 1000");
}

#[test]
fn opening_and_leaving_rooms_is_limited_too() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana")]);
    for _ in 0..100 {
        scene.send_json(ANA, r#"{"type":"join","room":"lab"}"#);
    }
    assert_eq!(scene.take_labels(ANA).last().unwrap(), "error too_fast");
    scene.advance(Duration::from_millis(100));
    scene.send_json(ANA, r#"{"type":"leave","room":"lab"}"#);
    assert_eq!(scene.take_labels(ANA), ["left lab"]);
}

#[test]
fn a_connection_has_at_most_32_rooms() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana")]);
    for n in 0..32 {
        scene.send_json(ANA, &format!(r#"{{"type":"join","room":"sala-{n}"}}"#));
    }
    assert_eq!(
        scene.take_labels(ANA).last().unwrap(),
        "error too_many_rooms"
    );
    scene.send_json(ANA, r#"{"type":"join","room":"sala-3"}"#);
    assert_eq!(scene.take_labels(ANA), ["joined sala-3 1 0"]);
}

#[test]
fn a_client_that_speaks_nonsense_is_told_each_time_and_closed_in_the_end() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana")]);
    for _ in 0..limits::MAX_MALFORMED {
        scene.send_json(ANA, "{}");
    }
    assert_eq!(scene.closed, []);
    scene.send_json(ANA, "nada");
    assert_eq!(
        scene.take_labels(ANA).split_off(100),
        ["error bad_json", "bye Protocol"]
    );
    assert_eq!(scene.closed, [(ANA, 1008)]);
    scene.send_json(ANA, "{}");
    scene.say(ANA, "a1", "oi");
    assert_eq!(scene.take_labels(ANA), Vec::<String>::new());
}

#[test]
fn mistakes_now_and_then_are_forgiven() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana")]);
    for _ in 0..1000 {
        scene.send_json(ANA, "{}");
        scene.advance(Duration::from_secs(1));
    }
    assert_eq!(scene.closed, []);
}

#[test]
fn at_the_end_everybody_is_told_and_so_is_who_comes_too_late() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.handle(Event::Stop);
    scene.handle(Event::Connected(CELIA, ClientAddr::LOCAL));
    assert_eq!(scene.closed, [(ANA, 1001), (BRUNO, 1001), (CELIA, 1001)]);
    for conn in [ANA, BRUNO, CELIA] {
        assert_eq!(scene.take_labels(conn), ["bye Shutdown"]);
    }
}

#[test]
fn every_message_takes_one_place_in_the_window_and_gives_one_back() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana")]);
    let requests = [
        r#"{"type":"say","room":"geral","id":"1","text":"oi"}"#,
        r#"{"type":"say","room":"geral","id":"1","text":"oi"}"#,
        r#"{"type":"say","room":"geral","id":"1","text":"outra"}"#,
        r#"{"type":"say","room":"lab","id":"2","text":"oi"}"#,
        r#"{"type":"whisper","to":"Ana","id":"3","text":"oi"}"#,
        r#"{"type":"whisper","to":"Ana","id":"3","text":"oi"}"#,
        r#"{"type":"whisper","to":"Zé","id":"4","text":"oi"}"#,
    ];
    for json in requests {
        scene.chat.handle(
            Event::Request(ANA, ClientMessage::parse(json).unwrap()),
            scene.now,
        );
        let mut done = 0;
        loop {
            let effects = scene.chat.take_effects();
            done += effects
                .iter()
                .filter(|effect| matches!(effect, Effect::RequestDone(ANA)))
                .count();
            effects.into_iter().for_each(|effect| scene.apply(effect));
            let Ok(answer) = scene.history.replies().try_recv() else {
                break;
            };
            scene.chat.handle(Event::HistoryReplied(answer), scene.now);
        }
        assert_eq!(done, 1, "{json}");
    }
}

#[test]
fn every_errand_is_done_exactly_once() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    let requests = [
        r#"{"type":"enter","name":"Bruno","token":"0123456789abcdef"}"#,
        r#"{"type":"join","room":"lab"}"#,
        r#"{"type":"join","room":"lab"}"#,
        r#"{"type":"history","room":"lab"}"#,
        r#"{"type":"history","room":"nada"}"#,
        r#"{"type":"search","room":"lab","query":"x"}"#,
        r#"{"type":"search","room":"nada","query":"x"}"#,
    ];
    for json in requests {
        scene.chat.handle(
            Event::Request(ANA, ClientMessage::parse(json).unwrap()),
            scene.now,
        );
        let mut done = 0;
        loop {
            let effects = scene.chat.take_effects();
            done += effects
                .iter()
                .filter(|effect| matches!(effect, Effect::BulkDone(ANA)))
                .count();
            effects.into_iter().for_each(|effect| scene.apply(effect));
            if done == 1 {
                break;
            }
            let answer = scene.history.replies().recv().unwrap();
            scene.chat.handle(Event::HistoryReplied(answer), scene.now);
        }
        assert_eq!(done, 1, "{json}");
    }
}

#[test]
fn the_last_spelling_of_a_room_does_not_matter() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana")]);
    scene.send_json(ANA, r#"{"type":"join","room":"GERAL"}"#);
    assert_eq!(scene.take_labels(ANA), ["joined geral 1 0"]);
    assert!(scene.chat.rooms.named(&RoomName::lobby()).is_some());
}
