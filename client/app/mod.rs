//! The state of the client: events in, effects out. It decides everything and does nothing.
//!
//! Both are in `events`. What the server says is taken up in `said` (about the connection and the own messages) and
//! `told` (about rooms and people), what the person types in `typed`; how connections begin and end is in `life`. Time
//! comes in with each event. Never knows sockets, terminals, files, clocks or chance.

mod door;
mod entries;
mod events;
mod glance;
mod hosting;
mod life;
mod own;
mod said;
mod told;
mod typed;

pub use door::bad_password;
pub use events::{AppEffect, AppEvent, Disconnect, Exit, Mode, Prompt};
pub use glance::{PersonView, UnsentView, ViewModel};
pub use typed::{bad_name, bad_room};

use crate::address::Address;
use crate::heard::Heard;
use crate::line::Output;
use crate::pending::{Queue, Recipient};
use crate::room::{Person, Room};
use crate::words;
use own::Mine;
use papo::name::{Name, RoomName};
use papo::protocol::{ByeCode, ClientMessage, Credentials, Password, Token};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// How long “Sair? Tecle Ctrl+C de novo.” stays.
const CONFIRM: Duration = Duration::from_secs(2);
/// A connection that is back before this was never missed.
const BLINK: Duration = Duration::from_secs(2);
/// A message that is confirmed before this is not shown as waiting.
const PATIENCE: Duration = Duration::from_millis(700);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waiting for an answer of the person; whether a connection waits for it too.
    Asking {
        question: Prompt,
        connected: bool,
    },
    Connecting,
    Entering {
        until: Instant,
    },
    Talking,
    Closing {
        until: Instant,
        exit: Exit,
    },
    Over,
}

/// Leaving, as soon as everything is confirmed or this time has come.
#[derive(Debug, Clone, Copy)]
struct Leaving {
    until: Option<Instant>,
}

/// The state of the client.
pub struct App {
    address: Address,
    habits: Mode,
    token: Token,
    name: Option<Name>,
    /// What is shown at the door besides the name.
    secrets: Credentials,
    /// The passwords of rooms, by their keys.
    passwords: HashMap<String, Password>,
    /// Where to land.
    lobby: RoomName,
    /// Who one is, once the server has said so.
    me: Option<Person>,
    rooms: Vec<Room>,
    current: usize,
    queue: Queue,
    max_text: usize,
    phase: Phase,
    leaving: Option<Leaving>,
    /// The rooms that were spoken of.
    heard: Heard,
    /// What a private line is has been said.
    explained: bool,
    /// What a script must hear of at the end, when everything else went well.
    flaw: Option<Exit>,
    bye: Option<(ByeCode, Option<Duration>)>,
    /// Since when there is no connection, and whether that was said.
    outage: Option<(Instant, bool)>,
    confirm: Option<Instant>,
    /// Whom `/r` answers.
    partner: Option<String>,
    /// Questions to the server that are not answered yet.
    asked: usize,
    /// A room that is being opened: what is written already goes there.
    opening: Option<RoomName>,
    /// The own messages that were shown.
    mine: Mine,
    /// Whose words are not shown, as names are compared.
    ignored: HashSet<String>,
    /// Whether to call the person when somebody mentions them.
    alerts: bool,
    /// The name that is asked for when nothing said under the old one is on its way any more.
    new_name: Option<Name>,
    /// It was asked for: until the answer nobody knows under which name something would be said.
    renaming: bool,
    /// When others were last told that the person is writing.
    wrote_at: Option<Instant>,
    effects: Vec<AppEffect>,
}

impl App {
    pub fn new(
        address: Address,
        habits: Mode,
        name: Option<Name>,
        lobby: RoomName,
        token: Token,
        prefix: String,
    ) -> Self {
        Self {
            address,
            habits,
            token,
            name,
            lobby,
            secrets: Credentials::default(),
            passwords: HashMap::new(),
            me: None,
            rooms: Vec::new(),
            current: 0,
            queue: Queue::new(prefix),
            max_text: papo::protocol::MAX_TEXT,
            phase: Phase::Asking {
                question: Prompt::Name,
                connected: false,
            },
            leaving: None,
            heard: Heard::default(),
            explained: false,
            flaw: None,
            bye: None,
            outage: None,
            confirm: None,
            partner: None,
            asked: 0,
            opening: None,
            mine: Mine::default(),
            ignored: HashSet::new(),
            alerts: false,
            new_name: None,
            renaming: false,
            wrote_at: None,
            effects: Vec::new(),
        }
    }

    /// Takes up one event and says what is to be done.
    pub fn handle(&mut self, event: AppEvent, now: Instant) -> Vec<AppEffect> {
        match event {
            AppEvent::Started if self.name.is_some() => self.connect(),
            AppEvent::Started | AppEvent::Tick => {}
            AppEvent::Typing => self.writing(now),
            AppEvent::SwitchRoom(room) => self.go(&room),
            AppEvent::LoadEarlier => {
                self.earlier();
            }
            AppEvent::Connected => self.enter(now),
            AppEvent::Received(message) => self.said(message, now),
            AppEvent::Disconnected(gone) => self.gone(gone, now),
            AppEvent::Submitted(text) => self.submitted(&text, now),
            AppEvent::InputEnded if self.habits.keep_listening => {}
            AppEvent::InputEnded => self.leaving = self.leaving.or(Some(Leaving { until: None })),
            AppEvent::Leave => self.leave(now),
            AppEvent::Interrupt if self.confirm.is_some_and(|until| now < until) => {
                self.finish(Exit::Interrupted, now)
            }
            AppEvent::Interrupt => self.confirm = Some(now + CONFIRM),
            // The system may ask in several ways at once: a closed terminal is a signal and an end of input.
            AppEvent::ShutdownRequested if matches!(self.phase, Phase::Closing { .. }) => {}
            AppEvent::ShutdownRequested => self.finish(Exit::Interrupted, now),
        }
        self.look_at_the_clock(now);
        let mut effects = std::mem::take(&mut self.effects);
        self.look_through(&mut effects);
        effects
    }

    /// When to send [`Event::Tick`] if nothing else happens.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Entering { until } | Phase::Closing { until, .. } => Some(until),
            _ => None,
        };
        let talking = self.phase == Phase::Talking;
        let leaving = self.leaving.and_then(|leaving| leaving.until);
        let outage = self
            .outage
            .and_then(|(since, said)| (!said).then_some(since + BLINK));
        let waiting = self
            .queue
            .oldest()
            .map(|since| since + PATIENCE)
            .filter(|&time| time > now);
        let sending = if talking && !self.between_names() {
            self.queue.next(now)
        } else {
            None
        };
        let typing = self
            .rooms
            .get(self.current)
            .and_then(|room| room.typing_ends(now));
        [
            phase,
            leaving,
            outage,
            waiting,
            sending,
            typing,
            self.confirm,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether more lines may be handed over. A script's are read no faster than they can be said, and each finds what
    /// the one before it asked for.
    pub fn wants_input(&self) -> bool {
        const MAX_AHEAD: usize = 64;
        let asking = self.asked > 0 || self.between_names();
        let ready = self.phase == Phase::Talking && !self.rooms.is_empty() && !asking;
        self.habits.interactive || (ready && self.queue.len() < MAX_AHEAD)
    }

    fn show(&mut self, output: Output) {
        self.effects.push(AppEffect::Show(output));
    }

    fn send(&mut self, message: ClientMessage) {
        self.effects.push(AppEffect::Send(message));
    }

    fn my_name(&self) -> String {
        match (&self.me, &self.name) {
            (Some(me), _) => me.name.clone(),
            (None, Some(name)) => name.to_string(),
            (None, None) => String::new(),
        }
    }

    /// A room's name as it is shown, when there is more than one to be told apart.
    fn label(&self, index: usize) -> Option<String> {
        self.rooms
            .get(index)
            .filter(|_| self.rooms.len() > 1)
            .map(|room| format!("#{}", room.name))
    }

    /// Something to say to a room or a person; it is sent as soon as that is possible.
    fn say(&mut self, to: Recipient, text: &str, now: Instant) {
        let text = papo::text::clean(text);
        let text = text.trim_end();
        let over = text.chars().count().saturating_sub(self.max_text);
        if text
            .chars()
            .all(|c| c.is_whitespace() || papo::text::is_invisible(c))
        {
            return;
        }
        if over > 0 {
            self.show(Output::problem(words::room_left(
                -i64::try_from(over).unwrap_or(i64::MAX),
            )));
            self.effects.push(AppEffect::RestoreInput(text.to_owned()));
            self.flaw = self.flaw.or(Some(Exit::Refused));
            return;
        }
        self.queue.push(to, text.to_owned(), now);
    }
}

#[cfg(test)]
mod tests;
