//! Moderation by buttons, what other people see of it, and editing and erasing of own messages.

use crate::browser::Browser;
use crate::harness::{generous, start_server};
use crate::support::server::{ANY_PORT, ReservedPort, TestServer, without_rate};
use crate::tab::Tab;
use papo::auth::PasswordHash;
use serde_json::json;
use std::net::SocketAddr;

const KEY: &str = "uma-chave-para-quem-organiza";

/// A server with a moderator key, and Ana, who has entered with it.
pub fn moderated_server(browser: &Browser) -> (TestServer, Tab) {
    moderated_server_on(browser, ANY_PORT)
}

fn moderated_server_on(browser: &Browser, address: SocketAddr) -> (TestServer, Tab) {
    let server = TestServer::start_on(address, |setup| {
        generous(setup);
        without_rate(setup);
        setup.rules.moderator_key = Some(PasswordHash::of(KEY));
    });
    let ana = browser.profile().tab(true);
    ana.call(
        "Page.navigate",
        json!({"url": format!("{}#chave={KEY}", server.url())}),
    );
    // The key is removed from the address bar.
    ana.wait_until(&format!(
        "location.href === '{}' && document.readyState === 'complete'",
        server.url()
    ));
    ana.enters("Ana");
    ana.wait_until("people()[0] === 'Ana (você) ★'");
    (server, ana)
}

/// Opens the menu of a person.
#[track_caller]
pub fn open_person_menu(tab: &Tab, name: &str) {
    let person = format!(
        "[...document.querySelectorAll('button.person')].find((node) => node.innerText.startsWith('{name}'))"
    );
    tab.wait_until(&format!("{person} !== undefined"));
    tab.eval(&format!(
        "(document.querySelector('#whom')?.removeAttribute('id'), {person}.id = 'whom')"
    ));
    tab.clicks("#whom");
    tab.wait_until("document.querySelector('#gente').matches(':popover-open')");
}

/// The list of people was built anew for each arrival, so the menu lost the name that it stood beside, and its place.
#[test]
#[ignore = "needs chromium"]
fn open_person_menu_stays_in_place_when_a_person_arrives() {
    let browser = Browser::start();
    let (server, ana) = moderated_server(&browser);
    let _bruno = server.enter("Bruno");
    open_person_menu(&ana, "Bruno");
    let place = "(({left, top}) => `${left} ${top}`)(document.querySelector('#gente').getBoundingClientRect())";
    ana.eval(&format!("window.placeBefore = {place}"));
    let _celia = server.enter("Célia");
    ana.wait_until("people().length === 3");
    ana.wait_until(&format!("{place} === window.placeBefore"));
    ana.chooses("button", "Silenciar");
    ana.wait_until("document.querySelector('#mensagem').value === '/silenciar Bruno 10m'");
}

#[test]
#[ignore = "needs chromium"]
fn moderator_buttons_run_the_commands() {
    let browser = Browser::start();
    let (server, ana) = moderated_server(&browser);
    let mut bruno = server.enter("Bruno");
    let mut celia = server.enter("Célia");
    bruno.say_acked("uma bobagem bem comprida, que ninguém precisava ler e que ocupa mais de uma linha no telefone");
    ana.sees_message("Bruno", "uma bobagem bem comprida, que ninguém precisava ler e que ocupa mais de uma linha no telefone");
    open_person_menu(&ana, "Bruno");
    ana.wait_until("document.activeElement.innerText === 'Mensagem particular'");
    ana.screenshot("moderator-person-1280x800");
    // A command that needs a duration is put into the box; Enter runs it.
    ana.chooses("button", "Silenciar");
    ana.wait_until("document.querySelector('#mensagem').value === '/silenciar Bruno 10m'");
    ana.wait_until("document.activeElement.id === 'mensagem'");
    ana.presses("Enter");
    ana.sees("Ana silenciou Bruno por 10 minutos.");
    bruno.receive_where(|message| message["type"] == "notice");
    // A complete command runs at once.
    open_person_menu(&ana, "Bruno");
    ana.chooses("button", "Devolver a palavra");
    ana.sees("Ana devolveu a palavra a Bruno.");
    open_person_menu(&ana, "Bruno");
    ana.chooses("button", "Apagar mensagens");
    ana.presses("Enter");
    ana.sees("(mensagem apagada)");
    open_person_menu(&ana, "Célia");
    ana.chooses("button", "Promover");
    celia.receive_where(|message| message["type"] == "role" && message["moderator"] == true);
    ana.wait_until("people().includes('Célia ★')");
    open_person_menu(&ana, "Célia");
    ana.wait_until("byRole('button', 'Promover') === undefined");
    ana.chooses("button", "Rebaixar");
    ana.wait_until("people().includes('Célia')");
    open_person_menu(&ana, "Bruno");
    ana.chooses("button", "Expulsar");
    bruno.receive_where(|message| message["type"] == "bye" && message["code"] == "kicked");
    ana.sees("Ana expulsou Bruno da conversa.");
    // The commands for the room.
    for (button, told) in [
        (
            "Só quem organiza fala: sim",
            "Ana pediu silêncio na sala geral",
        ),
        (
            "Só quem organiza fala: não",
            "Ana devolveu a palavra a todo mundo na sala geral.",
        ),
        (
            "Trancar: sim",
            "Ana trancou a conversa: ninguém novo entra.",
        ),
        ("Trancar: não", "Ana destrancou a conversa."),
    ] {
        ana.chooses("button", "Opções");
        ana.chooses("button", button);
        ana.sees(told);
        ana.wait_until("document.querySelector(':popover-open') === null");
    }
    ana.chooses("button", "Opções");
    ana.chooses("button", "Modo lento");
    ana.presses("Enter");
    ana.sees("Ana ligou o modo lento na sala geral: uma mensagem por pessoa a cada 10 segundos.");
    ana.chooses("button", "Opções");
    ana.screenshot("moderator-menu-1280x800");
    ana.chooses("button", "Avisar todo mundo");
    ana.types("a aula começa às nove");
    ana.presses("Enter");
    ana.sees("Aviso de Ana: a aula começa às nove");
    ana.finish("moderator");
}

#[test]
#[ignore = "needs chromium"]
fn moderator_buttons_fit_a_phone_and_are_hidden_from_others() {
    let browser = Browser::start();
    let (server, ana) = moderated_server(&browser);
    let _bruno = server.enter("Bruno");
    for scheme in ["light", "dark"] {
        ana.prefer_scheme(scheme);
        ana.resize(390, 844);
        ana.clicks("#ver-pessoas");
        open_person_menu(&ana, "Bruno");
        ana.wait_until("await painted()");
        let small = "Array.from(document.querySelectorAll('#gente button')).filter((node) => node.offsetHeight < 44).length";
        assert_eq!(ana.eval(small), 0);
        ana.screenshot(&format!("moderator-person-{scheme}-390x844"));
        ana.presses("Escape");
        ana.wait_until("document.querySelector(':popover-open') === null");
        ana.chooses("button", "Opções");
        ana.wait_until("clickPoint(byRole('button', 'Trancar: sim')) !== null");
        ana.screenshot(&format!("moderator-menu-{scheme}-390x844"));
        ana.presses("Escape");
    }
    ana.assert_healthy();
    // For everybody else a click on a person starts a whisper, and the moderation menu is hidden.
    let bia = browser.profile().opens(&server.url());
    bia.enters("Bia");
    bia.chooses("button", "Opções");
    bia.wait_until("isVisible(document.querySelector('#menu')) && !isVisible(document.querySelector('#organizar'))");
    bia.presses("Escape");
    bia.chooses("button", "Bruno");
    bia.wait_until("document.querySelector('#mensagem').value === '/msg Bruno '");
    // A promoted person gets the buttons without a reload.
    ana.resize(1280, 800);
    ana.says("/promover Bia");
    bia.sees("Ana promoveu Bia");
    bia.chooses("button", "Opções");
    bia.wait_until("isVisible(document.querySelector('#organizar'))");
    bia.presses("Escape");
    ana.says("/rebaixar Bia");
    bia.sees("Ana rebaixou Bia");
    bia.wait_until("document.querySelector('#organizar').hidden");
    bia.finish("no-moderator");
}

#[test]
#[ignore = "needs chromium"]
fn own_message_can_be_edited_and_erased() {
    let server = start_server();
    let browser = Browser::start();
    let mut rita = server.enter("Rita");
    let ana = browser.profile().opens(&server.url());
    ana.enters("Ana");
    ana.says(
        "primera, e uma linha que vai até o fim da coluna para que se veja se algo fica por cima do que se lê, ou não",
    );
    ana.says("segunda");
    rita.wait_for_text("segunda");
    rita.say_acked("e eu?");
    ana.sees_message("Rita", "e eu?");
    // ↑ in an empty box edits the last message.
    ana.eval("document.querySelector('#mensagem').focus()");
    ana.presses("ArrowUp");
    ana.wait_until("document.querySelector('#mensagem').value === '/editar segunda'");
    ana.types("-feira");
    ana.presses("Enter");
    let change =
        rita.receive_where(|message| message["type"] == "message" && !message["edits"].is_null());
    assert_eq!(change["text"], "segunda-feira");
    ana.sees("segunda-feira (editada)");
    // By mouse: only the last own message can be edited, every own one erased, others only copied.
    let point_at = |text: &str| {
        ana.eval(&format!(
            "(entries().find((entry) => textOf(entry).startsWith('{text}')).id = 'pointed')"
        ));
        let place = ana.wait_for(
            "clickPoint(document.querySelector('#pointed .text'))",
            serde_json::Value::is_array,
        );
        let event = json!({"type": "mouseMoved", "x": place[0], "y": place[1]});
        ana.call("Input.dispatchMouseEvent", event);
        ana.eval("document.querySelector('#pointed').id = ''");
    };
    let buttons = "Array.from(document.querySelectorAll('#gestos button')).filter(isVisible).map(accessibleName).join()";
    point_at("e eu?");
    ana.wait_until(&format!("{buttons} === 'Copiar'"));
    point_at("primera");
    ana.wait_until(&format!("{buttons} === 'Copiar,Apagar'"));
    ana.screenshot("gestures-first-1280x800");
    point_at("segunda");
    ana.wait_until(&format!("{buttons} === 'Copiar,Editar,Apagar'"));
    // The toolbar covers only the space above the text.
    let apart = "document.querySelector('#gestos').getBoundingClientRect().bottom
        - entries()[1].querySelector('.text').getBoundingClientRect().top";
    assert!(ana.eval(apart).as_f64().unwrap() <= 4.0);
    ana.screenshot("gestures-1280x800");
    ana.prefer_scheme("dark");
    ana.screenshot("gestures-dark-1280x800");
    ana.prefer_scheme("light");
    ana.chooses("button", "Editar");
    ana.wait_until("document.querySelector('#mensagem').value === '/editar segunda-feira'");
    ana.eval("document.querySelector('#mensagem').select()");
    ana.presses("Backspace");
    point_at("primera");
    ana.chooses("button", "Apagar");
    let erasure =
        rita.receive_where(|message| message["type"] == "message" && !message["erases"].is_null());
    assert_eq!(erasure["erases"], json!([1]));
    ana.wait_until("texts()[0] === '(mensagem apagada)'");
    // After a reload the edit is still shown, and ↑ still finds the last message.
    ana.reloads();
    ana.comes_back("Ana");
    ana.sees("segunda-feira (editada)");
    ana.eval("document.querySelector('#mensagem').focus()");
    ana.presses("ArrowUp");
    ana.wait_until("document.querySelector('#mensagem').value === '/editar segunda-feira'");
    ana.finish("changed");
}

/// Each start makes a new key: whoever had the old one was thrown out, with the queue, while everybody else came back.
#[test]
#[ignore = "needs chromium"]
fn moderator_comes_back_as_a_guest_after_a_restart() {
    let browser = Browser::start();
    let port = ReservedPort::new();
    let (server, ana) = moderated_server_on(&browser, port.address);
    server.stop();
    ana.says("na fila de quem organiza");
    ana.sees("aguardando conexão");
    let _server = TestServer::start_on(port.address, |setup| {
        generous(setup);
        setup.rules.moderator_key = Some(PasswordHash::of("outra-chave"));
    });
    ana.is_connected();
    ana.sees("O servidor foi religado: para organizar, use a chave nova.");
    ana.sees_message("Ana", "na fila de quem organiza");
    ana.wait_until("document.querySelector('#organizar').hidden");
    ana.finish("new-key");
}

/// What holds in a room stands above the box, for as long as it holds, and not as one more line of the conversation.
#[test]
#[ignore = "needs chromium"]
fn restrictions_of_a_room_stand_above_the_box() {
    let browser = Browser::start();
    let (server, ana) = moderated_server(&browser);
    let bia = browser.profile().opens(&server.url());
    bia.enters("Bia");
    let rules = |tab: &Tab, text: &str| {
        tab.wait_until(&format!(
            "document.querySelector('#regras').innerText === {}",
            crate::tab::quoted(text)
        ));
    };
    rules(&bia, "");
    for command in ["/lento 90s", "/trancar sim", "/silenciar Bia 1h"] {
        ana.says(command);
    }
    let held = "Modo lento: 1 min 30 s · Conversa trancada";
    rules(&ana, held);
    let muted = bia.wait_for("document.querySelector('#regras').innerText", |text| {
        text.as_str()
            .unwrap()
            .starts_with("Você pode falar de novo")
    });
    let at = "new Date(Papo.rooms.current.state.muted_until)";
    let until = bia.eval(&format!(
        "new Intl.DateTimeFormat('pt-BR', {{ hour: '2-digit', minute: '2-digit' }}).format({at})"
    ));
    let muted = muted.as_str().unwrap();
    assert!(
        muted.contains(until.as_str().unwrap()) && muted.ends_with(held),
        "{muted}"
    );
    for scheme in ["light", "dark"] {
        bia.prefer_scheme(scheme);
        bia.screenshots(&format!("rules-{scheme}"));
    }
    bia.resize(1280, 800);
    // A room of its own has rules of its own, and a reload keeps them.
    bia.says("/entrar lab");
    rules(&bia, &muted.replace("Modo lento: 1 min 30 s · ", ""));
    bia.reloads();
    bia.comes_back("Bia");
    bia.wait_until("document.querySelector('#regras').innerText !== ''");
    ana.says("/ouvir Bia");
    ana.says("/trancar não");
    ana.says("/lento 0");
    rules(&ana, "");
    rules(&bia, "");
    // The end of a mute is no message: the page knows it by itself.
    ana.says("/silenciar Bia 1s");
    bia.wait_until("Papo.rooms.current.state.muted_until > 0");
    rules(&bia, "");
    bia.finish("rules-over");
    ana.assert_healthy();
}

/// One message in a room in slow mode used to hold back whispers and what was said in every other room, for up to an hour.
#[test]
#[ignore = "needs chromium"]
fn slow_room_holds_no_other_room_back() {
    let browser = Browser::start();
    let (server, ana) = moderated_server(&browser);
    let mut rita = server.connect();
    rita.enter_with("Rita", json!({"room": "lab"}));
    let bia = browser.profile().opens(&server.url());
    bia.enters("Bia");
    ana.says("/lento 1h");
    bia.sees("Ana ligou o modo lento");
    bia.says("um");
    bia.says("dois");
    bia.says("/msg Rita psiu");
    rita.receive_where(|message| message["type"] == "whisper" && message["text"] == "psiu");
    bia.says("/entrar lab");
    bia.wait_until(
        "document.querySelector('#salas [aria-current]')?.innerText.includes('lab') === true",
    );
    bia.says("três");
    rita.wait_for_text("três");
    bia.finish("slow-room");
}
