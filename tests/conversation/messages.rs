//! Messages, names, rooms and whispers between people.

use crate::support::client::{WsClient, disconnected_with, summary};
use crate::support::server::TestServer;
use serde_json::json;
use std::time::Duration;

#[test]
fn two_people_see_messages_in_the_same_order() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    let mut bruno = server.enter("Bruno");
    ana.expect(&["2 online +Bruno"]);
    ana.say("oi, Bruno");
    ana.expect(&["ack m1 1"]);
    bruno.expect(&["1 Ana: oi, Bruno"]);
    bruno.say("olá! tudo bem? 🙂");
    bruno.expect(&["ack m1 2"]);
    ana.expect(&["2 Bruno: olá! tudo bem? 🙂"]);
}

#[test]
fn ack_takes_its_message_place_in_the_order() {
    const EACH: usize = 15;
    let server = TestServer::start();
    let names = ["Ana", "Bruno", "Célia"];
    let mut clients: Vec<WsClient> = names.iter().map(|name| server.enter(name)).collect();
    for client in &mut clients {
        for n in 0..EACH {
            client.say(&format!("mensagem {n}"));
        }
    }
    for (client, name) in clients.iter_mut().zip(names) {
        let mut seqs = Vec::new();
        while seqs.len() < names.len() * EACH {
            let message = client.receive();
            match message["type"].as_str().unwrap() {
                "message" => assert_ne!(message["from"], name),
                "ack" => assert_eq!(message["id"].as_str().unwrap()[..1], *"m"),
                "presence" => continue,
                other => panic!("{other}"),
            }
            seqs.push(message["seq"].as_u64().unwrap());
        }
        assert_eq!(seqs, (1..=45).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn join_and_leave_are_announced_and_free_the_name() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    server.enter("João").leave();
    ana.expect(&["2 online +João", "1 online -João"]);
    let mut other = server.connect();
    other.send(json!({"type": "enter", "name": "joao", "token": "somebody-else-entirely"}));
    other.expect(&["welcome joao", "joined geral 2"]);
}

#[test]
fn taken_name_is_refused_in_any_spelling() {
    let server = TestServer::start();
    let _conceicao = server.enter("Conceição");
    let mut other = server.connect();
    other.send(json!({"type": "enter", "name": "CONCEICAO", "token": "somebody-else-entirely"}));
    let refusal = other.receive();
    assert_eq!(refusal["code"], "name_taken");
    assert!(
        refusal["text"].as_str().unwrap().contains("“CONCEICAO 2”"),
        "{refusal}"
    );
    other.send(json!({"type": "enter", "name": "Conceição 2"}));
    other.expect(&["welcome Conceição 2", "joined geral 2"]);
}

#[test]
fn second_tab_is_same_person_and_gets_own_messages() {
    let server = TestServer::start();
    let mut bruno = server.enter("Bruno");
    let mut first = server.enter("Ana");
    let mut second = server.enter("Ana");
    bruno.expect(&["2 online +Ana"]);
    first.say("de uma aba");
    second.expect(&["1 Ana: de uma aba"]);
    first.expect(&["ack m1 1"]);
    bruno.expect(&["1 Ana: de uma aba"]);
    first.leave();
    bruno.expect_nothing();
    second.leave();
    bruno.expect(&["1 online -Ana"]);
}

#[test]
fn reconnect_within_grace_is_not_announced() {
    let server = TestServer::start();
    let mut bruno = server.enter("Bruno");
    let ana = server.enter("Ana");
    bruno.expect(&["2 online +Ana"]);
    drop(ana);
    let mut ana = server.enter("Ana");
    bruno.say("voltou?");
    ana.expect(&["1 Bruno: voltou?"]);
    bruno.expect(&["ack m1 1"]);
    // A reload of the page closes with 1001: that is no goodbye either.
    ana.close(1001);
    server.enter("Ana");
    bruno.expect_nothing();
}

#[test]
fn dropped_person_leaves_after_grace() {
    let server = TestServer::start_with(|setup| setup.rules.grace = Duration::from_millis(50));
    let mut bruno = server.enter("Bruno");
    drop(server.enter("Ana"));
    bruno.expect(&["2 online +Ana", "1 online -Ana"]);
}

#[test]
fn newcomer_gets_history_and_returner_only_the_rest() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    for text in ["um", "dois", "três"] {
        ana.say(text);
    }
    ana.expect(&["ack m1 1", "ack m2 2", "ack m3 3"]);
    let joined = server.connect().enter("Bruno");
    let texts: Vec<_> = joined["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["text"])
        .collect();
    assert_eq!(texts, ["um", "dois", "três"]);
    let mut back = server.connect();
    let since = json!({"epoch": joined["epoch"], "after": 2});
    assert_eq!(summary(&back.enter_with("Bruno", since)), "welcome Bruno");
    let joined = back.receive();
    assert_eq!(
        (
            joined["entries"].as_array().unwrap().len(),
            &joined["entries"][0]["seq"]
        ),
        (1, &json!(3))
    );
}

#[test]
fn resend_with_same_id_is_acked_as_duplicate() {
    let server = TestServer::start();
    let mut bruno = server.enter("Bruno");
    let mut ana = server.enter("Ana");
    ana.say("chegou?");
    bruno.expect(&["2 online +Ana", "1 Ana: chegou?"]);
    drop(ana);
    let mut ana = server.enter("Ana");
    ana.say("chegou?");
    let ack = ana.receive();
    assert_eq!(
        (summary(&ack), &ack["duplicate"]),
        ("ack m1 1".into(), &json!(true))
    );
    bruno.expect_nothing();
}

#[test]
fn rooms_do_not_see_each_other() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    let mut bruno = server.enter("Bruno");
    let mut celia = server.enter("Célia");
    ana.expect(&["2 online +Bruno", "3 online +Célia"]);
    bruno.expect(&["3 online +Célia"]);
    ana.send(json!({"type": "join", "room": "laboratório"}));
    ana.expect(&["joined laboratório 1"]);
    bruno.send(json!({"type": "join", "room": "LABORATORIO"}));
    bruno.expect(&["joined laboratório 2"]);
    ana.expect(&["2 online +Bruno"]);
    ana.send(json!({"type": "say", "room": "laboratorio", "id": "x", "text": "só aqui"}));
    bruno.expect(&["1 Ana: só aqui"]);
    celia.expect_nothing();
    bruno.send(json!({"type": "leave", "room": "laboratorio"}));
    bruno.expect(&["left laboratório"]);
    ana.expect(&["ack x 1", "1 online -Bruno"]);
    celia.send(json!({"type": "rooms"}));
    let rooms = celia.receive();
    let expected = json!([
        {"room": "geral", "online": 3, "seq": 0, "password": false},
        {"room": "laboratório", "online": 1, "seq": 1, "password": false},
    ]);
    assert_eq!(rooms["rooms"], expected);
}

#[test]
fn whisper_and_typing_reach_only_their_recipients() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    let mut bruno = server.enter("Bruno");
    let mut celia = server.enter("Célia");
    bruno.expect(&["3 online +Célia"]);
    ana.expect(&["2 online +Bruno", "3 online +Célia"]);
    ana.send(json!({"type": "whisper", "to": "celia", "id": "w1", "text": "psiu"}));
    ana.expect(&["ack w1"]);
    celia.expect(&["Ana > Célia: psiu"]);
    ana.send(json!({"type": "typing", "room": "geral"}));
    bruno.expect(&["Ana types"]);
    celia.expect(&["Ana types"]);
    ana.expect_nothing();
}

#[test]
fn rename_is_announced_and_frees_the_old_name() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    let mut bruno = server.enter("Bruno");
    ana.expect(&["2 online +Bruno"]);
    bruno.send(json!({"type": "rename", "name": "Bruno Lima"}));
    let welcome = bruno.receive();
    assert_eq!(welcome["name"], "Bruno Lima");
    let presence = ana.receive();
    let expected = json!([{"from": "Bruno", "to": "Bruno Lima", "tag": welcome["tag"]}]);
    assert_eq!(presence["renamed"], expected);
    bruno.say("agora sim");
    ana.expect(&["1 Bruno Lima: agora sim"]);
    server.enter("Bruno");
}

#[test]
fn server_stop_says_bye_to_every_connection() {
    let server = TestServer::start();
    let mut clients: Vec<WsClient> = (0..20)
        .map(|n| server.enter(&format!("Pessoa {n}")))
        .collect();
    clients.push(server.connect());
    let endings: Vec<_> = clients
        .into_iter()
        .map(|mut client| std::thread::spawn(move || client.wait_for_disconnect()))
        .collect();
    server.stop();
    for ending in endings {
        assert_eq!(ending.join().unwrap(), disconnected_with("shutdown", 1001));
    }
}
