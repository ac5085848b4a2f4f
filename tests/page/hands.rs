//! With the hands: everything by the keyboard, completion, copying, long messages, a dropped file.

use crate::browser::Browser;
use crate::stage::{TestServer, Visitor};
use serde_json::json;

/// What has the focus, by its id or its class.
const FOCUS: &str = "(document.activeElement.id || document.activeElement.className)";

#[test]
#[ignore = "needs chromium"]
fn everything_is_reached_with_the_keyboard() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let mut rita = Visitor::enter(server.address, "Rita Maria", "geral");
    let ana = browser.person().opens(&server.url());
    ana.enters("Ana");
    ana.says("primeira");
    rita.says("e eu?");
    ana.hears("Rita Maria", "e eu?");
    // From the top: the way past everything comes first.
    ana.look("document.querySelector('#papo a, #papo button, #papo textarea').focus()");
    ana.waits(
        "document.activeElement.matches('.skip') && placeOf(document.activeElement) !== null",
    );
    ana.presses("Enter");
    ana.waits(&format!("{FOCUS} === 'mensagem'"));
    // The list, its messages, and back.
    while ana.look("log().contains(document.activeElement)") == false {
        ana.presses("F6");
    }
    for text in ["e eu?", "primeira"] {
        ana.presses("ArrowUp");
        ana.waits(&format!(
            "textOf(document.activeElement.closest('article')) === '{text}'"
        ));
    }
    while ana.look(FOCUS) != "mensagem" {
        ana.presses("F6");
    }
    // What was said last comes back into an empty box, to be changed; a command, to be given again.
    ana.presses("ArrowUp");
    ana.waits("document.querySelector('#mensagem').value === '/editar primeira'");
    ana.look("document.querySelector('#mensagem').select()");
    ana.says("/quem");
    ana.presses("ArrowUp");
    ana.waits("document.querySelector('#mensagem').value === '/quem'");
    ana.look("document.querySelector('#mensagem').select()");
    // Completion of a name after @, with the list that a screen reader hears.
    ana.writes("oi @ri");
    ana.waits("document.activeElement.getAttribute('aria-activedescendant') !== null");
    ana.poses("completion");
    ana.presses("Tab");
    ana.waits("document.querySelector('#mensagem').value === 'oi @Rita Maria '");
    ana.presses("Enter");
    rita.hears_text("oi @Rita Maria");
    ana.waits("document.querySelector('.mention')?.innerText === '@Rita Maria'");
    // Without a list, Tab goes on: nobody is trapped in the box.
    ana.presses("Tab");
    ana.waits(&format!("{FOCUS} !== 'mensagem'"));
    // Where the focus is can be seen everywhere.
    for _ in 0..12 {
        ana.presses("Tab");
        let ring = "document.activeElement === document.body
            || ['outlineStyle', 'boxShadow'].some((of) => getComputedStyle(document.activeElement)[of] !== 'none')";
        assert_eq!(
            ana.look(ring),
            true,
            "no ring around {}",
            ana.look("document.activeElement.outerHTML")
        );
    }
    ana.ends("keyboard");
}

#[test]
#[ignore = "needs chromium"]
fn messages_are_copied_folded_and_files_refused() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    let ana = browser.person().opens(&server.url());
    ana.enters("Ana");
    rita.says("uma");
    rita.says("duas");
    ana.hears("Rita", "duas");
    // A selection over several messages is lines with name and time.
    ana.look("(log().focus(), getSelection().selectAllChildren(log()), 0)");
    ana.copies();
    ana.look("document.querySelector('#mensagem').focus()");
    ana.pastes();
    ana.waits(r"/Rita \(\d\d:\d\d\): uma\nRita \(\d\d:\d\d\): duas/.test(document.querySelector('#mensagem').value)");
    ana.look("document.querySelector('#mensagem').select()");
    ana.presses("Backspace");
    // A long one folds.
    let long = (1..=40)
        .map(|n| format!("linha {n}"))
        .collect::<Vec<_>>()
        .join("\n");
    rita.says(&long);
    ana.sees("Mostrar tudo");
    let height = "entries().at(-1).offsetHeight";
    let folded = ana.look(height).as_f64().unwrap();
    ana.poses("folded");
    ana.chooses("button", "Mostrar tudo");
    ana.sees("Mostrar menos");
    ana.waits(&format!("{height} > {folded} + 100"));
    ana.chooses("button", "Mostrar menos");
    ana.waits(&format!("{height} === {folded}"));
    // A dropped file does not take the conversation away.
    ana.look(
        "(() => { const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(['x'], 'a.png', { type: 'image/png' }));
            return log().dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true })); })()",
    );
    ana.sees("Ainda não dá para enviar arquivos por aqui.");
    ana.ends("copied");
}

#[test]
#[ignore = "needs chromium"]
fn names_change_and_leaving_is_leaving() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    let ana = browser.person().opens(&server.url());
    ana.enters("Ana");
    ana.says("/nome Ana Lúcia");
    ana.is_inside("Ana Lúcia");
    let change =
        rita.hears(|message| message["type"] == "presence" && message["renamed"] != json!([]));
    assert_eq!(change["renamed"][0]["to"], "Ana Lúcia");
    ana.chooses("button", "Opções");
    ana.chooses("button", "Sair da conversa");
    ana.waits("isVisible(document.querySelector('#entrada'))");
    rita.hears(|message| {
        message["type"] == "presence" && message["left"][0]["name"] == "Ana Lúcia"
    });
    // Who has left stays outside, also after a reload, and finds the name in the form.
    ana.reloads();
    ana.waits("isVisible(document.querySelector('#entrada')) && document.querySelector('#nome').value === 'Ana Lúcia'");
    ana.ends("left");
}
