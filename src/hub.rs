//! The hub thread: takes inputs from connections and the history, lets the chat decide, and carries out the effects, turn
//! by turn. A turn takes what is waiting, up to a bound, and ends with one send per socket.
//! After a fan-out that took the time T, the next begins no sooner than 2T after that one began: without load nothing is
//! delayed, under load fewer and larger sends leave half of the processor to the rest.
//! Knows the clock and how the parts fit together; never knows names, rules, HTTP or how anything is stored.

use crate::chat::limits::Rules;
use crate::chat::{Chat, Effect, Event, Now};
use crate::fanout::{ConnHandle, DeliveryLimits, Fanout};
use crate::history::{History, HistoryReply, HistoryRequest};
use crate::ids::ConnId;
use crate::password_thread::{PasswordReply, PasswordThread};
use crate::protocol::{ClientRequest, Refusal, ServerMessage};
use crate::stats::Stats;
use crossbeam_channel::{Receiver, TryRecvError, never, select};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Capacity of the input queue. While it is full, the connections' readers block, and so do their peers.
pub(crate) const INPUT_QUEUE: usize = 1024;
/// Most inputs and replies in one turn.
const MAX_TURN_INPUTS: usize = 256;
/// Most bytes to broadcast in one turn.
const MAX_TURN_BYTES: usize = 256 * 1024;
/// How long closing may take when the server stops, per connection and for all together.
const STOP_CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// What a connection's thread sends to the hub's. Large contents are boxed: the queue has room for thousands, and that
/// thread's stack should stay small.
#[derive(Debug)]
pub(crate) enum HubInput {
    /// A connection was upgraded. From here on only the hub's thread writes to its socket.
    Connected(Arc<ConnHandle>),
    /// It sent a valid request.
    Request(ConnId, Box<ClientRequest>),
    /// It sent a frame that is no valid request.
    Malformed(ConnId, Box<Refusal>),
    /// Its reader has a control frame to send: a pong, or the reply to a close.
    ControlFrame(ConnId, Vec<u8>),
    /// It broke the protocol: close it with this close code, after this message.
    CloseWith(ConnId, u16, Box<ServerMessage>),
    /// It is over; true if the peer closed it with the code 1000.
    Disconnected(ConnId, bool),
    /// The server stops.
    Stop,
}

/// The hub thread's state.
pub(crate) struct Hub {
    chat: Chat,
    fanout: Fanout,
    history: Box<dyn History>,
    passwords: PasswordThread,
    inputs: Receiver<HubInput>,
    stats: Arc<Stats>,
    /// Requests to the history, submitted in one batch.
    history_requests: Vec<HistoryRequest>,
    /// Inputs and replies since the last fan-out.
    turn_inputs: usize,
    /// When the next fan-out may begin.
    paced_until: Instant,
    /// Set when the server stops; the thread ends by then.
    stop_deadline: Option<Instant>,
}

impl Hub {
    /// A hub that takes its inputs from this channel.
    pub(crate) fn new(
        rules: Rules,
        delivery_limits: DeliveryLimits,
        mut history: Box<dyn History>,
        inputs: Receiver<HubInput>,
        stats: Arc<Stats>,
    ) -> Self {
        let mut chat = Chat::new(rules, history.epoch());
        chat.restore(history.take_saved_state(), now());
        let now = Instant::now();
        if history.epoch_was_read() {
            chat.allow_epoch_to_end();
        }
        Self {
            chat,
            fanout: Fanout::new(delivery_limits, now),
            history,
            passwords: PasswordThread::spawn(),
            inputs,
            stats,
            history_requests: Vec::new(),
            turn_inputs: 0,
            paced_until: now,
            stop_deadline: None,
        }
    }

    /// Runs until the server stops and every connection is closed.
    pub(crate) fn run(mut self) {
        let replies = self.history.replies().clone();
        let password_replies = self.passwords.replies().clone();
        loop {
            let timeout = self
                .next_deadline()
                .saturating_duration_since(Instant::now());
            let inputs = self.open_inputs();
            select! {
                recv(replies) -> reply => match reply {
                    Ok(reply) => self.handle_reply(reply),
                    Err(_) => return,
                },
                recv(password_replies) -> reply => match reply {
                    Ok(reply) => self.handle_password_reply(reply),
                    Err(_) => return,
                },
                recv(inputs) -> input => match input {
                    Ok(input) => self.handle_input(input),
                    // Every connection and the server itself are gone.
                    Err(_) => return,
                },
                default(timeout) => {}
            }
            self.drain();
            self.finish_turn();
            if self
                .stop_deadline
                .is_some_and(|by| self.fanout.connections() == 0 || by <= Instant::now())
            {
                return;
            }
        }
    }

    /// The inputs, but none while too much waits for the history: their queue fills, and the connections' readers wait.
    fn open_inputs(&self) -> Receiver<HubInput> {
        match self.history.is_full() {
            true => never(),
            false => self.inputs.clone(),
        }
    }

    /// When there is something to do even without an input.
    fn next_deadline(&self) -> Instant {
        let mut deadline = self.fanout.next_tick();
        for at in [self.chat.next_tick(), self.history.next_expiry()] {
            deadline = at.map_or(deadline, |at| deadline.min(at));
        }
        if self.fanout.has_pending() {
            deadline = deadline.min(self.paced_until);
        }
        self.stop_deadline.map_or(deadline, |by| deadline.min(by))
    }

    /// Handles what is waiting, replies first: they complete requests.
    fn drain(&mut self) {
        self.history.expire(Instant::now());
        loop {
            self.submit_requests();
            if self.turn_is_full() {
                return;
            }
            if let Ok(reply) = self.history.replies().try_recv() {
                self.handle_reply(reply);
                continue;
            }
            if let Ok(reply) = self.passwords.replies().try_recv() {
                self.handle_password_reply(reply);
                continue;
            }
            if self.history.is_full() {
                return;
            }
            match self.inputs.try_recv() {
                Ok(input) => self.handle_input(input),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    fn turn_is_full(&self) -> bool {
        self.turn_inputs >= MAX_TURN_INPUTS || self.fanout.buffered_bytes() >= MAX_TURN_BYTES
    }

    /// Submits the collected requests to the history.
    fn submit_requests(&mut self) {
        if !self.history_requests.is_empty() {
            self.history
                .submit(std::mem::take(&mut self.history_requests));
        }
    }

    /// Does what is due, and sends if the pace allows it.
    fn finish_turn(&mut self) {
        let now = now();
        self.chat.tick(now);
        self.apply_effects(now.instant);
        self.submit_requests();
        // Before anything is sent, so that a client that got its `welcome` is counted.
        self.stats
            .people
            .store(self.chat.people(), Ordering::Relaxed);
        self.stats.rooms.store(self.chat.rooms(), Ordering::Relaxed);
        self.stats
            .connections
            .store(self.fanout.connections(), Ordering::Relaxed);
        self.fanout.tick(now.instant);
        if self.fanout.has_pending() && (now.instant >= self.paced_until || self.turn_is_full()) {
            let to_rooms = self.fanout.has_broadcasts();
            self.fanout.flush(now.instant);
            self.turn_inputs = 0;
            // Waiting saves sends of broadcasts only, not of what goes to one connection.
            self.paced_until = if to_rooms {
                now.instant + 2 * now.instant.elapsed()
            } else {
                now.instant
            };
        } else if !self.fanout.has_pending() {
            self.turn_inputs = 0;
        }
    }

    fn handle_reply(&mut self, reply: HistoryReply) {
        self.turn_inputs += 1;
        let now = now();
        self.chat.handle(Event::HistoryReplied(reply), now);
        self.apply_effects(now.instant);
    }

    fn handle_password_reply(&mut self, reply: PasswordReply) {
        self.turn_inputs += 1;
        let now = now();
        self.chat.handle(Event::PasswordReplied(reply), now);
        self.apply_effects(now.instant);
    }

    fn handle_input(&mut self, input: HubInput) {
        self.turn_inputs += 1;
        let now = now();
        let event = match input {
            HubInput::Connected(handle) => {
                let event = Event::Connected(handle.id, handle.address);
                self.fanout.add(handle);
                event
            }
            HubInput::Request(conn, request) => Event::Request(conn, *request),
            HubInput::Malformed(conn, refusal) => Event::Malformed(conn, *refusal),
            HubInput::ControlFrame(conn, frame) => return self.fanout.send_frame(conn, &frame),
            HubInput::CloseWith(conn, code, bye) => {
                return self.fanout.close(&[conn], code, &bye, now.instant);
            }
            HubInput::Disconnected(conn, clean) => {
                self.fanout.remove(conn, now.instant);
                Event::Disconnected(conn, clean)
            }
            HubInput::Stop => {
                self.stop_deadline = Some(now.instant + STOP_TIMEOUT);
                self.stats
                    .notified
                    .store(self.chat.people_connected(), Ordering::Relaxed);
                self.fanout.limits_mut().closing_timeout = STOP_CLOSE_TIMEOUT;
                Event::Stop
            }
        };
        self.chat.handle(event, now);
        self.apply_effects(now.instant);
    }

    /// Carries out what the chat decided, in order.
    fn apply_effects(&mut self, now: Instant) {
        for effect in self.chat.take_effects() {
            match effect {
                Effect::Send(conn, message) => {
                    if matches!(message, ServerMessage::Welcome { .. }) {
                        self.fanout.mark_entered(conn);
                    }
                    self.fanout.send(conn, &message);
                }
                Effect::Multicast(conns, message) => self.fanout.multicast(&conns, &message),
                Effect::Broadcast(room_id, message, except) => {
                    self.fanout.broadcast(room_id, &message, except);
                }
                Effect::Subscribe(conn, room_id) => self.fanout.subscribe(conn, room_id),
                Effect::Unsubscribe(conn, room_id) => self.fanout.unsubscribe(conn, room_id),
                Effect::Password(request) => self.passwords.submit(request),
                Effect::Submit(request) => self.history_requests.push(request),
                Effect::RequestDone(conn) => self.fanout.request_done(conn),
                Effect::BulkDone(conn) => self.fanout.bulk_done(conn),
                Effect::Close(conns, code, bye) => self.fanout.close(&conns, code, &bye, now),
            }
        }
    }
}

fn now() -> Now {
    // A clock before 1970 shows 1970; no rule depends on it.
    let unix_ms = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_millis() as u64);
    Now {
        instant: Instant::now(),
        unix_ms,
    }
}
