//! Layout on a phone, zoomed in, and in both themes.

use crate::browser::Browser;
use crate::harness::start_server;
use crate::support::client::WsClient;
use crate::support::server::TestServer;
use crate::tab::Tab;

/// Fills the lobby with groups, long words, code, links and long names.
pub fn fill_lobby(server: &TestServer) -> Vec<WsClient> {
    let names = ["Bruno", "Célia", "João Antônio", "Maria das Dores Andrade"];
    let mut people: Vec<WsClient> = names.iter().map(|name| server.enter(name)).collect();
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
        people[who].say_acked(text);
    }
    people
}

/// Asserts that nothing is wider than the window.
#[track_caller]
fn assert_fits(tab: &Tab) {
    tab.wait_until("await painted()");
    let wide = "Array.from(document.querySelectorAll('body *')).filter(isVisible).filter((node) => {
            const { left, right, width } = node.getBoundingClientRect();
            return width > 0 && (left < -1 || right > innerWidth + 1) && !node.closest('pre, code, .skip, .offscreen')
                && getComputedStyle(node).position !== 'fixed';
        }).map((node) => node.outerHTML.slice(0, 200))";
    assert_eq!(tab.eval(wide), serde_json::json!([]));
    tab.wait_until(
        "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight",
    );
}

/// Asserts that these elements and their texts do not overlap.
#[track_caller]
fn assert_no_overlap(tab: &Tab, selector: &str) {
    let overlaps = format!(
        "Array.from(document.querySelectorAll({})).filter(isVisible).map((node) => {{
            const {{ left }} = node.getBoundingClientRect();
            return [node.innerText, left, left + Math.max(node.offsetWidth, node.scrollWidth)];
        }}).sort((a, b) => a[1] - b[1]).filter(([, left], i, all) => i > 0 && left < all[i - 1][2] - 1)",
        crate::tab::quoted(selector)
    );
    tab.wait_until("await painted()");
    assert_eq!(tab.eval(&overlaps), serde_json::json!([]));
}

#[test]
#[ignore = "needs chromium"]
fn phone_shows_everything_within_its_width() {
    let server = start_server();
    let browser = Browser::start();
    let mut people = fill_lobby(&server);
    let ana = browser.profile().opens(&server.url());
    ana.resize(390, 844);
    ana.screenshots("phone-form");
    ana.resize(390, 844);
    ana.enters_on_a_phone("Ana");
    ana.sees_message("Célia", "🎉🎉🎉");
    assert_fits(&ana);
    // Buttons are large enough for a thumb.
    let small = "Array.from(document.querySelectorAll('header button, .composer button')).filter(isVisible)
        .filter((button) => button.offsetHeight < 44 || button.offsetWidth < 44).map((button) => button.outerHTML)";
    assert_eq!(ana.eval(small), serde_json::json!([]));
    assert_no_overlap(&ana, "header > *");
    // A button opens the list of people.
    ana.wait_until("!isVisible(document.querySelector('#pessoas'))");
    ana.clicks("#ver-pessoas");
    ana.wait_until("isVisible(document.querySelector('#pessoas'))");
    ana.sees("Maria das Dores Andrade");
    assert_fits(&ana);
    ana.screenshot("phone-people-390x844");
    ana.presses("Escape");
    ana.wait_until("!isVisible(document.querySelector('#pessoas'))");
    people[0].say_acked("@Ana, viu?");
    ana.sees_message("Bruno", "@Ana, viu?");
    ana.resize(320, 640);
    assert_fits(&ana);
    assert_no_overlap(&ana, "header > *");
    ana.wait_until("document.querySelector('#mensagem').placeholder === 'Mensagem'");
    ana.screenshot("phone-320x640");
    // The draft stays visible when the phone is turned.
    ana.resize(844, 390);
    ana.types_draft(
        "uma frase que numa tela deitada cabe em uma linha e em pé não cabe de jeito nenhum",
    );
    ana.resize(390, 844);
    ana.wait_until(
        "(({ scrollHeight, clientHeight }) => scrollHeight <= clientHeight)(document.querySelector('#mensagem'))",
    );
    ana.finish("phone");
}

#[test]
#[ignore = "needs chromium"]
fn zoomed_page_shows_everything() {
    let server = start_server();
    let browser = Browser::start();
    let _people = fill_lobby(&server);
    let ana = browser.profile().opens(&server.url());
    ana.enters("Ana");
    // 1280 × 800 at 200 %, and 1280 × 1024 at 400 %.
    for (width, height) in [(640, 400), (320, 256)] {
        ana.zoom(width, height);
        assert_fits(&ana);
        assert_no_overlap(&ana, "header > *");
        ana.wait_until("clickPoint(document.querySelector('#mensagem')) !== null");
        ana.wait_until("log().clientHeight > 0");
        ana.screenshot(&format!("zoom-{width}x{height}"));
    }
    ana.assert_healthy();
}

#[test]
#[ignore = "needs chromium"]
fn theme_follows_the_system_and_the_switch() {
    let server = start_server();
    let browser = Browser::start();
    let _people = fill_lobby(&server);
    let ana = browser.profile().opens(&server.url());
    ana.prefer_scheme("dark");
    ana.wait_until(&has_background("dark"));
    ana.screenshots("dark-form");
    ana.enters("Ana");
    ana.screenshots("dark");
    ana.prefer_scheme("light");
    ana.wait_until(&has_background("light"));
    ana.finish("light");
    // The switch overrides the system, and is remembered.
    for (theme, other) in [("dark", "light"), ("light", "dark")] {
        ana.chooses("button", "Opções");
        ana.eval(&format!(
            "(document.querySelector('#tema').value = '{theme}',
            document.querySelector('#tema').dispatchEvent(new Event('change', {{ bubbles: true }})))"
        ));
        ana.prefer_scheme(other);
        ana.wait_until(&has_background(theme));
        ana.screenshot(&format!("settings-{theme}"));
        ana.reloads();
        ana.comes_back("Ana");
        ana.wait_until(&has_background(theme));
    }
    ana.assert_healthy();
}

/// An expression that is true when the background is light or dark.
fn has_background(is: &str) -> String {
    let sum = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0)";
    format!("{sum} {}", if is == "dark" { "< 150" } else { "> 700" })
}
