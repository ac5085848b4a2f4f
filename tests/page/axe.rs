//! Accessibility: axe-core finds no violation on any screen, in both themes, on desktop and phone.
//! `PAPO_AXE` is the path of `axe.min.js` (npm package `axe-core`); without it the check is skipped.

use crate::browser::Browser;
use crate::harness::start_server;
use crate::layout::fill_lobby;
use crate::moderation::{moderated_server, open_person_menu};
use crate::tab::Tab;
use serde_json::{Value, json};

/// The source of axe-core, if there is one.
struct Axe(Option<String>);

impl Axe {
    fn find() -> Self {
        let path = std::env::var_os("PAPO_AXE").filter(|path| !path.is_empty());
        if path.is_none() {
            println!("PAPO_AXE is not set: the check is skipped.");
        }
        Self(path.map(|path| std::fs::read_to_string(path).unwrap()))
    }

    /// Asserts that axe-core finds no violation on this screen in either theme.
    #[track_caller]
    fn check(&self, tab: &Tab, screen: &str) {
        let Some(axe) = &self.0 else { return };
        for scheme in ["light", "dark"] {
            tab.prefer_scheme(scheme);
            tab.wait_until("await painted()");
            tab.call("Runtime.evaluate", json!({"expression": axe}));
            let report = tab.eval(
                "await axe.run(document, { resultTypes: ['violations'] }).then(({ violations, passes }) => ({
                    passes: passes.length,
                    violations: violations.map(({ id, help, nodes }) =>
                        [id, help, ...nodes.slice(0, 3).map((node) => `${node.html} ${node.failureSummary}`)]),
                }))",
            );
            println!(
                "axe: {screen}, {scheme}: {} violations, {} passes",
                count(&report["violations"]),
                report["passes"]
            );
            assert_eq!(
                report["violations"],
                json!([]),
                "{screen} {scheme}: {:#}",
                report["violations"]
            );
        }
        tab.prefer_scheme("light");
    }
}

fn count(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

#[test]
#[ignore = "needs chromium"]
fn no_screen_violates_axe() {
    let server = start_server();
    let browser = Browser::start();
    let axe = Axe::find();
    let mut people = fill_lobby(&server);
    let ana = browser.profile().opens(&server.url());
    axe.check(&ana, "form");
    ana.presses("Enter");
    ana.sees("Escreva um nome para entrar.");
    axe.check(&ana, "form with a refusal");
    ana.enters("Ana");
    people[0].say_acked("@Ana, e agora?");
    ana.sees_message("Bruno", "@Ana, e agora?");
    axe.check(&ana, "conversation");
    ana.says("/entrar laboratório");
    // A message typed before the room has changed would go to the old room.
    ana.wait_until("document.querySelector('#salas [aria-current]')?.innerText.includes('laboratório') === true");
    ana.says("/msg Bruno em segredo");
    ana.sees("em segredo");
    axe.check(&ana, "rooms and whispers");
    ana.presses("Alt+ArrowUp");
    ana.chooses("button", "Mostrar QR code");
    axe.check(&ana, "invitation");
    ana.chooses("button", "Opções");
    axe.check(&ana, "settings");
    ana.presses("Escape");
    ana.presses("Control+k");
    ana.types("servidor");
    ana.presses("Enter");
    ana.sees("1 resultado");
    axe.check(&ana, "search");
    ana.resize(390, 844);
    axe.check(&ana, "search on a phone");
    ana.presses("Escape");
    axe.check(&ana, "conversation on a phone");
    ana.clicks("#ver-pessoas");
    axe.check(&ana, "people on a phone");
    ana.assert_healthy();
}

#[test]
#[ignore = "needs chromium"]
fn no_moderator_screen_violates_axe() {
    let browser = Browser::start();
    let axe = Axe::find();
    let (server, ana) = moderated_server(&browser);
    let mut bruno = server.enter("Bruno");
    ana.says("uma pergunta");
    bruno.send(
        json!({"type": "say", "room": "geral", "id": "r1", "text": "uma resposta", "reply_to": 1}),
    );
    ana.sees_message("Bruno", "uma resposta");
    ana.says("obrigada, @Bruno");
    ana.wait_until("entries().length === 3 && !entries().some(isUnsent)");
    while ana.eval("log().contains(document.activeElement)") == false {
        ana.presses("F6");
    }
    ana.presses("ArrowUp");
    ana.wait_until("isVisible(document.querySelector('#apagar'))");
    axe.check(&ana, "toolbar of an own message, and a quote");
    open_person_menu(&ana, "Bruno");
    axe.check(&ana, "menu of a person");
    ana.presses("Escape");
    ana.says("/lento 10s");
    ana.sees("Modo lento: 10 s");
    axe.check(&ana, "what holds in the room");
    ana.chooses("button", "Opções");
    axe.check(&ana, "a moderator's settings");
    ana.resize(390, 844);
    axe.check(&ana, "a moderator's settings on a phone");
    ana.presses("Escape");
    ana.clicks("#ver-pessoas");
    open_person_menu(&ana, "Bruno");
    axe.check(&ana, "menu of a person, on a phone");
    ana.assert_healthy();
}
