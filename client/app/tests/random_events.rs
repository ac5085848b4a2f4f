//! Random events in random order: the core exits at most once and never asks for a tick that changes nothing.

use super::*;

const INPUTS: [&str; 33] = [
    "",
    "oi",
    "/",
    "//",
    "/sair",
    "/entrar lab",
    "/entrar #GERAL",
    "/entrar <>",
    "/deixar",
    "/deixar lab",
    "/msg Bruno oi",
    "/msg",
    "/r oi",
    "/nome Zoé",
    "/nome",
    "/salas",
    "/quem",
    "/antes",
    "/limpar",
    "/buscar x",
    "/avisos sim",
    "/eu acena",
    "/editar",
    "/editar x",
    "/apagar",
    "/apagar Bruno 1h",
    "/ignorar Bruno",
    "/trancar",
    "/lento 0",
    "/senha x",
    "/entrar lab x",
    "Ana",
    "mais do que vinte caracteres",
];

/// Seeded, so that every run has the same events.
struct EventRng(fastrand::Rng);

impl EventRng {
    fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end)
    }

    fn number(&mut self) -> u64 {
        [0, 1, 2, 3, 7, 50, u64::MAX - 1, u64::MAX][self.below(8)]
    }

    fn room(&mut self) -> &'static str {
        ["geral", "lab", "nunca-aberta", "\x1b[2J"][self.below(4)]
    }

    fn entries(&mut self) -> Vec<Arc<Entry>> {
        (0..self.below(4)).map(|_| self.entry()).collect()
    }

    fn entry(&mut self) -> Arc<Entry> {
        let plain = entry(
            self.number(),
            ["Ana", "Bruno"][self.below(2)],
            ["@Ana #lab", ""][self.below(2)],
        );
        let edits = (self.below(4) == 0).then(|| self.number());
        let erases = (0..self.below(8).saturating_sub(5))
            .map(|_| self.number())
            .collect();
        Arc::new(Entry {
            edits,
            erases,
            edited: self.below(5) == 0,
            erased: self.below(5) == 0,
            ..Entry::clone(&plain)
        })
    }

    fn message(&mut self) -> ServerMessage {
        let room = self.room();
        match self.below(15) {
            0 => welcome(["Ana", "Zoé"][self.below(2)]),
            1..=2 => {
                let epoch = ["e1", "e2"][self.below(2)];
                let seq = self.number();
                let entries = self.entries();
                let more = self.below(3) == 0;
                joined(room, epoch, seq, &entries, more)
            }
            3 => ServerMessage::Left {
                room: room.into(),
                id: None,
            },
            4 => ServerMessage::Message(self.entry()),
            5 => ack(&format!("x-{}", self.below(6)), self.number()),
            6 => ServerMessage::History {
                room: room.into(),
                epoch: "e1".into(),
                oldest: self.number(),
                entries: self.entries(),
                more: self.below(2) == 0,
                id: None,
            },
            7 => {
                let code = [
                    ErrorCode::NameTaken,
                    ErrorCode::Forbidden,
                    ErrorCode::TooFast,
                    ErrorCode::PasswordWrong,
                    ErrorCode::Banned,
                ][self.below(5)];
                let id = format!("x-{}", self.below(6));
                refusal(code, (self.below(2) == 0).then_some(id.as_str()))
            }
            8 => {
                let code = [
                    ByeCode::Shutdown,
                    ByeCode::TooSlow,
                    ByeCode::Idle,
                    ByeCode::Kicked,
                ][self.below(4)];
                ServerMessage::Bye {
                    code,
                    text: "Tchau.".into(),
                    retry_after_ms: Some(self.number()),
                }
            }
            9 => ServerMessage::Rooms {
                rooms: vec![RoomInfo {
                    room: room.into(),
                    online: usize::MAX,
                    seq: 1,
                    password: false,
                }],
                id: None,
            },
            10 => ServerMessage::Found {
                room: room.into(),
                query: "x".into(),
                entries: self.entries(),
                more: true,
                id: None,
            },
            11 => ServerMessage::Typing {
                room: room.into(),
                name: "Bruno".into(),
            },
            12 => {
                let moderator = self.below(2) == 0;
                ServerMessage::Role {
                    name: "Bruno".into(),
                    tag: "tag-Bruno".into(),
                    moderator,
                }
            }
            13 => {
                let from = (self.below(2) == 0).then(|| "Bruno".into());
                ServerMessage::Notice {
                    at: self.number(),
                    text: "Pausa.".into(),
                    room: Some(room.into()),
                    from,
                    id: None,
                }
            }
            _ => ServerMessage::Presence {
                room: room.into(),
                online: usize::MAX,
                joined: vec![member("Bruno"), member("Ana")],
                left: vec![member("Bruno")],
                renamed: vec![],
            },
        }
    }

    fn event(&mut self) -> AppEvent {
        match self.below(40) {
            0..=3 => AppEvent::Connected,
            4..=21 => AppEvent::Received(self.message()),
            22 => AppEvent::Disconnected(DisconnectCause::Closed),
            23 => AppEvent::Disconnected(DisconnectCause::ConnectFailed(ConnectError::TimedOut)),
            24..=31 => AppEvent::Submitted(INPUTS[self.below(INPUTS.len())].into()),
            32 => AppEvent::InputEnded,
            33 => AppEvent::Interrupt,
            34 => AppEvent::Typing,
            35 => AppEvent::SwitchRoom(self.room().into()),
            36..=37 => AppEvent::LoadEarlier,
            38 if self.below(20) == 0 => AppEvent::ShutdownRequested(Exit::Terminated),
            _ => AppEvent::Tick,
        }
    }
}

/// Handles what is due now, until nothing is.
#[track_caller]
fn run_due_ticks(harness: &mut AppHarness) {
    for _ in 0..20 {
        if harness
            .app
            .deadline(harness.now)
            .is_none_or(|time| time > harness.now)
        {
            return;
        }
        harness.handle(AppEvent::Tick);
    }
    panic!("a tick is always due: {:?}", harness.app.phase);
}

#[test]
fn random_events_exit_once_and_leave_no_due_tick() {
    let mut rng = EventRng(fastrand::Rng::with_seed(0x2545_f491_4f6c_dd1d));
    for run in 0..400 {
        let mode = Mode {
            interactive: run % 2 == 0,
            keep_listening: run % 3 == 0,
            reconnect: run % 5 == 0,
        };
        let mut harness = AppHarness::new(mode, (run % 7 > 0).then_some("Ana"));
        for _ in 0..80 {
            harness.advance([0, 1, 300, 5000][rng.below(4)]);
            let event = rng.event();
            harness.handle(event);
            if harness
                .take_effects()
                .iter()
                .any(|effect| matches!(effect, AppEffect::Exit(_)))
            {
                break;
            }
            harness.app.view_model(harness.now);
            run_due_ticks(&mut harness);
        }
        if harness.app.phase == Phase::Exited {
            for _ in 0..20 {
                harness.handle(rng.event());
            }
            let exits = harness
                .take_effects()
                .into_iter()
                .filter(|effect| matches!(effect, AppEffect::Exit(_)));
            assert_eq!(exits.count(), 0, "it has exited before");
        }
    }
}
