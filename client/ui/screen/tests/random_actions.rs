//! Random outputs, actions and window sizes: there is always a complete screen and no panic.

use super::*;

const TEXTS: [&str; 14] = [
    "oi",
    "",
    "\n\n\n",
    "\x1b[2J\x1b[H",
    "👩‍👩‍👧🇧🇷❤️ 漢字かな",
    "e\u{301}\u{323}\u{331}\u{300}\u{301}\u{302}",
    "\u{200d}\u{fe0f}\u{301}",
    "uma frase bem comprida, com vírgulas; e “aspas” (e parênteses)…",
    "https://exemplo.org/um/caminho/bem/comprido/que/nunca/acaba/e/continua/ainda",
    "\t\t@Ana\t",
    "ﷺ \u{202e}abc ﷽﷽﷽",
    "क्षि กำ ํ ཀྵ",
    "#laboratorio",
    "─·●…",
];

/// Seeded, so that every run has the same actions.
struct ActionRng(fastrand::Rng);

impl ActionRng {
    fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end)
    }

    fn text(&mut self) -> &'static str {
        TEXTS[self.below(TEXTS.len())]
    }

    fn direction(&mut self) -> Direction {
        if self.below(2) == 0 {
            Direction::Backward
        } else {
            Direction::Forward
        }
    }
}

impl ScreenHarness {
    fn scroll_rows(&mut self, direction: Direction, rows: usize) {
        for _ in 0..rows {
            self.view.scroll(direction, Some(1), &self.model);
        }
    }

    fn show_random_output(&mut self, rng: &mut ActionRng, minute: u64) {
        let room = ["geral", "lab"][rng.below(2)];
        let at = NINE + minute * MINUTE;
        let output = match rng.below(9) {
            0..=2 => message(room, at, rng.text(), rng.text()),
            3 => presence(&[rng.text()], &[rng.text()]),
            4 => Output::Whisper {
                at,
                own: rng.below(2) == 0,
                from: rng.text().into(),
                to: "você".into(),
                text: rng.text().into(),
            },
            5 => {
                let messages = (0..rng.below(9))
                    .map(|_| message(room, at, rng.text(), rng.text()))
                    .collect();
                Output::EarlierPage {
                    room: room.into(),
                    messages,
                    reached_start: rng.below(4) == 0,
                }
            }
            6 => Output::MissedMarker { room: room.into() },
            7 => {
                let messages = (0..rng.below(3))
                    .map(|_| message(room, u64::MAX, rng.text(), rng.text()))
                    .collect();
                Output::Found {
                    room: room.into(),
                    query: rng.text().into(),
                    messages,
                    more: true,
                }
            }
            _ => Output::Help(rng.text().into()),
        };
        self.view.show(&output);
    }

    fn apply_random_action(&mut self, rng: &mut ActionRng) {
        match rng.below(12) {
            0 => _ = self.editor.insert(rng.text()),
            1 => self.editor.delete(rng.direction()),
            2 => self.editor.step_word(rng.direction()),
            3 => _ = self.editor.step_line(rng.direction()),
            4 => drop(self.editor.take()),
            5 => self.editor.recall(rng.direction()),
            6 => self.view.jump_to_end(),
            7 => self.view.on_sent(),
            8 if rng.below(20) == 0 => self.view.clear(),
            8 => self.view.set_focus(rng.below(2) == 0),
            9 => self.view.people_shown = rng.below(2) == 0,
            10 => {
                let prompts = [Some(Prompt::Name), Some(Prompt::Password), None];
                self.model.prompt = prompts[rng.below(9).min(2)];
                self.model.current = rng.below(2);
            }
            _ => {
                let rows = (rng.below(2) == 0).then(|| rng.below(5));
                let _ = self.view.scroll(rng.direction(), rows, &self.model);
            }
        }
    }
}

#[test]
fn random_actions_and_sizes_always_draw_a_screen() {
    let mut rng = ActionRng(fastrand::Rng::with_seed(0x2545_f491_4f6c_dd1d));
    let mut harness = ScreenHarness::new(80, 24);
    harness.model.rooms.push("lab".into());
    for step in 0..1500 {
        match rng.below(3) {
            0 => harness.show_random_output(&mut rng, step / 3),
            1 => harness.apply_random_action(&mut rng),
            _ => {}
        }
        if rng.below(5) == 0 {
            harness
                .view
                .resize(rng.below(100) as u16, rng.below(40) as u16);
        }
        if rng.below(40) == 0 {
            harness.model.unsent.clear();
            for _ in 0..rng.below(4) {
                harness.add_unsent(TEXTS[step as usize % TEXTS.len()]);
            }
        }
        let screen = harness.screen();
        assert_eq!(
            screen.len(),
            if harness.view.columns == 0 {
                0
            } else {
                harness.view.rows
            },
            "step {step}"
        );
        assert!(
            !screen.concat().chars().any(papo::text::is_unwanted),
            "step {step}: {screen:#?}"
        );
    }
    harness.view.resize(500, 200);
    assert_eq!(harness.screen().len(), 200);
}

#[test]
fn scrolling_up_and_down_returns_to_the_same_rows() {
    let mut rng = ActionRng(fastrand::Rng::with_seed(7));
    for (columns, rows) in [(80, 24), (40, 12), (21, 5)] {
        let mut harness = ScreenHarness::new(columns, rows);
        for minute in 0..200 {
            harness.say(minute, rng.text(), rng.text());
        }
        harness.screen();
        for count in [1, 3, 50] {
            harness.view.jump_to_end();
            let end = harness.screen();
            harness.scroll_rows(Direction::Backward, count);
            let scrolled = harness.screen();
            harness.scroll_rows(Direction::Backward, 7);
            harness.scroll_rows(Direction::Forward, 7);
            assert_eq!(harness.screen(), scrolled, "{columns}×{rows}");
            harness.scroll_rows(Direction::Forward, count);
            assert_eq!(harness.screen(), end, "{columns}×{rows}");
        }
    }
}
