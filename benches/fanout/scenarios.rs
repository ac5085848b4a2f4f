//! The scenarios of messages: A to D, F, G, H and J.

/// People who speak in a room; the others listen.
const SENDERS: usize = 10;

/// How the senders speak.
#[derive(Clone, Copy)]
pub enum Pace {
    /// So many messages a second, all senders together.
    PerSecond(u32),
    /// As many as are answered.
    Unlimited,
}

/// People who talk in some rooms.
#[derive(Clone, Copy)]
pub struct Scenario {
    pub letter: char,
    pub people: usize,
    pub rooms: usize,
    /// People who speak in each room.
    pub senders: usize,
    pub pace: Pace,
    /// People who never read.
    pub stalled: usize,
    /// The scenario that it is compared with; the raw limit of the same scenario if there is none.
    pub baseline: Option<char>,
    /// The targets, in memory and with a file.
    pub target: [&'static str; 2],
}

impl Scenario {
    /// The first scenario of this letter.
    pub fn of_letter(letter: char) -> Option<Self> {
        SCENARIOS.into_iter().find(|other| other.letter == letter)
    }

    /// What it is, in a few words.
    pub fn describe(&self) -> String {
        let pace = match self.pace {
            Pace::PerSecond(rate) => format!("{rate}/s"),
            Pace::Unlimited => "flat out".into(),
        };
        let mut what = format!("{}: {} people, {pace}", self.letter, self.people);
        if self.rooms > 1 {
            what.push_str(&format!(", {} rooms", self.rooms));
        }
        if self.stalled > 0 {
            what.push_str(&format!(", {} stalled", self.stalled));
        }
        what
    }
}

const fn scenario(letter: char, people: usize, pace: Pace, target: [&'static str; 2]) -> Scenario {
    Scenario {
        letter,
        people,
        rooms: 1,
        senders: SENDERS,
        pace,
        stalled: 0,
        baseline: None,
        target,
    }
}

/// All of them, in the order of the table.
pub const SCENARIOS: [Scenario; 12] = [
    scenario(
        'A',
        100,
        Pace::PerSecond(200),
        ["≤ 4.8 µs, ≤ 1.15 ×; p50 ≤ 1.2 ×", "≤ 7 µs"],
    ),
    scenario('B', 1000, Pace::PerSecond(50), ["≤ 5.2 µs", "≤ 6 µs"]),
    scenario('C', 100, Pace::Unlimited, ["≥ 2000 k/s", "≥ 1500 k/s"]),
    scenario('D', 1000, Pace::Unlimited, ["≥ 1700 k/s", "≥ 1500 k/s"]),
    scenario(
        'F',
        10_000,
        Pace::PerSecond(10),
        ["≤ 4.8 µs; p50 ≤ 80 ms"; 2],
    ),
    scenario(
        'F',
        10_000,
        Pace::PerSecond(50),
        ["≤ 1.4 µs; p50 ≤ 150 ms"; 2],
    ),
    // Twenty speakers in each room, each at 20/s; and one in each, which makes as many deliveries as A.
    Scenario {
        rooms: 20,
        senders: 20,
        ..scenario('G', 1000, Pace::PerSecond(8000), ["not above A's"; 2])
    },
    Scenario {
        rooms: 20,
        senders: 1,
        ..scenario('G', 1000, Pace::PerSecond(400), ["the limit's"; 2])
    },
    Scenario {
        stalled: 5,
        baseline: Some('A'),
        ..scenario('H', 100, Pace::PerSecond(200), ["A's, within 10 %"; 2])
    },
    Scenario {
        stalled: 50,
        baseline: Some('D'),
        ..scenario('H', 1000, Pace::Unlimited, ["D's, within 10 %"; 2])
    },
    scenario(
        'J',
        1000,
        Pace::PerSecond(500),
        ["≤ 1.3 µs; p50 ≤ 20 ms", "≤ 1.5 µs"],
    ),
    scenario('J', 1000, Pace::PerSecond(2000), ["≤ 0.4 µs", "≤ 0.5 µs"]),
];
