//! Refused and unanswered requests: the rate limit, one refused message, a rename in between.

use crate::browser::Browser;
use crate::harness::generous;
use crate::page_actions::file_page;
use crate::support::fake_server::FakeServer;
use crate::support::server::TestServer;
use serde_json::json;
use tempfile::TempDir;

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
