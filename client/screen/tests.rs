//! Screens as screens: something is shown, keys are pressed, and the cells are held against a drawn box.

use super::view::View;
use super::{draw, style};
use crate::app::{Status, Unsent};
use crate::clock::Clock;
use crate::input::{Editor, Way};
use crate::line::Line;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Modifier;
use std::time::Instant;

/// 3 March 2026, 09:00 in Brasília.
const NINE: u64 = 1_772_539_200_000;
const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

/// A screen that one can look at.
struct Desk {
    view: View,
    status: Status,
    editor: Editor,
}

impl Desk {
    fn new(columns: u16, rows: u16) -> Self {
        let people = [("Ana", true), ("Bruno", false), ("Célia", false), ("João", false)];
        let status = Status {
            name: "Ana".into(),
            address: "192.168.0.10:9000".into(),
            rooms: vec!["geral".into()],
            online: 4,
            people: people.iter().map(|(name, me)| ((*name).to_owned(), *me)).collect(),
            connected: true,
            ..Status::default()
        };
        let view = View::new(Clock::brasilia().frozen(NINE), true, (columns, rows));
        Self { view, status, editor: Editor::default() }
    }

    /// Somebody says something so many minutes after nine.
    fn says(&mut self, minute: u64, from: &str, text: &str) {
        self.view.show(&said("geral", NINE + minute * MINUTE, from, text));
    }

    fn screen(&mut self) -> Vec<String> {
        self.cells().into_iter().map(|row| row.trim_end().to_owned()).collect()
    }

    fn cells(&mut self) -> Vec<String> {
        let backend = self.drawn();
        let buffer = backend.backend().buffer();
        let width = usize::from(buffer.area.width);
        let rows = buffer.content.chunks(width).map(|cells| {
            let (mut row, mut skip) = (String::new(), 0);
            for cell in cells {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                row.push_str(cell.symbol());
                skip = super::wrap::width(cell.symbol()).saturating_sub(1);
            }
            row
        });
        rows.collect()
    }

    fn drawn(&mut self) -> Terminal<TestBackend> {
        let size = (self.view.columns as u16, self.view.rows as u16);
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        self.view.sync(&self.status);
        let draw = |frame: &mut ratatui::Frame<'_>| {
            draw::draw(frame.buffer_mut(), &mut self.view, &self.status, &self.editor, Instant::now());
        };
        terminal.draw(draw).unwrap();
        terminal
    }

    #[track_caller]
    fn expects(&mut self, expected: &str) {
        let screen = self.screen();
        let expected: Vec<&str> = expected.trim_matches('\n').lines().map(|row| row.trim_end()).collect();
        assert_eq!(screen, expected, "\n{}\n", screen.join("\n"));
    }

    fn unsent(&mut self, text: &str) {
        let unsent = Unsent { to: None, action: false, text: text.into(), since: Instant::now(), late: true };
        self.status.unsent.push(unsent);
    }
}

fn said(place: &str, at: u64, from: &str, text: &str) -> Line {
    let mention = text.contains("@Ana");
    let (from, text, place) = (from.to_owned(), text.to_owned(), place.to_owned());
    Line::Message { room: None, place, at, own: from == "Ana", from, action: false, mention, text }
}

fn presence(came: &[&str], went: &[&str]) -> Line {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Line::Presence { room: None, place: "geral".into(), came: names(came), went: names(went), renamed: vec![] }
}

/// The conversation of the specification.
fn conversation(columns: u16, rows: u16) -> Desk {
    let mut desk = Desk::new(columns, rows);
    desk.view.show(&presence(&["João"], &[]));
    desk.view.show(&presence(&["Rita"], &["Bruno"]));
    desk.says(5, "Célia", "alguém revisa o hub.rs? @Ana");
    desk.says(5, "Célia", "é curtinho 🙂");
    desk.says(6, "Bruno", "eu olho depois do almoço, agora estou numa reunião que não termina nunca");
    desk.view.focus(false);
    desk.says(11, "Célia", "@Ana viu?");
    desk.view.focus(true);
    desk.status.typing = vec!["Célia".into()];
    desk.editor.insert("estou revisando");
    desk
}

#[test]
fn eighty_columns() {
    let mut desk = conversation(80, 14);
    desk.expects(
        "
 ● 192.168.0.10:9000 · Ana · 4 pessoas                               /ajuda  F2



─────────────────────────── terça-feira, 3 de março ────────────────────────────
09:00           +João +Rita −Bruno
09:05    Célia  alguém revisa o hub.rs? @Ana
                é curtinho 🙂
09:06    Bruno  eu olho depois do almoço, agora estou numa reunião que não
                termina nunca
─────────────────────────────── novas mensagens ────────────────────────────────
09:11    Célia  @Ana viu?
 Célia está digitando…
 Ana › estou revisando
",
    );
}

#[test]
fn forty_columns() {
    let mut desk = conversation(40, 12);
    desk.expects(
        "
 ● 192.168.0.10:9000 · Ana · 4 pessoas
09:00 +João +Rita −Bruno
09:05 Célia: alguém revisa o hub.rs?
      @Ana
      é curtinho 🙂
09:06 Bruno: eu olho depois do almoço,
      agora estou numa reunião que não
      termina nunca
─────────── novas mensagens ────────────
09:11 Célia: @Ana viu?
 Célia está digitando…
 Ana › estou revisando
",
    );
}

#[test]
fn two_hundred_columns_use_the_width() {
    let mut desk = conversation(200, 60);
    let screen = desk.screen();
    assert_eq!(screen.len(), 60);
    assert!(screen[0].ends_with("/ajuda  F2"));
    let long = "09:06    Bruno  eu olho depois do almoço, agora estou numa reunião que não termina nunca";
    assert_eq!(screen[55], long);
    assert_eq!(screen[57], "09:11    Célia  @Ana viu?");
}

#[test]
fn a_small_window_says_so_and_can_still_be_written_in() {
    let mut desk = conversation(19, 5);
    desk.expects(
        "
A janela é pequena
demais para mostrar
a conversa.

› estou revisando
",
    );
    for (columns, rows) in (1..24).flat_map(|columns| (1..8).map(move |rows| (columns, rows))) {
        desk.view.resize(columns, rows);
        assert_eq!(desk.screen().len(), usize::from(rows));
    }
}

#[test]
fn a_new_size_keeps_the_last_message_at_the_bottom() {
    let mut desk = conversation(80, 14);
    let last = |desk: &mut Desk| {
        let screen = desk.screen();
        screen[screen.len() - 3].clone()
    };
    for (columns, rows, expected) in [
        (80, 14, "09:11    Célia  @Ana viu?"),
        (40, 12, "09:11 Célia: @Ana viu?"),
        (61, 6, "09:11    Célia  @Ana viu?"),
    ] {
        desk.view.resize(columns, rows);
        assert_eq!(last(&mut desk), expected);
    }
}

#[test]
fn an_unsent_message_has_its_mark_at_the_right_edge() {
    let mut desk = Desk::new(60, 6);
    desk.says(0, "Ana", "vi sim");
    desk.unsent("e respondo já");
    let screen = desk.screen();
    assert_eq!(screen[3], format!("{:58} ⋯", "                e respondo já"));
}

#[test]
fn names_are_cut_by_columns_and_not_by_bytes() {
    let mut desk = Desk::new(70, 6);
    desk.status.people.push(("Conceição de Araújo".into(), false));
    desk.says(0, "Conceição de Araújo", "olá");
    desk.says(1, "中村", "やあ");
    let screen = desk.screen();
    assert_eq!(screen[2], "09:00 Conceição de Ar…  olá");
    assert_eq!(screen[3], "09:01             中村  やあ");
}

#[test]
fn a_name_is_said_once_and_a_minute_too() {
    let mut desk = Desk::new(60, 12);
    desk.says(0, "Bruno", "um");
    desk.says(0, "Bruno", "dois");
    desk.says(1, "Bruno", "três");
    desk.says(1, "João", "quatro");
    desk.says(9, "João", "cinco");
    desk.view.show(&said("geral", NINE + DAY, "João", "seis"));
    assert_eq!(
        desk.screen()[2..10],
        [
            "───────────────── terça-feira, 3 de março ──────────────────",
            "09:00    Bruno  um",
            "                dois",
            "09:01           três",
            "          João  quatro",
            "09:09     João  cinco",
            "───────────────── quarta-feira, 4 de março ─────────────────",
            "09:00     João  seis"
        ]
    );
}

#[test]
fn a_mention_reverses_the_name_and_nothing_else() {
    let mut desk = Desk::new(60, 6);
    desk.says(0, "Célia", "@Ana");
    let terminal = desk.drawn();
    let buffer = terminal.backend().buffer();
    let reversed: String = (0..60)
        .filter(|&x| buffer[(x, 3)].modifier.contains(Modifier::REVERSED | Modifier::BOLD))
        .map(|x| buffer[(x, 3)].symbol())
        .collect();
    assert_eq!(reversed, "Célia");
}

#[test]
fn without_colours_there_are_only_attributes() {
    let mut desk = conversation(80, 14);
    desk.view.colours = false;
    let terminal = desk.drawn();
    let cells = &terminal.backend().buffer().content;
    assert!(cells.iter().all(|cell| cell.fg == ratatui::style::Color::Reset));
    assert_eq!(style::name("Ana", true, false, false), style::STRONG);
}

#[test]
fn rooms_stand_in_the_status_with_what_is_unread() {
    let mut desk = Desk::new(80, 8);
    desk.status.rooms.push("laboratório".into());
    desk.status.room = Some("#geral".into());
    desk.says(0, "Bruno", "aqui");
    desk.view.show(&said("laboratório", NINE, "Célia", "lá"));
    desk.view.show(&said("laboratório", NINE, "Célia", "ainda lá"));
    desk.expects(
        "
 ● #geral  #laboratório(2) · 4 pessoas                               /ajuda  F2



─────────────────────────── terça-feira, 3 de março ────────────────────────────
09:00    Bruno  aqui

 Ana #geral ›
",
    );
    assert_eq!(desk.view.active(&desk.status).as_deref(), Some("laboratório"));
    desk.view.show(&Line::Here { place: "laboratório".into() });
    (desk.status.current, desk.status.room) = (1, Some("#laboratório".into()));
    desk.expects(
        "
 ● #geral  #laboratório · 4 pessoas                                  /ajuda  F2

─────────────────────────── terça-feira, 3 de março ────────────────────────────
─────────────────────────────── novas mensagens ────────────────────────────────
09:00    Célia  lá
                ainda lá

 Ana #laboratório ›
",
    );
    assert_eq!(desk.view.neighbour(Way::On, &desk.status).as_deref(), Some("geral"));
}

#[test]
fn reading_back_stays_where_it_is_while_others_speak() {
    let mut desk = Desk::new(60, 8);
    (0..30).for_each(|minute| desk.says(minute, "Bruno", &format!("número {minute}")));
    assert!(!desk.view.scroll(Way::Back, None, &desk.status));
    let before = desk.screen();
    desk.says(31, "Célia", "mais uma");
    desk.says(32, "Célia", "e outra");
    let after = desk.screen();
    assert_eq!(before[1..6], after[1..6]);
    assert!(after[6].ends_with("↓ 2 novas (End)"), "{}", after[6]);
    desk.view.latest();
    assert_eq!(desk.screen()[5], "09:32           e outra");
}

#[test]
fn at_the_first_row_earlier_pages_are_wished_for_and_come_above() {
    let mut desk = Desk::new(60, 8);
    (10..20).for_each(|minute| desk.says(minute, "Bruno", &format!("número {minute}")));
    let status = desk.status.clone();
    while !desk.view.scroll(Way::Back, None, &status) {}
    let before = desk.screen();
    let lines = (0..10).map(|minute| said("geral", NINE + minute * MINUTE, "Célia", "antes")).collect();
    desk.view.show(&Line::Earlier { place: "geral".into(), lines, start: true });
    // Only the day's line has gone up, to where the day begins now.
    assert_eq!(desk.screen()[1..5], before[2..6]);
    while !desk.view.scroll(Way::Back, None, &status) {}
    assert_eq!(desk.screen()[2].trim(), "Início da conversa");
}

#[test]
fn offline_the_seconds_are_counted_and_the_queue_too() {
    let mut desk = Desk::new(80, 6);
    desk.says(0, "Bruno", "oi");
    (desk.status.connected, desk.status.offline) = (false, true);
    (desk.status.retry_in, desk.status.waiting) = (Some(5), 2);
    desk.unsent("uma");
    desk.unsent("outra");
    desk.expects(&format!(
        "
 ○ sem conexão · nova tentativa em 5 s (Enter tenta agora) · 2 na fila
09:00    Bruno  oi
{:79}⋯
{:79}⋯

 Ana ›
",
        "           Ana  uma", "                outra"
    ));
    desk.view.resize(40, 6);
    assert_eq!(desk.screen()[0], " ○ sem conexão · 5 s (Enter) · 2 na fila");
}

#[test]
fn the_people_take_the_place_of_the_conversation() {
    let mut desk = conversation(40, 9);
    desk.view.people = true;
    desk.expects(
        "
 ● 192.168.0.10:9000 · Ana · 4 pessoas
 Pessoas (4)

 Ana (você)   Célia
 Bruno        João
 F2 ou Esc volta à conversa

 Célia está digitando…
 Ana › estou revisando
",
    );
}

#[test]
fn no_more_than_the_limit_is_kept_in_a_room() {
    let mut desk = Desk::new(60, 8);
    (0..6000).for_each(|number| desk.says(number, "Bruno", "oi"));
    let room = desk.view.room();
    assert_eq!(room.end_id() - room.first_id(), super::timeline::MAX_ENTRIES as i64);
}

#[test]
fn whatever_is_said_the_frame_stays_whole() {
    let hostile =
        ["\x1b[2J\x1b[H", "\u{9b}1;1H", "\u{202e}abc", "\r\n\r\n", "a\u{300}\u{301}\u{302}\u{303}", "\u{7}\u{8}\u{7f}"];
    let mut desk = Desk::new(60, 8);
    for text in hostile {
        desk.says(0, text, text);
        let screen = desk.screen();
        assert!(screen[0].starts_with(" ● 192.168.0.10:9000 · Ana"), "{text:?}");
        assert_eq!(screen[7], " Ana ›", "{text:?}");
        assert!(!screen.concat().chars().any(papo::text::is_unwanted), "{text:?}");
    }
}
