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
    pub(super) fn settle(&mut self, slot: usize, now: Instant) {
        let outbound = &mut self.outbounds[slot];
        outbound.finish_errands();
        if outbound.needs_care() {
            self.care_for(slot, now);
        }
        self.refresh_direct(slot);
    }

    fn care_for(&mut self, slot: usize, now: Instant) {
        let outbound = &mut self.outbounds[slot];
        let too_slow = outbound.outbox.len() > self.patience.outbox
            || outbound.outbox.stuck(now) > self.patience.stuck;
        if outbound.is_open() && too_slow {
            self.give_up(slot, now);
        }
        self.wait_for(slot, now);
    }

    /// A reader that is too slow loses what it has not begun to read; it comes back and asks for what it missed.
    fn give_up(&mut self, slot: usize, now: Instant) {
        let text = "Sua conexão não acompanhou a conversa. Ela volta em seguida, sem perder nada.";
        let bye = ServerMessage::Bye {
            code: ByeCode::TooSlow,
            text: text.into(),
            retry_after_ms: Some(1000),
        };
        let outbound = &mut self.outbounds[slot];
        log::info!(
            "A conexão {} é lenta demais: {} bytes à espera.",
            outbound.link.id.0,
            outbound.outbox.len()
        );
        outbound.outbox.drop_unsent_frames();
        self.start_closing(slot, 1013, &bye, now);
    }

    fn retry(&mut self, now: Instant) {
        let mut total = 0;
        for slot in std::mem::take(&mut self.waiting) {
            let outbound = &mut self.outbounds[slot];
            outbound.waiting = false;
            outbound.flush(now);
            outbound.expire(now);
            total += outbound.outbox.len();
            self.settle(slot, now);
        }
        if total > self.patience.outboxes {
            self.shed(total, now);
        }
    }

    /// Gives up on the connections with the most waiting until all together are within bounds.
    fn shed(&mut self, mut total: usize, now: Instant) {
        let size = |delivery: &Self, slot: usize| delivery.outbounds[slot].outbox.len();
        let mut fattest = self.waiting.clone();
        fattest.sort_by_key(|&slot| Reverse(size(self, slot)));
        for slot in fattest {
            if total <= self.patience.outboxes {
                return;
            }
            let before = size(self, slot);
            if self.outbounds[slot].is_open() {
                self.give_up(slot, now);
            }
            total -= before.saturating_sub(size(self, slot));
        }
    }

    fn sweep(&mut self, now: Instant) {
        self.sweep_part = (self.sweep_part + 1) % SWEEP_PARTS;
        let mut ping = Vec::new();
        frame::write(&mut ping, Kind::Ping, b"");
        for slot in (self.sweep_part..self.direct.len()).step_by(SWEEP_PARTS) {
            let Some(outbound) = self
                .outbounds
                .get_mut(slot)
                .filter(|outbound| outbound.is_open())
            else {
                continue;
            };
            let silence = outbound.link.pulse.silence(now);
            if silence >= self.patience.dead {
                log::info!(
                    "A conexão {} está muda há {} s: fechada.",
                    outbound.link.id.0,
                    silence.as_secs()
                );
                outbound.link.cut();
            } else if silence >= self.patience.ping && outbound.wants_ping(now, self.patience.ping)
            {
                outbound.outbox.push(&ping);
                self.mark_dirty(slot);
            }
        }
    }

    /// The connection is to be tried again.
    pub(super) fn wait_for(&mut self, slot: usize, now: Instant) {
        if !std::mem::replace(&mut self.outbounds[slot].waiting, true) {
            self.waiting.push(slot);
        }
        let again = now + self.outbounds[slot].pause(now);
        self.retry_at = Some(self.retry_at.map_or(again, |at| at.min(again)));
    }
}
