//! The page as axe-core judges it: no violation on any screen, in both themes, on a desk and on a phone.
//! `PAPO_AXE` says where `axe.min.js` is (the npm package `axe-core`); without it the judge is left out.

use crate::browser::Browser;
use crate::hosting::{hosted, points_at};
use crate::looks::a_lively_room;
use crate::stage::{TestServer, Visitor};
use crate::tab::Tab;
use serde_json::{Value, json};

/// The judge, if there is one.
struct Axe(Option<String>);

impl Axe {
    fn find() -> Self {
        let path = std::env::var_os("PAPO_AXE").filter(|path| !path.is_empty());
        if path.is_none() {
            println!("PAPO_AXE is not set: axe-core is left out.");
        }
        Self(path.map(|path| std::fs::read_to_string(path).unwrap()))
    }

    /// Judges what is on the screen, in the light and in the dark.
    #[track_caller]
    fn judges(&self, tab: &Tab, screen: &str) {
        let Some(axe) = &self.0 else { return };
        for scheme in ["light", "dark"] {
            tab.prefers(scheme);
            tab.waits("await painted()");
            tab.ask("Runtime.evaluate", json!({"expression": axe}));
            let report = tab.look(
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
        tab.prefers("light");
    }
}

fn count(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

#[test]
#[ignore = "needs chromium"]
fn axe_finds_nothing_on_any_screen() {
    let (server, browser, axe) = (TestServer::start(), Browser::start(), Axe::find());
    let mut people = a_lively_room(&server);
    let ana = browser.person().opens(&server.url());
    axe.judges(&ana, "form");
    ana.presses("Enter");
    ana.sees("Escreva um nome para entrar.");
    axe.judges(&ana, "form with a refusal");
    ana.enters("Ana");
    people[0].says("@Ana, e agora?");
    ana.hears("Bruno", "@Ana, e agora?");
    axe.judges(&ana, "conversation");
    ana.says("/entrar laboratório");
    // The box changes with the room: who writes before that writes in the room before.
    ana.waits("document.querySelector('#salas [aria-current]')?.innerText.includes('laboratório') === true");
    ana.says("/msg Bruno em segredo");
    ana.sees("em segredo");
    axe.judges(&ana, "rooms and whispers");
    ana.presses("Alt+ArrowUp");
    ana.chooses("button", "Mostrar QR code");
    axe.judges(&ana, "invitation");
    ana.chooses("button", "Opções");
    axe.judges(&ana, "settings");
    ana.presses("Escape");
    ana.presses("Control+k");
    ana.writes("servidor");
    ana.presses("Enter");
    ana.sees("1 resultado");
    axe.judges(&ana, "search");
    ana.sized(390, 844);
    axe.judges(&ana, "search on a phone");
    ana.presses("Escape");
    axe.judges(&ana, "conversation on a phone");
    ana.clicks("#ver-pessoas");
    axe.judges(&ana, "people on a phone");
    ana.is_healthy();
}

#[test]
#[ignore = "needs chromium"]
fn axe_finds_nothing_in_the_hands_of_a_host() {
    let (browser, axe) = (Browser::start(), Axe::find());
    let (server, ana) = hosted(&browser);
    let mut bruno = Visitor::enter(server.address, "Bruno", "geral");
    ana.says("uma pergunta");
    bruno.send(
        json!({"type": "say", "room": "geral", "id": "r1", "text": "uma resposta", "reply_to": 1}),
    );
    ana.hears("Bruno", "uma resposta");
    ana.says("obrigada, @Bruno");
    ana.waits("entries().length === 3 && !entries().some(isUnsent)");
    while ana.look("log().contains(document.activeElement)") == false {
        ana.presses("F6");
    }
    ana.presses("ArrowUp");
    ana.waits("isVisible(document.querySelector('#apagar'))");
    axe.judges(&ana, "an own message that is pointed at, and a quote");
    points_at(&ana, "Bruno");
    axe.judges(&ana, "what a host may do with a person");
    ana.presses("Escape");
    ana.chooses("button", "Opções");
    axe.judges(&ana, "a host's settings");
    ana.sized(390, 844);
    axe.judges(&ana, "a host's settings on a phone");
    ana.presses("Escape");
    ana.clicks("#ver-pessoas");
    points_at(&ana, "Bruno");
    axe.judges(&ana, "what a host may do with a person, on a phone");
    ana.is_healthy();
}
