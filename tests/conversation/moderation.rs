//! What each act of a moderator does, over real connections.

use crate::support::client::{WsClient, disconnected_with, merged, summary};
use crate::support::server::TestServer;
use papo::auth::PasswordHash;
use serde_json::{Value, json};
use std::time::Duration;

const MODERATOR_KEY: &str = "0123456789abcdef0123456789abcdef";
/// Seconds of a sanction that ends within its test: longer than a busy machine takes for what must happen meanwhile.
const SHORT_SANCTION_SECS: u64 = 5;

/// A server with a moderator key, and Ana, who entered with it.
fn moderated_server() -> (TestServer, WsClient) {
    let server = TestServer::start_with(|setup| {
        setup.rules.moderator_key = Some(PasswordHash::of(MODERATOR_KEY));
    });
    let mut ana = server.connect();
    let welcome = ana.enter_with("Ana", json!({"moderator_key": MODERATOR_KEY}));
    assert_eq!(
        (&welcome["type"], &welcome["moderator"]),
        (&json!("welcome"), &json!(true))
    );
    let joined = ana.receive();
    assert_eq!(joined["members"][0]["moderator"], true);
    (server, ana)
}

/// A client that has entered, as Ana has seen.
fn enter_observed_by(server: &TestServer, ana: &mut WsClient, name: &str) -> WsClient {
    let client = server.enter(name);
    assert_eq!(ana.receive()["joined"][0]["name"], name);
    client
}

impl WsClient {
    fn moderate(&mut self, act: Value) {
        self.send(merged(json!({"type": "moderate"}), act));
    }

    /// The refusal that comes next; gives back its code and when to try again.
    fn expect_refusal(&mut self) -> (String, Option<u64>) {
        let error = self.receive();
        assert_eq!(error["type"], "error", "{error}");
        assert!(error["text"].as_str().unwrap().ends_with('.'), "{error}");
        (
            error["code"].as_str().unwrap().to_owned(),
            error["retry_after_ms"].as_u64(),
        )
    }
}

/// A client that waits as long as the server said is not refused again: the time is part of the protocol.
fn wait_as_told(retry_after_ms: Option<u64>) {
    std::thread::sleep(Duration::from_millis(
        retry_after_ms.expect("a time to wait"),
    ));
}

#[test]
fn moderator_key_works_for_one_person_only() {
    let (server, mut ana) = moderated_server();
    let mut bruno = server.connect();
    for key in [MODERATOR_KEY, "wrong"] {
        let error = bruno.enter_with("Bruno", json!({"moderator_key": key}));
        assert_eq!(summary(&error), "error moderator_key_wrong");
    }
    bruno.enter("Bruno");
    ana.expect(&["2 online +Bruno"]);
    bruno.moderate(json!({"act": "lock", "on": true}));
    assert_eq!(bruno.expect_refusal().0, "forbidden");
    // Ana's second tab brings the key again, and the third only the token.
    let mut second = server.connect();
    assert_eq!(
        second.enter_with("Ana", json!({"moderator_key": MODERATOR_KEY}))["moderator"],
        true
    );
    let mut third = server.connect();
    assert_eq!(third.enter_with("Ana", json!({}))["moderator"], true);
}

#[test]
fn moderator_keeps_the_role_after_reconnect() {
    let (server, ana) = moderated_server();
    let mut bruno = server.enter("Bruno");
    drop(ana);
    let mut ana = server.connect();
    assert_eq!(ana.enter_with("Ana", json!({}))["moderator"], true);
    ana.leave();
    bruno.expect(&["1 online -Ana"]);
    let mut ana = server.connect();
    assert_eq!(ana.enter_with("Ana", json!({}))["moderator"], true);
    let presence = bruno.receive();
    assert_eq!(presence["joined"][0]["moderator"], true, "{presence}");
}

#[test]
fn moderator_can_promote_and_demote() {
    let (server, mut ana) = moderated_server();
    let mut bruno = enter_observed_by(&server, &mut ana, "Bruno");
    ana.moderate(json!({"act": "promote", "name": "bruno"}));
    let promoted = [
        "Bruno moderates",
        "* Ana promoveu Bruno, que agora também organiza a conversa.",
    ];
    ana.expect(&promoted);
    bruno.expect(&promoted);
    ana.moderate(json!({"act": "kick", "name": "Bruno"}));
    assert_eq!(ana.expect_refusal().0, "forbidden");
    bruno.moderate(json!({"act": "announce", "text": "Boa tarde!"}));
    ana.expect(&["Bruno! Boa tarde!"]);
    ana.moderate(json!({"act": "demote", "name": "Bruno"}));
    bruno.expect(&[
        "Bruno! Boa tarde!",
        "Bruno no longer moderates",
        "* Ana rebaixou Bruno, que não organiza mais a conversa.",
    ]);
    bruno.moderate(json!({"act": "announce", "text": "Boa noite!"}));
    assert_eq!(bruno.expect_refusal().0, "forbidden");
}

#[test]
fn muted_person_is_refused_with_retry_delay() {
    let (server, mut ana) = moderated_server();
    let mut bruno = enter_observed_by(&server, &mut ana, "Bruno");
    ana.moderate(json!({"act": "mute", "name": "Bruno", "seconds": SHORT_SANCTION_SECS}));
    bruno.expect(&["* Ana silenciou Bruno por 5 segundos."]);
    bruno.say("mas");
    let (code, retry) = bruno.expect_refusal();
    assert_eq!(code, "muted");
    wait_as_told(retry);
    bruno.say("posso?");
    bruno.expect(&["ack m2 1"]);
    ana.moderate(json!({"act": "mute", "name": "Bruno"}));
    bruno.expect(&["* Ana silenciou Bruno por 10 minutos."]);
    bruno.send(json!({"type": "whisper", "to": "Ana", "id": "w1", "text": "desculpe"}));
    assert_eq!(bruno.expect_refusal().0, "muted");
    ana.moderate(json!({"act": "unmute", "name": "Bruno"}));
    bruno.expect(&["* Ana devolveu a palavra a Bruno."]);
    bruno.say("obrigado");
    bruno.expect(&["ack m3 2"]);
}

#[test]
fn room_modes_bind_everybody_but_moderators() {
    let (server, mut ana) = moderated_server();
    let mut bruno = enter_observed_by(&server, &mut ana, "Bruno");
    ana.moderate(json!({"act": "moderators_only", "room": "geral", "on": true}));
    bruno.expect(&["* Ana pediu silêncio na sala geral: só quem organiza a conversa fala agora."]);
    bruno.say("e eu?");
    assert_eq!(bruno.expect_refusal(), ("moderators_only".into(), None));
    ana.say("atenção");
    bruno.expect(&["1 Ana: atenção"]);
    ana.moderate(json!({"act": "moderators_only", "room": "geral", "on": false}));
    ana.moderate(json!({"act": "slow", "room": "geral", "seconds": SHORT_SANCTION_SECS}));
    bruno.expect(&[
        "* Ana devolveu a palavra a todo mundo na sala geral.",
        "* Ana ligou o modo lento na sala geral: uma mensagem por pessoa a cada 5 segundos.",
    ]);
    bruno.say("um");
    bruno.say("dois");
    bruno.expect(&["ack m2 2"]);
    let (code, retry) = bruno.expect_refusal();
    assert_eq!(code, "slow_mode");
    wait_as_told(retry);
    bruno.say("dois");
    bruno.expect(&["ack m4 3"]);
}

#[test]
fn room_state_follows_each_act_of_a_moderator() {
    let (server, mut ana) = moderated_server();
    let mut bruno = enter_observed_by(&server, &mut ana, "Bruno");
    let mut celia = enter_observed_by(&server, &mut ana, "Célia");
    let state = |slow_ms: u64, locked: bool| {
        json!({"type": "room_state", "room": "geral", "moderators_only": false, "slow_ms": slow_ms,
               "password": false, "locked": locked})
    };
    ana.moderate(json!({"act": "slow", "room": "geral", "seconds": 10}));
    for client in [&mut bruno, &mut celia] {
        assert_eq!(client.receive_room_state(), state(10_000, false));
    }
    ana.moderate(json!({"act": "mute", "name": "Bruno", "seconds": 60}));
    let muted = bruno.receive_room_state();
    let until = muted["muted_until"].as_u64().expect("the end of the mute");
    ana.moderate(json!({"act": "lock", "on": true}));
    assert_eq!(celia.receive_room_state(), state(10_000, true));
    // The muted person gets the own state after the one for all.
    assert_eq!(bruno.receive_room_state(), state(10_000, true));
    let muted_and_locked = bruno.receive_room_state();
    let again = muted_and_locked["muted_until"].as_u64().unwrap();
    assert!(again.abs_diff(until) < 1000, "{muted} {muted_and_locked}");
    assert_eq!(muted_and_locked["locked"], true);
}

#[test]
fn locked_server_admits_only_people_already_inside() {
    let (server, mut ana) = moderated_server();
    let bruno = enter_observed_by(&server, &mut ana, "Bruno");
    ana.moderate(json!({"act": "lock", "on": true}));
    ana.expect(&["* Ana trancou a conversa: ninguém novo entra."]);
    let mut celia = server.connect();
    assert_eq!(
        summary(&celia.enter_with("Célia", json!({}))),
        "error locked"
    );
    drop(bruno);
    let bruno = server.enter("Bruno");
    bruno.leave();
    ana.expect(&["1 online -Bruno"]);
    let mut bruno = server.connect();
    assert_eq!(
        summary(&bruno.enter_with("Bruno", json!({}))),
        "error locked"
    );
    ana.leave();
    let mut ana = server.enter_moderator("Ana");
    ana.moderate(json!({"act": "lock", "on": false}));
    ana.expect(&["* Ana destrancou a conversa."]);
    // The same connections may try again.
    celia.enter("Célia");
    bruno.enter("Bruno");
}

#[test]
fn locked_server_refuses_returner_after_grace() {
    let server = TestServer::start_with(|setup| {
        setup.rules.moderator_key = Some(PasswordHash::of(MODERATOR_KEY));
        setup.rules.grace = Duration::from_millis(50);
    });
    let mut ana = server.enter_moderator("Ana");
    let bruno = enter_observed_by(&server, &mut ana, "Bruno");
    ana.moderate(json!({"act": "lock", "on": true}));
    ana.expect(&["* Ana trancou a conversa: ninguém novo entra."]);
    drop(bruno);
    ana.expect(&["1 online -Bruno"]);
    assert_eq!(
        summary(&server.connect().enter_with("Bruno", json!({}))),
        "error locked"
    );
}

#[test]
fn kick_closes_all_tabs_and_allows_return() {
    let (server, mut ana) = moderated_server();
    let mut tabs = [
        enter_observed_by(&server, &mut ana, "Bruno"),
        server.enter("Bruno"),
    ];
    ana.moderate(json!({"act": "kick", "name": "Bruno"}));
    for tab in &mut tabs {
        assert_eq!(tab.wait_for_disconnect(), disconnected_with("kicked", 1008));
    }
    ana.expect_in_any_order(&["1 online -Bruno", "* Ana expulsou Bruno da conversa."]);
    ana.moderate(json!({"act": "kick", "name": "Bruno"}));
    assert_eq!(ana.expect_refusal().0, "no_such_person");
    server.enter("Bruno");
    ana.expect(&["2 online +Bruno"]);
}

#[test]
fn ban_closes_all_tabs_until_it_ends_or_is_lifted() {
    let (server, mut ana) = moderated_server();
    let mut tabs = [
        enter_observed_by(&server, &mut ana, "Bruno"),
        server.enter("Bruno"),
    ];
    ana.moderate(json!({"act": "ban", "name": "Bruno", "seconds": SHORT_SANCTION_SECS}));
    for tab in &mut tabs {
        assert_eq!(tab.wait_for_disconnect(), disconnected_with("banned", 1008));
    }
    ana.expect_in_any_order(&[
        "1 online -Bruno",
        "* Ana baniu Bruno da conversa por 5 segundos.",
    ]);
    let mut bruno = server.connect();
    let error = bruno.enter_with("Bruno", json!({}));
    assert_eq!(summary(&error), "error banned");
    assert_eq!(
        bruno.wait_for_disconnect(),
        disconnected_with("banned", 1008)
    );
    wait_as_told(error["retry_after_ms"].as_u64());
    let mut bruno = server.enter("Bruno");
    ana.expect(&["2 online +Bruno"]);
    ana.moderate(json!({"act": "ban", "name": "Bruno"}));
    assert_eq!(
        bruno.wait_for_disconnect(),
        disconnected_with("banned", 1008)
    );
    ana.moderate(json!({"act": "unban", "name": "Bruno"}));
    ana.expect_in_any_order(&[
        "1 online -Bruno",
        "* Ana baniu Bruno da conversa por 1 hora.",
        "* Ana perdoou Bruno, que pode entrar de novo.",
    ]);
    server.enter("Bruno");
}

#[test]
fn moderator_erases_messages_also_for_newcomers() {
    let (server, mut ana) = moderated_server();
    let mut bruno = enter_observed_by(&server, &mut ana, "Bruno");
    let mut celia = enter_observed_by(&server, &mut ana, "Célia");
    bruno.expect(&["3 online +Célia"]);
    for text in ["bobagem", "mais bobagem"] {
        bruno.say(text);
        celia.receive();
    }
    celia.say("ei!");
    bruno.expect(&["ack m1 1", "ack m2 2", "3 Célia: ei!"]);
    bruno.leave();
    celia.expect(&["ack m1 3", "2 online -Bruno"]);
    celia.moderate(json!({"act": "erase", "room": "geral", "id": "x", "name": "Bruno"}));
    assert_eq!(celia.expect_refusal().0, "forbidden");
    ana.expect(&[
        "1 Bruno: bobagem",
        "2 Bruno: mais bobagem",
        "3 Célia: ei!",
        "2 online -Bruno",
    ]);
    ana.moderate(json!({"act": "erase", "room": "geral", "id": "e1", "name": "Bruno"}));
    ana.expect(&["ack e1 4"]);
    assert_eq!(celia.receive()["erases"], json!([1, 2]));
    ana.send(json!({"type": "erase", "room": "geral", "id": "e2", "seq": 3}));
    ana.expect(&["ack e2 5"]);
    assert_eq!(celia.receive()["erases"], json!([3]));
    ana.moderate(json!({"act": "erase", "room": "geral", "id": "e3", "name": "Brunno"}));
    let error = ana.receive();
    assert_eq!(summary(&error), "error no_such_entry");
    assert!(
        error["text"].as_str().unwrap().contains("Confira o nome"),
        "{error}"
    );
    let mut davi = server.connect();
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
    /// A client that has entered as a moderator.
    fn enter_moderator(&self, name: &str) -> WsClient {
        let mut client = self.connect();
        assert_eq!(
            client.enter_with(name, json!({"moderator_key": MODERATOR_KEY}))["moderator"],
            true
        );
        assert_eq!(client.receive()["type"], "joined");
        client
    }
}
