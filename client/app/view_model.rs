//! What can be seen of the state at one moment, for whoever draws it.

use super::{App, LATE_AFTER, Phase, Prompt};
use crate::app::room::Participant;
use crate::app::send_queue::SendTarget;
use std::time::Instant;

/// Most unsent messages that are shown; a script may have piled up more.
const MAX_UNSENT: usize = 50;

/// The state as a screen needs it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewModel {
    /// What the person is asked, instead of being in the conversation.
    pub prompt: Option<Prompt>,
    pub name: String,
    pub address: String,
    /// The names of all open rooms.
    pub rooms: Vec<String>,
    /// Rooms that were spoken of, the last one first.
    pub known_rooms: Vec<String>,
    /// Which of the open ones is being written in.
    pub current: usize,
    /// People in that room.
    pub online: usize,
    /// Those who are known.
    pub people: Vec<PersonView>,
    pub typing: Vec<String>,
    /// There is a conversation going on.
    pub connected: bool,
    /// There was none for so long that it has to be said.
    pub offline: bool,
    /// Seconds until the next attempt to connect.
    pub retry_in: Option<u64>,
    /// Messages that have been waiting for long enough to be mentioned.
    pub waiting: usize,
    /// What was written in this room, or to one person, and is not confirmed.
    pub unsent: Vec<UnsentView>,
    /// Most characters that a message may have.
    pub max_text: usize,
    pub leaving: bool,
    /// Ctrl+C was pressed once.
    pub confirming_exit: bool,
}

/// Somebody in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonView {
    pub name: String,
    /// It is the person who sits here.
    pub me: bool,
    /// Keeps the conversation in order.
    pub moderator: bool,
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsentView {
    /// To one person alone.
    pub to: Option<String>,
    pub action: bool,
    pub text: String,
    pub queued_at: Instant,
    /// It takes long enough to be mentioned.
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
    /// What there is to see.
    pub fn view_model(&self, now: Instant) -> ViewModel {
        let late = self
            .queue
            .oldest_queued_at()
            .is_some_and(|since| now >= since + LATE_AFTER);
        let offline = self.outage.is_some_and(|(_, said)| said);
        let room = self.rooms.get(self.current);
        let me = self.me.as_ref().map(|me| me.tag.as_str());
        let people = room.map_or(&[][..], |room| room.people());
        ViewModel {
            prompt: if let Phase::Prompting { prompt, .. } = self.phase {
                Some(prompt)
            } else {
                None
            },
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
            typing: room.map(|room| room.typing(now)).unwrap_or_default(),
            // A blink is not worth a word.
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
        let here = self.queue.iter().filter_map(|pending| {
            let (to, action) = match &pending.to {
                SendTarget::Person(name) => (Some(name.to_string()), false),
                SendTarget::Room { room, action } if room == current => (None, *action),
                _ => return None,
            };
            let (queued_at, text) = (pending.queued_at, pending.text.clone());
            Some(UnsentView {
                to,
                action,
                text,
                queued_at,
                late: self.outage.is_some() || now >= queued_at + LATE_AFTER,
            })
        });
        here.take(MAX_UNSENT).collect()
    }
}
