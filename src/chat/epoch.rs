//! The log's identity. The first client that is ahead of the log proves that it went back: an older file was put in its
//! place, say. Then a new epoch begins for all, and every open room is sent again from the start.
//!
//! Only an epoch that was read from the file can end, and once: beyond one that began in this run only the claimant is
//! reset, so that nobody can reset the others again and again.

use crate::chat::completion::{Completion, WaitingRequest};
use crate::chat::membership::JoinAnswer;
use crate::chat::room_log::Backfill;
use crate::chat::{Chat, Effect, Now, Speaker};
use crate::history::HistoryRequest;
use crate::ids::{ConnId, RoomId};
use crate::protocol::ResumePoint;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// Rooms that are sent again in one turn, so that it stays short.
const RESETS_PER_TURN: usize = 16;

/// Whether the epoch can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EpochState {
    /// It was read from the file.
    Stored,
    /// The history was asked to begin a new one.
    Ending,
    /// It began in this run.
    Fresh,
}

/// The log's epoch, and what is left to do after it changed.
pub(super) struct LogEpoch {
    id: Arc<str>,
    state: EpochState,
    /// The epoch before, for requests that were made in it.
    previous: Option<Arc<str>>,
    /// Requests of clients that are ahead of the log; they are answered in the next epoch.
    claimants: Vec<WaitingRequest>,
    /// The connections' rooms that must be sent again.
    resets: VecDeque<(ConnId, RoomId)>,
    /// When the last change was.
    began_at: Option<Instant>,
}

impl LogEpoch {
    /// An epoch that can't end.
    pub(super) fn new(id: Arc<str>) -> Self {
        Self {
            id,
            state: EpochState::Fresh,
            previous: None,
            claimants: Vec::new(),
            resets: VecDeque::new(),
            began_at: None,
        }
    }

    pub(super) fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The epoch of a request that was made before the last change, or after it.
    pub(super) fn of_request(&self, made_before: bool) -> Arc<str> {
        let previous = self.previous.as_ref().filter(|_| made_before);
        previous.unwrap_or(&self.id).clone()
    }

    /// Keeps a request until the new epoch has begun, or can't.
    pub(super) fn await_next(&mut self, request: WaitingRequest) {
        self.claimants.push(request);
    }

    /// The requests that wait for a new epoch.
    pub(super) fn take_waiting(&mut self) -> Vec<WaitingRequest> {
        std::mem::take(&mut self.claimants)
    }

    /// When there are rooms to send again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.began_at.filter(|_| !self.resets.is_empty())
    }
}

impl Chat {
    /// Tells that the epoch was read from a file, so that a client that is ahead of the log can end it.
    pub fn allow_epoch_to_end(&mut self) {
        self.epoch.state = EpochState::Stored;
    }

    /// Whether a client is ahead of a room's log in its own epoch, and a new one is about to begin because of that.
    pub(super) fn claims_rollback(
        &mut self,
        room: RoomId,
        resume: &ResumePoint,
        completion: &Completion,
    ) -> bool {
        let right_epoch = resume.epoch.as_deref() == Some(&**self.epoch.id());
        let seq = self.rooms[room].log.opened().seq();
        let is_ahead = resume.after.is_some_and(|after| after > seq);
        if !right_epoch || !is_ahead || !completion.may_claim() {
            return false;
        }
        if self.epoch.state == EpochState::Stored {
            self.epoch.state = EpochState::Ending;
            self.effects
                .push(Effect::Submit(HistoryRequest::BeginEpoch));
        }
        self.epoch.state == EpochState::Ending
    }

    /// The history began a new epoch; `None` when it could not, and all stays as it is.
    pub(super) fn epoch_began(&mut self, epoch: Option<Arc<str>>, now: Now) {
        let mut claimants = self.epoch.take_waiting();
        match epoch {
            Some(epoch) => self.change_epoch(epoch, now),
            None => {
                self.epoch.state = EpochState::Stored;
                claimants
                    .iter_mut()
                    .for_each(|request| request.completion.deny_claim());
            }
        }
        for request in claimants {
            self.resume_request(request, now);
        }
    }

    fn change_epoch(&mut self, epoch: Arc<str>, now: Now) {
        log::error!(
            "O histórico voltou atrás: alguém tem mensagens que ele não tem mais. A conversa recomeça do que há nele."
        );
        self.pending.mark_made_before();
        let resets = self.rooms_to_reset();
        self.epoch = LogEpoch {
            previous: Some(std::mem::replace(&mut self.epoch.id, epoch.clone())),
            id: epoch,
            state: EpochState::Fresh,
            claimants: Vec::new(),
            resets,
            began_at: Some(now.instant),
        };
    }

    /// Every room of every connection; first one room of each, so that no connection gets all of its rooms at once.
    fn rooms_to_reset(&self) -> VecDeque<(ConnId, RoomId)> {
        let conns = self.conns.iter();
        let mut resets: Vec<(usize, ConnId, RoomId)> = conns
            .flat_map(|(conn, state)| {
                let rooms = state.rooms.iter().enumerate();
                rooms.map(move |(rank, &room)| (rank, conn, room))
            })
            .collect();
        resets.sort_unstable_by_key(|&(rank, conn, _)| (rank, conn));
        resets
            .into_iter()
            .map(|(_, conn, room)| (conn, room))
            .collect()
    }

    /// Sends some of the rooms again.
    pub(super) fn send_resets(&mut self, now: Now) {
        let count = self.epoch.resets.len().min(RESETS_PER_TURN);
        let resets: Vec<_> = self.epoch.resets.drain(..count).collect();
        for (conn, room) in resets {
            let state = self.conns.get(conn);
            let state = state.filter(|state| !state.closing && state.rooms.contains(&room));
            let Some(person) = state.and_then(|state| state.person) else {
                continue;
            };
            let log = self.rooms[room].log.opened();
            let backfill = log.backfill(&ResumePoint::default(), self.epoch.id());
            let answer = JoinAnswer {
                backfill: Backfill {
                    reset: true,
                    ..backfill
                },
                id: None,
            };
            self.send_joined(Speaker { conn, person }, room, answer, now);
        }
    }
}
