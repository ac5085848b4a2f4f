//! The client's core, a pure state machine: events in, effects out (`events`).
//!
//! Messages from the server arrive in `connection`, typed lines in `input`, lost connections in `lifecycle`; time comes
//! in with each event. `output`, `strings` and `sanitize` stand here because the core and the user interface use them.
//! Never knows sockets, terminals, files, clocks or random numbers.

mod answers;
pub mod command;
mod connection;
mod entering;
mod entries;
mod events;
mod history;
mod input;
mod joins;
mod known_rooms;
mod lifecycle;
mod mention;
mod moderation;
pub mod output;
mod own_messages;
mod pending_message;
mod prompts;
mod retry;
pub mod room;
mod rooms;
pub mod sanitize;
mod send_queue;
mod slow_rooms;
pub mod strings;
mod view_model;
mod whispers;

pub use events::{AppEffect, AppEvent, Exit, Mode, Prompt};
pub use input::{bad_name, bad_room};
pub use prompts::bad_password;
pub use view_model::{PersonView, UnsentView, ViewModel};

use crate::app::entering::Entry;
use crate::app::joins::PendingJoin;
use crate::app::known_rooms::KnownRooms;
use crate::app::output::Output;
use crate::app::room::{OpenRoom, Participant};
use crate::app::send_queue::{SendQueue, SendTarget};
use crate::net::address::Address;
use own_messages::OwnMessages;
use papo::name::{Name, RoomName};
use papo::protocol::{ByeCode, ClientMessage, Credentials, Password, Token};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// How long “Sair? Tecle Ctrl+C de novo.” stays.
const EXIT_CONFIRM_WINDOW: Duration = Duration::from_secs(2);
/// Shorter outages are not reported.
const OUTAGE_NOTICE_AFTER: Duration = Duration::from_secs(2);
/// A message acknowledged sooner is never shown as waiting.
const LATE_AFTER: Duration = Duration::from_millis(700);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waiting for the person's answer, with or without a connection open meanwhile.
    Prompting {
        prompt: Prompt,
        connected: bool,
    },
    Connecting,
    /// `enter` is not fully answered.
    Entering {
        until: Instant,
    },
    /// The server could not let the person in yet, with or without a connection open meanwhile.
    EntryDelayed {
        until: Instant,
        connected: bool,
    },
    Online,
    Closing {
        until: Instant,
        exit: Exit,
    },
    Exited,
}

/// Leaving as soon as everything is acknowledged, at the latest at this time.
#[derive(Debug, Clone, Copy)]
struct Leaving {
    until: Option<Instant>,
}

/// What the core starts with.
pub struct AppSetup {
    pub address: Address,
    pub mode: Mode,
    /// `None`: the person is asked.
    pub name: Option<Name>,
    pub initial_room: RoomName,
    pub token: Token,
    /// Distinguishes the message ids of this run from those of any other.
    pub id_prefix: String,
    pub credentials: Credentials,
}

/// The state of the client.
pub struct App {
    address: Address,
    mode: Mode,
    token: Token,
    name: Option<Name>,
    /// Sent with `enter`.
    credentials: Credentials,
    /// By room key.
    room_passwords: HashMap<String, Password>,
    /// The room to enter first.
    initial_room: RoomName,
    /// This person, once `welcome` has come.
    me: Option<Participant>,
    entry: Entry,
    rooms: Vec<OpenRoom>,
    current: usize,
    queue: SendQueue,
    max_text: usize,
    phase: Phase,
    leaving: Option<Leaving>,
    known_rooms: KnownRooms,
    whisper_hint_shown: bool,
    /// A script's exit code if nothing worse happens.
    pending_exit: Option<Exit>,
    bye: Option<(ByeCode, Option<Duration>)>,
    /// Since when there is no connection, and whether that was reported.
    outage: Option<(Instant, bool)>,
    exit_confirm_until: Option<Instant>,
    /// The person that `/r` answers.
    whisper_partner: Option<String>,
    /// Requests without a reply yet.
    pending_requests: usize,
    /// Since when an answer is awaited and none comes.
    awaiting_since: Option<Instant>,
    /// Since when a script has messages to send and none is confirmed.
    stalled_since: Option<Instant>,
    joins: Vec<PendingJoin>,
    /// A room that is being joined: new messages already go there.
    joining_room: Option<RoomName>,
    own_messages: OwnMessages,
    /// Folded names of the people whose messages are hidden.
    ignored: HashSet<String>,
    /// Whether mentions and whispers ring the bell.
    alerts: bool,
    /// The new name, requested as soon as no message is in flight.
    requested_name: Option<Name>,
    /// A rename has no reply yet: until then it is unknown which name a message would carry.
    rename_in_flight: bool,
    typing_sent_at: Option<Instant>,
    effects: Vec<AppEffect>,
}

impl App {
    pub fn new(setup: AppSetup) -> Self {
        Self {
            address: setup.address,
            mode: setup.mode,
            token: setup.token,
            name: setup.name,
            initial_room: setup.initial_room,
            credentials: setup.credentials,
            room_passwords: HashMap::new(),
            me: None,
            entry: Entry::default(),
            rooms: Vec::new(),
            current: 0,
            queue: SendQueue::new(setup.id_prefix),
            max_text: papo::protocol::MAX_TEXT,
            phase: Phase::Prompting {
                prompt: Prompt::Name,
                connected: false,
            },
            leaving: None,
            known_rooms: KnownRooms::default(),
            whisper_hint_shown: false,
            pending_exit: None,
            bye: None,
            outage: None,
            exit_confirm_until: None,
            whisper_partner: None,
            pending_requests: 0,
            awaiting_since: None,
            stalled_since: None,
            joins: Vec::new(),
            joining_room: None,
            own_messages: OwnMessages::default(),
            ignored: HashSet::new(),
            alerts: false,
            requested_name: None,
            rename_in_flight: false,
            typing_sent_at: None,
            effects: Vec::new(),
        }
    }

    /// Handles one event and returns what is to be done.
    pub fn handle(&mut self, event: AppEvent, now: Instant) -> Vec<AppEffect> {
        match event {
            AppEvent::Started if self.name.is_some() => self.connect(),
            AppEvent::Started | AppEvent::Tick => {}
            AppEvent::Typing => self.send_typing(now),
            AppEvent::SwitchRoom(room) => self.on_switch_room(&room),
            AppEvent::LoadEarlier => {
                self.request_earlier();
            }
            AppEvent::Connected => self.send_enter(now),
            AppEvent::Received(message) => self.on_server_message(message, now),
            AppEvent::Disconnected(cause) => self.disconnect(cause, now),
            AppEvent::Submitted(text) => self.on_submitted(&text, now),
            AppEvent::InputEnded if self.mode.keep_listening => {}
            AppEvent::InputEnded => self.leaving = self.leaving.or(Some(Leaving { until: None })),
            AppEvent::Leave => self.start_leaving(now),
            // Without a reader there is nothing to listen for; a script still says what it was given.
            AppEvent::OutputClosed if self.mode.interactive || self.mode.keep_listening => {
                self.start_leaving(now);
            }
            AppEvent::OutputClosed => {}
            AppEvent::Interrupt if self.exit_confirm_until.is_some_and(|until| now < until) => {
                self.close_then_exit(Exit::Interrupted, now);
            }
            AppEvent::Interrupt => self.exit_confirm_until = Some(now + EXIT_CONFIRM_WINDOW),
            // One cause may arrive twice: a closed terminal is both a signal and an end of input.
            AppEvent::ShutdownRequested(_) if matches!(self.phase, Phase::Closing { .. }) => {}
            AppEvent::ShutdownRequested(exit) => self.close_then_exit(exit, now),
        }
        self.on_tick(now);
        let mut effects = std::mem::take(&mut self.effects);
        self.post_process(&mut effects);
        effects
    }

    /// When to send [`AppEvent::Tick`] if nothing else happens.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Entering { until }
            | Phase::EntryDelayed { until, .. }
            | Phase::Closing { until, .. } => Some(until),
            _ => None,
        };
        let online = self.phase == Phase::Online;
        let leaving = self.leaving.and_then(|leaving| leaving.until);
        let outage = self
            .outage
            .and_then(|(since, reported)| (!reported).then_some(since + OUTAGE_NOTICE_AFTER));
        let waiting = self
            .queue
            .oldest_queued_at()
            .map(|since| since + LATE_AFTER)
            .filter(|&time| time > now);
        let sending = if online && !self.rename_pending() {
            self.queue.next_due(now)
        } else {
            None
        };
        let typing = self
            .rooms
            .get(self.current)
            .and_then(|room| room.next_typing_expiry(now));
        [
            phase,
            leaving,
            outage,
            waiting,
            sending,
            self.next_join_at(),
            self.answer_due_at(),
            typing,
            self.exit_confirm_until,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether more input is wanted. A script's lines are read no faster than they can be sent, and one by one while a
    /// request is unanswered.
    pub fn wants_input(&self) -> bool {
        const MAX_AHEAD: usize = 64;
        let awaiting_answer = self.pending_requests > 0 || self.rename_pending();
        let ready = self.phase == Phase::Online && !self.rooms.is_empty() && !awaiting_answer;
        self.mode.interactive || (ready && self.queue.len() < MAX_AHEAD)
    }

    fn show(&mut self, output: Output) {
        self.effects.push(AppEffect::Show(output));
    }

    fn show_all(&mut self, outputs: Vec<Output>) {
        self.effects
            .extend(outputs.into_iter().map(AppEffect::Show));
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

    /// Queues a message for a room or a person.
    fn enqueue(&mut self, to: SendTarget, text: &str, now: Instant) {
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
            self.show(Output::problem(strings::characters_left(
                -i64::try_from(over).unwrap_or(i64::MAX),
            )));
            self.effects.push(AppEffect::RestoreInput(text.to_owned()));
            self.pending_exit = self.pending_exit.or(Some(Exit::Refused));
            return;
        }
        self.queue.push(to, text.to_owned(), now);
    }
}

#[cfg(test)]
mod tests;
