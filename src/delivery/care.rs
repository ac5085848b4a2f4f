//! Care for connections that don't keep up: leftovers are tried again, who takes too long is given up, who is silent is
//! pinged, and who stays silent is dead.

use super::Delivery;
use crate::frame::{self, Kind};
use crate::protocol::{ByeCode, ServerMessage};
use std::cmp::Reverse;
use std::time::{Duration, Instant};

/// How often some of the connections are looked at for signs of life.
const SWEEP: Duration = Duration::from_secs(1);
/// Into how many sweeps all connections are divided: each is looked at every four seconds.
const SWEEP_PARTS: usize = 4;

impl Delivery {
    /// When [`Delivery::tick`] has something to do.
    pub fn next_tick(&self) -> Instant {
        self.retry_at
            .map_or(self.sweep_at, |retry| retry.min(self.sweep_at))
    }

    /// Tries leftovers again, gives up on who takes too long, and looks for signs of life.
    pub fn tick(&mut self, now: Instant) {
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.retry(now);
        }
        if self.sweep_at <= now {
            self.sweep_at = now + SWEEP;
            self.sweep(now);
        }
    }

    /// After a send: what is left is tried again, and too much of it is the end.
    pub(super) fn settle(&mut self, at: usize, now: Instant) {
        let line = &mut self.lines[at];
        line.finish_errands();
        if line.needs_care() {
            self.care_for(at, now);
        }
        self.look_at(at);
    }

    fn care_for(&mut self, at: usize, now: Instant) {
        let line = &mut self.lines[at];
        let too_slow = line.outbox.len() > self.patience.outbox
            || line.outbox.stuck(now) > self.patience.stuck;
        if line.is_open() && too_slow {
            self.give_up(at, now);
        }
        self.wait_for(at, now);
    }

    /// A reader that is too slow loses what it has not begun to read; it comes back and asks for what it missed.
    fn give_up(&mut self, at: usize, now: Instant) {
        let text = "Sua conexão não acompanhou a conversa. Ela volta em seguida, sem perder nada.";
        let bye = ServerMessage::Bye {
            code: ByeCode::TooSlow,
            text: text.into(),
            retry_after_ms: Some(1000),
        };
        let line = &mut self.lines[at];
        log::info!(
            "A conexão {} é lenta demais: {} bytes à espera.",
            line.link.id.0,
            line.outbox.len()
        );
        line.outbox.drop_unsent_frames();
        self.start_closing(at, 1013, &bye, now);
    }

    fn retry(&mut self, now: Instant) {
        let mut total = 0;
        for at in std::mem::take(&mut self.waiting) {
            let line = &mut self.lines[at];
            line.waiting = false;
            line.flush(now);
            line.expire(now);
            total += line.outbox.len();
            self.settle(at, now);
        }
        if total > self.patience.outboxes {
            self.shed(total, now);
        }
    }

    /// Gives up on the connections with the most waiting until all together are within bounds.
    fn shed(&mut self, mut total: usize, now: Instant) {
        let size = |delivery: &Self, at: usize| delivery.lines[at].outbox.len();
        let mut fattest = self.waiting.clone();
        fattest.sort_by_key(|&at| Reverse(size(self, at)));
        for at in fattest {
            if total <= self.patience.outboxes {
                return;
            }
            let before = size(self, at);
            if self.lines[at].is_open() {
                self.give_up(at, now);
            }
            total -= before.saturating_sub(size(self, at));
        }
    }

    fn sweep(&mut self, now: Instant) {
        self.sweep_part = (self.sweep_part + 1) % SWEEP_PARTS;
        let mut ping = Vec::new();
        frame::write(&mut ping, Kind::Ping, b"");
        for at in (self.sweep_part..self.straight.len()).step_by(SWEEP_PARTS) {
            let Some(line) = self.lines.get_mut(at).filter(|line| line.is_open()) else {
                continue;
            };
            let silence = line.link.pulse.silence(now);
            if silence >= self.patience.dead {
                log::info!(
                    "A conexão {} está muda há {} s: fechada.",
                    line.link.id.0,
                    silence.as_secs()
                );
                line.link.cut();
            } else if silence >= self.patience.ping && line.wants_ping(now, self.patience.ping) {
                line.outbox.push(&ping);
                self.touch(at);
            }
        }
    }

    /// The connection is to be tried again.
    pub(super) fn wait_for(&mut self, at: usize, now: Instant) {
        if !std::mem::replace(&mut self.lines[at].waiting, true) {
            self.waiting.push(at);
        }
        let again = now + self.lines[at].pause(now);
        self.retry_at = Some(self.retry_at.map_or(again, |at| at.min(again)));
    }
}
