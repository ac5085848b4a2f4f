//! Keyboard and clipboard: focus, completion, copying, long messages, a dropped file.

use crate::browser::Browser;
use crate::harness::start_server;
use serde_json::json;

/// The id or class of the focused element.
const FOCUS: &str = "(document.activeElement.id || document.activeElement.className)";

#[test]
#[ignore = "needs chromium"]
fn everything_is_reachable_by_keyboard() {
    let server = start_server();
    let browser = Browser::start();
    let mut rita = server.enter("Rita Maria");
    let ana = browser.profile().opens(&server.url());
    ana.enters("Ana");
    ana.says("primeira");
    rita.say_acked("e eu?");
    ana.sees_message("Rita Maria", "e eu?");
    // The skip link comes first.
    ana.eval("document.querySelector('#papo a, #papo button, #papo textarea').focus()");
    ana.wait_until(
        "document.activeElement.matches('.skip') && clickPoint(document.activeElement) !== null",
    );
    ana.presses("Enter");
    ana.wait_until(&format!("{FOCUS} === 'mensagem'"));
    // To the log, through its messages, and back.
    while ana.eval("log().contains(document.activeElement)") == false {
        ana.presses("F6");
    }
    for text in ["e eu?", "primeira"] {
        ana.presses("ArrowUp");
        ana.wait_until(&format!(
            "textOf(document.activeElement.closest('article')) === '{text}'"
        ));
    }
    while ana.eval(FOCUS) != "mensagem" {
        ana.presses("F6");
    }
    // ↑ in an empty box edits the last message, or repeats the last command.
    ana.presses("ArrowUp");
    ana.wait_until("document.querySelector('#mensagem').value === '/editar primeira'");
    ana.eval("document.querySelector('#mensagem').select()");
    ana.says("/quem");
    ana.presses("ArrowUp");
    ana.wait_until("document.querySelector('#mensagem').value === '/quem'");
    ana.eval("document.querySelector('#mensagem').select()");
    // Completion of a name after @, announced to screen readers.
    ana.types("oi @ri");
    ana.wait_until("document.activeElement.getAttribute('aria-activedescendant') !== null");
    ana.screenshots("completion");
    ana.presses("Tab");
    ana.wait_until("document.querySelector('#mensagem').value === 'oi @Rita Maria '");
    ana.presses("Enter");
    rita.wait_for_text("oi @Rita Maria");
    ana.wait_until("document.querySelector('.mention')?.innerText === '@Rita Maria'");
    // Without suggestions, Tab leaves the box.
    ana.presses("Tab");
    ana.wait_until(&format!("{FOCUS} !== 'mensagem'"));
    // The focus is visible everywhere.
    for _ in 0..12 {
        ana.presses("Tab");
        let ring = "document.activeElement === document.body
            || ['outlineStyle', 'boxShadow'].some((of) => getComputedStyle(document.activeElement)[of] !== 'none')";
        assert_eq!(
            ana.eval(ring),
            true,
            "no ring around {}",
            ana.eval("document.activeElement.outerHTML")
        );
    }
    ana.finish("keyboard");
}

#[test]
#[ignore = "needs chromium"]
fn messages_are_copied_and_folded_and_files_refused() {
    let server = start_server();
    let browser = Browser::start();
    let mut rita = server.enter("Rita");
    let ana = browser.profile().opens(&server.url());
    ana.enters("Ana");
    rita.say_acked("uma");
    rita.say_acked("duas");
    ana.sees_message("Rita", "duas");
    // A selection over several messages is copied as lines with name and time.
    ana.eval("(log().focus(), getSelection().selectAllChildren(log()), 0)");
    ana.copies();
    ana.eval("document.querySelector('#mensagem').focus()");
    ana.pastes();
    ana.wait_until(r"/Rita \(\d\d:\d\d\): uma\nRita \(\d\d:\d\d\): duas/.test(document.querySelector('#mensagem').value)");
    ana.eval("document.querySelector('#mensagem').select()");
    ana.presses("Backspace");
    // A long message is folded.
    let long = (1..=40)
        .map(|n| format!("linha {n}"))
        .collect::<Vec<_>>()
        .join("\n");
    rita.say_acked(&long);
    ana.sees("Mostrar tudo");
    let height = "entries().at(-1).offsetHeight";
    let folded = ana.eval(height).as_f64().unwrap();
    ana.screenshots("folded");
    ana.chooses("button", "Mostrar tudo");
    ana.sees("Mostrar menos");
    ana.wait_until(&format!("{height} > {folded} + 100"));
    ana.chooses("button", "Mostrar menos");
    ana.wait_until(&format!("{height} === {folded}"));
    // A dropped file does not replace the page.
    ana.eval(
        "(() => { const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(['x'], 'a.png', { type: 'image/png' }));
            return log().dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true })); })()",
    );
    ana.sees("Ainda não dá para enviar arquivos por aqui.");
    ana.finish("copied");
}

#[test]
#[ignore = "needs chromium"]
fn rename_and_leave_are_announced() {
    let server = start_server();
    let browser = Browser::start();
    let mut rita = server.enter("Rita");
    let ana = browser.profile().opens(&server.url());
    ana.enters("Ana");
    ana.says("/nome Ana Lúcia");
    ana.is_inside("Ana Lúcia");
    let change = rita
        .receive_where(|message| message["type"] == "presence" && message["renamed"] != json!([]));
    assert_eq!(change["renamed"][0]["to"], "Ana Lúcia");
    ana.chooses("button", "Opções");
    ana.chooses("button", "Sair da conversa");
    ana.wait_until("isVisible(document.querySelector('#entrada'))");
    rita.receive_where(|message| {
        message["type"] == "presence" && message["left"][0]["name"] == "Ana Lúcia"
    });
    // After a reload the page stays at the form, which still has the name.
    ana.reloads();
    ana.wait_until("isVisible(document.querySelector('#entrada')) && document.querySelector('#nome').value === 'Ana Lúcia'");
    ana.finish("left");
}
