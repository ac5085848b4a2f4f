//! A snapshot of the state for the user interface.

use super::{App, LATE_AFTER, Phase, Prompt};
use crate::app::room::Participant;
use crate::app::send_queue::SendTarget;
use papo::protocol::RoomState;
use std::time::Instant;

/// Most unsent messages shown; a script may have queued more.
const MAX_UNSENT: usize = 50;

/// The state that a screen shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewModel {
    /// What the person is being asked, before entering.
    pub prompt: Option<Prompt>,
    pub name: String,
    pub address: String,
    /// The open rooms.
    pub rooms: Vec<String>,
    /// Rooms named in messages and lists, most recent first.
    pub known_rooms: Vec<String>,
    /// The index of the current room in `rooms`.
    pub current: usize,
    /// People in the current room, also those that the server does not name.
    pub online: usize,
    pub people: Vec<PersonView>,
    pub typing: Vec<String>,
    /// The restrictions in force in the current room.
    pub state: RoomState,
    /// Also true during an outage too short to be shown.
    pub connected: bool,
    /// The outage has been reported.
    pub offline: bool,
    /// Seconds until the next attempt to connect.
    pub retry_in: Option<u64>,
    /// Queued messages, once they have waited long enough to be shown.
    pub waiting: usize,
    /// Unacknowledged messages to the current room or to a person.
    pub unsent: Vec<UnsentView>,
    /// The longest message, in characters.
    pub max_text: usize,
    pub leaving: bool,
    /// Ctrl+C was pressed once.
    pub confirming_exit: bool,
}

/// A person in the current room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonView {
    pub name: String,
    /// This person.
    pub me: bool,
    pub moderator: bool,
}

/// An unacknowledged message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsentView {
    /// The addressee of a whisper.
    pub to: Option<String>,
    pub action: bool,
    pub text: String,
    pub queued_at: Instant,
    /// It has waited long enough to be marked.
    pub late: bool,
}

impl PersonView {
    fn of(person: &Participant, me: Option<&str>) -> Self {
        Self {
            name: person.name.clone(),
            me: me == Some(person.tag.as_str()),
            moderator: person.moderator,
        }
    }
}

impl ViewModel {
    /// The current room with its `#`, while several are open.
    pub fn room_label(&self) -> Option<String> {
        let several = self.rooms.len() > 1;
        let name = self.rooms.get(self.current).filter(|_| several)?;
        Some(format!("#{name}"))
    }
}

impl App {
    pub fn view_model(&self, now: Instant) -> ViewModel {
        let late = self
            .queue
            .oldest_queued_at()
            .is_some_and(|since| now >= since + LATE_AFTER);
        let offline = self.outage.is_some_and(|(_, reported)| reported);
        let prompt = match self.phase {
            Phase::Prompting { prompt, .. } => Some(prompt),
            _ => None,
        };
        let room = self.rooms.get(self.current);
        let me = self.me.as_ref().map(|me| me.tag.as_str());
        let people = room.map_or(&[][..], |room| room.people());
        ViewModel {
            prompt,
            name: self.my_name(),
            address: self.address.to_string(),
            rooms: self
                .rooms
                .iter()
                .map(|room| room.name.to_string())
                .collect(),
            known_rooms: self.known_rooms.rooms().to_vec(),
            current: self.current,
            online: room.map_or(0, |room| room.online.max(people.len())),
            people: people
                .iter()
                .map(|person| PersonView::of(person, me))
                .collect(),
            state: room.map(|room| room.state.clone()).unwrap_or_default(),
            typing: room.map(|room| room.typing(now)).unwrap_or_default(),
            connected: self.phase == Phase::Online || (self.outage.is_some() && !offline),
            offline,
            retry_in: None,
            waiting: if late || offline { self.queue.len() } else { 0 },
            unsent: self.unsent_in_current_room(now),
            max_text: self.max_text,
            leaving: self.leaving.is_some() || matches!(self.phase, Phase::Closing { .. }),
            confirming_exit: self.exit_confirm_until.is_some_and(|until| now < until),
        }
    }

    fn unsent_in_current_room(&self, now: Instant) -> Vec<UnsentView> {
        let current = self
            .rooms
            .get(self.current)
            .map_or(&self.initial_room, |room| &room.name);
        let unsent = self.queue.iter().filter_map(|pending| {
            let (to, action) = match &pending.to {
                SendTarget::Person(name) => (Some(name.to_string()), false),
                SendTarget::Room { room, action } if room == current => (None, *action),
                _ => return None,
            };
            Some(UnsentView {
                to,
                action,
                text: pending.text.clone(),
                queued_at: pending.queued_at,
                late: self.outage.is_some() || now >= pending.queued_at + LATE_AFTER,
            })
        });
        unsent.take(MAX_UNSENT).collect()
    }
}
