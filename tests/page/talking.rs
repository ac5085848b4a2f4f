//! Talking: two pages, accents, two tabs of one person, rooms and whispers.

use crate::browser::Browser;
use crate::port::Port;
use crate::stage::{Folder, Servidor, TestServer, Visitor};
use crate::talk::file_page;
use serde_json::json;

#[test]
#[ignore = "needs chromium"]
fn a_page_from_the_file_and_a_served_one_hear_each_other() {
    let (port, folder, browser) = (Port::reserve(), Folder::new(), Browser::start());
    let html = file_page(&folder);
    let _server = Servidor::start(
        &port,
        &folder.path().join("h.db"),
        &["--ritmo", "0"],
        folder.path(),
    );
    let (ana, bruno) = (browser.person(), browser.person());
    let (ana, bruno) = (
        ana.opens(&format!("{html}#{}", port.address)),
        bruno.opens(&port.url()),
    );
    ana.enters("Ana");
    bruno.enters("Bruno");
    ana.sees("Bruno entrou");
    ana.says("oi, Bruno");
    bruno.hears("Ana", "oi, Bruno");
    bruno.says("oi, Ana! vi o arquivo, https://exemplo.com.br/a?b=c");
    ana.hears(
        "Bruno",
        "oi, Ana! vi o arquivo, https://exemplo.com.br/a?b=c",
    );
    for n in 1..=5 {
        ana.says(&format!("a{n}"));
        bruno.says(&format!("b{n}"));
        ana.hears("Bruno", &format!("b{n}"));
        bruno.hears("Ana", &format!("a{n}"));
    }
    // Both pages agree on the order, whatever it was.
    bruno.shows(&ana.texts());
    ana.ends("talking-file");
    bruno.ends("talking-served");
}

#[test]
#[ignore = "needs chromium"]
fn accents_emoji_and_dead_keys_come_through_as_they_were_typed() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    let joao = browser.person().opens(&server.url());
    joao.enters("João Antônio");
    let text = "Olá! Ação, coração, pinguim, às 9h — “não é?” 👩‍👩‍👧 🇧🇷";
    joao.says(text);
    rita.hears_text(text);
    joao.hears("João Antônio", text);
    // A letter on its way (the dead key ~, then Enter to take it) must not send what is in the box.
    joao.writes_draft("amanh");
    joao.ask(
        "Input.imeSetComposition",
        json!({"text": "~", "selectionStart": 1, "selectionEnd": 1}),
    );
    joao.presses("Enter");
    joao.writes("ã");
    joao.presses("Enter");
    assert_eq!(
        rita.hears(|message| message["type"] == "message")["text"],
        "amanhã"
    );
    // The accent as a character of its own is the same letter.
    rita.says("cafe\u{301}");
    joao.hears("Rita", "caf\u{e9}");
    joao.writes_draft("uma linha");
    joao.presses("Shift+Enter");
    joao.says("e outra");
    rita.hears_text("uma linha\ne outra");
    joao.ends("accents");
}

#[test]
#[ignore = "needs chromium"]
fn two_tabs_of_one_person_are_one_person() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    let person = browser.person();
    let (first, second) = (person.opens(&server.url()), person.opens(&server.url()));
    first.enters("Ana");
    second.enters("Ana");
    first.says("da primeira");
    second.hears("Ana", "da primeira");
    second.says("da segunda");
    first.hears("Ana", "da segunda");
    rita.hears_text("da segunda");
    rita.says("vocês duas?");
    first.hears("Rita", "vocês duas?");
    second.waits("people().length === 2");
    assert_eq!(first.texts(), ["da primeira", "da segunda", "vocês duas?"]);
    assert_eq!(second.texts(), ["da primeira", "da segunda", "vocês duas?"]);
    first.ends("two-tabs");
}

#[test]
#[ignore = "needs chromium"]
fn rooms_and_whispers_stay_apart() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    let ana = browser.person().opens(&server.url());
    ana.enters("Ana");
    ana.says("/msg Rita um segredo");
    let whisper = rita.hears(|message| message["type"] == "whisper");
    assert_eq!(
        (&whisper["from"], &whisper["text"]),
        (&json!("Ana"), &json!("um segredo"))
    );
    rita.send(json!({"type": "whisper", "to": "Ana", "id": "w1", "text": "guardado"}));
    ana.sees("guardado");
    ana.says("/r até já");
    rita.hears(|message| message["type"] == "whisper" && message["text"] == "até já");
    ana.says("/entrar laboratório");
    let mut bia = Visitor::enter(server.address, "Bia", "laboratório");
    ana.sees("Bia entrou");
    bia.says_in("laboratório", "só aqui");
    ana.hears("Bia", "só aqui");
    rita.says("no geral");
    // What happens in the other room is counted there and shown there only.
    ana.waits("/geral.*1/s.test(document.querySelector('#salas').innerText)");
    assert_eq!(ana.texts(), ["só aqui"]);
    ana.poses("rooms");
    ana.presses("Alt+ArrowUp");
    ana.hears("Rita", "no geral");
    ana.writes_draft("/xyz");
    ana.presses("Enter");
    ana.sees("Não conheço o comando /xyz.");
    // It stays in the box, to be put right.
    ana.look("document.querySelector('#mensagem').select()");
    ana.says("//não é um comando");
    rita.hears_text("/não é um comando");
    ana.ends("whispers");
}
