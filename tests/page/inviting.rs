//! What a browser may refuse: notices, sound, the clipboard. And the invitation, which has to work on plain http too.

use crate::browser::Browser;
use crate::picture::codes_in;
use crate::stage::TestServer;
use serde_json::json;

#[test]
#[ignore = "needs chromium"]
fn an_invitation_is_copied_and_drawn_on_plain_http() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let link = format!("http://papo.local:{}/", server.address.port());
    let person = browser.person();
    // To the browser this is a machine of the network, and not a secure place.
    let ana = person.opens(&link);
    assert_eq!(
        ana.look("window.isSecureContext || navigator.clipboard !== undefined"),
        json!(false)
    );
    ana.enters("Ana");
    ana.sees(link.trim_start_matches("http://").trim_end_matches('/'));
    ana.chooses("button", "Copiar link");
    ana.sees("Copiado");
    ana.writes_draft("venha: ");
    ana.pastes();
    ana.waits(&format!(
        "document.querySelector('#mensagem').value === 'venha: {link}'"
    ));
    ana.chooses("button", "Mostrar QR code");
    ana.waits("isVisible(document.querySelector('#qr'))");
    let canvas = person.tab(true);
    for (scheme, width, height) in [
        ("light", 1280, 800),
        ("dark", 1280, 800),
        ("light", 390, 844),
    ] {
        ana.prefers(scheme);
        ana.sized(width, height);
        if width == 390 {
            ana.clicks("#ver-pessoas");
        }
        ana.waits("await painted() && placeOf(document.querySelector('#qr')) !== null");
        ana.keep(&format!("invite-{scheme}-{width}x{height}"));
        assert_eq!(codes_in(&ana, &canvas), [link.as_str()], "{scheme} {width}");
    }
    ana.is_healthy();
}

#[test]
#[ignore = "needs chromium"]
fn a_refusal_of_notices_is_told_in_a_sentence() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let plain = browser
        .person()
        .opens(&format!("http://papo.local:{}/", server.address.port()));
    plain.enters("Ana");
    plain.chooses("button", "Opções");
    plain.sees(
        "Neste endereço o navegador não permite avisos; o título da aba mostra as mensagens novas.",
    );
    plain.poses("notices-impossible");
    let person = browser.person();
    person.permits(
        server.url().trim_end_matches('/'),
        "notifications",
        "denied",
    );
    let blocked = person.opens(&server.url());
    blocked.enters("Bia");
    blocked.chooses("button", "Opções");
    blocked.chooses("checkbox", "Avisar quando alguém me mencionar");
    blocked.sees("O navegador bloqueou os avisos. Libere-os nas configurações deste site.");
    blocked.waits("!document.querySelector('#avisar').checked");
    // A sound is no secret: it may always be asked for.
    blocked.chooses("checkbox", "Tocar um som");
    blocked.waits("document.querySelector('#som').checked");
    blocked.ends("notices-blocked");
    plain.is_healthy();
}
