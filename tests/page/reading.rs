//! Reading what was said before: a thousand messages up and down without a jump, searching, and what is unread.

use crate::browser::Browser;
use crate::stage::{TestServer, Visitor};
use crate::tab::Tab;
use std::collections::BTreeSet;

/// How far one turns the wheel at a time: less than the window's height, so that nothing is passed over.
const STEP: i32 = 350;
/// Most entries that the page may hold.
const MOST_ENTRIES: u64 = 400;
/// Pixels that nobody notices.
const UNNOTICED: f64 = 2.0;

/// Scrolls once; gives back what was in sight and whether this was the last step in that direction.
#[track_caller]
fn scrolls(tab: &Tab, by: i32) -> (Vec<String>, bool) {
    let step = tab.look(&format!(
        "await (() => {{ {}\nreturn scrolledBy({by}); }})()",
        include_str!("reading.js")
    ));
    let moved = step["moved"].as_f64().unwrap_or(f64::INFINITY);
    assert!(moved <= UNNOTICED, "what was being read moved: {step}");
    assert!(step["most"].as_u64().unwrap() <= MOST_ENTRIES, "{step}");
    let read = step["read"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect();
    (read, step[if by < 0 { "atTop" } else { "atEnd" }] == true)
}

/// A message whose height tells nothing of its number.
fn message(n: usize) -> String {
    let tail = match n % 3 {
        0 => String::new(),
        1 => " e mais um pouco de texto para ocupar a linha".repeat(n % 7),
        _ => "\noutra linha".to_owned(),
    };
    format!("mensagem {n}{tail}")
}

#[test]
#[ignore = "needs chromium"]
fn a_thousand_messages_are_read_up_and_down_without_a_jump() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let mut people = ["Bruno", "Célia"].map(|name| Visitor::enter(server.address, name, "geral"));
    for n in 1..=1000 {
        people[n / 3 % 2].says(&message(n));
    }
    let ana = browser.person().opens(&server.url());
    ana.enters("Ana");
    ana.waits(
        "texts().at(-1).startsWith('mensagem 1000') && entries().at(-1).getBoundingClientRect().bottom < innerHeight",
    );
    let (mut read, mut steps) = (BTreeSet::new(), 0);
    for direction in [-STEP, STEP] {
        read.extend(scrolls(&ana, 0).0);
        loop {
            let (in_sight, last) = scrolls(&ana, direction);
            read.extend(in_sight);
            steps += 1;
            assert!(steps < 2000, "the way is too long");
            if steps == 20 {
                // What is said meanwhile does not move anything either.
                (1001..=1040).for_each(|n| people[n % 2].says(&message(n)));
            }
            if last {
                break;
            }
        }
        ana.keep(if direction < 0 {
            "scrolled-to-the-beginning"
        } else {
            "scrolled-to-the-end"
        });
        if direction < 0 {
            ana.sees("Início da conversa");
            assert_eq!(
                (1..=1000).find(|&n| !read.contains(&message(n))),
                None,
                "somebody did not see a message"
            );
            read.clear();
        }
    }
    assert_eq!(
        (1..=1040).find(|&n| !read.contains(&message(n))),
        None,
        "on the way down"
    );
    println!("{steps} steps up and down");
    // From anywhere, Escape leads to the end.
    scrolls(&ana, -3 * STEP);
    ana.presses("Escape");
    ana.waits(
        "entries().at(-1).getBoundingClientRect().bottom < innerHeight && texts().at(-1).startsWith('mensagem 1040')",
    );
    people[0].says("e uma nova");
    ana.hears("Bruno", "e uma nova");
    ana.waits("entries().at(-1).getBoundingClientRect().bottom < innerHeight");
    ana.ends("scrolled");
}

#[test]
#[ignore = "needs chromium"]
fn a_search_leads_to_the_place() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    for n in 1..=600 {
        rita.says(&if n % 100 == 7 {
            format!("a Conceição trouxe o café {n}")
        } else {
            message(n)
        });
    }
    let ana = browser.person().opens(&server.url());
    ana.enters("Ana");
    ana.hears("Rita", &message(600));
    ana.presses("Control+k");
    ana.waits("document.activeElement.id === 'buscado'");
    ana.writes("xyz");
    ana.presses("Enter");
    ana.sees("Nada encontrado para “xyz”.");
    ana.look("document.activeElement.select()");
    ana.writes("conceicao");
    ana.presses("Enter");
    ana.sees("6 resultados");
    ana.poses("search");
    ana.clicks("#resultados li:last-child button");
    let found = "entries().find((entry) => textOf(entry) === 'a Conceição trouxe o café 7')";
    ana.waits(&format!("placeOf({found}) !== null && isVisible({found})"));
    ana.sees("Voltar à conversa");
    // Both neighbours are there, so one reads on from here.
    let around = [message(6), "a Conceição trouxe o café 7".into(), message(8)].join("|");
    ana.waits(&format!(
        "texts().join('|').includes({})",
        crate::tab::quoted(&around)
    ));
    ana.poses("search-place");
    rita.says("enquanto isso");
    ana.clicks("#novas");
    ana.hears("Rita", "enquanto isso");
    ana.ends("search-back");
}

#[test]
#[ignore = "needs chromium"]
fn a_tab_hidden_for_long_tells_what_is_new_and_where_reading_stopped() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    let person = browser.person();
    let ana = person.opens(&server.url());
    ana.enters("Ana");
    rita.says("lida");
    ana.hears("Rita", "lida");
    let icon = ana.look("document.querySelector('#icone').href");
    // Another tab in front of it, in the same window.
    let other = person.tab(false);
    ana.waits("document.hidden");
    for n in 1..=120 {
        rita.says(&format!("não lida {n}"));
    }
    rita.says("@Ana, cadê você?");
    ana.waits("document.title === '(121) Bate-papo'");
    assert_ne!(ana.look("document.querySelector('#icone').href"), icon);
    ana.comes_forward();
    ana.waits("!document.hidden");
    ana.sees("novas mensagens");
    let line = "Array.from(document.querySelectorAll('.unread-line')).find(isVisible)";
    ana.waits(&format!(
        "textOf({line}.nextElementSibling) === 'não lida 1'"
    ));
    ana.waits("howOften('lida') === 1 && howOften('não lida 1') === 1 && howOften('@Ana, cadê você?') === 1");
    ana.poses("unread");
    // What is far up is led to, once.
    ana.chooses("button", "↑ novas mensagens");
    ana.waits(&format!(
        "placeOf({line}) !== null && document.querySelector('#novas').hidden"
    ));
    ana.waits(&format!(
        "(({{ top }}, box) => top >= box.top && top < box.bottom)({line}.getBoundingClientRect(), log().getBoundingClientRect())"
    ));
    ana.poses("unread-line");
    // Read to the end and answered: nothing is new any more.
    ana.presses("Escape");
    ana.waits("document.title === 'Bate-papo'");
    ana.says("aqui");
    rita.hears_text("aqui");
    ana.waits(&format!("{line} === undefined"));
    assert_eq!(ana.look("document.querySelector('#icone').href"), icon);
    ana.ends("hidden");
    drop(other);
}
