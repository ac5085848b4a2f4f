//! The sending half of one connection: its socket, its outbox, its subscriptions, and how it closes.
//!
//! Knows one socket and numbered rooms; never knows messages or people.

use crate::fanout::outbox::Outbox;
use crate::fanout::{ConnHandle, outbox};
use crate::ids::RoomId;
use socket2::SockRef;
use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A room and the connection's index among its subscribers.
#[derive(Clone, Copy)]
pub(super) struct Subscription {
    pub room: RoomId,
    pub index: usize,
}

/// The stages of the closing handshake.
pub(super) enum Closing {
    /// The `bye` is in the outbox; the connection is aborted at this time.
    Flushing(Instant),
    /// The `bye` is sent and the writing side shut; the peer may close until this time.
    AwaitingPeer(Instant),
    /// The socket failed or was aborted; its reader will notice.
    Dead,
}

/// One upgraded connection.
pub(super) struct Outbound {
    pub handle: Arc<ConnHandle>,
    pub outbox: Outbox,
    pub subscriptions: Vec<Subscription>,
    /// Whether the outbox got frames in this turn.
    pub dirty: bool,
    /// Whether the connection is in the retry queue.
    pub in_retry_queue: bool,
    /// Bulk requests whose answers are in the outbox: done as soon as it is empty.
    pub unsent_bulk: u32,
    pinged_at: Option<Instant>,
    /// Set once the connection is closing; no further frames are accepted then.
    pub closing: Option<Closing>,
}

impl Outbound {
    pub(super) fn new(handle: Arc<ConnHandle>) -> Self {
        Self {
            handle,
            outbox: Outbox::default(),
            subscriptions: Vec::new(),
            dirty: false,
            in_retry_queue: false,
            unsent_bulk: 0,
            pinged_at: None,
            closing: None,
        }
    }

    /// Whether frames may still be added.
    pub(super) fn is_open(&self) -> bool {
        self.closing.is_none()
    }

    /// Whether there is something to retry.
    pub(super) fn needs_retry(&self) -> bool {
        match self.closing {
            None => !self.outbox.is_empty(),
            Some(Closing::Flushing(_) | Closing::AwaitingPeer(_)) => true,
            Some(Closing::Dead) => false,
        }
    }

    /// Whether a broadcast of its only room may go directly to the socket, because no frame comes before it.
    pub(super) fn is_direct(&self) -> bool {
        self.is_open() && !self.dirty && self.subscriptions.len() == 1 && self.outbox.is_empty()
    }

    pub(super) fn subscribe(&mut self, room: RoomId, index: usize) {
        self.subscriptions.push(Subscription { room, index });
    }

    /// Removes the subscription, and returns the index that it had in the room.
    pub(super) fn unsubscribe(&mut self, room: RoomId) -> Option<usize> {
        let position = self
            .subscriptions
            .iter()
            .position(|subscription| subscription.room == room)?;
        Some(self.subscriptions.swap_remove(position).index)
    }

    pub(super) fn subscription_index(&self, room: RoomId) -> Option<usize> {
        self.subscriptions
            .iter()
            .find(|subscription| subscription.room == room)
            .map(|subscription| subscription.index)
    }

    pub(super) fn reindex(&mut self, room: RoomId, index: usize) {
        let subscription = self
            .subscriptions
            .iter_mut()
            .find(|subscription| subscription.room == room);
        subscription.expect("a subscriber has a subscription").index = index;
    }

    /// Adds frames to the outbox.
    pub(super) fn queue(&mut self, frames: &[u8]) {
        if self.is_open() {
            self.outbox.push(frames);
        }
    }

    /// After a direct send: keeps what the kernel did not take.
    pub(super) fn after_direct_send(
        &mut self,
        sent: io::Result<usize>,
        frames: &[u8],
        now: Instant,
    ) {
        match sent {
            Ok(sent) => self.outbox.push_unsent(frames, sent, now),
            Err(_) => self.mark_dead(),
        }
    }

    /// Sends as much of the outbox as the kernel takes.
    pub(super) fn flush(&mut self, now: Instant) {
        if matches!(self.closing, Some(Closing::Dead))
            || (self.is_open() && self.outbox.in_backoff(now))
        {
            return;
        }
        if self.outbox.flush(&*self.handle.socket, now).is_err() {
            self.mark_dead();
        } else if let Some(Closing::Flushing(deadline)) = self.closing
            && self.outbox.is_empty()
        {
            let _ = self.handle.socket.shutdown(Shutdown::Write);
            self.closing = Some(Closing::AwaitingPeer(deadline));
        }
    }

    /// How long to wait before the next try: longer for a stalled peer, unless the connection is closing.
    pub(super) fn retry_delay(&self, now: Instant) -> Duration {
        if self.is_open() {
            self.outbox.retry_delay(now)
        } else {
            outbox::RETRY_DELAY
        }
    }

    /// Allows the next bulk request once the answers are sent.
    pub(super) fn release_bulk(&mut self) {
        while self.unsent_bulk > 0 && self.outbox.is_empty() {
            self.unsent_bulk -= 1;
            self.handle.bulk.release();
        }
    }

    /// Queues the connection's last frames, and makes room for them in the kernel.
    pub(super) fn start_closing(&mut self, frames: &[u8], deadline: Instant, now: Instant) {
        self.outbox.push(frames);
        self.closing = Some(Closing::Flushing(deadline));
        self.handle.release_waiters();
        // The kernel's buffer may be full; these few bytes should still fit, so that they reach a peer that reads again.
        // An error only means that they may not.
        let socket = SockRef::from(&*self.handle.socket);
        let _ = socket.set_tcp_notsent_lowat(u32::MAX >> 1);
        if let Ok(size) = socket.send_buffer_size() {
            // The kernel doubles the value that it gets, so this doubles the buffer.
            let _ = socket.set_send_buffer_size(size.max(64 * 1024));
        }
        self.flush(now);
    }

    /// Sends once more, perhaps the reply to a close, then shuts the writing side.
    pub(super) fn shutdown_write(&mut self, now: Instant) {
        self.flush(now);
        let _ = self.handle.socket.shutdown(Shutdown::Write);
        self.handle.release_waiters();
    }

    /// Aborts the connection when its closing takes too long.
    pub(super) fn expire(&mut self, now: Instant) {
        if let Some(Closing::Flushing(deadline) | Closing::AwaitingPeer(deadline)) = self.closing
            && deadline <= now
        {
            self.mark_dead();
        }
    }

    /// Whether an idle peer is to be pinged, because the last ping is long enough ago.
    pub(super) fn ping_due(&mut self, now: Instant, every: Duration) -> bool {
        let due = self
            .pinged_at
            .is_none_or(|at| now.saturating_duration_since(at) >= every);
        if due {
            self.pinged_at = Some(now);
        }
        due
    }

    fn mark_dead(&mut self) {
        self.closing = Some(Closing::Dead);
        self.outbox = Outbox::default();
        self.handle.abort();
    }
}
