//! Refusals, limits, completions and the stop.

use super::*;
use crate::history::{SpaceLimit, SpaceWarning};

#[test]
fn requests_are_refused_before_entering() {
    let mut harness = ChatHarness::new();
    harness.handle(Event::Connected(ANA, ClientAddr::LOCAL));
    harness.say(ANA, "a1", "oi");
    harness.send_json(ANA, r#"{"type":"ping"}"#);
    harness.send_json(ANA, r#"{"type":"rooms"}"#);
    assert_eq!(
        harness.take_labels(ANA),
        ["error not_entered a1", "pong", "error not_entered"]
    );
    harness.send_json(
        ANA,
        r#"{"type":"enter","name":"Ana","token":"0123456789abcdef","room":"lab"}"#,
    );
    harness.send_json(
        ANA,
        r#"{"type":"enter","name":"Ana","token":"0123456789abcdef"}"#,
    );
    assert_eq!(
        harness.take_labels(ANA),
        ["welcome Ana", "joined lab 1 0", "error already_entered"]
    );
}

#[test]
fn connection_is_closed_when_it_does_not_enter_in_time() {
    let mut harness = ChatHarness::new();
    harness.handle(Event::Connected(ANA, ClientAddr::LOCAL));
    harness.enter(BRUNO, "Bruno");
    harness.advance(Duration::from_secs(9));
    assert_eq!(harness.closed, []);
    harness.advance(Duration::from_secs(1));
    assert_eq!(harness.closed, [(ANA, 1008)]);
    assert_eq!(harness.take_labels(ANA), ["bye Idle"]);
}

#[test]
fn long_texts_are_limited_in_bytes_and_told_the_true_wait() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    let longest = "😀".repeat(4000);
    // The budget grows by more than it loses, so these are in no hurry.
    for n in 0..20 {
        harness.advance(Duration::from_secs(1));
        harness.say(ANA, &format!("a{n}"), &longest);
    }
    let whisper =
        |id: &str| format!(r#"{{"type":"whisper","to":"Bruno","id":"{id}","text":"{longest}"}}"#);
    let edit = format!(r#"{{"type":"edit","room":"geral","id":"e1","seq":1,"text":"{longest}"}}"#);
    harness.advance(Duration::from_secs(1));
    harness.inbox.clear();
    for n in 0..21 {
        harness.send_json(ANA, &whisper(&format!("w{n}")));
    }
    let labels = harness.take_labels(ANA);
    let taken = labels.iter().filter(|label| label.starts_with("ack"));
    let taken = taken.count();
    // 320 KiB are twenty of the longest messages and a part of one.
    assert_eq!(taken, 20);
    harness.send_json(ANA, &edit);
    let refusal = harness.take_refusal(ANA);
    assert_eq!(
        (refusal.code, refusal.id.as_deref()),
        (ErrorCode::TooFast, Some("e1"))
    );
    let wait = Duration::from_millis(refusal.retry_after_ms.unwrap());
    harness.advance(wait - Duration::from_millis(10));
    harness.send_json(ANA, &edit);
    assert_eq!(harness.take_refusal(ANA).code, ErrorCode::TooFast);
    harness.advance(Duration::from_millis(10));
    harness.send_json(ANA, &edit);
    assert_eq!(harness.take_labels(ANA), ["ack e1 21"]);
}

#[test]
fn message_rate_is_shared_by_a_persons_connections() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Ana")]);
    for n in 0..20 {
        harness.say(if n % 2 == 0 { ANA } else { BRUNO }, &n.to_string(), "oi");
    }
    harness.inbox.clear();
    harness.say(ANA, "a21", "oi");
    let refused = harness.inbox.remove(&ANA).unwrap();
    let [ServerMessage::Error(refusal)] = &refused[..] else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (refusal.code, refusal.id.as_deref()),
        (ErrorCode::TooFast, Some("a21"))
    );
    harness.advance(Duration::from_millis(refusal.retry_after_ms.unwrap()));
    harness.say(ANA, "a21", "oi");
    assert_eq!(harness.take_labels(ANA), ["ack a21 21"]);
}

#[test]
fn messages_are_unlimited_without_a_rate() {
    let mut harness = ChatHarness::with_rules(Rules {
        rate: None,
        ..Rules::default()
    });
    harness.enter(ANA, "Ana");
    for n in 0..1000 {
        harness.say(ANA, &n.to_string(), "oi");
    }
    assert_eq!(harness.take_labels(ANA).last().unwrap(), "ack 999 1000");
}

#[test]
fn join_and_leave_are_rate_limited() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    for _ in 0..100 {
        harness.send_json(ANA, r#"{"type":"join","room":"lab"}"#);
    }
    assert_eq!(harness.take_labels(ANA).last().unwrap(), "error too_fast");
    harness.advance(Duration::from_millis(100));
    harness.send_json(ANA, r#"{"type":"leave","room":"lab"}"#);
    assert_eq!(harness.take_labels(ANA), ["left lab"]);
}

#[test]
fn connection_joins_at_most_32_rooms() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    for n in 0..32 {
        harness.send_json(ANA, &format!(r#"{{"type":"join","room":"sala-{n}"}}"#));
    }
    assert_eq!(
        harness.take_labels(ANA).last().unwrap(),
        "error too_many_rooms"
    );
    harness.send_json(ANA, r#"{"type":"join","room":"sala-3"}"#);
    assert_eq!(harness.take_labels(ANA), ["joined sala-3 1 0"]);
}

#[test]
fn connection_is_closed_after_too_many_malformed_frames() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    for _ in 0..MAX_MALFORMED {
        harness.send_json(ANA, "{}");
    }
    assert_eq!(harness.closed, []);
    harness.send_json(ANA, "nada");
    assert_eq!(
        harness.take_labels(ANA).split_off(100),
        ["error bad_json", "bye Protocol"]
    );
    assert_eq!(harness.closed, [(ANA, 1008)]);
    harness.send_json(ANA, "{}");
    harness.say(ANA, "a1", "oi");
    assert_eq!(harness.take_labels(ANA), Vec::<String>::new());
}

#[test]
fn occasional_malformed_frames_are_tolerated() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    for _ in 0..1000 {
        harness.send_json(ANA, "{}");
        harness.advance(Duration::from_secs(1));
    }
    assert_eq!(harness.closed, []);
}

#[test]
fn stop_closes_present_and_later_connections() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.handle(Event::Stop);
    harness.handle(Event::Connected(CELIA, ClientAddr::LOCAL));
    assert_eq!(harness.closed, [(ANA, 1001), (BRUNO, 1001), (CELIA, 1001)]);
    for conn in [ANA, BRUNO, CELIA] {
        assert_eq!(harness.take_labels(conn), ["bye Shutdown"]);
    }
}

#[test]
fn every_message_is_completed_exactly_once() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
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
        harness.chat.handle(
            Event::Request(ANA, ClientMessage::parse(json).unwrap()),
            harness.now,
        );
        let mut done = 0;
        loop {
            let effects = harness.chat.take_effects();
            done += effects
                .iter()
                .filter(|effect| matches!(effect, Effect::RequestDone(ANA)))
                .count();
            effects.into_iter().for_each(|effect| harness.apply(effect));
            let Ok(reply) = harness.history.replies().try_recv() else {
                break;
            };
            harness
                .chat
                .handle(Event::HistoryReplied(reply), harness.now);
        }
        assert_eq!(done, 1, "{json}");
    }
}

#[test]
fn every_bulk_request_is_completed_exactly_once() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
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
        harness.chat.handle(
            Event::Request(ANA, ClientMessage::parse(json).unwrap()),
            harness.now,
        );
        let mut done = 0;
        loop {
            let effects = harness.chat.take_effects();
            done += effects
                .iter()
                .filter(|effect| matches!(effect, Effect::BulkDone(ANA)))
                .count();
            effects.into_iter().for_each(|effect| harness.apply(effect));
            if done == 1 {
                break;
            }
            let reply = harness.history.replies().recv().unwrap();
            harness
                .chat
                .handle(Event::HistoryReplied(reply), harness.now);
        }
        assert_eq!(done, 1, "{json}");
    }
}

#[test]
fn requests_of_closed_connections_are_completed() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    let join = r#"{"type":"join","room":"lab"}"#;
    let say = r#"{"type":"say","room":"geral","id":"a1","text":"oi"}"#;
    let request = |json: &str| Event::Request(ANA, ClientMessage::parse(json).unwrap());
    harness.chat.handle(request(join), harness.now);
    harness.chat.handle(request(say), harness.now);
    harness.chat.handle(Event::Stop, harness.now);
    harness.chat.handle(request(say), harness.now);
    harness
        .chat
        .handle(Event::Disconnected(ANA, false), harness.now);
    let mut done = Vec::new();
    loop {
        for effect in harness.chat.take_effects() {
            if matches!(effect, Effect::RequestDone(ANA) | Effect::BulkDone(ANA)) {
                done.push(format!("{effect:?}"));
            }
            harness.apply(effect);
        }
        let Ok(reply) = harness.history.replies().try_recv() else {
            break;
        };
        harness
            .chat
            .handle(Event::HistoryReplied(reply), harness.now);
    }
    done.sort_unstable();
    assert_eq!(
        done,
        [
            "BulkDone(ConnId(1))",
            "RequestDone(ConnId(1))",
            "RequestDone(ConnId(1))"
        ]
    );
}

#[test]
fn requests_outstanding_at_the_end_are_abandoned() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    harness.handle(Event::Connected(BRUNO, ClientAddr::LOCAL));
    for (conn, json) in [
        (ANA, r#"{"type":"join","room":"lab"}"#),
        (ANA, r#"{"type":"history","room":"geral"}"#),
        (
            BRUNO,
            r#"{"type":"enter","name":"Bruno","token":"0123456789abcdef","room":"sala"}"#,
        ),
    ] {
        let request = Event::Request(conn, ClientMessage::parse(json).unwrap());
        harness.chat.handle(request, harness.now);
    }
    drop(harness.chat);
}

#[test]
fn room_is_joined_under_any_spelling() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    harness.send_json(ANA, r#"{"type":"join","room":"GERAL"}"#);
    assert_eq!(harness.take_labels(ANA), ["joined geral 1 0"]);
    assert!(harness.chat.rooms.named(&RoomName::lobby()).is_some());
}

#[test]
fn moderators_are_told_of_little_space_and_who_writes_most() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    harness.say(BRUNO, "b1", &"x".repeat(3000));
    harness.say(CELIA, "c1", "oi");
    harness.inbox.clear();
    let warn = |harness: &mut ChatHarness, threshold: Option<u8>| {
        let warning = threshold.map(|threshold| SpaceWarning {
            threshold,
            limit: SpaceLimit::Disk,
        });
        harness.handle(Event::HistoryReplied(HistoryReply::Space(warning)));
        harness.take_labels(ANA)
    };
    let sentence = |threshold: u8| {
        format!(
            "* O disco do histórico está {threshold}% cheio. Libere espaço. Quem mais escreveu desde que o servidor foi \
             ligado: Bruno (1 MB)."
        )
    };
    assert_eq!(warn(&mut harness, Some(80)), [sentence(80)]);
    assert_eq!(warn(&mut harness, Some(95)), [sentence(95)]);
    assert_eq!(warn(&mut harness, Some(80)), nothing());
    assert_eq!(harness.take_labels(BRUNO), nothing());
    // Another connection of Ana's, later.
    harness.enter(ConnId(9), "Ana");
    let labels = harness.take_labels(ConnId(9));
    assert_eq!(labels.last(), Some(&sentence(80)));
    assert_eq!(warn(&mut harness, None), nothing());
    harness.enter(ConnId(10), "Ana");
    let labels = harness.take_labels(ConnId(10));
    assert!(!labels.iter().any(|label| label.starts_with("* O disco")));
}
