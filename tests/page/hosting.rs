//! Who keeps order: a host's tools as buttons, and what others see of them.

use crate::browser::Browser;
use crate::stage::{TestServer, Visitor};
use crate::tab::Tab;
use papo::hub::limits::Rules;
use papo::identity::PasswordHash;
use serde_json::json;

const KEY: &str = "uma-chave-para-quem-organiza";

/// A server with a host key, where Ana has come in with it.
pub fn hosted(browser: &Browser) -> (TestServer, Tab) {
    let rules = Rules {
        rate: None,
        moderator_key: Some(PasswordHash::of(KEY)),
        ..Rules::default()
    };
    let server = TestServer::start_with(rules);
    let ana = browser.person().tab(true);
    ana.ask(
        "Page.navigate",
        json!({"url": format!("{}#chave={KEY}", server.url())}),
    );
    // The key does not stay in the address.
    ana.waits(&format!(
        "location.href === '{}' && document.readyState === 'complete'",
        server.url()
    ));
    ana.enters("Ana");
    ana.waits("people()[0] === 'Ana (você) ★'");
    (server, ana)
}

/// Opens what may be done with a person.
#[track_caller]
pub fn points_at(tab: &Tab, name: &str) {
    let person = format!(
        "[...document.querySelectorAll('button.person')].find((node) => node.innerText.startsWith('{name}'))"
    );
    tab.waits(&format!("{person} !== undefined"));
    tab.look(&format!(
        "(document.querySelector('#whom')?.removeAttribute('id'), {person}.id = 'whom')"
    ));
    tab.clicks("#whom");
    tab.waits("document.querySelector('#gente').matches(':popover-open')");
}

#[test]
#[ignore = "needs chromium"]
fn a_host_keeps_order_with_buttons() {
    let browser = Browser::start();
    let (server, ana) = hosted(&browser);
    let mut bruno = Visitor::enter(server.address, "Bruno", "geral");
    let mut celia = Visitor::enter(server.address, "Célia", "geral");
    bruno.says("uma bobagem bem comprida, que ninguém precisava ler e que ocupa mais de uma linha no telefone");
    ana.hears("Bruno", "uma bobagem bem comprida, que ninguém precisava ler e que ocupa mais de uma linha no telefone");
    points_at(&ana, "Bruno");
    ana.waits("document.activeElement.innerText === 'Mensagem particular'");
    ana.keep("host-person-1280x800");
    // What lacks a time waits in the box; Enter does it.
    ana.chooses("button", "Silenciar");
    ana.waits("document.querySelector('#mensagem').value === '/silenciar Bruno 10m'");
    ana.waits("document.activeElement.id === 'mensagem'");
    ana.presses("Enter");
    ana.sees("Ana silenciou Bruno por 10 minutos.");
    bruno.hears(|message| message["type"] == "notice");
    // What is complete is done at once.
    points_at(&ana, "Bruno");
    ana.chooses("button", "Devolver a palavra");
    ana.sees("Ana devolveu a palavra a Bruno.");
    points_at(&ana, "Bruno");
    ana.chooses("button", "Apagar mensagens");
    ana.presses("Enter");
    ana.sees("(mensagem apagada)");
    points_at(&ana, "Célia");
    ana.chooses("button", "Promover");
    celia.hears(|message| message["type"] == "host" && message["host"] == true);
    ana.waits("people().includes('Célia ★')");
    points_at(&ana, "Célia");
    ana.waits("named('button', 'Promover') === undefined");
    ana.chooses("button", "Rebaixar");
    ana.waits("people().includes('Célia')");
    points_at(&ana, "Bruno");
    ana.chooses("button", "Expulsar");
    bruno.hears(|message| message["type"] == "bye" && message["code"] == "kicked");
    ana.sees("Ana expulsou Bruno da conversa.");
    // The room.
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
        ana.waits("document.querySelector(':popover-open') === null");
    }
    ana.chooses("button", "Opções");
    ana.chooses("button", "Modo lento");
    ana.presses("Enter");
    ana.sees("Ana ligou o modo lento na sala geral: uma mensagem por pessoa a cada 10 segundos.");
    ana.chooses("button", "Opções");
    ana.keep("host-menu-1280x800");
    ana.chooses("button", "Avisar todo mundo");
    ana.writes("a aula começa às nove");
    ana.presses("Enter");
    ana.sees("Aviso de Ana: a aula começa às nove");
    ana.ends("host");
}

#[test]
#[ignore = "needs chromium"]
fn a_host_has_the_buttons_on_a_phone_and_others_have_none() {
    let browser = Browser::start();
    let (server, ana) = hosted(&browser);
    let _bruno = Visitor::enter(server.address, "Bruno", "geral");
    for scheme in ["light", "dark"] {
        ana.prefers(scheme);
        ana.sized(390, 844);
        ana.clicks("#ver-pessoas");
        points_at(&ana, "Bruno");
        ana.waits("await painted()");
        let small = "Array.from(document.querySelectorAll('#gente button')).filter((node) => node.offsetHeight < 44).length";
        assert_eq!(ana.look(small), 0);
        ana.keep(&format!("host-person-{scheme}-390x844"));
        ana.presses("Escape");
        ana.waits("document.querySelector(':popover-open') === null");
        ana.chooses("button", "Opções");
        ana.waits("placeOf(named('button', 'Trancar: sim')) !== null");
        ana.keep(&format!("host-menu-{scheme}-390x844"));
        ana.presses("Escape");
    }
    ana.is_healthy();
    // To everybody else a click on a person is a private message, and there is nothing to organize.
    let bia = browser.person().opens(&server.url());
    bia.enters("Bia");
    bia.chooses("button", "Opções");
    bia.waits("isVisible(document.querySelector('#menu')) && !isVisible(document.querySelector('#organizar'))");
    bia.presses("Escape");
    bia.chooses("button", "Bruno");
    bia.waits("document.querySelector('#mensagem').value === '/msg Bruno '");
    // Somebody who is made a host gets them without a reload.
    ana.sized(1280, 800);
    ana.says("/promover Bia");
    bia.sees("Ana promoveu Bia");
    bia.chooses("button", "Opções");
    bia.waits("isVisible(document.querySelector('#organizar'))");
    bia.presses("Escape");
    ana.says("/rebaixar Bia");
    bia.sees("Ana rebaixou Bia");
    bia.waits("document.querySelector('#organizar').hidden");
    bia.ends("no-host");
}

#[test]
#[ignore = "needs chromium"]
fn what_one_said_is_changed_and_taken_back() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    let ana = browser.person().opens(&server.url());
    ana.enters("Ana");
    ana.says(
        "primera, e uma linha que vai até o fim da coluna para que se veja se algo fica por cima do que se lê, ou não",
    );
    ana.says("segunda");
    rita.hears_text("segunda");
    rita.says("e eu?");
    ana.hears("Rita", "e eu?");
    // ↑ in an empty box brings back what one said last, to be changed.
    ana.look("document.querySelector('#mensagem').focus()");
    ana.presses("ArrowUp");
    ana.waits("document.querySelector('#mensagem').value === '/editar segunda'");
    ana.writes("-feira");
    ana.presses("Enter");
    let change = rita.hears(|message| message["type"] == "message" && !message["edits"].is_null());
    assert_eq!(change["text"], "segunda-feira");
    ana.sees("segunda-feira (editada)");
    // By the mouse: only the last one is edited, every own one is erased, and of others there is only a copy.
    let points = |text: &str| {
        ana.look(&format!(
            "(entries().find((entry) => textOf(entry).startsWith('{text}')).id = 'pointed')"
        ));
        let place = ana.waits_for(
            "placeOf(document.querySelector('#pointed .text'))",
            serde_json::Value::is_array,
        );
        let event = json!({"type": "mouseMoved", "x": place[0], "y": place[1]});
        ana.ask("Input.dispatchMouseEvent", event);
        ana.look("document.querySelector('#pointed').id = ''");
    };
    let buttons = "Array.from(document.querySelectorAll('#gestos button')).filter(isVisible).map(nameOf).join()";
    points("e eu?");
    ana.waits(&format!("{buttons} === 'Copiar'"));
    points("primera");
    ana.waits(&format!("{buttons} === 'Copiar,Apagar'"));
    ana.keep("gestures-first-1280x800");
    points("segunda");
    ana.waits(&format!("{buttons} === 'Copiar,Editar,Apagar'"));
    // Of the line that is pointed at nothing is covered but the space above its letters.
    let apart = "document.querySelector('#gestos').getBoundingClientRect().bottom
        - entries()[1].querySelector('.text').getBoundingClientRect().top";
    assert!(ana.look(apart).as_f64().unwrap() <= 4.0);
    ana.keep("gestures-1280x800");
    ana.prefers("dark");
    ana.keep("gestures-dark-1280x800");
    ana.prefers("light");
    ana.chooses("button", "Editar");
    ana.waits("document.querySelector('#mensagem').value === '/editar segunda-feira'");
    ana.look("document.querySelector('#mensagem').select()");
    ana.presses("Backspace");
    points("primera");
    ana.chooses("button", "Apagar");
    let erasure =
        rita.hears(|message| message["type"] == "message" && !message["erases"].is_null());
    assert_eq!(erasure["erases"], json!([1]));
    ana.waits("texts()[0] === '(mensagem apagada)'");
    // After a reload all is as it was, and ↑ still finds what was said last.
    ana.reloads();
    ana.comes_back("Ana");
    ana.sees("segunda-feira (editada)");
    ana.look("document.querySelector('#mensagem').focus()");
    ana.presses("ArrowUp");
    ana.waits("document.querySelector('#mensagem').value === '/editar segunda-feira'");
    ana.ends("changed");
}
