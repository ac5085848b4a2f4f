//! When the members of a room are sent its changed state: the first change at once, what follows at most every 250 ms.
//!
//! All kinds of a room's state keep one pace, so whatever changes costs a room four sends a second. What is sent is the
//! state of that moment, so the last change is always in it. Answers to requests never wait for it.

use crate::chat::limits::{ROOM_UPDATE_INTERVAL, presence_interval};
use crate::chat::{Chat, Now};
use crate::ids::RoomId;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// A kind of state that the members of a room are sent when it has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UpdateKind {
    Presence,
    RoomState,
}

impl UpdateKind {
    const ALL: [Self; 2] = [Self::Presence, Self::RoomState];

    /// The least time between two updates of this kind in a room of so many people.
    fn interval(self, online: usize) -> Duration {
        match self {
            Self::Presence => presence_interval(online),
            Self::RoomState => ROOM_UPDATE_INTERVAL,
        }
    }
}

/// What has changed in a room, and when it is sent.
#[derive(Debug, Default)]
pub(super) struct RoomUpdates {
    /// By kind.
    updates: [Update; UpdateKind::ALL.len()],
    /// The time at which the room is in the queue.
    scheduled_at: Option<Instant>,
}

/// One kind of state.
#[derive(Debug, Default)]
struct Update {
    /// Set once it has changed.
    due_at: Option<Instant>,
    sent_at: Option<Instant>,
}

impl RoomUpdates {
    /// Notes that a state has changed.
    fn record(&mut self, kind: UpdateKind, online: usize, now: Instant) {
        let last_sent = self.updates.iter().filter_map(|update| update.sent_at);
        let room_due = last_sent.max().map(|at| at + ROOM_UPDATE_INTERVAL);
        let update = &mut self.updates[kind as usize];
        let kind_due = update.sent_at.map(|at| at + kind.interval(online));
        let due_at = room_due.max(kind_due).unwrap_or(now);
        update.due_at = Some(update.due_at.map_or(due_at, |at| at.min(due_at)));
    }

    /// The kinds that are due, which count as sent from now on; the others wait until the room may be sent something again.
    fn take_due(&mut self, now: Instant) -> Vec<UpdateKind> {
        let is_due = |update: &Update| update.due_at.is_some_and(|at| at <= now);
        let kinds = UpdateKind::ALL.into_iter();
        let due: Vec<_> = kinds
            .filter(|&kind| is_due(&self.updates[kind as usize]))
            .collect();
        for update in &mut self.updates {
            if is_due(update) {
                update.due_at = None;
                update.sent_at = Some(now);
            } else if !due.is_empty() {
                let earliest = now + ROOM_UPDATE_INTERVAL;
                update.due_at = update.due_at.map(|at| at.max(earliest));
            }
        }
        due
    }

    /// Nothing is to be sent any more.
    fn clear(&mut self) {
        for update in &mut self.updates {
            update.due_at = None;
        }
    }

    /// Makes all that has changed due.
    fn make_due(&mut self, now: Instant) {
        for update in &mut self.updates {
            update.due_at = update.due_at.map(|at| at.min(now));
        }
    }

    fn next_due(&self) -> Option<Instant> {
        self.updates.iter().filter_map(|update| update.due_at).min()
    }
}

/// The rooms with changes to send, the earliest first; a room is in it at most once.
#[derive(Debug, Default)]
pub(super) struct UpdateQueue(BTreeSet<(Instant, RoomId)>);

impl UpdateQueue {
    /// When the next room is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Moves a room to another time, or out of the queue.
    fn schedule(&mut self, id: RoomId, updates: &mut RoomUpdates, at: Option<Instant>) {
        if updates.scheduled_at == at {
            return;
        }
        if let Some(before) = std::mem::replace(&mut updates.scheduled_at, at) {
            self.0.remove(&(before, id));
        }
        if let Some(at) = at {
            self.0.insert((at, id));
        }
    }
}

impl Chat {
    /// Notes that a room's state has changed, and sends it as soon as the room's pace allows.
    pub(super) fn room_changed(&mut self, id: RoomId, kind: UpdateKind, now: Now) {
        let room = &mut self.rooms[id];
        if room.listeners == 0 {
            // The next connection gets all of it with its `joined`.
            std::mem::take(&mut room.pending_presence);
            return self.drop_updates(id);
        }
        let online = room.online();
        room.updates.record(kind, online, now.instant);
        self.send_updates_of(id, now);
    }

    /// Sends the changed states of all rooms that are due.
    pub(super) fn send_due_updates(&mut self, now: Now) {
        while let Some(&(at, id)) = self.update_queue.0.first()
            && at <= now.instant
        {
            self.send_updates_of(id, now);
        }
    }

    /// Sends what is due of a room, and schedules the rest.
    fn send_updates_of(&mut self, id: RoomId, now: Now) {
        let updates = &mut self.rooms[id].updates;
        let due = updates.take_due(now.instant);
        let next = updates.next_due();
        self.update_queue.schedule(id, updates, next);
        for kind in due {
            match kind {
                UpdateKind::Presence => self.broadcast_presence(id),
                UpdateKind::RoomState => self.broadcast_room_state(id, now),
            }
        }
    }

    /// Sends what has changed in a room without waiting. Not for what anybody may cause often.
    pub(super) fn send_changes_now(&mut self, id: RoomId, now: Now) {
        self.rooms[id].updates.make_due(now.instant);
        self.send_updates_of(id, now);
    }

    /// Forgets what has changed in a room.
    pub(super) fn drop_updates(&mut self, id: RoomId) {
        let updates = &mut self.rooms[id].updates;
        updates.clear();
        self.update_queue.schedule(id, updates, None);
    }
}
