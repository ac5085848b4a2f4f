//! Liveness: retries unsent bytes, disconnects slow consumers, pings idle peers, aborts dead ones.
//!
//! Knows outboxes and times; never knows what is sent.

use crate::fanout::Fanout;
use crate::protocol::{ByeCode, ServerMessage};
use crate::ws::frame;
use crate::ws::frame::Opcode;
use std::cmp::Reverse;
use std::time::{Duration, Instant};

/// How often a part of the connections is checked for idle peers.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// The number of parts: each connection is checked every four seconds.
const SWEEP_PARTS: usize = 4;

impl Fanout {
    /// When [`Fanout::tick`] is due.
    pub(crate) fn next_tick(&self) -> Instant {
        self.retry_at
            .map_or(self.sweep_at, |retry| retry.min(self.sweep_at))
    }

    /// Retries unsent bytes, disconnects slow consumers, and checks for idle peers.
    pub fn tick(&mut self, now: Instant) {
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.retry(now);
        }
        if self.sweep_at <= now {
            self.sweep_at = now + SWEEP_INTERVAL;
            self.sweep(now);
        }
    }

    /// After a send: schedules a retry for what is left, or disconnects a slow consumer.
    pub(super) fn after_send(&mut self, slot: usize, now: Instant) {
        let outbound = &mut self.outbounds[slot];
        outbound.release_bulk();
        if outbound.needs_retry() {
            self.enforce_limits(slot, now);
        }
        self.refresh_direct(slot);
    }

    fn enforce_limits(&mut self, slot: usize, now: Instant) {
        let outbound = &mut self.outbounds[slot];
        let too_slow = outbound.outbox.len() > self.limits.max_outbox_bytes
            || outbound.outbox.stalled_for(now) > self.limits.stall_timeout;
        if outbound.is_open() && too_slow {
            self.disconnect_slow(slot, now);
        }
        self.schedule_retry(slot, now);
    }

    /// Drops the unsent frames of a slow consumer and closes it; the client reconnects and asks for what it missed.
    fn disconnect_slow(&mut self, slot: usize, now: Instant) {
        let text = "Sua conexão não acompanhou a conversa. Ela volta em seguida, sem perder nada.";
        let bye = ServerMessage::Bye {
            code: ByeCode::TooSlow,
            text: text.into(),
            retry_after_ms: Some(1000),
        };
        let outbound = &mut self.outbounds[slot];
        log::info!(
            "A conexão {} é lenta demais: {} bytes à espera.",
            outbound.handle.id.0,
            outbound.outbox.len()
        );
        outbound.outbox.drop_unsent_frames();
        self.encode_closing(1013, &bye);
        self.start_closing(slot, now);
    }

    fn retry(&mut self, now: Instant) {
        let mut total = 0;
        for slot in std::mem::take(&mut self.retry_queue) {
            let outbound = &mut self.outbounds[slot];
            outbound.in_retry_queue = false;
            outbound.flush(now);
            outbound.expire(now);
            total += outbound.outbox.len();
            self.after_send(slot, now);
        }
        if total > self.limits.max_total_outbox_bytes {
            self.shed(total, now);
        }
    }

    /// Disconnects the connections with the largest outboxes until all together are within the limit.
    fn shed(&mut self, mut total: usize, now: Instant) {
        let size = |fanout: &Self, slot: usize| fanout.outbounds[slot].outbox.len();
        let mut largest_first = self.retry_queue.clone();
        largest_first.sort_by_key(|&slot| Reverse(size(self, slot)));
        for slot in largest_first {
            if total <= self.limits.max_total_outbox_bytes {
                return;
            }
            let before = size(self, slot);
            if self.outbounds[slot].is_open() {
                self.disconnect_slow(slot, now);
            }
            total -= before.saturating_sub(size(self, slot));
        }
    }

    fn sweep(&mut self, now: Instant) {
        self.sweep_part = (self.sweep_part + 1) % SWEEP_PARTS;
        let mut ping = Vec::new();
        frame::write(&mut ping, Opcode::Ping, b"");
        for slot in (self.sweep_part..self.direct.len()).step_by(SWEEP_PARTS) {
            let Some(outbound) = self
                .outbounds
                .get_mut(slot)
                .filter(|outbound| outbound.is_open())
            else {
                continue;
            };
            let idle = outbound.handle.last_seen.idle_for(now);
            if idle >= self.limits.dead_after {
                log::info!(
                    "A conexão {} está muda há {} s: fechada.",
                    outbound.handle.id.0,
                    idle.as_secs()
                );
                outbound.handle.abort();
            } else if idle >= self.limits.ping_after
                && outbound.ping_due(now, self.limits.ping_after)
            {
                outbound.outbox.push(&ping);
                self.mark_dirty(slot);
            }
        }
    }

    /// Puts the connection into the retry queue.
    pub(super) fn schedule_retry(&mut self, slot: usize, now: Instant) {
        if !std::mem::replace(&mut self.outbounds[slot].in_retry_queue, true) {
            self.retry_queue.push(slot);
        }
        let next_try = now + self.outbounds[slot].retry_delay(now);
        self.retry_at = Some(self.retry_at.map_or(next_try, |at| at.min(next_try)));
    }
}
