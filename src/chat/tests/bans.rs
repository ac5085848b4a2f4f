//! Lock, kick and ban.

use super::*;

#[test]
fn locked_chat_admits_only_present_people_and_moderators() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    harness.moderate(ANA, r#""lock","on":true"#);
    harness.inbox.clear();
    harness.enter(CELIA, "Célia");
    assert_eq!(harness.take_labels(CELIA), ["error locked"]);
    // Another tab, a reconnect within the grace period, and a moderator who had left.
    harness.enter(ConnId(4), "Bruno");
    assert_eq!(harness.take_labels(ConnId(4))[0], "welcome Bruno");
    harness.drop_connection(BRUNO);
    harness.drop_connection(ConnId(4));
    harness.advance(Duration::from_secs(29));
    harness.enter(BRUNO, "Bruno");
    assert_eq!(harness.take_labels(BRUNO)[0], "welcome Bruno");
    harness.close_cleanly(ANA);
    harness.enter(ANA, "Ana");
    assert_eq!(harness.take_labels(ANA)[0], "welcome Ana");
    harness.drop_connection(BRUNO);
    harness.advance(Duration::from_secs(30));
    harness.inbox.clear();
    harness.enter(BRUNO, "Bruno");
    assert_eq!(harness.take_labels(BRUNO), ["error locked"]);
    harness.moderate(ANA, r#""lock","on":false"#);
    harness.enter(CELIA, "Célia");
    assert_eq!(harness.take_labels(CELIA)[0], "welcome Célia");
}

#[test]
fn kick_closes_every_connection_and_allows_return() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia"), (ConnId(4), "Bruno")]);
    harness.moderate(ANA, r#""kick","name":"Bruno""#);
    assert_eq!(harness.closed, [(BRUNO, 1008), (ConnId(4), 1008)]);
    assert_eq!(harness.take_labels(BRUNO), ["bye Kicked"]);
    assert_eq!(
        harness.take_labels(CELIA),
        ["2 online -Bruno", "* Ana expulsou Bruno da conversa."]
    );
    // Requests still on their way are ignored, and the disconnect changes nothing.
    harness.say(BRUNO, "b1", "espera");
    harness.handle(Event::Disconnected(BRUNO, false));
    harness.handle(Event::Disconnected(ConnId(4), false));
    assert_eq!(harness.take_labels(CELIA), nothing());
    assert_eq!(harness.chat.people(), 2);
    // The name is free at once.
    harness.enter_with_token(ConnId(5), "Bruno", "somebody-else-entirely");
    assert_eq!(harness.take_labels(ConnId(5))[0], "welcome Bruno");
    harness.close_cleanly(ConnId(5));
    harness.enter(ConnId(6), "Bruno");
    assert_eq!(harness.take_labels(ConnId(6))[0], "welcome Bruno");
}

#[test]
fn kick_during_pending_requests_leaves_nothing_behind() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    let kick = r#"{"type":"moderate","act":"kick","name":"Bruno"}"#;
    for json in [
        r#"{"type":"join","room":"lab"}"#,
        r#"{"type":"say","room":"geral","id":"b1","text":"fui"}"#,
    ] {
        harness.chat.handle(
            Event::Request(BRUNO, ClientMessage::parse(json).unwrap()),
            harness.now,
        );
    }
    harness.chat.handle(
        Event::Request(ANA, ClientMessage::parse(kick).unwrap()),
        harness.now,
    );
    harness.apply_effects();
    harness.handle(Event::Disconnected(BRUNO, false));
    let expected = [
        "1 online -Bruno",
        "* Ana expulsou Bruno da conversa.",
        "1 Bruno: fui",
    ];
    assert_eq!(harness.take_labels(ANA), expected);
    assert_eq!((harness.chat.rooms(), harness.chat.people()), (1, 1));
}

#[test]
fn ban_holds_under_any_name_until_it_ends() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    harness.enter_with_token(ConnId(4), "Outra cara", "token-of-Bruno-0123456789");
    harness.inbox.clear();
    harness.moderate(ANA, r#""ban","name":"Bruno","seconds":60"#);
    assert_eq!(harness.closed, [(BRUNO, 1008), (ConnId(4), 1008)]);
    assert_eq!(harness.take_labels(BRUNO), ["bye Banned"]);
    assert_eq!(
        harness.take_labels(CELIA).last().unwrap(),
        "* Ana baniu Bruno da conversa por 1 minuto."
    );
    harness.advance(Duration::from_secs(20));
    harness.enter_with_token(ConnId(5), "Zé", "token-of-Bruno-0123456789");
    let received = harness.inbox.remove(&ConnId(5)).unwrap();
    let [
        ServerMessage::Error(refusal),
        ServerMessage::Bye { retry_after_ms, .. },
    ] = &received[..]
    else {
        panic!("{received:?}")
    };
    assert_eq!(
        (refusal.code, refusal.retry_after_ms, *retry_after_ms),
        (ErrorCode::Banned, Some(40_001), Some(40_001))
    );
    assert_eq!(harness.closed.last(), Some(&(ConnId(5), 1008)));
    harness.advance(Duration::from_secs(40));
    harness.enter(ConnId(6), "Bruno");
    assert_eq!(harness.take_labels(ConnId(6))[0], "welcome Bruno");
}

#[test]
fn address_ban_lasts_an_hour_and_spares_moderators_and_local() {
    let address = |last: u8| ClientAddr::from_ip(std::net::Ipv4Addr::new(203, 0, 113, last).into());
    let mut harness = with_moderator(&[(CELIA, "Célia")]);
    let arrive = |harness: &mut ChatHarness, conn: ConnId, name: &str, last: u8| {
        harness.handle(Event::Connected(conn, address(last)));
        let token = format!("token-of-{name}-0123456789");
        harness.send_json(
            conn,
            &format!(r#"{{"type":"enter","name":"{name}","token":"{token}"}}"#),
        );
        harness.take_labels(conn)[0].clone()
    };
    assert_eq!(arrive(&mut harness, BRUNO, "Bruno", 7), "welcome Bruno");
    harness.moderate(ANA, r#""ban","name":"Bruno","seconds":604800"#);
    assert_eq!(arrive(&mut harness, ConnId(10), "Rui", 7), "error banned");
    assert_eq!(arrive(&mut harness, ConnId(11), "Rui", 8), "welcome Rui");
    assert_eq!(arrive(&mut harness, ConnId(12), "Ana", 7), "welcome Ana");
    harness.advance(Duration::from_hours(1));
    assert_eq!(arrive(&mut harness, ConnId(13), "Eva", 7), "welcome Eva");
    assert_eq!(arrive(&mut harness, ConnId(14), "Bruno", 9), "error banned");
    // Célia is on this machine, perhaps behind a proxy like everyone else.
    harness.moderate(ANA, r#""ban","name":"Célia""#);
    harness.enter(ConnId(15), "Davi");
    assert_eq!(harness.take_labels(ConnId(15))[0], "welcome Davi");
}

#[test]
fn unbanned_person_may_enter_at_once() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    harness.moderate(ANA, r#""ban","name":"Bruno""#);
    harness.inbox.clear();
    harness.moderate(ANA, r#""unban","name":"bruno""#);
    assert_eq!(
        harness.take_labels(ANA),
        ["* Ana perdoou Bruno, que pode entrar de novo."]
    );
    harness.enter(ConnId(4), "Bruno");
    assert_eq!(harness.take_labels(ConnId(4))[0], "welcome Bruno");
}
