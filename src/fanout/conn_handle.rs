//! What a connection's reading thread and the hub's thread share of the connection.
//!
//! Knows a socket and two windows; never knows messages or people.

use crate::admission::PendingPermit;
use crate::ids::{ClientAddr, ConnId};
use crate::ws::LastSeen;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// One connection, as both of its threads see it.
///
/// The reading thread only reads from `socket`. The hub's thread is the only one that writes to it.
#[derive(Debug)]
pub struct ConnHandle {
    /// The connection's number.
    pub id: ConnId,
    /// The client's address.
    pub address: ClientAddr,
    /// The socket. It is blocking for its reader; the hub sends with `MSG_DONTWAIT`.
    pub socket: Arc<TcpStream>,
    /// When the last byte of the peer arrived.
    pub last_seen: Arc<LastSeen>,
    /// Requests without an answer.
    pub in_flight: Window,
    /// Outstanding bulk requests (enter, join, history, search). At most one, so that a client cannot overflow its own
    /// outbox.
    pub bulk: Window,
    /// Held until the connection has entered.
    pending_permit: Mutex<Option<PendingPermit>>,
}

impl ConnHandle {
    /// Most requests of one connection without an answer.
    pub const MAX_IN_FLIGHT: u32 = 32;

    /// A connection whose handshake is done.
    pub fn new(
        id: ConnId,
        address: ClientAddr,
        socket: Arc<TcpStream>,
        pending_permit: Option<PendingPermit>,
        now: Instant,
    ) -> Self {
        Self {
            id,
            address,
            socket,
            last_seen: Arc::new(LastSeen::new(now)),
            in_flight: Window::new(Self::MAX_IN_FLIGHT),
            bulk: Window::new(1),
            pending_permit: Mutex::new(pending_permit),
        }
    }

    /// The connection has entered: gives the pending permit back.
    pub(crate) fn mark_entered(&self) {
        self.pending_permit
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    /// Shuts the socket in both directions; the reader wakes up and ends.
    pub fn abort(&self) {
        // An error means that it is already shut.
        let _ = self.socket.shutdown(Shutdown::Both);
        self.release_waiters();
    }

    /// Wakes the reader if it waits at a window, because the connection is over.
    pub(crate) fn release_waiters(&self) {
        self.in_flight.close();
        self.bulk.close();
    }
}

/// Counts the requests of one connection without an answer, and blocks its reader at the limit.
///
/// Without it one fast sender would fill the queues of the hub and the history, and delay all others; with it the
/// sender waits in its own socket.
#[derive(Debug)]
pub struct Window {
    size: u32,
    state: Mutex<WindowState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct WindowState {
    in_use: u32,
    closed: bool,
}

impl Window {
    /// A window of this size.
    pub fn new(size: u32) -> Self {
        Self {
            size,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Waits until nothing is in flight. False when the connection is over.
    pub(crate) fn wait_until_empty(&self) -> bool {
        let mut state = self.lock();
        while state.in_use > 0 && !state.closed {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        !state.closed
    }

    /// Waits while the window is full, then counts one more. False when the connection is over.
    pub fn acquire(&self) -> bool {
        let mut state = self.lock();
        while state.in_use >= self.size && !state.closed {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.in_use += 1;
        !state.closed
    }

    /// Counts one less.
    pub(crate) fn release(&self) {
        let mut state = self.lock();
        // A reader waits only while the window is full, or until it is empty.
        let was_full = state.in_use == self.size;
        state.in_use = state.in_use.saturating_sub(1);
        if was_full || state.in_use == 0 {
            self.changed.notify_one();
        }
    }

    /// Wakes a waiting reader for good, because the connection is over.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, WindowState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn window_blocks_while_full_until_the_first_release() {
        let window = Arc::new(Window::new(3));
        for _ in 0..3 {
            assert!(window.acquire());
        }
        let waiting = Arc::clone(&window);
        let reader = thread::spawn(move || waiting.acquire());
        window.release();
        assert!(reader.join().unwrap());
    }

    #[test]
    fn window_releases_its_waiter_when_closed() {
        let window = Arc::new(Window::new(3));
        for _ in 0..3 {
            window.acquire();
        }
        let waiting = Arc::clone(&window);
        let reader = thread::spawn(move || waiting.acquire());
        window.close();
        assert!(!reader.join().unwrap());
    }
}
