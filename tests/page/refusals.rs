//! Refused and unanswered requests: the rate limit, one refused message, a rename in between.

use crate::browser::Browser;
use crate::harness::generous;
use crate::page_actions::file_page;
use crate::support::fake_server::FakeServer;
use crate::support::server::TestServer;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The confirmation of a message of the lobby.
fn ack(say: &Value, seq: u64) -> Value {
    json!({"type": "ack", "id": say["id"], "room": "geral", "seq": seq, "at": 1_772_557_500_000_u64})
}

#[test]
#[ignore = "needs chromium"]
fn rate_limited_messages_are_all_sent_in_order() {
    let server = TestServer::start_with(generous);
    let browser = Browser::start();
    let mut rita = server.enter("Rita");
    let ana = browser.profile().opens(&server.url());
    ana.enters("Ana");
    let said: Vec<String> = (1..=40).map(|n| format!("depressa {n}")).collect();
    for text in &said {
        ana.says(text);
    }
    for text in &said {
        assert_eq!(
            rita.receive_where(|message| message["type"] == "message")["text"],
            *text
        );
    }
    ana.wait_until("entries().every((entry) => !isUnsent(entry))");
    ana.shows(&said);
    ana.finish("too-fast");
}

#[test]
#[ignore = "needs chromium"]
fn refused_message_can_be_retried_or_discarded() {
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let fake_server = FakeServer::listen();
    let address = fake_server.address;
    let refusing = std::thread::spawn(move || {
        let mut server = fake_server.accept(json!({}));
        let mut tries = Vec::new();
        let refusal = "O disco do servidor está cheio.";
        while let Some(say) = server.receive("say") {
            let again = tries.contains(&say["id"]);
            tries.push(say["id"].clone());
            server.send(if again {
                json!({"type": "ack", "id": say["id"], "room": "geral", "seq": 1, "at": 1_772_557_500_000_u64})
            } else {
                json!({"type": "error", "code": "history_unavailable", "text": refusal, "id": say["id"]})
            });
        }
        tries
    });
    let ana = browser
        .profile()
        .opens(&format!("{}#{address}", file_page(&folder)));
    ana.enters("Ana");
    ana.says("insisto");
    ana.says("desisto");
    ana.wait_until(
        "Array.from(document.querySelectorAll('.refused')).filter(isVisible).length === 2",
    );
    ana.sees("não enviada");
    ana.sees("O disco do servidor está cheio.");
    ana.screenshots("refused");
    ana.chooses("button", "Tentar de novo");
    ana.sees_message("Ana", "insisto");
    ana.chooses("button", "Descartar");
    ana.shows(&["insisto".to_owned()]);
    ana.finish("refused-and-tried-again");
    drop(browser);
    let tries = refusing.join().unwrap();
    // The retry uses the same id, so that it cannot be stored twice.
    assert_eq!((tries.len(), &tries[0]), (3, &tries[2]));
}

/// A refused message is put back into the box, before the draft; the server never gets it again.
#[test]
#[ignore = "needs chromium"]
fn refused_message_can_be_taken_back_for_editing() {
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let fake_server = FakeServer::listen();
    let address = fake_server.address;
    let refusing = std::thread::spawn(move || {
        let mut server = fake_server.accept(json!({}));
        let mut texts = Vec::new();
        while let Some(say) = server.receive("say") {
            let refused = texts.is_empty();
            let seq = texts.len() as u64;
            texts.push(say["text"].clone());
            server.send(if refused {
                json!({"type": "error", "code": "muted", "text": "Ainda não.", "id": say["id"]})
            } else {
                ack(&say, seq)
            });
        }
        texts
    });
    let ana = browser
        .profile()
        .opens(&format!("{}#{address}", file_page(&folder)));
    ana.enters("Ana");
    ana.says("/eu acena");
    ana.says("e a fila anda");
    ana.sees_message("Ana", "e a fila anda");
    ana.sees("não enviada · Ainda não.");
    ana.screenshots("take-back");
    ana.prefer_scheme("dark");
    ana.screenshots("take-back-dark");
    ana.types_draft("rascunho");
    ana.chooses("button", "Editar");
    ana.wait_until("document.querySelector('#mensagem').value === '/eu acena\\nrascunho'");
    ana.wait_until("document.activeElement.id === 'mensagem'");
    ana.shows(&["e a fila anda".to_owned()]);
    ana.reloads();
    ana.assert_healthy();
    drop(browser);
    assert_eq!(
        refusing.join().unwrap(),
        [json!("acena"), json!("e a fila anda")]
    );
}

/// The server could not read what came and says so without an id: that may be this message or another request. The same
/// id is sent again, and only silence gives a message up; the others follow.
#[test]
#[ignore = "needs chromium"]
fn refusal_without_id_gives_no_message_up() {
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let fake_server = FakeServer::listen();
    let address = fake_server.address;
    let answering = std::thread::spawn(move || {
        let mut server = fake_server.accept(json!({}));
        let mut ids = Vec::new();
        let mut seq = 0;
        while let Some(say) = server.receive("say") {
            ids.push((say["text"].clone(), say["id"].clone()));
            let sends = ids.iter().filter(|(text, _)| *text == say["text"]).count();
            let unreadable = say["text"] == "nunca" || sends == 1;
            server.send(if unreadable {
                json!({"type": "error", "code": "bad_json", "text": "Não entendi esta mensagem."})
            } else {
                seq += 1;
                ack(&say, seq)
            });
        }
        ids
    });
    let ana = browser
        .profile()
        .opens(&format!("{}#{address}", file_page(&folder)));
    ana.enters("Ana");
    ana.says("na segunda vez");
    ana.says("nunca");
    ana.says("depois");
    ana.sees("Não entendi esta mensagem.");
    ana.sees_message("Ana", "na segunda vez");
    ana.sees("não enviada · O servidor não confirmou esta mensagem.");
    ana.sees_message("Ana", "depois");
    ana.finish("without-id");
    drop(browser);
    let sent = answering.join().unwrap();
    let texts: Vec<&str> = sent
        .iter()
        .map(|(text, _)| text.as_str().unwrap())
        .collect();
    assert_eq!(
        texts,
        [
            "na segunda vez",
            "na segunda vez",
            "nunca",
            "nunca",
            "nunca",
            "depois",
            "depois"
        ]
    );
    assert!(sent.iter().all(|(text, id)| {
        sent.iter()
            .all(|(other, other_id)| (text == other) == (id == other_id))
    }));
}

/// A message resent under the new name would be stored twice: the server takes it for another person's.
#[test]
#[ignore = "needs chromium"]
fn rename_waits_for_the_message_in_flight() {
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let fake_server = FakeServer::listen();
    let address = fake_server.address;
    let (rename_sent, rename_received) = std::sync::mpsc::channel();
    let answering = std::thread::spawn(move || {
        let mut server = fake_server.accept(json!({}));
        let first = server.receive("say").unwrap();
        let meanwhile = server.kinds_before("rooms");
        server.send(json!({"type": "ack", "id": first["id"], "room": "geral", "seq": 1, "at": 1_772_557_500_000_u64}));
        let rename = server.receive("rename").unwrap();
        rename_sent.send(()).unwrap();
        let while_renaming = server.kinds_before("rooms");
        server.send(
            json!({"type": "welcome", "name": rename["name"], "tag": "bia", "token": "t".repeat(32),
            "protocol": 1, "server": "papo", "limits": {"text": 4000}, "heartbeat_ms": 20000}),
        );
        (
            first,
            meanwhile,
            while_renaming,
            server.receive("say").unwrap(),
        )
    });
    let ana = browser
        .profile()
        .opens(&format!("{}#{address}", file_page(&folder)));
    ana.enters("Ana");
    for typed in ["um", "/nome Bia", "/salas"] {
        ana.says(typed);
    }
    rename_received
        .recv_timeout(crate::support::patience())
        .expect("the page asks for the new name");
    for typed in ["dois", "/salas"] {
        ana.says(typed);
    }
    let (first, meanwhile, while_renaming, second) = answering.join().unwrap();
    assert_eq!(
        (&first["text"], &second["text"]),
        (&json!("um"), &json!("dois"))
    );
    assert!(!meanwhile.contains(&"rename".to_owned()), "{meanwhile:?}");
    assert!(
        !while_renaming.contains(&"say".to_owned()),
        "{while_renaming:?}"
    );
}

/// A room that can't be opened now is asked for again; what is said in it waits, and is shown as it was stored.
#[test]
#[ignore = "needs chromium"]
fn room_that_cannot_be_opened_is_asked_for_again() {
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let fake_server = FakeServer::listen();
    let address = fake_server.address;
    let serving = std::thread::spawn(move || {
        let lab = json!({"type": "joined", "room": "lab", "epoch": "e", "seq": 0, "oldest": 1, "online": 1,
            "members": [], "entries": [], "more": false, "reset": false});
        let mut first = fake_server.accept(json!({}));
        let join = first.receive("join").unwrap();
        let busy = |join: &Value| json!({"type": "error", "code": "history_unavailable", "text": "Agora não.", "id": join["id"]});
        first.send(busy(&join));
        first.receive("join").unwrap();
        first.send(lab.clone());
        // Until here nothing was said in it.
        assert!(!first.kinds_before("rooms").contains(&"say".to_owned()));
        drop(first);
        let mut second = fake_server.accept(json!({}));
        let join = second.receive("join").unwrap();
        second.send(busy(&join));
        assert_eq!(second.kinds_before("join"), ["rooms"]);
        second.send(lab);
        let say = second.receive("say").unwrap();
        let mut stored = ack(&say, 1);
        stored["room"] = "lab".into();
        stored["text"] = "como foi guardada".into();
        second.send(stored);
        // A refusal for good gives back what waited.
        drop(second);
        let mut third = fake_server.accept(json!({}));
        let join = third.receive("join").unwrap();
        third.send(json!({"type": "error", "code": "password_wrong", "text": "A senha não confere.", "room": "lab",
            "id": join["id"]}));
        while third.receive("nothing").is_some() {}
    });
    let ana = browser
        .profile()
        .opens(&format!("{}#{address}", file_page(&folder)));
    ana.enters("Ana");
    ana.says("/entrar lab");
    ana.sees("Agora não. Nova tentativa em 1 s.");
    ana.wait_until(
        "document.querySelector('#salas [aria-current]')?.innerText.includes('lab') === true",
    );
    ana.says("/salas");
    ana.wait_until("document.querySelector('#papo').dataset.state !== 'online' || !Papo.rooms.find('lab').open");
    ana.says("como foi dita");
    ana.sees_message("Ana", "como foi guardada");
    ana.wait_until("!Papo.rooms.find('lab').open");
    ana.says("não chega");
    ana.sees("não enviada · A senha não confere.");
    ana.finish("room-refused");
    drop(browser);
    serving.join().unwrap();
}
