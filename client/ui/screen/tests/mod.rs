//! Screens: outputs are shown, keys are pressed, and the cells are compared with a drawn box.

mod edits;
mod entries;
mod frame;
mod random_actions;
mod reading;
mod sizes;

use crate::app::output::{MessageState, Output};
use crate::app::{PersonView, Prompt, UnsentView, ViewModel};
use crate::ui::clock::Clock;
use crate::ui::editor::{Direction, Editor};
use crate::ui::screen::view::View;
use crate::ui::screen::{draw, style};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Modifier;
use std::time::Instant;

/// 3 March 2026, 09:00 in Brasília.
const NINE: u64 = 1_772_539_200_000;
const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

/// A view with its model and input, drawn into a test backend.
struct ScreenHarness {
    view: View,
    model: ViewModel,
    editor: Editor,
}

impl ScreenHarness {
    fn new(columns: u16, rows: u16) -> Self {
        let people = [
            ("Ana", true),
            ("Bruno", false),
            ("Célia", false),
            ("João", false),
        ];
        let model = ViewModel {
            name: "Ana".into(),
            address: "192.168.0.10:9000".into(),
            rooms: vec!["geral".into()],
            online: 4,
            people: people.iter().map(|(name, me)| person(name, *me)).collect(),
            connected: true,
            max_text: 4000,
            ..ViewModel::default()
        };
        // In the middle of a minute: unsent messages are slightly older than now.
        let view = View::new(
            Clock::brasilia().frozen(NINE + MINUTE / 2),
            true,
            (columns, rows),
        );
        Self {
            view,
            model,
            editor: Editor::default(),
        }
    }

    /// Shows a message, `minute` minutes after nine.
    fn say(&mut self, minute: u64, from: &str, text: &str) {
        self.view
            .show(&message("geral", NINE + minute * MINUTE, from, text));
    }

    /// Bruno says one numbered message in each of these minutes.
    fn say_numbered(&mut self, minutes: std::ops::Range<u64>) {
        for minute in minutes {
            self.say(minute, "Bruno", &format!("número {minute}"));
        }
    }

    fn screen(&mut self) -> Vec<String> {
        self.cells()
            .into_iter()
            .map(|row| row.trim_end().to_owned())
            .collect()
    }

    fn cells(&mut self) -> Vec<String> {
        let backend = self.render();
        let buffer = backend.backend().buffer();
        let width = usize::from(buffer.area.width).max(1);
        let rows = buffer.content.chunks(width).map(|cells| {
            let mut row = String::new();
            let mut skip = 0;
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

    fn render(&mut self) -> Terminal<TestBackend> {
        let size = (self.view.columns as u16, self.view.rows as u16);
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        self.view.sync(&self.model);
        terminal
            .draw(|frame| {
                draw::draw(
                    frame.buffer_mut(),
                    &mut self.view,
                    &self.model,
                    &self.editor,
                    Instant::now(),
                );
            })
            .unwrap();
        terminal
    }

    #[track_caller]
    fn assert_screen(&mut self, expected: &str) {
        let screen = self.screen();
        let expected: Vec<&str> = expected
            .trim_matches('\n')
            .lines()
            .map(|row| row.trim_end())
            .collect();
        assert_eq!(screen, expected, "\n{}\n", screen.join("\n"));
    }

    fn add_unsent(&mut self, text: &str) {
        let unsent = UnsentView {
            to: None,
            action: false,
            text: text.into(),
            queued_at: Instant::now(),
            late: true,
        };
        self.model.unsent.push(unsent);
    }
}

fn person(name: &str, me: bool) -> PersonView {
    PersonView {
        name: name.to_owned(),
        me,
        moderator: false,
    }
}

fn message(room: &str, at: u64, from: &str, text: &str) -> Output {
    Output::Message {
        // The message of the third minute is the third in the log.
        seq: at.saturating_sub(NINE) / MINUTE,
        state: MessageState::Unchanged,
        room: room.to_owned(),
        at,
        own: from == "Ana",
        from: from.to_owned(),
        action: false,
        mention: text.contains("@Ana"),
        text: text.to_owned(),
    }
}

fn presence(joined: &[&str], left: &[&str]) -> Output {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Output::Presence {
        room: "geral".into(),
        joined: names(joined),
        left: names(left),
        renamed: vec![],
    }
}

/// A conversation with every kind of row.
fn conversation(columns: u16, rows: u16) -> ScreenHarness {
    let mut harness = ScreenHarness::new(columns, rows);
    harness.view.show(&presence(&["João"], &[]));
    harness.view.show(&presence(&["Rita"], &["Bruno"]));
    harness.say(5, "Célia", "alguém revisa o hub.rs? @Ana");
    harness.say(5, "Célia", "é curtinho 🙂");
    harness.say(
        6,
        "Bruno",
        "eu olho depois do almoço, agora estou numa reunião que não termina nunca",
    );
    harness.view.set_focus(false);
    harness.say(11, "Célia", "@Ana viu?");
    harness.view.set_focus(true);
    harness.model.typing = vec!["Célia".into()];
    harness.editor.insert("estou revisando");
    harness
}
