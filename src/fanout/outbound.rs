//! One connection as the hub's thread sees it: its socket, its outbox, its places in the rooms, and how it ends.

use crate::fanout::outbox::Outbox;
use crate::fanout::{ConnHandle, outbox};
use crate::ids::RoomId;
use socket2::SockRef;
use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The connection's place among a room's members.
#[derive(Clone, Copy)]
pub struct Subscription {
    pub room: RoomId,
    pub index: usize,
}

/// How far a connection's end has come.
pub enum Closing {
    /// The goodbye is in the outbox; by this time the connection is cut.
    Flushing(Instant),
    /// The goodbye is sent and the writing side shut; the peer may close first until this time.
    AwaitingPeer(Instant),
    /// The socket failed or was cut; its reader will notice.
    Dead,
}

/// One upgraded connection.
pub struct Outbound {
    pub handle: Arc<ConnHandle>,
    pub outbox: Outbox,
    pub subscriptions: Vec<Subscription>,
    /// Whether the outbox got something in this turn.
    pub dirty: bool,
    /// Whether the connection is in the list of those to be tried again.
    pub in_retry_queue: bool,
    /// Errands whose answers are in the outbox: done as soon as it is empty.
    pub unsent_bulk: u32,
    pinged_at: Option<Instant>,
    /// Set once the connection is ending; nothing but the goodbye is sent then.
    pub closing: Option<Closing>,
}

impl Outbound {
    pub fn new(handle: Arc<ConnHandle>) -> Self {
        let (outbox, subscriptions) = (Outbox::default(), Vec::new());
        Self {
            handle,
            outbox,
            subscriptions,
            dirty: false,
            in_retry_queue: false,
            unsent_bulk: 0,
            pinged_at: None,
            closing: None,
        }
    }

    /// Whether anything but a goodbye may still be sent.
    pub fn is_open(&self) -> bool {
        self.closing.is_none()
    }

    /// Whether something is left to be tried again.
    pub fn needs_retry(&self) -> bool {
        match self.closing {
            None => !self.outbox.is_empty(),
            Some(Closing::Flushing(_) | Closing::AwaitingPeer(_)) => true,
            Some(Closing::Dead) => false,
        }
    }

    /// Whether what its only room says may go straight to its socket: nothing of its own comes before.
    pub fn is_direct(&self) -> bool {
        self.is_open() && !self.dirty && self.subscriptions.len() == 1 && self.outbox.is_empty()
    }

    pub fn subscribe(&mut self, room: RoomId, index: usize) {
        self.subscriptions.push(Subscription { room, index });
    }

    /// Gives up the place in a room, and says which it was.
    pub fn unsubscribe(&mut self, room: RoomId) -> Option<usize> {
        let position = self
            .subscriptions
            .iter()
            .position(|subscription| subscription.room == room)?;
        Some(self.subscriptions.swap_remove(position).index)
    }

    pub fn subscription_index(&self, room: RoomId) -> Option<usize> {
        self.subscriptions
            .iter()
            .find(|subscription| subscription.room == room)
            .map(|subscription| subscription.index)
    }

    pub fn reindex(&mut self, room: RoomId, index: usize) {
        if let Some(subscription) = self
            .subscriptions
            .iter_mut()
            .find(|subscription| subscription.room == room)
        {
            subscription.index = index;
        }
    }

    /// Keeps frames for the end of the turn.
    pub fn queue(&mut self, frames: &[u8]) {
        if self.is_open() {
            self.outbox.push(frames);
        }
    }

    /// Frames went straight to the socket: keeps what the kernel did not take of them.
    pub fn after_direct_send(&mut self, sent: io::Result<usize>, frames: &[u8], now: Instant) {
        match sent {
            Ok(sent) => self.outbox.push_unsent(frames, sent, now),
            Err(_) => self.mark_dead(),
        }
    }

    /// Sends what waits, as far as the kernel takes it.
    pub fn flush(&mut self, now: Instant) {
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

    /// How long to wait before the next try: longer when the peer has taken nothing for a while, unless it is a goodbye.
    pub fn retry_delay(&self, now: Instant) -> Duration {
        if self.is_open() {
            self.outbox.retry_delay(now)
        } else {
            outbox::RETRY_DELAY
        }
    }

    /// Lets the reader ask for more once everything that it asked for is sent.
    pub fn release_bulk(&mut self) {
        while self.unsent_bulk > 0 && self.outbox.is_empty() {
            self.unsent_bulk -= 1;
            self.handle.bulk.release();
        }
    }

    /// Queues the last frames of the connection, and makes room for them in the kernel.
    pub fn start_closing(&mut self, frames: &[u8], deadline: Instant, now: Instant) {
        self.outbox.push(frames);
        self.closing = Some(Closing::Flushing(deadline));
        self.handle.release_waiters();
        // The peer may have let the kernel's buffer fill up; these few bytes shall still go in, and reach it if it ever
        // reads again. Failing only means that they may not.
        let socket = SockRef::from(&*self.handle.socket);
        let _ = socket.set_tcp_notsent_lowat(u32::MAX >> 1);
        if let Ok(size) = socket.send_buffer_size() {
            // The kernel doubles what it is given, so this adds about as much as there was.
            let _ = socket.set_send_buffer_size(size.max(64 * 1024));
        }
        self.flush(now);
    }

    /// The reader has read everything: the reply to its close may be the last thing to send.
    pub fn shutdown_write(&mut self, now: Instant) {
        self.flush(now);
        let _ = self.handle.socket.shutdown(Shutdown::Write);
        self.handle.release_waiters();
    }

    /// Cuts a goodbye that takes too long.
    pub fn expire(&mut self, now: Instant) {
        if let Some(Closing::Flushing(deadline) | Closing::AwaitingPeer(deadline)) = self.closing
            && deadline <= now
        {
            self.mark_dead();
        }
    }

    /// Whether a ping is due: the peer is silent, and was not just pinged.
    pub fn ping_due(&mut self, now: Instant, every: Duration) -> bool {
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
