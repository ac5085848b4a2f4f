//! The bounded queue from the hub to one of the history's threads.
//!
//! The hub never blocks on it: it stops taking input while the queue is full, and gives up what has waited too long. The
//! thread takes a whole batch at once.

use crate::history::{HistoryRequest, MAX_WAIT};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that may wait before the queue counts as full: more than a working disk ever lets wait, and little memory.
pub(super) const MAX_QUEUE_BYTES: usize = 32 * 1024 * 1024;
/// What a request counts for beside its text, in bytes; it bounds their number too.
const REQUEST_OVERHEAD: usize = 512;

/// Makes a queue.
pub(super) fn request_queue() -> (RequestSender, RequestReceiver) {
    let shared = Arc::new(Shared::default());
    (RequestSender(shared.clone()), RequestReceiver(shared))
}

/// The hub's end; dropping it closes the queue, and the thread ends after what still waits.
pub(super) struct RequestSender(Arc<Shared>);

/// The thread's end; after it was dropped, every request comes back.
pub(super) struct RequestReceiver(Arc<Shared>);

/// Why [`RequestReceiver::wait`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wakeup {
    /// Requests wait.
    Requests,
    /// None came in time.
    Timeout,
    /// None waits, and none will come.
    Closed,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    filled: Condvar,
    /// The bytes that wait. Written under the lock, read without it.
    bytes: AtomicUsize,
}

#[derive(Default)]
struct State {
    /// In the order of their arrival, which is part of each.
    waiting: VecDeque<(Instant, HistoryRequest)>,
    /// The thread waits for the condition.
    idle: bool,
    sender_gone: bool,
    receiver_gone: bool,
}

impl Shared {
    /// The state. A panic of the other thread leaves it whole: nothing panics while it is locked.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_empty(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) == 0
    }
}

impl RequestSender {
    /// Adds a request. Gives it back when the thread has ended.
    #[must_use]
    pub(super) fn push(&self, request: HistoryRequest, now: Instant) -> Option<HistoryRequest> {
        let size = size_of_request(&request);
        let mut state = self.0.lock();
        if state.receiver_gone {
            return Some(request);
        }
        state.waiting.push_back((now, request));
        self.0.bytes.fetch_add(size, Ordering::Relaxed);
        if std::mem::take(&mut state.idle) {
            self.0.filled.notify_one();
        }
        None
    }

    /// Whether no more should be added until something was taken or expired.
    pub(super) fn is_full(&self) -> bool {
        self.0.bytes.load(Ordering::Relaxed) >= MAX_QUEUE_BYTES
    }

    /// When the oldest waiting request expires.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        if self.0.is_empty() {
            return None;
        }
        let state = self.0.lock();
        state.waiting.front().map(|(at, _)| *at + MAX_WAIT)
    }

    /// Removes and returns what has waited too long. The thread never sees it.
    pub(super) fn expire(&self, now: Instant) -> Vec<HistoryRequest> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let mut state = self.0.lock();
        // After the thread's end nothing will be served.
        let ended = state.receiver_gone;
        let waiting = state.waiting.iter();
        let expired = waiting
            .take_while(|(at, _)| ended || *at + MAX_WAIT <= now)
            .count();
        self.0.take(&mut state, expired)
    }
}

impl Shared {
    fn take(&self, state: &mut State, count: usize) -> Vec<HistoryRequest> {
        let mut bytes = 0;
        let taken = state.waiting.drain(..count).map(|(_, request)| {
            bytes += size_of_request(&request);
            request
        });
        let taken: Vec<_> = taken.collect();
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        if state.waiting.is_empty() {
            // A stall may have made it large.
            state.waiting.shrink_to(1024);
        }
        taken
    }
}

impl Drop for RequestSender {
    fn drop(&mut self) {
        self.0.lock().sender_gone = true;
        self.0.filled.notify_one();
    }
}

impl RequestReceiver {
    /// Waits for requests, at most until the given time, and takes none.
    pub(super) fn wait(&self, until: Option<Instant>) -> Wakeup {
        let mut state = self.0.lock();
        loop {
            if !state.waiting.is_empty() {
                return Wakeup::Requests;
            }
            if state.sender_gone {
                return Wakeup::Closed;
            }
            let left = until.map(|at| at.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Wakeup::Timeout;
            }
            state.idle = true;
            state = match left {
                Some(left) => {
                    let waited = self.0.filled.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.0.filled.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
            state.idle = false;
        }
    }

    /// Takes what waits, at most `max` requests; none if they expired in the meantime.
    pub(super) fn take(&self, max: usize) -> Vec<HistoryRequest> {
        let mut state = self.0.lock();
        let count = state.waiting.len().min(max);
        self.0.take(&mut state, count)
    }

    /// Whether none waits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether no more requests will come.
    pub(super) fn is_closed(&self) -> bool {
        self.0.lock().sender_gone
    }

    /// Waits until no more requests will come, at most until the given time. Returns whether that is so.
    pub(super) fn wait_for_close(&self, until: Instant) -> bool {
        let mut state = self.0.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if state.sender_gone || left == Duration::ZERO {
                return state.sender_gone;
            }
            let waited = self.0.filled.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for RequestReceiver {
    fn drop(&mut self) {
        self.0.lock().receiver_gone = true;
    }
}

/// What a request counts for.
fn size_of_request(request: &HistoryRequest) -> usize {
    let text = match request {
        HistoryRequest::Append(append) => append.text.len(),
        HistoryRequest::Search(_, _, query, _) => query.len(),
        HistoryRequest::SaveModeration(..)
        | HistoryRequest::RoomHead(_)
        | HistoryRequest::Page(..)
        | HistoryRequest::BeginEpoch => 0,
    };
    REQUEST_OVERHEAD + text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::fixtures::{append, room};
    use std::thread;

    fn say(id: &str, bytes: usize) -> HistoryRequest {
        HistoryRequest::Append(append("Ana", id, &"x".repeat(bytes), 1))
    }

    fn ids(requests: &[HistoryRequest]) -> Vec<&str> {
        let ids = requests.iter().map(|request| match request {
            HistoryRequest::Append(append) => append.id.as_str(),
            other => panic!("{other:?}"),
        });
        ids.collect()
    }

    #[test]
    fn batch_is_taken_in_the_order_of_arrival() {
        let (sender, receiver) = request_queue();
        let now = Instant::now();
        for id in ["1", "2", "3"] {
            assert!(sender.push(say(id, 1), now).is_none());
        }
        assert_eq!(receiver.wait(None), Wakeup::Requests);
        assert_eq!(ids(&receiver.take(2)), ["1", "2"]);
        assert_eq!(ids(&receiver.take(2)), ["3"]);
        assert_eq!(receiver.wait(Some(now)), Wakeup::Timeout);
        assert_eq!(sender.next_expiry(), None);
    }

    #[test]
    fn waiting_thread_is_woken_by_a_request_and_by_the_end() {
        let (sender, receiver) = request_queue();
        let thread = thread::spawn(move || {
            let mut taken = 0;
            while receiver.wait(None) == Wakeup::Requests {
                taken += receiver.take(1).len();
            }
            taken
        });
        for number in 0..100 {
            assert!(
                sender
                    .push(say(&number.to_string(), 1), Instant::now())
                    .is_none()
            );
        }
        drop(sender);
        assert_eq!(thread.join().unwrap(), 100);
    }

    #[test]
    fn requests_that_waited_too_long_expire_front_first() {
        let (sender, receiver) = request_queue();
        let now = Instant::now();
        assert!(sender.push(say("old", 1), now).is_none());
        assert!(
            sender
                .push(say("new", 1), now + Duration::from_millis(1))
                .is_none()
        );
        assert_eq!(sender.next_expiry(), Some(now + MAX_WAIT));
        assert!(
            sender
                .expire(now + MAX_WAIT - Duration::from_millis(1))
                .is_empty()
        );
        assert_eq!(ids(&sender.expire(now + MAX_WAIT)), ["old"]);
        assert_eq!(ids(&receiver.take(9)), ["new"]);
    }

    #[test]
    fn queue_is_full_by_bytes_and_by_number() {
        let (sender, receiver) = request_queue();
        let now = Instant::now();
        let long = MAX_QUEUE_BYTES / 2;
        assert!(sender.push(say("1", long), now).is_none());
        assert!(!sender.is_full());
        assert!(sender.push(say("2", long), now).is_none());
        assert!(sender.is_full());
        receiver.take(1);
        assert!(!sender.is_full());
        receiver.take(1);
        let heads = MAX_QUEUE_BYTES / REQUEST_OVERHEAD;
        for _ in 0..heads {
            assert!(!sender.is_full());
            assert!(sender.push(HistoryRequest::RoomHead(room()), now).is_none());
        }
        assert!(sender.is_full());
        sender.expire(now + MAX_WAIT);
        assert_eq!(sender.0.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn requests_to_a_thread_that_ended_come_back() {
        let (sender, receiver) = request_queue();
        let now = Instant::now();
        assert!(sender.push(say("before", 1), now).is_none());
        drop(receiver);
        assert!(sender.push(say("after", 1), now).is_some());
        assert_eq!(ids(&sender.expire(now)), ["before"]);
    }
}
