//! Conversation: two pages, accents, two tabs of one person, rooms and whispers.

use crate::browser::Browser;
use crate::harness::{start_process, start_server};
use crate::page_actions::file_page;
use crate::support::server::ReservedPort;
use serde_json::json;
use tempfile::TempDir;

#[test]
#[ignore = "needs chromium"]
fn file_page_and_served_page_exchange_messages() {
    let port = ReservedPort::new();
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let html = file_page(&folder);
    let _server = start_process(&port, &folder, &["--ritmo", "0"]);
    let ana = browser.profile().opens(&format!("{html}#{}", port.address));
    let bruno = browser.profile().opens(&port.url());
    ana.enters("Ana");
    bruno.enters("Bruno");
    ana.sees("Bruno entrou");
    ana.says("oi, Bruno");
    bruno.sees_message("Ana", "oi, Bruno");
    bruno.says("oi, Ana! vi o arquivo, https://exemplo.com.br/a?b=c");
    ana.sees_message(
        "Bruno",
        "oi, Ana! vi o arquivo, https://exemplo.com.br/a?b=c",
    );
    for n in 1..=5 {
        ana.says(&format!("a{n}"));
        bruno.says(&format!("b{n}"));
        ana.sees_message("Bruno", &format!("b{n}"));
        bruno.sees_message("Ana", &format!("a{n}"));
    }
    // Both pages show the same order.
    bruno.shows(&ana.texts());
    ana.finish("talking-file");
    bruno.finish("talking-served");
}

#[test]
#[ignore = "needs chromium"]
fn accents_emoji_and_dead_keys_arrive_as_typed() {
    let server = start_server();
    let browser = Browser::start();
    let mut rita = server.enter("Rita");
    let joao = browser.profile().opens(&server.url());
    joao.enters("João Antônio");
    let text = "Olá! Ação, coração, pinguim, às 9h — “não é?” 👩‍👩‍👧 🇧🇷";
    joao.says(text);
    rita.wait_for_text(text);
    joao.sees_message("João Antônio", text);
    // Enter that ends a composition (here the dead key ~) must not send the message.
    joao.types_draft("amanh");
    joao.call(
        "Input.imeSetComposition",
        json!({"text": "~", "selectionStart": 1, "selectionEnd": 1}),
    );
    joao.presses("Enter");
    joao.types("ã");
    joao.presses("Enter");
    assert_eq!(
        rita.receive_where(|message| message["type"] == "message")["text"],
        "amanhã"
    );
    // A decomposed accent is composed.
    rita.say_acked("cafe\u{301}");
    joao.sees_message("Rita", "caf\u{e9}");
    joao.types_draft("uma linha");
    joao.presses("Shift+Enter");
    joao.says("e outra");
    rita.wait_for_text("uma linha\ne outra");
    joao.finish("accents");
}

#[test]
#[ignore = "needs chromium"]
fn two_tabs_of_one_person_are_one_person() {
    let server = start_server();
    let browser = Browser::start();
    let mut rita = server.enter("Rita");
    let profile = browser.profile();
    let first = profile.opens(&server.url());
    let second = profile.opens(&server.url());
    first.enters("Ana");
    second.enters("Ana");
    first.says("da primeira");
    second.sees_message("Ana", "da primeira");
    second.says("da segunda");
    first.sees_message("Ana", "da segunda");
    rita.wait_for_text("da segunda");
    rita.say_acked("vocês duas?");
    first.sees_message("Rita", "vocês duas?");
    second.wait_until("people().length === 2");
    assert_eq!(first.texts(), ["da primeira", "da segunda", "vocês duas?"]);
    assert_eq!(second.texts(), ["da primeira", "da segunda", "vocês duas?"]);
    first.finish("two-tabs");
}

#[test]
#[ignore = "needs chromium"]
fn rooms_and_whispers_are_kept_apart() {
    let server = start_server();
    let browser = Browser::start();
    let mut rita = server.enter("Rita");
    let ana = browser.profile().opens(&server.url());
    ana.enters("Ana");
    ana.says("/msg Rita um segredo");
    let whisper = rita.receive_where(|message| message["type"] == "whisper");
    assert_eq!(
        (&whisper["from"], &whisper["text"]),
        (&json!("Ana"), &json!("um segredo"))
    );
    rita.send(json!({"type": "whisper", "to": "Ana", "id": "w1", "text": "guardado"}));
    ana.sees("guardado");
    ana.says("/r até já");
    rita.receive_where(|message| message["type"] == "whisper" && message["text"] == "até já");
    ana.says("/entrar laboratório");
    let mut bia = server.connect();
    bia.enter_with("Bia", json!({"room": "laboratório"}));
    ana.sees("Bia entrou");
    bia.say_acked_in("laboratório", "só aqui");
    ana.sees_message("Bia", "só aqui");
    rita.say_acked("no geral");
    // A message in the other room is only counted there.
    ana.wait_until("/geral.*1/s.test(document.querySelector('#salas').innerText)");
    assert_eq!(ana.texts(), ["só aqui"]);
    ana.screenshots("rooms");
    ana.presses("Alt+ArrowUp");
    ana.sees_message("Rita", "no geral");
    ana.types_draft("/xyz");
    ana.presses("Enter");
    ana.sees("Não conheço o comando /xyz.");
    // The text stays in the box to be corrected.
    ana.eval("document.querySelector('#mensagem').select()");
    ana.says("//não é um comando");
    rita.wait_for_text("/não é um comando");
    ana.finish("whispers");
}
