//! The invitation over plain http, and notifications that the browser denies.

use crate::browser::Browser;
use crate::harness::start_server;
use crate::screenshot::codes_in;
use serde_json::json;

#[test]
#[ignore = "needs chromium"]
fn invitation_is_copied_and_drawn_over_plain_http() {
    let server = start_server();
    let browser = Browser::start();
    let link = format!("http://papo.local:{}/", server.address.port());
    let profile = browser.profile();
    // To the browser this is not a secure context.
    let ana = profile.opens(&link);
    assert_eq!(
        ana.eval("window.isSecureContext || navigator.clipboard !== undefined"),
        json!(false)
    );
    ana.enters("Ana");
    ana.sees(link.trim_start_matches("http://").trim_end_matches('/'));
    ana.chooses("button", "Copiar link");
    ana.sees("Copiado");
    ana.types_draft("venha: ");
    ana.pastes();
    ana.wait_until(&format!(
        "document.querySelector('#mensagem').value === 'venha: {link}'"
    ));
    ana.chooses("button", "Mostrar QR code");
    ana.wait_until("isVisible(document.querySelector('#qr'))");
    let canvas = profile.tab(true);
    for (scheme, width, height) in [
        ("light", 1280, 800),
        ("dark", 1280, 800),
        ("light", 390, 844),
    ] {
        ana.prefer_scheme(scheme);
        ana.resize(width, height);
        if width == 390 {
            ana.clicks("#ver-pessoas");
        }
        ana.wait_until("await painted() && clickPoint(document.querySelector('#qr')) !== null");
        ana.screenshot(&format!("invite-{scheme}-{width}x{height}"));
        assert_eq!(codes_in(&ana, &canvas), [link.as_str()], "{scheme} {width}");
    }
    ana.assert_healthy();
}

#[test]
#[ignore = "needs chromium"]
fn denied_notifications_are_explained() {
    let server = start_server();
    let browser = Browser::start();
    let plain = browser
        .profile()
        .opens(&format!("http://papo.local:{}/", server.address.port()));
    plain.enters("Ana");
    plain.chooses("button", "Opções");
    plain.sees(
        "Neste endereço o navegador não permite avisos; o título da aba mostra as mensagens novas.",
    );
    plain.screenshots("notices-impossible");
    let profile = browser.profile();
    profile.set_permission(
        server.url().trim_end_matches('/'),
        "notifications",
        "denied",
    );
    let blocked = profile.opens(&server.url());
    blocked.enters("Bia");
    blocked.chooses("button", "Opções");
    blocked.chooses("checkbox", "Avisar quando alguém me mencionar");
    blocked.sees("O navegador bloqueou os avisos. Libere-os nas configurações deste site.");
    blocked.wait_until("!document.querySelector('#avisar').checked");
    // Sound needs no permission.
    blocked.chooses("checkbox", "Tocar um som");
    blocked.wait_until("document.querySelector('#som').checked");
    blocked.finish("notices-blocked");
    plain.assert_healthy();
}
