//! Passwords, over real connections.

use crate::support::client::{WsClient, summary};
use crate::support::server::TestServer;
use papo::auth::PasswordHash;
use serde_json::json;

#[test]
fn server_password_is_required_and_guesses_are_limited() {
    let server = TestServer::start_with(|setup| {
        setup.rules.password = Some(PasswordHash::of("abre-te, sésamo"));
    });
    let mut ana = server.connect();
    let mut answer = |password| summary(&ana.enter_with("Ana", json!({ "password": password })));
    assert_eq!(answer(json!(null)), "error password_required");
    assert_eq!(answer(json!("")), "error password_required");
    assert_eq!(answer(json!("Abre-te, sésamo")), "error password_wrong");
    assert_eq!(answer(json!("abre-te, sésamo")), "welcome Ana");
    ana.expect(&["joined geral 1"]);
    let mut guesser = server.connect();
    for _ in 0..4 {
        assert_eq!(
            summary(&guesser.enter_with("Bruno", json!({"password": "x"}))),
            "error password_wrong"
        );
    }
    let refused = guesser.enter_with("Bruno", json!({"password": "abre-te, sésamo"}));
    assert_eq!(summary(&refused), "error too_fast");
    assert!(
        (1..=60_001).contains(&refused["retry_after_ms"].as_u64().unwrap()),
        "{refused}"
    );
    // A person who is known comes back meanwhile.
    drop(ana);
    let mut ana = server.connect();
    assert_eq!(
        summary(&ana.enter_with("Ana", json!({"password": "abre-te, sésamo"}))),
        "welcome Ana"
    );
}

#[test]
fn room_owner_can_set_a_password() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    let mut bruno = server.enter("Bruno");
    ana.expect(&["2 online +Bruno"]);
    let join = |client: &mut WsClient, password: Option<&str>| {
        client.send(json!({"type": "join", "room": "lab", "room_password": password}));
        client.receive()
    };
    assert_eq!(summary(&join(&mut ana, None)), "joined lab 1");
    ana.send(json!({"type": "room_password", "room": "lab", "password": "átomo"}));
    ana.expect(&["* Ana pôs uma senha nesta sala: quem chegar agora precisa dela."]);
    let refused = join(&mut bruno, None);
    assert_eq!(
        (summary(&refused), &refused["room"]),
        ("error password_required".into(), &json!("lab"))
    );
    assert_eq!(
        summary(&join(&mut bruno, Some("atomo"))),
        "error password_wrong"
    );
    assert_eq!(summary(&join(&mut bruno, Some("átomo"))), "joined lab 2");
    bruno.send(json!({"type": "room_password", "room": "lab"}));
    bruno.send(json!({"type": "room_password", "room": "geral", "password": "x"}));
    bruno.expect(&["error forbidden", "error forbidden"]);
    let mut celia = server.connect();
    assert_eq!(
        summary(&celia.enter_with("Célia", json!({"room": "lab"}))),
        "error password_required"
    );
    assert_eq!(
        summary(&celia.enter_with("Célia", json!({"room": "lab", "room_password": "átomo"}))),
        "welcome Célia"
    );
}
