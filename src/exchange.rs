//! The hub's thread: waits for what connections and the history say, lets the hub decide, and carries out what it
//! decided, turn by turn.
//!
//! A turn takes in everything that is waiting, up to a bound, and never waits for more. What the history stored in one
//! batch is shown in one turn. At its end every socket concerned gets one send. After a fan-out that took the time T,
//! the next begins no sooner than 2T after that one began: when it is quiet nothing is delayed, under load fewer and
//! larger sends leave half of the processor to everybody else. While it waits it goes on receiving.
//!
//! Knows the clock and how the parts fit together; never knows names, rules, HTTP or how anything is stored.

use crate::delivery::{DeliveryLimits, Fanout};
use crate::history::{History, HistoryRequest};
use crate::hub::limits::Rules;
use crate::hub::{Chat, Effect, Event, Now};
use crate::link::{ConnHandle, ConnId};
use crate::protocol::{ClientMessage, Refusal, ServerMessage};
use crossbeam_channel::{Receiver, TryRecvError, select};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Inputs that may wait for the hub; when it has more to do, the connections' readers wait, and so do their peers.
pub const INPUTS: usize = 1024;
/// Most inputs and answers in one turn.
const TURN_INPUTS: usize = 256;
/// Most bytes gathered for the rooms in one turn.
const TURN_BYTES: usize = 256 * 1024;
/// How long the last goodbyes may take when the server stops, per connection and for all together.
const LAST_GOODBYE: Duration = Duration::from_secs(1);
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// What a connection's thread tells the hub's.
#[derive(Debug)]
pub enum Input {
    /// A connection was upgraded. From here on only the hub's thread writes to its socket.
    Arrived(Arc<ConnHandle>),
    /// It said something that makes sense.
    Said(ConnId, ClientMessage),
    /// It said something that makes none.
    Misspoke(ConnId, Refusal),
    /// Its reader has a control frame to be sent: a pong, or the reply to a close.
    Reply(ConnId, Vec<u8>),
    /// It broke the rules: say goodbye with this close code and these words.
    Refused(ConnId, u16, ServerMessage),
    /// It is over; true if it said goodbye with the close code 1000.
    Gone(ConnId, bool),
    /// The server stops.
    Stop,
}

/// Figures that other threads may look at.
#[derive(Debug, Default)]
pub struct Stats {
    /// People who are there.
    pub people: AtomicUsize,
    /// Rooms that are open.
    pub rooms: AtomicUsize,
    /// Upgraded connections.
    pub connections: AtomicUsize,
    /// People who were told that the server stops.
    pub told: AtomicUsize,
}

/// Everything that the hub's thread owns.
pub struct Exchange {
    hub: Chat,
    delivery: Fanout,
    history: Box<dyn History>,
    inputs: Receiver<Input>,
    stats: Arc<Stats>,
    /// What the hub wants of the history in this turn.
    jobs: Vec<HistoryRequest>,
    /// Inputs and answers since the last fan-out.
    taken: usize,
    /// When the next fan-out may begin.
    paced_until: Instant,
    /// Set when the server stops: by then the thread ends.
    stop_by: Option<Instant>,
}

impl Exchange {
    /// An exchange that takes its inputs from this channel.
    pub fn new(
        rules: Rules,
        patience: DeliveryLimits,
        history: Box<dyn History>,
        inputs: Receiver<Input>,
        stats: Arc<Stats>,
    ) -> Self {
        let now = Instant::now();
        Self {
            hub: Chat::new(rules, history.epoch()),
            delivery: Fanout::new(patience, now),
            history,
            inputs,
            stats,
            jobs: Vec::new(),
            taken: 0,
            paced_until: now,
            stop_by: None,
        }
    }

    /// Works until the server stops and everybody was told.
    pub fn run(mut self) {
        let answers = self.history.replies().clone();
        loop {
            let timeout = self
                .next_deadline()
                .saturating_duration_since(Instant::now());
            let inputs = self.inputs.clone();
            select! {
                recv(answers) -> answer => match answer {
                    Ok(answer) => self.answered(answer),
                    Err(_) => return,
                },
                recv(inputs) -> input => match input {
                    Ok(input) => self.take(input),
                    // Every connection and the server itself are gone.
                    Err(_) => return,
                },
                default(timeout) => {}
            }
            self.drain();
            self.finish_turn();
            if self
                .stop_by
                .is_some_and(|by| self.delivery.connections() == 0 || by <= Instant::now())
            {
                return;
            }
        }
    }

    /// When there is something to do even if nobody says anything.
    fn next_deadline(&self) -> Instant {
        let mut deadline = self.delivery.next_tick();
        if let Some(at) = self.hub.next_tick() {
            deadline = deadline.min(at);
        }
        if self.delivery.has_pending() {
            deadline = deadline.min(self.paced_until);
        }
        self.stop_by.map_or(deadline, |by| deadline.min(by))
    }

    /// Takes in what is waiting, answers first: they are what people wait for.
    fn drain(&mut self) {
        loop {
            self.submit();
            if self.full() {
                return;
            }
            if let Ok(answer) = self.history.replies().try_recv() {
                self.answered(answer);
                continue;
            }
            match self.inputs.try_recv() {
                Ok(input) => self.take(input),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    fn full(&self) -> bool {
        self.taken >= TURN_INPUTS || self.delivery.buffered_bytes() >= TURN_BYTES
    }

    /// Hands to the history what the hub wants of it.
    fn submit(&mut self) {
        if !self.jobs.is_empty() {
            self.history.submit(std::mem::take(&mut self.jobs));
        }
    }

    /// Does what is due, and sends if the pace allows it.
    fn finish_turn(&mut self) {
        let now = now();
        self.hub.tick(now);
        self.carry_out(now.instant);
        self.submit();
        // Before anything is sent: whoever was told that they are in finds themselves counted.
        self.stats
            .people
            .store(self.hub.people(), Ordering::Relaxed);
        self.stats.rooms.store(self.hub.rooms(), Ordering::Relaxed);
        self.stats
            .connections
            .store(self.delivery.connections(), Ordering::Relaxed);
        self.delivery.tick(now.instant);
        if self.delivery.has_pending() && (now.instant >= self.paced_until || self.full()) {
            let to_rooms = self.delivery.has_broadcasts();
            self.delivery.flush(now.instant);
            self.taken = 0;
            // Waiting makes fewer sends of a room's messages; of what is for one connection alone it makes none fewer.
            self.paced_until = if to_rooms {
                now.instant + 2 * now.instant.elapsed()
            } else {
                now.instant
            };
        } else if !self.delivery.has_pending() {
            self.taken = 0;
        }
    }

    fn answered(&mut self, answer: crate::history::HistoryReply) {
        self.taken += 1;
        let now = now();
        self.hub.handle(Event::HistoryReplied(answer), now);
        self.carry_out(now.instant);
    }

    fn take(&mut self, input: Input) {
        self.taken += 1;
        let now = now();
        let event = match input {
            Input::Arrived(link) => {
                let (conn, address) = (link.id, link.address);
                self.delivery.add(link);
                Event::Connected(conn, address)
            }
            Input::Said(conn, message) => Event::Request(conn, message),
            Input::Misspoke(conn, refusal) => Event::Malformed(conn, refusal),
            Input::Reply(conn, frame) => return self.delivery.send_frame(conn, &frame),
            Input::Refused(conn, code, bye) => {
                return self.delivery.close(conn, code, &bye, now.instant);
            }
            Input::Gone(conn, goodbye) => {
                self.delivery.remove(conn, now.instant);
                Event::Disconnected(conn, goodbye)
            }
            Input::Stop => {
                self.stop_by = Some(now.instant + STOP_WITHIN);
                self.stats
                    .told
                    .store(self.hub.people_connected(), Ordering::Relaxed);
                self.delivery.limits_mut().closing_timeout = LAST_GOODBYE;
                Event::Stop
            }
        };
        self.hub.handle(event, now);
        self.carry_out(now.instant);
    }

    /// Carries out what the hub decided, in order.
    fn carry_out(&mut self, now: Instant) {
        for effect in self.hub.take_effects() {
            match effect {
                Effect::Send(conn, message) => {
                    if matches!(message, ServerMessage::Welcome { .. }) {
                        self.delivery.mark_entered(conn);
                    }
                    self.delivery.send(conn, &message);
                }
                Effect::Broadcast(room_id, message, except) => {
                    self.delivery.broadcast(room_id, &message, except)
                }
                Effect::Subscribe(conn, room_id) => self.delivery.subscribe(conn, room_id),
                Effect::Unsubscribe(conn, room_id) => self.delivery.unsubscribe(conn, room_id),
                Effect::Submit(job) => self.jobs.push(job),
                Effect::RequestDone(conn) => self.delivery.request_done(conn),
                Effect::BulkDone(conn) => self.delivery.bulk_done(conn),
                Effect::Close(conn, code, bye) => self.delivery.close(conn, code, &bye, now),
            }
        }
    }
}

fn now() -> Now {
    // A clock before 1970 shows 1970; nothing is counted with it.
    let unix_ms = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_millis() as u64);
    Now {
        instant: Instant::now(),
        unix_ms,
    }
}
