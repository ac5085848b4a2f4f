//! Hosts keep order: what each of their acts does, over real connections.

use crate::stage::{TestServer, Visitor, goodbye, short};
use papo::identity::PasswordHash;
use serde_json::{Value, json};
use std::time::Duration;

const KEY: &str = "0123456789abcdef0123456789abcdef";
/// Seconds of what a story sees the end of: longer than a busy machine takes for the little that must happen meanwhile.
const SOON: u64 = 5;

/// A server with a host key, and Ana, who entered with it.
fn hosted() -> (TestServer, Visitor) {
    let server =
        TestServer::start_with(|setup| setup.rules.moderator_key = Some(PasswordHash::of(KEY)));
    let mut ana = server.visitor();
    let welcome = ana.enter_with("Ana", json!({"host_key": KEY}));
    assert_eq!(
        (&welcome["type"], &welcome["host"]),
        (&json!("welcome"), &json!(true))
    );
    let joined = ana.next();
    assert_eq!(joined["members"][0]["host"], true);
    (server, ana)
}

/// Somebody who enters while Ana watches.
fn guest(server: &TestServer, ana: &mut Visitor, name: &str) -> Visitor {
    let visitor = server.enter(name);
    assert_eq!(ana.next()["joined"][0]["name"], name);
    visitor
}

impl Visitor {
    fn acts(&mut self, act: Value) {
        let mut message = json!({"type": "host"});
        message
            .as_object_mut()
            .unwrap()
            .extend(act.as_object().unwrap().clone());
        self.send(message);
    }

    /// The refusal that comes next; gives back its code and when to try again.
    fn refused(&mut self) -> (String, Option<u64>) {
        let error = self.next();
        assert_eq!(error["type"], "error", "{error}");
        assert!(error["text"].as_str().unwrap().ends_with('.'), "{error}");
        (
            error["code"].as_str().unwrap().to_owned(),
            error["retry_after_ms"].as_u64(),
        )
    }
}

/// Whoever waits exactly as long as the server said is not refused again: the time is part of the protocol.
fn wait(retry_after_ms: Option<u64>) {
    std::thread::sleep(Duration::from_millis(
        retry_after_ms.expect("a time to wait"),
    ));
}

#[test]
fn the_key_makes_one_person_host_and_no_second_one() {
    let (server, mut ana) = hosted();
    let mut bruno = server.visitor();
    for key in [KEY, "wrong"] {
        let error = bruno.enter_with("Bruno", json!({"host_key": key}));
        assert_eq!(short(&error), "error forbidden");
    }
    bruno.enter("Bruno");
    ana.hears(&["2 online +Bruno"]);
    bruno.acts(json!({"act": "lock", "on": true}));
    assert_eq!(bruno.refused().0, "forbidden");
    // Ana's second tab brings the key again, and the third only the token.
    let mut second = server.visitor();
    assert_eq!(
        second.enter_with("Ana", json!({"host_key": KEY}))["host"],
        true
    );
    let mut third = server.visitor();
    assert_eq!(third.enter_with("Ana", json!({}))["host"], true);
}

#[test]
fn a_host_comes_back_as_one() {
    let (server, ana) = hosted();
    let mut bruno = server.enter("Bruno");
    drop(ana);
    let mut ana = server.visitor();
    assert_eq!(ana.enter_with("Ana", json!({}))["host"], true);
    ana.leave();
    bruno.hears(&["1 online -Ana"]);
    let mut ana = server.visitor();
    assert_eq!(ana.enter_with("Ana", json!({}))["host"], true);
    let presence = bruno.next();
    assert_eq!(presence["joined"][0]["host"], true, "{presence}");
}

#[test]
fn others_may_be_made_hosts_and_unmade() {
    let (server, mut ana) = hosted();
    let mut bruno = guest(&server, &mut ana, "Bruno");
    ana.acts(json!({"act": "promote", "name": "bruno"}));
    let promoted = [
        "Bruno hosts",
        "* Ana promoveu Bruno, que agora também organiza a conversa.",
    ];
    ana.hears(&promoted);
    bruno.hears(&promoted);
    ana.acts(json!({"act": "kick", "name": "Bruno"}));
    assert_eq!(ana.refused().0, "forbidden");
    bruno.acts(json!({"act": "notify", "text": "Boa tarde!"}));
    ana.hears(&["Bruno! Boa tarde!"]);
    ana.acts(json!({"act": "demote", "name": "Bruno"}));
    bruno.hears(&[
        "Bruno! Boa tarde!",
        "Bruno no longer hosts",
        "* Ana rebaixou Bruno, que não organiza mais a conversa.",
    ]);
    bruno.acts(json!({"act": "notify", "text": "Boa noite!"}));
    assert_eq!(bruno.refused().0, "forbidden");
}

#[test]
fn who_is_silenced_is_refused_with_the_time_to_wait() {
    let (server, mut ana) = hosted();
    let mut bruno = guest(&server, &mut ana, "Bruno");
    ana.acts(json!({"act": "mute", "name": "Bruno", "seconds": SOON}));
    bruno.hears(&["* Ana silenciou Bruno por 5 segundos."]);
    bruno.say("mas");
    let (code, retry) = bruno.refused();
    assert_eq!(code, "muted");
    wait(retry);
    bruno.say("posso?");
    bruno.hears(&["ack m2 1"]);
    ana.acts(json!({"act": "mute", "name": "Bruno"}));
    bruno.hears(&["* Ana silenciou Bruno por 10 minutos."]);
    bruno.send(json!({"type": "whisper", "to": "Ana", "id": "w1", "text": "desculpe"}));
    assert_eq!(bruno.refused().0, "muted");
    ana.acts(json!({"act": "unmute", "name": "Bruno"}));
    bruno.hears(&["* Ana devolveu a palavra a Bruno."]);
    bruno.say("obrigado");
    bruno.hears(&["ack m3 2"]);
}

#[test]
fn a_room_is_silenced_and_slowed_down_for_all_but_hosts() {
    let (server, mut ana) = hosted();
    let mut bruno = guest(&server, &mut ana, "Bruno");
    ana.acts(json!({"act": "mute_all", "room": "geral", "on": true}));
    bruno.hears(&["* Ana pediu silêncio na sala geral: só quem organiza a conversa fala agora."]);
    bruno.say("e eu?");
    assert_eq!(bruno.refused(), ("muted".into(), None));
    ana.say("atenção");
    bruno.hears(&["1 Ana: atenção"]);
    ana.acts(json!({"act": "mute_all", "room": "geral", "on": false}));
    ana.acts(json!({"act": "slow", "room": "geral", "seconds": SOON}));
    bruno.hears(&[
        "* Ana devolveu a palavra a todo mundo na sala geral.",
        "* Ana ligou o modo lento na sala geral: uma mensagem por pessoa a cada 5 segundos.",
    ]);
    bruno.say("um");
    bruno.say("dois");
    bruno.hears(&["ack m2 2"]);
    let (code, retry) = bruno.refused();
    assert_eq!(code, "too_fast");
    wait(retry);
    bruno.say("dois");
    bruno.hears(&["ack m4 3"]);
}

#[test]
fn into_a_locked_conversation_nobody_new_comes_and_everybody_who_was_there_does() {
    let (server, mut ana) = hosted();
    let bruno = guest(&server, &mut ana, "Bruno");
    ana.acts(json!({"act": "lock", "on": true}));
    ana.hears(&["* Ana trancou a conversa: ninguém novo entra."]);
    let mut celia = server.visitor();
    assert_eq!(short(&celia.enter_with("Célia", json!({}))), "error locked");
    drop(bruno);
    let bruno = server.enter("Bruno");
    bruno.leave();
    ana.hears(&["1 online -Bruno"]);
    let mut bruno = server.visitor();
    assert_eq!(short(&bruno.enter_with("Bruno", json!({}))), "error locked");
    ana.leave();
    let mut ana = server.enter_host("Ana");
    ana.acts(json!({"act": "lock", "on": false}));
    ana.hears(&["* Ana destrancou a conversa."]);
    // The same connections may try again.
    celia.enter("Célia");
    bruno.enter("Bruno");
}

#[test]
fn a_locked_out_person_is_new_again_after_the_grace() {
    let server = TestServer::start_with(|setup| {
        setup.rules.moderator_key = Some(PasswordHash::of(KEY));
        setup.rules.grace = Duration::from_millis(50);
    });
    let mut ana = server.enter_host("Ana");
    let bruno = guest(&server, &mut ana, "Bruno");
    ana.acts(json!({"act": "lock", "on": true}));
    ana.hears(&["* Ana trancou a conversa: ninguém novo entra."]);
    drop(bruno);
    ana.hears(&["1 online -Bruno"]);
    assert_eq!(
        short(&server.visitor().enter_with("Bruno", json!({}))),
        "error locked"
    );
}

#[test]
fn who_is_kicked_goes_with_all_tabs_and_may_come_back() {
    let (server, mut ana) = hosted();
    let mut tabs = [guest(&server, &mut ana, "Bruno"), server.enter("Bruno")];
    ana.acts(json!({"act": "kick", "name": "Bruno"}));
    for tab in &mut tabs {
        assert_eq!(tab.ending(), goodbye("kicked", 1008));
    }
    ana.hears(&["1 online -Bruno", "* Ana expulsou Bruno da conversa."]);
    ana.acts(json!({"act": "kick", "name": "Bruno"}));
    assert_eq!(ana.refused().0, "no_such_person");
    server.enter("Bruno");
    ana.hears(&["2 online +Bruno"]);
}

#[test]
fn who_is_banned_goes_with_all_tabs_and_comes_back_when_it_is_over_or_forgiven() {
    let (server, mut ana) = hosted();
    let mut tabs = [guest(&server, &mut ana, "Bruno"), server.enter("Bruno")];
    ana.acts(json!({"act": "ban", "name": "Bruno", "seconds": SOON}));
    for tab in &mut tabs {
        assert_eq!(tab.ending(), goodbye("banned", 1008));
    }
    ana.hears(&[
        "1 online -Bruno",
        "* Ana baniu Bruno da conversa por 5 segundos.",
    ]);
    let mut bruno = server.visitor();
    let error = bruno.enter_with("Bruno", json!({}));
    assert_eq!(short(&error), "error banned");
    assert_eq!(bruno.ending(), goodbye("banned", 1008));
    wait(error["retry_after_ms"].as_u64());
    let mut bruno = server.enter("Bruno");
    ana.hears(&["2 online +Bruno"]);
    ana.acts(json!({"act": "ban", "name": "Bruno"}));
    assert_eq!(bruno.ending(), goodbye("banned", 1008));
    ana.acts(json!({"act": "unban", "name": "Bruno"}));
    ana.hears(&[
        "1 online -Bruno",
        "* Ana baniu Bruno da conversa por 1 hora.",
        "* Ana perdoou Bruno, que pode entrar de novo.",
    ]);
    server.enter("Bruno");
}

#[test]
fn what_somebody_said_is_taken_back_for_everybody_also_for_who_comes_later() {
    let (server, mut ana) = hosted();
    let mut bruno = guest(&server, &mut ana, "Bruno");
    let mut celia = guest(&server, &mut ana, "Célia");
    bruno.hears(&["3 online +Célia"]);
    for text in ["bobagem", "mais bobagem"] {
        bruno.say(text);
        celia.next();
    }
    celia.say("ei!");
    bruno.hears(&["ack m1 1", "ack m2 2", "3 Célia: ei!"]);
    bruno.leave();
    celia.hears(&["ack m1 3", "2 online -Bruno"]);
    celia.acts(json!({"act": "erase", "room": "geral", "id": "x", "name": "Bruno"}));
    assert_eq!(celia.refused().0, "forbidden");
    ana.hears(&[
        "1 Bruno: bobagem",
        "2 Bruno: mais bobagem",
        "3 Célia: ei!",
        "2 online -Bruno",
    ]);
    ana.acts(json!({"act": "erase", "room": "geral", "id": "e1", "name": "Bruno"}));
    ana.hears(&["ack e1 4"]);
    assert_eq!(celia.next()["erases"], json!([1, 2]));
    ana.send(json!({"type": "erase", "room": "geral", "id": "e2", "seq": 3}));
    ana.hears(&["ack e2 5"]);
    assert_eq!(celia.next()["erases"], json!([3]));
    ana.acts(json!({"act": "erase", "room": "geral", "id": "e3", "name": "Brunno"}));
    let error = ana.next();
    assert_eq!(short(&error), "error no_such_entry");
    assert!(
        error["text"].as_str().unwrap().contains("Confira o nome"),
        "{error}"
    );
    let mut davi = server.visitor();
    let joined = davi.enter("Davi");
    let texts: Vec<&str> = joined["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, [""; 5]);
}

impl TestServer {
    /// Somebody who enters with the key, or as the host they are.
    fn enter_host(&self, name: &str) -> Visitor {
        let mut visitor = self.visitor();
        assert_eq!(
            visitor.enter_with(name, json!({"host_key": KEY}))["host"],
            true
        );
        assert_eq!(visitor.next()["type"], "joined");
        visitor
    }
}
