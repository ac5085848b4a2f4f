//! Who may not come in, and who is sent out.

use super::*;

#[test]
fn locked_chat_admits_only_present_people_and_moderators() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno")]);
    scene.moderate(ANA, r#""lock","on":true"#);
    scene.inbox.clear();
    scene.enter(CELIA, "Célia");
    assert_eq!(scene.take_labels(CELIA), ["error locked"]);
    // Another tab, a reconnect within the grace, and a host who had left.
    scene.enter(ConnId(4), "Bruno");
    assert_eq!(scene.take_labels(ConnId(4))[0], "welcome Bruno");
    scene.drop_connection(BRUNO);
    scene.drop_connection(ConnId(4));
    scene.advance(Duration::from_secs(29));
    scene.enter(BRUNO, "Bruno");
    assert_eq!(scene.take_labels(BRUNO)[0], "welcome Bruno");
    scene.close_cleanly(ANA);
    scene.enter(ANA, "Ana");
    assert_eq!(scene.take_labels(ANA)[0], "welcome Ana");
    scene.drop_connection(BRUNO);
    scene.advance(Duration::from_secs(30));
    scene.inbox.clear();
    scene.enter(BRUNO, "Bruno");
    assert_eq!(scene.take_labels(BRUNO), ["error locked"]);
    scene.moderate(ANA, r#""lock","on":false"#);
    scene.enter(CELIA, "Célia");
    assert_eq!(scene.take_labels(CELIA)[0], "welcome Célia");
}

#[test]
fn kick_closes_every_connection_and_allows_return() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia"), (ConnId(4), "Bruno")]);
    scene.moderate(ANA, r#""kick","name":"Bruno""#);
    assert_eq!(scene.closed, [(BRUNO, 1008), (ConnId(4), 1008)]);
    assert_eq!(scene.take_labels(BRUNO), ["bye Kicked"]);
    assert_eq!(
        scene.take_labels(CELIA),
        ["2 online -Bruno", "* Ana expulsou Bruno da conversa."]
    );
    // What was still on its way comes from nobody, and the end of the connection changes nothing.
    scene.say(BRUNO, "b1", "espera");
    scene.handle(Event::Disconnected(BRUNO, false));
    scene.handle(Event::Disconnected(ConnId(4), false));
    assert_eq!(scene.take_labels(CELIA), nothing());
    assert_eq!(scene.chat.people(), 2);
    // The name is free at once, for anybody.
    scene.enter_with_token(ConnId(5), "Bruno", "somebody-else-entirely");
    assert_eq!(scene.take_labels(ConnId(5))[0], "welcome Bruno");
    scene.close_cleanly(ConnId(5));
    scene.enter(ConnId(6), "Bruno");
    assert_eq!(scene.take_labels(ConnId(6))[0], "welcome Bruno");
}

#[test]
fn kick_during_pending_requests_leaves_nothing_behind() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno")]);
    let kick = r#"{"type":"host","act":"kick","name":"Bruno"}"#;
    for json in [
        r#"{"type":"join","room":"lab"}"#,
        r#"{"type":"say","room":"geral","id":"b1","text":"fui"}"#,
    ] {
        scene.chat.handle(
            Event::Request(BRUNO, ClientMessage::parse(json).unwrap()),
            scene.now,
        );
    }
    scene.chat.handle(
        Event::Request(ANA, ClientMessage::parse(kick).unwrap()),
        scene.now,
    );
    scene.apply_effects();
    scene.handle(Event::Disconnected(BRUNO, false));
    let expected = [
        "1 online -Bruno",
        "* Ana expulsou Bruno da conversa.",
        "1 Bruno: fui",
    ];
    assert_eq!(scene.take_labels(ANA), expected);
    assert_eq!((scene.chat.rooms(), scene.chat.people()), (1, 1));
}

#[test]
fn ban_holds_under_any_name_until_it_ends() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    scene.enter_with_token(ConnId(4), "Outra cara", "token-of-Bruno-0123456789");
    scene.inbox.clear();
    scene.moderate(ANA, r#""ban","name":"Bruno","seconds":60"#);
    assert_eq!(scene.closed, [(BRUNO, 1008), (ConnId(4), 1008)]);
    assert_eq!(scene.take_labels(BRUNO), ["bye Banned"]);
    assert_eq!(
        scene.take_labels(CELIA).last().unwrap(),
        "* Ana baniu Bruno da conversa por 1 minuto."
    );
    scene.advance(Duration::from_secs(20));
    scene.enter_with_token(ConnId(5), "Zé", "token-of-Bruno-0123456789");
    let got = scene.inbox.remove(&ConnId(5)).unwrap();
    let [
        ServerMessage::Error(refusal),
        ServerMessage::Bye { retry_after_ms, .. },
    ] = &got[..]
    else {
        panic!("{got:?}")
    };
    assert_eq!(
        (refusal.code, refusal.retry_after_ms, *retry_after_ms),
        (ErrorCode::Banned, Some(40_001), Some(40_001))
    );
    assert_eq!(scene.closed.last(), Some(&(ConnId(5), 1008)));
    scene.advance(Duration::from_secs(40));
    scene.enter(ConnId(6), "Bruno");
    assert_eq!(scene.take_labels(ConnId(6))[0], "welcome Bruno");
}

#[test]
fn address_ban_lasts_an_hour_and_spares_moderators_and_local() {
    let address = |last: u8| ClientAddr::from_ip(std::net::Ipv4Addr::new(203, 0, 113, last).into());
    let mut scene = with_moderator(&[(CELIA, "Célia")]);
    let arrive = |scene: &mut ChatHarness, conn: ConnId, name: &str, last: u8| {
        scene.handle(Event::Connected(conn, address(last)));
        let token = format!("token-of-{name}-0123456789");
        scene.send_json(
            conn,
            &format!(r#"{{"type":"enter","name":"{name}","token":"{token}"}}"#),
        );
        scene.take_labels(conn)[0].clone()
    };
    assert_eq!(arrive(&mut scene, BRUNO, "Bruno", 7), "welcome Bruno");
    scene.moderate(ANA, r#""ban","name":"Bruno","seconds":604800"#);
    assert_eq!(arrive(&mut scene, ConnId(10), "Rui", 7), "error banned");
    assert_eq!(arrive(&mut scene, ConnId(11), "Rui", 8), "welcome Rui");
    assert_eq!(arrive(&mut scene, ConnId(12), "Ana", 7), "welcome Ana");
    scene.advance(Duration::from_secs(3600));
    assert_eq!(arrive(&mut scene, ConnId(13), "Eva", 7), "welcome Eva");
    assert_eq!(arrive(&mut scene, ConnId(14), "Bruno", 9), "error banned");
    // Célia is on this machine, perhaps behind a proxy like everybody.
    scene.moderate(ANA, r#""ban","name":"Célia""#);
    scene.enter(ConnId(15), "Davi");
    assert_eq!(scene.take_labels(ConnId(15))[0], "welcome Davi");
}

#[test]
fn unbanned_person_may_enter_at_once() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno")]);
    scene.moderate(ANA, r#""ban","name":"Bruno""#);
    scene.inbox.clear();
    scene.moderate(ANA, r#""unban","name":"bruno""#);
    assert_eq!(
        scene.take_labels(ANA),
        ["* Ana perdoou Bruno, que pode entrar de novo."]
    );
    scene.enter(ConnId(4), "Bruno");
    assert_eq!(scene.take_labels(ConnId(4))[0], "welcome Bruno");
}
