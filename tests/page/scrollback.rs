//! Reading back: scrolling through a thousand messages, searching, and unread marks.

use crate::browser::Browser;
use crate::harness::start_server;
use crate::tab::Tab;
use std::collections::BTreeSet;

/// Pixels per scroll step; less than the window's height, so that no message is skipped.
const STEP_PX: i32 = 350;
/// Most messages that the page may keep in the document.
const MAX_ENTRIES: u64 = 400;
/// Tolerated shift of the text being read, in pixels.
const MAX_SHIFT_PX: f64 = 2.0;

/// Scrolls once; returns the visible texts and whether this was the last step in that direction.
#[track_caller]
fn scroll(tab: &Tab, by: i32) -> (Vec<String>, bool) {
    let step = tab.eval(&format!(
        "await (() => {{ {}\nreturn scrolledBy({by}); }})()",
        include_str!("scroll_probe.js")
    ));
    let moved = step["moved"].as_f64().unwrap_or(f64::INFINITY);
    assert!(moved <= MAX_SHIFT_PX, "the text being read moved: {step}");
    assert!(step["most"].as_u64().unwrap() <= MAX_ENTRIES, "{step}");
    let read = step["read"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect();
    (read, step[if by < 0 { "atTop" } else { "atEnd" }] == true)
}

/// A message whose height does not depend on its number alone.
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
fn scrolling_a_thousand_messages_keeps_the_position() {
    let server = start_server();
    let browser = Browser::start();
    let mut people = ["Bruno", "Célia"].map(|name| server.enter(name));
    for n in 1..=1000 {
        people[n / 3 % 2].say_acked(&message(n));
    }
    let ana = browser.profile().opens(&server.url());
    ana.enters("Ana");
    ana.wait_until(
        "texts().at(-1).startsWith('mensagem 1000') && entries().at(-1).getBoundingClientRect().bottom < innerHeight",
    );
    let mut read = BTreeSet::new();
    let mut steps = 0;
    for direction in [-STEP_PX, STEP_PX] {
        read.extend(scroll(&ana, 0).0);
        loop {
            let (in_sight, last) = scroll(&ana, direction);
            read.extend(in_sight);
            steps += 1;
            assert!(steps < 2000, "scrolling takes too many steps");
            if steps == 20 {
                // New messages must not shift the text being read.
                (1001..=1040).for_each(|n| people[n % 2].say_acked(&message(n)));
            }
            if last {
                break;
            }
        }
        ana.screenshot(if direction < 0 {
            "scrolled-to-the-beginning"
        } else {
            "scrolled-to-the-end"
        });
        if direction < 0 {
            ana.sees("Início da conversa");
            assert_eq!(
                (1..=1000).find(|&n| !read.contains(&message(n))),
                None,
                "on the way up"
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
    // Escape scrolls to the end from anywhere.
    scroll(&ana, -3 * STEP_PX);
    ana.presses("Escape");
    ana.wait_until(
        "entries().at(-1).getBoundingClientRect().bottom < innerHeight && texts().at(-1).startsWith('mensagem 1040')",
    );
    people[0].say_acked("e uma nova");
    ana.sees_message("Bruno", "e uma nova");
    ana.wait_until("entries().at(-1).getBoundingClientRect().bottom < innerHeight");
    ana.finish("scrolled");
}

#[test]
#[ignore = "needs chromium"]
fn search_result_scrolls_to_its_message() {
    let server = start_server();
    let browser = Browser::start();
    let mut rita = server.enter("Rita");
    for n in 1..=600 {
        rita.say_acked(&if n % 100 == 7 {
            format!("a Conceição trouxe o café {n}")
        } else {
            message(n)
        });
    }
    let ana = browser.profile().opens(&server.url());
    ana.enters("Ana");
    ana.sees_message("Rita", &message(600));
    ana.presses("Control+k");
    ana.wait_until("document.activeElement.id === 'buscado'");
    ana.types("xyz");
    ana.presses("Enter");
    ana.sees("Nada encontrado para “xyz”.");
    ana.eval("document.activeElement.select()");
    ana.types("conceicao");
    ana.presses("Enter");
    ana.sees("6 resultados");
    ana.screenshots("search");
    ana.clicks("#resultados li:last-child button");
    let found = "entries().find((entry) => textOf(entry) === 'a Conceição trouxe o café 7')";
    ana.wait_until(&format!(
        "clickPoint({found}) !== null && isVisible({found})"
    ));
    ana.sees("Voltar à conversa");
    // Its neighbours are loaded too.
    let around = [message(6), "a Conceição trouxe o café 7".into(), message(8)].join("|");
    ana.wait_until(&format!(
        "texts().join('|').includes({})",
        crate::tab::quoted(&around)
    ));
    ana.screenshots("search-place");
    rita.say_acked("enquanto isso");
    ana.clicks("#novas");
    ana.sees_message("Rita", "enquanto isso");
    ana.finish("search-back");
}

#[test]
#[ignore = "needs chromium"]
fn hidden_tab_counts_and_marks_unread_messages() {
    let server = start_server();
    let browser = Browser::start();
    let mut rita = server.enter("Rita");
    let profile = browser.profile();
    let ana = profile.opens(&server.url());
    ana.enters("Ana");
    rita.say_acked("lida");
    ana.sees_message("Rita", "lida");
    let icon = ana.eval("document.querySelector('#icone').href");
    // Another tab in the same window covers it.
    let other = profile.tab(false);
    ana.wait_until("document.hidden");
    for n in 1..=120 {
        rita.say_acked(&format!("não lida {n}"));
    }
    rita.say_acked("@Ana, cadê você?");
    ana.wait_until("document.title === '(121) Bate-papo'");
    assert_ne!(ana.eval("document.querySelector('#icone').href"), icon);
    ana.brings_to_front();
    ana.wait_until("!document.hidden");
    ana.sees("novas mensagens");
    let line = "Array.from(document.querySelectorAll('.unread-line')).find(isVisible)";
    ana.wait_until(&format!(
        "textOf({line}.nextElementSibling) === 'não lida 1'"
    ));
    ana.wait_until(
        "countOf('lida') === 1 && countOf('não lida 1') === 1 && countOf('@Ana, cadê você?') === 1",
    );
    ana.screenshots("unread");
    // The button scrolls to the unread line, once.
    ana.chooses("button", "↑ novas mensagens");
    ana.wait_until(&format!(
        "clickPoint({line}) !== null && document.querySelector('#novas').hidden"
    ));
    ana.wait_until(&format!(
        "(({{ top }}, box) => top >= box.top && top < box.bottom)({line}.getBoundingClientRect(), log().getBoundingClientRect())"
    ));
    ana.screenshots("unread-line");
    // After reading to the end and answering, nothing is unread.
    ana.presses("Escape");
    ana.wait_until("document.title === 'Bate-papo'");
    ana.says("aqui");
    rita.wait_for_text("aqui");
    ana.wait_until(&format!("{line} === undefined"));
    assert_eq!(ana.eval("document.querySelector('#icone').href"), icon);
    ana.finish("hidden");
    drop(other);
}
