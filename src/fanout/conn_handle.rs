//! What a connection's reading thread and the hub's thread share of one connection.
//!
//! Knows a socket and two counters; never knows who is at the other end.

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
    /// Where it comes from.
    pub address: ClientAddr,
    /// The socket. It stays blocking for its reader; the hub sends without waiting.
    pub socket: Arc<TcpStream>,
    /// When the peer last gave a sign of life.
    pub last_seen: Arc<LastSeen>,
    /// Messages of this connection that wait for their answer.
    pub in_flight: Window,
    /// Errands: large answers that this connection asked for and that are not sent yet. One at a time, or a client that
    /// opens all its rooms at once would be given more than it can take and be cut for it.
    pub bulk: Window,
    /// Its permission to stand in the door, until it has entered.
    pending_permit: Mutex<Option<PendingPermit>>,
}

impl ConnHandle {
    /// Most messages of one connection without an answer.
    pub const MAX_IN_FLIGHT: u32 = 32;

    /// A connection whose handshake is done.
    pub fn new(
        id: ConnId,
        address: ClientAddr,
        socket: Arc<TcpStream>,
        pending_permit: Option<PendingPermit>,
        now: Instant,
    ) -> Self {
        let last_seen = Arc::new(LastSeen::new(now));
        let (in_flight, bulk) = (Window::new(Self::MAX_IN_FLIGHT), Window::new(1));
        Self {
            id,
            address,
            socket,
            last_seen,
            in_flight,
            bulk,
            pending_permit: Mutex::new(pending_permit),
        }
    }

    /// Somebody entered through this connection: it no longer stands in the door.
    pub fn mark_entered(&self) {
        self.pending_permit
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    /// Ends the connection at once, in both directions; the reader wakes up and finds it ended.
    pub fn abort(&self) {
        // An error means that it is already gone.
        let _ = self.socket.shutdown(Shutdown::Both);
        self.release_waiters();
    }

    /// Lets a waiting reader go, because the connection is over.
    pub fn release_waiters(&self) {
        self.in_flight.close();
        self.bulk.close();
    }
}

/// Counts what one connection asked for and has no answer to yet, and makes its reader wait when that is too much.
///
/// Without it one fast sender would fill the hub's queue and the history's, and everybody would wait behind it; with it
/// the sender waits in its own socket.
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
    /// A window with this many places.
    pub fn new(size: u32) -> Self {
        Self {
            size,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Waits until every place is free again. False when the connection is over.
    pub fn wait_until_empty(&self) -> bool {
        let mut state = self.lock();
        while state.in_use > 0 && !state.closed {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        !state.closed
    }

    /// Waits for a place and takes it. False when the connection is over.
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

    /// Gives a place back: one thing was answered.
    pub fn release(&self) {
        let mut state = self.lock();
        // A reader waits only while every place is taken, or until none is.
        let was_full = state.in_use == self.size;
        state.in_use = state.in_use.saturating_sub(1);
        if was_full || state.in_use == 0 {
            self.changed.notify_one();
        }
    }

    /// Lets a waiting reader go, because the connection is over.
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
