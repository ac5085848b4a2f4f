//! The rooms whose slow mode refused a message: each lets one message at a time go, and none before its time.

use papo::name::RoomName;
use std::time::Instant;

#[derive(Debug, Default)]
pub struct SlowRooms(Vec<SlowRoom>);

#[derive(Debug)]
struct SlowRoom {
    room: RoomName,
    not_before: Instant,
}

impl SlowRooms {
    /// Lets nothing more go to this room until then.
    pub fn slow_down(&mut self, room: &RoomName, not_before: Instant) {
        match self.0.iter_mut().find(|slow| slow.room == *room) {
            Some(slow) => slow.not_before = slow.not_before.max(not_before),
            None => self.0.push(SlowRoom {
                room: room.clone(),
                not_before,
            }),
        }
    }

    /// Forgets the rooms to which nothing more is to be sent.
    pub fn retain(&mut self, is_awaited: impl Fn(&RoomName) -> bool) {
        self.0.retain(|slow| is_awaited(&slow.room));
    }

    /// One walk over the queue, from its oldest message.
    pub fn turn(&self) -> Turn<'_> {
        Turn {
            rooms: &self.0,
            passed: vec![false; self.0.len()],
        }
    }
}

/// A walk over the queue that lets the first message of each slow room pass.
pub struct Turn<'a> {
    rooms: &'a [SlowRoom],
    passed: Vec<bool>,
}

impl Turn<'_> {
    /// When the next message of the walk may go, `None` while an earlier one to its room is not acknowledged.
    pub fn due(&mut self, room: Option<&RoomName>, now: Instant) -> Option<Instant> {
        let index = room.and_then(|room| self.rooms.iter().position(|slow| slow.room == *room));
        let Some(index) = index else {
            return Some(now);
        };
        let is_first = !std::mem::replace(&mut self.passed[index], true);
        is_first.then_some(self.rooms[index].not_before)
    }
}
