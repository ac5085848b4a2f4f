//! Requests: from a connection to their handlers, and to exactly one answer, now or after what they wait for.

use crate::chat::completion::{Completion, Progress, WaitingRequest};
use crate::chat::limits::MAX_MALFORMED;
use crate::chat::moderation::notices;
use crate::chat::{Chat, Effect, Now, Speaker, too_fast};
use crate::history::RequestId;
use crate::ids::ConnId;
use crate::protocol::{ByeCode, ClientMessage, ClientRequest, ErrorCode, Refusal, ServerMessage};

impl Chat {
    pub(super) fn handle_request(&mut self, conn: ConnId, request: ClientRequest, now: Now) {
        let completion = Completion::new(conn, &request);
        let message = request.message;
        match self.check_request_rate(conn, &message, now) {
            Ok(()) => self.run_request(completion, message, now),
            Err(refusal) => self.refuse(completion, refusal),
        }
    }

    /// Hands a request to its handler, and sees to its answer.
    fn run_request(&mut self, completion: Completion, message: ClientMessage, now: Now) {
        let conn = completion.conn();
        let id = self.pending.next_id();
        let state = &self.conns[conn];
        let progress = match state.person {
            // Requests may still be on their way when a connection is closed; their answers would not be read.
            _ if state.closing => Ok(Progress::Done),
            Some(person) => {
                let speaker = Speaker { conn, person };
                self.dispatch(speaker, message, &completion, id, now)
            }
            None => self.dispatch_before_entry(message, &completion, id, now),
        };
        self.proceed(completion, id, progress);
    }

    /// Answers a request, or keeps it until it can be answered. `id` is its own if the history has to answer it.
    pub(super) fn proceed(
        &mut self,
        completion: Completion,
        id: RequestId,
        progress: Result<Progress, Refusal>,
    ) {
        match progress {
            Ok(Progress::Done) => completion.done(&mut self.effects),
            Ok(Progress::AwaitReply(request)) => {
                self.pending.insert(id, completion);
                self.effects.push(Effect::Submit(request));
            }
            Ok(Progress::AwaitRoom(room, message)) => {
                let request = self.begin_wait(completion, message);
                self.rooms[room].log.await_open(request);
            }
            Ok(Progress::AwaitCheck(check, message)) => {
                let request = self.begin_wait(completion, message);
                self.moderation.checks.wait(check, request);
            }
            Ok(Progress::AwaitEpoch(message)) => {
                let request = self.begin_wait(completion, message);
                self.epoch.await_next(request);
            }
            Ok(Progress::AwaitHash(request)) => {
                self.pending.insert(id, completion);
                self.effects.push(Effect::Password(request));
            }
            Err(refusal) => self.refuse(completion, refusal),
        }
    }

    /// Puts a request aside until what it waits for is there; then [`Chat::resume_request`] handles it again.
    fn begin_wait(&mut self, completion: Completion, message: ClientMessage) -> WaitingRequest {
        self.conns[completion.conn()].waiting_requests += 1;
        WaitingRequest {
            completion,
            message,
        }
    }

    /// Handles a request again, now that what it waited for is there. Its rate was counted the first time; all other
    /// rules are checked anew, and its connection may be gone.
    pub(super) fn resume_request(&mut self, request: WaitingRequest, now: Now) {
        let WaitingRequest {
            completion,
            message,
        } = request;
        match self.end_wait(&completion) {
            true => self.run_request(completion, message, now),
            false => completion.done(&mut self.effects),
        }
    }

    /// Refuses a request because what it waited for does not come.
    pub(super) fn refuse_waiting(&mut self, request: WaitingRequest, refusal: Refusal) {
        let completion = request.completion;
        match self.end_wait(&completion) {
            true => self.refuse(completion, refusal),
            false => completion.done(&mut self.effects),
        }
    }

    /// Counts one waiting request less. False if its connection is gone or closing: an answer would not be read.
    fn end_wait(&mut self, completion: &Completion) -> bool {
        let Some(state) = self.conns.get_mut(completion.conn()) else {
            return false;
        };
        state.waiting_requests -= 1;
        !state.closing
    }

    /// Hands a request to its handler. `id` is the request's own if the history has to answer it.
    fn dispatch(
        &mut self,
        speaker: Speaker,
        message: ClientMessage,
        completion: &Completion,
        id: RequestId,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let echo = || completion.id();
        match message {
            ClientMessage::Enter(_) => Err(Refusal::new(ErrorCode::AlreadyEntered)),
            ClientMessage::Join(join) => self.join(speaker, join, completion, now),
            ClientMessage::Leave(leave) => self.leave(speaker, &leave, echo(), now),
            ClientMessage::Say(say) => self.say(speaker, say, id, now),
            ClientMessage::Edit(edit) => self.edit(speaker, edit, id, now),
            ClientMessage::Erase(erase) => self.erase(speaker, erase, id, now),
            ClientMessage::Whisper(whisper) => {
                self.whisper(speaker, whisper, completion.changed_text(), now)
            }
            ClientMessage::Typing(typing) => self.typing(speaker, &typing, now),
            ClientMessage::History(fetch) => self.fetch_page(speaker, fetch, id),
            ClientMessage::Search(search) => self.search(speaker, search, id),
            ClientMessage::Rename(rename) => self.rename(speaker, rename, echo(), now),
            ClientMessage::RoomPassword(change) => self.set_room_password(speaker, change, id, now),
            ClientMessage::Moderate(action) => self.moderate(speaker, action, completion, id, now),
            ClientMessage::Rooms => Ok(self.list_rooms(speaker.conn, echo())),
            ClientMessage::Ping => Ok(self.pong(speaker.conn, echo())),
        }
    }

    fn dispatch_before_entry(
        &mut self,
        message: ClientMessage,
        completion: &Completion,
        id: RequestId,
        now: Now,
    ) -> Result<Progress, Refusal> {
        let conn = completion.conn();
        match message {
            ClientMessage::Enter(enter) => self.enter(enter, completion, id, now),
            ClientMessage::Ping => Ok(self.pong(conn, completion.id())),
            _ => Err(Refusal::new(ErrorCode::NotEntered)),
        }
    }

    fn pong(&mut self, conn: ConnId, id: Option<String>) -> Progress {
        self.send(conn, ServerMessage::Pong { id });
        Progress::Done
    }

    /// Answers a request with a refusal.
    pub(super) fn refuse(&mut self, completion: Completion, refusal: Refusal) {
        let conn = completion.conn();
        let id = completion.id();
        let banned = (refusal.code == ErrorCode::Banned).then_some(refusal.retry_after_ms);
        self.send(conn, ServerMessage::Error(Refusal { id, ..refusal }));
        if let Some(retry_after_ms) = banned {
            self.close_with(vec![conn], 1008, notices::bye_banned(retry_after_ms));
        }
        completion.done(&mut self.effects);
    }

    fn check_request_rate(
        &mut self,
        conn: ConnId,
        message: &ClientMessage,
        now: Now,
    ) -> Result<(), Refusal> {
        let state = &mut self.conns[conn];
        let counts = !state.closing && is_rate_limited(message, state.person.is_some());
        match &mut state.request_bucket {
            Some(bucket) if counts => bucket.try_take(now.instant).map_err(too_fast),
            _ => Ok(()),
        }
    }

    pub(super) fn malformed(&mut self, conn: ConnId, refusal: Refusal, now: Now) {
        let state = &mut self.conns[conn];
        if state.closing {
            return;
        }
        let seconds_since = now
            .instant
            .saturating_duration_since(state.malformed_since)
            .as_secs();
        state.malformed_count = state
            .malformed_count
            .saturating_sub(u32::try_from(seconds_since).unwrap_or(u32::MAX))
            + 1;
        if seconds_since > 0 {
            state.malformed_since = now.instant;
        }
        let too_many = state.malformed_count > MAX_MALFORMED;
        self.send(conn, ServerMessage::Error(refusal));
        if too_many {
            let text =
                "Foram mensagens demais que não fazem sentido. Este programa é de outra versão?";
            self.close(conn, ByeCode::Protocol, text);
        }
    }
}

/// Whether a request counts against its connection's rate. Messages count against their author's rate, `typing` has its
/// own throttle, and what is refused in any case costs nothing: `enter` after entering, and all else before it.
fn is_rate_limited(message: &ClientMessage, entered: bool) -> bool {
    match message {
        ClientMessage::Enter(_) => !entered,
        ClientMessage::Typing(_) | ClientMessage::Ping => false,
        other => entered && other.id().is_none(),
    }
}
