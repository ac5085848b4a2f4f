//! The unsent frames of one connection. Sending never blocks; what the kernel does not take is retried later.
//!
//! The outbox follows the frame boundaries, so that it can drop unsent frames and still finish a partly sent one.
//!
//! Knows frames and one socket; never knows people or rooms.

use crate::platform;
use crate::ws::frame::Scanner;
use std::io;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How soon unsent bytes are retried.
pub(crate) const RETRY_DELAY: Duration = Duration::from_millis(10);
/// A peer that took nothing for this long is retried less often, to spare the others a hundred calls a second. Much
/// longer than a busy machine delays the reads of a program.
const STALLED_AFTER: Duration = Duration::from_secs(1);
/// How soon a stalled peer is retried.
const STALLED_RETRY_DELAY: Duration = Duration::from_millis(100);

/// A destination that takes bytes without blocking.
pub trait Sink {
    /// Sends what can be sent now, and returns how many bytes that was.
    ///
    /// # Errors
    /// When the connection is gone.
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize>;
}

impl Sink for TcpStream {
    /// One system call. The socket itself is blocking, because its reader shares it.
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        platform::try_send(self, bytes)
    }
}

/// The unsent frames of one connection.
#[derive(Debug, Default)]
pub struct Outbox {
    pending: Vec<u8>,
    /// Bytes of `pending` that are already sent; removed when they are more than half of it.
    sent_len: usize,
    /// Unsent bytes at the front that belong to a partly sent frame.
    partial_frame: usize,
    /// When the kernel last took bytes, or when the outbox was last empty.
    progress_at: Option<Instant>,
    /// When a send was last tried.
    tried_at: Option<Instant>,
}

impl Outbox {
    /// Unsent bytes.
    pub fn len(&self) -> usize {
        self.pending.len() - self.sent_len
    }

    /// Whether everything is sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How long no byte was taken although some are unsent.
    pub(crate) fn stalled_for(&self, now: Instant) -> Duration {
        match self.progress_at {
            Some(since) if !self.is_empty() => now.saturating_duration_since(since),
            _ => Duration::ZERO,
        }
    }

    /// Adds whole frames at the end.
    pub fn push(&mut self, frames: &[u8]) {
        self.pending.extend_from_slice(frames);
    }

    /// How long to wait before trying again.
    pub(crate) fn retry_delay(&self, now: Instant) -> Duration {
        if self.stalled_for(now) < STALLED_AFTER {
            RETRY_DELAY
        } else {
            STALLED_RETRY_DELAY
        }
    }

    /// Whether the peer is stalled and was tried just now.
    pub(crate) fn in_backoff(&self, now: Instant) -> bool {
        let recent = |at| now.saturating_duration_since(at) < STALLED_RETRY_DELAY;
        self.stalled_for(now) >= STALLED_AFTER && self.tried_at.is_some_and(recent)
    }

    /// Sends whole frames and keeps what the kernel does not take. One system call at most.
    ///
    /// # Errors
    /// When the connection is gone; the unsent frames are then of no use.
    pub fn send(&mut self, sink: &impl Sink, frames: &[u8], now: Instant) -> io::Result<()> {
        if self.is_empty() {
            self.push_unsent(frames, sink.try_send(frames)?, now);
            return Ok(());
        }
        self.push(frames);
        self.flush(sink, now)
    }

    /// After a direct send of whole frames with an empty outbox: keeps what the kernel did not take.
    pub(crate) fn push_unsent(&mut self, frames: &[u8], sent: usize, now: Instant) {
        if sent < frames.len() {
            self.progress_at = Some(now);
            self.tried_at = Some(now);
            self.partial_frame = rest_of_frame(frames, sent);
            self.push(&frames[sent..]);
        }
    }

    /// Sends as much as the kernel takes. One system call at most.
    ///
    /// # Errors
    /// When the connection is gone; the unsent frames are then of no use.
    pub fn flush(&mut self, sink: &impl Sink, now: Instant) -> io::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        self.tried_at = Some(now);
        let unsent = &self.pending[self.sent_len..];
        let taken = sink.try_send(unsent)?;
        if taken > 0 || self.progress_at.is_none() {
            self.progress_at = Some(now);
        }
        self.partial_frame = match taken.checked_sub(self.partial_frame) {
            Some(whole_frames) => rest_of_frame(&unsent[self.partial_frame..], whole_frames),
            None => self.partial_frame - taken,
        };
        self.sent_len += taken;
        self.compact();
        Ok(())
    }

    /// Drops all frames of which no byte is sent.
    pub(crate) fn drop_unsent_frames(&mut self) {
        self.pending.truncate(self.sent_len + self.partial_frame);
    }

    fn compact(&mut self) {
        if self.is_empty() {
            // Most outboxes are empty, so an empty one must hold no memory.
            self.pending = Vec::new();
            self.sent_len = 0;
            self.progress_at = None;
        } else if self.sent_len > self.pending.len() / 2 {
            self.pending.drain(..self.sent_len);
            self.sent_len = 0;
        }
    }
}

/// The unsent bytes of the frame in which the first `sent` bytes of these whole frames end.
fn rest_of_frame(frames: &[u8], sent: usize) -> usize {
    if sent == 0 {
        return 0;
    }
    let mut scanner = Scanner::default();
    scanner.feed(&frames[..sent]);
    let mut rest = 0;
    // A partial header has no length yet, so follow it byte by byte; then the payload in one step.
    while scanner.min_remaining() > 0 {
        let step = usize::try_from(scanner.min_remaining())
            .unwrap_or(usize::MAX)
            .min(frames.len() - sent - rest);
        if step == 0 {
            break;
        }
        scanner.feed(&frames[sent + rest..sent + rest + step]);
        rest += step;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ws::frame::{Opcode, write};
    use proptest::prelude::*;
    use std::cell::{Cell, RefCell};

    /// A sink that takes a given number of bytes, then none.
    #[derive(Default)]
    struct BoundedSink {
        capacity: Cell<usize>,
        received: RefCell<Vec<u8>>,
    }

    impl Sink for BoundedSink {
        fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.capacity.get());
            self.capacity.set(self.capacity.get() - taken);
            self.received
                .borrow_mut()
                .extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }
    }

    fn frames(lengths: &[usize]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (n, length) in lengths.iter().enumerate() {
            write(&mut bytes, Opcode::Text, &vec![b'a' + n as u8; *length]);
        }
        bytes
    }

    #[test]
    fn outbox_is_empty_after_a_complete_send() {
        let sink = BoundedSink::default();
        let mut outbox = Outbox::default();
        sink.capacity.set(1000);
        outbox
            .send(&sink, &frames(&[10, 20]), Instant::now())
            .unwrap();
        assert!(outbox.is_empty());
        assert_eq!(*sink.received.borrow(), frames(&[10, 20]));
    }

    #[test]
    fn peer_is_stalled_since_the_first_refused_send() {
        let sink = BoundedSink::default();
        let mut outbox = Outbox::default();
        let start = Instant::now();
        let second = Duration::from_secs(1);
        outbox.send(&sink, &frames(&[10]), start).unwrap();
        outbox.send(&sink, &frames(&[10]), start + second).unwrap();
        assert_eq!(outbox.stalled_for(start + 3 * second), 3 * second);
        sink.capacity.set(1);
        outbox.flush(&sink, start + 2 * second).unwrap();
        assert_eq!(outbox.stalled_for(start + 3 * second), second);
        sink.capacity.set(1000);
        outbox.flush(&sink, start + 3 * second).unwrap();
        assert_eq!(outbox.stalled_for(start + 9 * second), Duration::ZERO);
    }

    #[test]
    fn stalled_peer_is_retried_less_often_than_a_slow_one() {
        let sink = BoundedSink::default();
        let mut outbox = Outbox::default();
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        outbox.send(&sink, &frames(&[10]), start).unwrap();
        assert!(!outbox.in_backoff(after(20)));
        assert_eq!(outbox.retry_delay(after(20)), RETRY_DELAY);
        outbox.flush(&sink, after(980)).unwrap();
        assert!(outbox.in_backoff(after(1050)));
        assert_eq!(outbox.retry_delay(after(1050)), STALLED_RETRY_DELAY);
        assert!(!outbox.in_backoff(after(1080)), "the next try is due");
        sink.capacity.set(1);
        outbox.flush(&sink, after(1080)).unwrap();
        assert!(!outbox.in_backoff(after(1090)), "the peer took a byte");
    }

    proptest! {
        #[test]
        fn frames_survive_partial_sends_intact(
            lengths in prop::collection::vec(prop_oneof![0..300_usize, 65_530..65_540_usize], 1..5),
            capacities in prop::collection::vec(0..400_usize, 0..30),
        ) {
            let sink = BoundedSink::default();
            let mut outbox = Outbox::default();
            let all = frames(&lengths);
            outbox.send(&sink, &all, Instant::now()).unwrap();
            for capacity in capacities {
                sink.capacity.set(capacity);
                outbox.flush(&sink, Instant::now()).unwrap();
                prop_assert_eq!(sink.received.borrow().len() + outbox.len(), all.len());
            }
            sink.capacity.set(usize::MAX);
            outbox.flush(&sink, Instant::now()).unwrap();
            prop_assert_eq!(sink.received.take(), all);
        }

        #[test]
        fn dropping_unsent_frames_keeps_the_partial_frame(
            lengths in prop::collection::vec(0..300_usize, 1..8),
            capacities in prop::collection::vec(0..200_usize, 1..6),
        ) {
            let sink = BoundedSink::default();
            let mut outbox = Outbox::default();
            sink.capacity.set(capacities[0]);
            outbox.send(&sink, &frames(&lengths), Instant::now()).unwrap();
            for capacity in &capacities[1..] {
                sink.capacity.set(*capacity);
                outbox.flush(&sink, Instant::now()).unwrap();
            }
            outbox.drop_unsent_frames();
            outbox.push(&frames(&[5]));
            sink.capacity.set(usize::MAX);
            outbox.flush(&sink, Instant::now()).unwrap();
            let received = sink.received.take();
            let whole = received.len() - frames(&[5]).len();
            prop_assert_eq!(&received[whole..], &frames(&[5])[..]);
            // The bytes before it are a whole number of the original frames.
            let ends = (0..=lengths.len()).map(|n| frames(&lengths[..n]).len());
            prop_assert!(ends.into_iter().any(|end| end == whole));
        }
    }
}
