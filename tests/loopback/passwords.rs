//! Passwords, over real connections.

use crate::stage::{TestServer, Visitor, short};
use papo::identity::PasswordHash;
use serde_json::json;

#[test]
fn a_server_with_a_password_asks_for_it_and_lets_nobody_guess_for_long() {
    let server = TestServer::start_with(|setup| {
        setup.rules.password = Some(PasswordHash::of("abre-te, sésamo"))
    });
    let mut ana = server.visitor();
    let mut answer = |password| short(&ana.enter_with("Ana", json!({ "password": password })));
    assert_eq!(answer(json!(null)), "error password_required");
    assert_eq!(answer(json!("")), "error password_required");
    assert_eq!(answer(json!("Abre-te, sésamo")), "error password_wrong");
    assert_eq!(answer(json!("abre-te, sésamo")), "welcome Ana");
    ana.hears(&["joined geral 1"]);
    let mut guesser = server.visitor();
    for _ in 0..4 {
        assert_eq!(
            short(&guesser.enter_with("Bruno", json!({"password": "x"}))),
            "error password_wrong"
        );
    }
    let refused = guesser.enter_with("Bruno", json!({"password": "abre-te, sésamo"}));
    assert_eq!(short(&refused), "error too_fast");
    assert!(
        (1..=60_001).contains(&refused["retry_after_ms"].as_u64().unwrap()),
        "{refused}"
    );
    // Who is in comes back meanwhile.
    drop(ana);
    let mut ana = server.visitor();
    assert_eq!(
        short(&ana.enter_with("Ana", json!({"password": "abre-te, sésamo"}))),
        "welcome Ana"
    );
}

#[test]
fn whoever_opens_a_room_may_close_it_with_a_password() {
    let server = TestServer::start();
    let (mut ana, mut bruno) = (server.enter("Ana"), server.enter("Bruno"));
    ana.hears(&["2 online +Bruno"]);
    let join = |visitor: &mut Visitor, password: Option<&str>| {
        visitor.send(json!({"type": "join", "room": "lab", "room_password": password}));
        visitor.next()
    };
    assert_eq!(short(&join(&mut ana, None)), "joined lab 1");
    ana.send(json!({"type": "room_password", "room": "lab", "password": "átomo"}));
    ana.hears(&["* Ana pôs uma senha nesta sala: quem chegar agora precisa dela."]);
    let refused = join(&mut bruno, None);
    assert_eq!(
        (short(&refused), &refused["room"]),
        ("error password_required".into(), &json!("lab"))
    );
    assert_eq!(
        short(&join(&mut bruno, Some("atomo"))),
        "error password_wrong"
    );
    assert_eq!(short(&join(&mut bruno, Some("átomo"))), "joined lab 2");
    bruno.send(json!({"type": "room_password", "room": "lab"}));
    bruno.send(json!({"type": "room_password", "room": "geral", "password": "x"}));
    bruno.hears(&["error forbidden", "error forbidden"]);
    let mut celia = server.visitor();
    assert_eq!(
        short(&celia.enter_with("Célia", json!({"room": "lab"}))),
        "error password_required"
    );
    assert_eq!(
        short(&celia.enter_with("Célia", json!({"room": "lab", "room_password": "átomo"}))),
        "welcome Célia"
    );
}
