//! How it looks and reads: on a phone, in the dark, at twice the size, and to axe-core.

use crate::browser::Browser;
use crate::stage::{TestServer, Visitor};
use crate::tab::Tab;

/// What a lively room holds: groups, long words, code, links, lists of names.
pub fn a_lively_room(server: &TestServer) -> Vec<Visitor> {
    let names = ["Bruno", "Célia", "João Antônio", "Maria das Dores Andrade"];
    let mut people: Vec<Visitor> = names
        .iter()
        .map(|name| Visitor::enter(server.address, name, "geral"))
        .collect();
    let texts = [
        (0, "subi o servidor no laboratório"),
        (
            0,
            "o endereço é http://192.168.0.10:9000/uma/rota/muito/comprida?com=muitos&parametros=e%20valores#e-um-pedaco",
        ),
        (1, "alguém revisa o `hub.rs`? **é curtinho** 🙂"),
        (
            2,
            "```\nfn main() {\n    println!(\"uma linha de código que é bem mais larga do que a tela de qualquer telefone\");\n}\n```",
        ),
        (
            3,
            "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft_sem_nenhum_espaço",
        ),
        (1, "🎉🎉🎉"),
        (
            2,
            "uma mensagem comum, *com ênfase* e ~~um engano~~, que ocupa mais de uma linha em uma tela estreita",
        ),
    ];
    for (who, text) in texts {
        people[who].says(text);
    }
    people
}

/// Nothing is wider than the window, and nothing of the frame is out of it.
#[track_caller]
fn fits(tab: &Tab) {
    tab.waits("await painted()");
    let wide = "Array.from(document.querySelectorAll('body *')).filter(isVisible).filter((node) => {
            const { left, right, width } = node.getBoundingClientRect();
            return width > 0 && (left < -1 || right > innerWidth + 1) && !node.closest('pre, code, .skip, .offscreen')
                && getComputedStyle(node).position !== 'fixed';
        }).map((node) => node.outerHTML.slice(0, 200))";
    assert_eq!(tab.look(wide), serde_json::json!([]));
    tab.waits(
        "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight",
    );
}

/// What stands side by side has a place of its own, also for the words in it.
#[track_caller]
fn no_two_overlap(tab: &Tab, selector: &str) {
    let overlaps = format!(
        "Array.from(document.querySelectorAll({})).filter(isVisible).map((node) => {{
            const {{ left }} = node.getBoundingClientRect();
            return [node.innerText, left, left + Math.max(node.offsetWidth, node.scrollWidth)];
        }}).sort((a, b) => a[1] - b[1]).filter(([, left], i, all) => i > 0 && left < all[i - 1][2] - 1)",
        crate::tab::quoted(selector)
    );
    tab.waits("await painted()");
    assert_eq!(tab.look(&overlaps), serde_json::json!([]));
}

#[test]
#[ignore = "needs chromium"]
fn a_phone_shows_everything_within_its_width() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let mut people = a_lively_room(&server);
    let ana = browser.person().opens(&server.url());
    ana.sized(390, 844);
    ana.poses("phone-form");
    ana.sized(390, 844);
    ana.enters_on_a_phone("Ana");
    ana.hears("Célia", "🎉🎉🎉");
    fits(&ana);
    // Big enough for a thumb.
    let small = "Array.from(document.querySelectorAll('header button, .composer button')).filter(isVisible)
        .filter((button) => button.offsetHeight < 44 || button.offsetWidth < 44).map((button) => button.outerHTML)";
    assert_eq!(ana.look(small), serde_json::json!([]));
    no_two_overlap(&ana, "header > *");
    // The people are behind a button.
    ana.waits("!isVisible(document.querySelector('#pessoas'))");
    ana.clicks("#ver-pessoas");
    ana.waits("isVisible(document.querySelector('#pessoas'))");
    ana.sees("Maria das Dores Andrade");
    fits(&ana);
    ana.keep("phone-people-390x844");
    ana.presses("Escape");
    ana.waits("!isVisible(document.querySelector('#pessoas'))");
    people[0].says("@Ana, viu?");
    ana.hears("Bruno", "@Ana, viu?");
    ana.sized(320, 640);
    fits(&ana);
    no_two_overlap(&ana, "header > *");
    ana.waits("document.querySelector('#mensagem').placeholder === 'Mensagem'");
    ana.keep("phone-320x640");
    // What is being written stays to be seen when the phone is turned.
    ana.sized(844, 390);
    ana.writes_draft(
        "uma frase que numa tela deitada cabe em uma linha e em pé não cabe de jeito nenhum",
    );
    ana.sized(390, 844);
    ana.waits(
        "(({ scrollHeight, clientHeight }) => scrollHeight <= clientHeight)(document.querySelector('#mensagem'))",
    );
    ana.ends("phone");
}

#[test]
#[ignore = "needs chromium"]
fn at_twice_the_size_nothing_is_lost() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let _people = a_lively_room(&server);
    let ana = browser.person().opens(&server.url());
    ana.enters("Ana");
    // A window of 1280 × 800 at 200 %, and one of 1280 × 1024 at 400 %, are these.
    for (width, height) in [(640, 400), (320, 256)] {
        ana.zoomed(width, height);
        fits(&ana);
        no_two_overlap(&ana, "header > *");
        ana.waits("placeOf(document.querySelector('#mensagem')) !== null");
        ana.waits("log().clientHeight > 0");
        ana.keep(&format!("zoom-{width}x{height}"));
    }
    ana.is_healthy();
}

#[test]
#[ignore = "needs chromium"]
fn the_dark_theme_follows_the_system_and_the_switch() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let _people = a_lively_room(&server);
    let ana = browser.person().opens(&server.url());
    ana.prefers("dark");
    ana.waits(&ground("dark"));
    ana.poses("dark-form");
    ana.enters("Ana");
    ana.poses("dark");
    ana.prefers("light");
    ana.waits(&ground("light"));
    ana.ends("light");
    // The switch beats the system, and is remembered.
    for (theme, other) in [("dark", "light"), ("light", "dark")] {
        ana.chooses("button", "Opções");
        ana.look(&format!(
            "(document.querySelector('#tema').value = '{theme}',
            document.querySelector('#tema').dispatchEvent(new Event('change', {{ bubbles: true }})))"
        ));
        ana.prefers(other);
        ana.waits(&ground(theme));
        ana.keep(&format!("settings-{theme}"));
        ana.reloads();
        ana.comes_back("Ana");
        ana.waits(&ground(theme));
    }
    ana.is_healthy();
}

/// Whether what stands behind the conversation, or behind the form, is light or dark.
fn ground(is: &str) -> String {
    let sum = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0)";
    format!("{sum} {}", if is == "dark" { "< 150" } else { "> 700" })
}
