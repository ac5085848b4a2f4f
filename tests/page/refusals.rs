//! When the server says no, to somebody in a hurry and to one message, or has not answered yet.

use crate::browser::Browser;
use crate::puppet::Puppet;
use crate::stage::{Folder, TestServer, Visitor};
use crate::talk::file_page;
use papo::hub::limits::Rules;
use serde_json::json;
use std::net::TcpListener;

#[test]
#[ignore = "needs chromium"]
fn whoever_writes_too_fast_waits_and_loses_nothing() {
    let (server, browser) = (TestServer::start_with(Rules::default()), Browser::start());
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    let ana = browser.person().opens(&server.url());
    ana.enters("Ana");
    let said: Vec<String> = (1..=40).map(|n| format!("depressa {n}")).collect();
    for text in &said {
        ana.says(text);
    }
    for text in &said {
        assert_eq!(
            rita.hears(|message| message["type"] == "message")["text"],
            *text
        );
    }
    ana.waits("entries().every((entry) => !isUnsent(entry))");
    ana.shows(&said);
    ana.ends("too-fast");
}

#[test]
#[ignore = "needs chromium"]
fn a_refused_message_is_tried_again_or_thrown_away() {
    let (folder, browser) = (Folder::new(), Browser::start());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let refusing = std::thread::spawn(move || {
        let mut server = Puppet::lets_in(&listener, &json!({}));
        let mut tries = Vec::new();
        let refusal = "O disco do servidor está cheio.";
        while let Some(say) = server.hears("say") {
            let again = tries.contains(&say["id"]);
            tries.push(say["id"].clone());
            server.says(if again {
                json!({"type": "ack", "id": say["id"], "room": "geral", "seq": 1, "at": 1_772_557_500_000_u64})
            } else {
                json!({"type": "error", "code": "history_unavailable", "text": refusal, "id": say["id"]})
            });
        }
        tries
    });
    let ana = browser
        .person()
        .opens(&format!("{}#{address}", file_page(&folder)));
    ana.enters("Ana");
    ana.says("insisto");
    ana.says("desisto");
    ana.waits("Array.from(document.querySelectorAll('.refused')).filter(isVisible).length === 2");
    ana.sees("não enviada");
    ana.sees("O disco do servidor está cheio.");
    ana.poses("refused");
    ana.chooses("button", "Tentar de novo");
    ana.hears("Ana", "insisto");
    ana.chooses("button", "Descartar");
    ana.shows(&["insisto".to_owned()]);
    ana.ends("refused-and-tried-again");
    drop(browser);
    let tries = refusing.join().unwrap();
    // The same id again: it would be the same message if the refusal had come too late.
    assert_eq!((tries.len(), &tries[0]), (3, &tries[2]));
}

/// A message that was said under one name, cut off and said again under the other would be two messages: they are two
/// persons to the server.
#[test]
#[ignore = "needs chromium"]
fn a_name_changes_between_two_messages_and_never_while_one_is_on_its_way() {
    let (folder, browser) = (Folder::new(), Browser::start());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, is_asked) = std::sync::mpsc::channel();
    let answering = std::thread::spawn(move || {
        let mut server = Puppet::lets_in(&listener, &json!({}));
        let first = server.hears("say").unwrap();
        let meanwhile = server.hears_before("rooms");
        server.says(json!({"type": "ack", "id": first["id"], "room": "geral", "seq": 1, "at": 1_772_557_500_000_u64}));
        let rename = server.hears("rename").unwrap();
        asked.send(()).unwrap();
        let while_renaming = server.hears_before("rooms");
        server.says(
            json!({"type": "welcome", "name": rename["name"], "tag": "bia", "token": "t".repeat(32),
            "protocol": 1, "server": "papo", "limits": {"text": 4000}, "heartbeat_ms": 20000}),
        );
        (
            first,
            meanwhile,
            while_renaming,
            server.hears("say").unwrap(),
        )
    });
    let ana = browser
        .person()
        .opens(&format!("{}#{address}", file_page(&folder)));
    ana.enters("Ana");
    for typed in ["um", "/nome Bia", "/salas"] {
        ana.says(typed);
    }
    is_asked
        .recv_timeout(crate::devtools::patience())
        .expect("the name is asked for");
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
