//! Joins of further rooms: until one is answered, messages to its room are held back; after a temporary refusal
//! it is sent again.

use super::{App, Exit, retry};
use crate::app::output::Output;
use crate::app::strings;
use papo::name::RoomName;
use papo::protocol::{ErrorCode, Refusal, ResumePoint};
use papo::text::fold;
use std::time::Instant;

/// How often a person's join of a new room is sent; rooms that were open before are asked for without end.
const MAX_SENDS: u32 = 5;

/// A join without a final answer.
#[derive(Debug)]
pub(super) struct PendingJoin {
    room: RoomName,
    sends: u32,
    first_sent: Instant,
    /// When it is sent again; `None` while its answer is awaited.
    resend_at: Option<Instant>,
}

impl App {
    /// Asks for a room that is not open yet.
    pub(super) fn request_join(&mut self, room: RoomName, now: Instant) {
        if let Some(join) = self.joins.iter_mut().find(|join| join.room == room) {
            // Asked for again, it need not wait any longer.
            join.resend_at = join.resend_at.map(|_| now);
            return;
        }
        self.joining_room = Some(room.clone());
        self.pending_requests += 1;
        self.send_join(room, ResumePoint::default(), now);
    }

    /// Joins again what `enter` did not, before the messages queued for it are sent.
    pub(super) fn join_other_rooms(&mut self, now: Instant) {
        let others: Vec<(RoomName, ResumePoint)> = (self.rooms.iter().skip(1))
            .map(|room| (room.name.clone(), room.resume_point()))
            .collect();
        for (room, resume) in others {
            self.send_join(room, resume, now);
        }
        // The join that was pending when the connection was lost is repeated too.
        if let Some(room) = self.joining_room.clone() {
            self.request_join(room, now);
        }
    }

    fn send_join(&mut self, room: RoomName, resume: ResumePoint, now: Instant) {
        self.queue.hold(room.clone());
        self.joins.push(PendingJoin {
            room: room.clone(),
            sends: 1,
            first_sent: now,
            resend_at: None,
        });
        let join = self.join_message(room, resume);
        self.send(join);
    }

    pub(super) fn on_join_answered(&mut self, room: &str) {
        let key = fold(room);
        if let Some(index) = self.joins.iter().position(|join| **join.room.key() == *key) {
            let join = self.joins.remove(index);
            self.queue.release(&join.room);
        }
    }

    /// Whether an answer to a join is awaited now.
    pub(super) fn awaits_join(&self) -> bool {
        self.joins.iter().any(|join| join.resend_at.is_none())
    }

    /// When the next join is sent again.
    pub(super) fn next_join_at(&self) -> Option<Instant> {
        self.joins.iter().filter_map(|join| join.resend_at).min()
    }

    pub(super) fn resend_joins(&mut self, now: Instant) {
        for index in 0..self.joins.len() {
            let join = &mut self.joins[index];
            if join.resend_at.is_none_or(|time| now < time) {
                continue;
            }
            join.resend_at = None;
            join.sends += 1;
            let room = join.room.clone();
            let known = self.rooms.iter().find(|open| open.name == room);
            let resume = known.map(|open| open.resume_point()).unwrap_or_default();
            let join = self.join_message(room, resume);
            self.send(join);
        }
    }

    /// The refusal of a join has no id: it names the room, or is of the first one without an answer.
    fn refused_join(&self, refusal: &Refusal) -> Option<usize> {
        if let Some(room) = &refusal.room {
            let key = fold(room);
            return (self.joins.iter()).position(|join| **join.room.key() == *key);
        }
        let may_be = retry::is_temporary(refusal.code)
            || matches!(
                refusal.code,
                ErrorCode::RoomInvalid | ErrorCode::TooManyRooms
            );
        let mut joins = self.joins.iter();
        joins
            .position(|join| join.resend_at.is_none())
            .filter(|_| may_be)
    }

    /// Handles the refusal of a join; false if something else was refused, or if it must still be reported.
    pub(super) fn on_join_refused(
        &mut self,
        refusal: &Refusal,
        sentence: &str,
        now: Instant,
    ) -> bool {
        let Some(index) = self.refused_join(refusal) else {
            return false;
        };
        let gives_up = self.gives_up();
        let join = &mut self.joins[index];
        let known = self.rooms.iter().any(|open| open.name == join.room);
        let temporary = retry::is_temporary(refusal.code);
        let resend_at = now + retry::delay(join.sends - 1, refusal.retry_after_ms);
        let in_time = if gives_up {
            resend_at <= join.first_sent + retry::SCRIPT_TIMEOUT
        } else {
            known || join.sends < MAX_SENDS
        };
        if temporary && in_time {
            join.resend_at = Some(resend_at);
            if join.sends == 1 {
                let text = strings::next_try(sentence, resend_at - now);
                self.show(Output::problem(text));
            }
            return true;
        }
        self.drop_join(index, sentence);
        if self.mode.interactive || known {
            return false;
        }
        // The lines that follow are meant for that room, and for no other.
        self.show(Output::problem(sentence));
        self.close_then_exit(
            if temporary {
                Exit::Unreachable
            } else {
                Exit::Refused
            },
            now,
        );
        true
    }

    /// Gives a join up, and the messages that waited for it.
    fn drop_join(&mut self, index: usize, sentence: &str) {
        let join = self.joins.remove(index);
        if self.joining_room.as_ref() == Some(&join.room) {
            self.joining_room = None;
        }
        for pending in self.queue.take_held(&join.room) {
            self.on_message_refused(sentence.to_owned(), &pending);
        }
    }

    /// Gives up the joins of new rooms, because the server does not answer them.
    pub(super) fn drop_unanswered_joins(&mut self) {
        while let Some(index) = self.joins.iter().position(|join| {
            join.resend_at.is_none() && !self.rooms.iter().any(|open| open.name == join.room)
        }) {
            let room = self.joins[index].room.clone();
            let sentence = format!("O servidor não abriu a sala #{room} a tempo.");
            self.show(Output::problem(sentence.as_str()));
            self.drop_join(index, &sentence);
        }
    }
}
