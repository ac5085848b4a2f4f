//! What one connection still has to be sent: whole frames that the kernel did not take yet.
//!
//! Sending never waits. What the kernel takes is gone; the rest stays here, bounded by whoever owns the outbox, and is
//! tried again later. The outbox always knows where the frame at its front begins, so that it can drop the frames that
//! nobody has seen a byte of and still finish the one that is half sent.
//!
//! Knows frames and one socket; never knows people or rooms.

use crate::ws::frame::Scanner;
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use std::io;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How soon what the kernel did not take is tried again.
pub const RETRY_DELAY: Duration = Duration::from_millis(10);
/// A peer that took nothing for this long is not about to: a hundred tries a second would only cost the others. Much
/// longer than a busy machine keeps a program from reading.
const STALLED_AFTER: Duration = Duration::from_secs(1);
/// How often such a peer is tried.
const STALLED_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Somewhere to send bytes without waiting.
pub trait Sink {
    /// Sends what can be sent now and says how much that was; 0 when nothing could.
    ///
    /// # Errors
    /// When the connection is gone.
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize>;
}

impl Sink for TcpStream {
    /// One system call. The socket itself stays blocking, because its reader shares it.
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match send(self, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(sent) => return Ok(sent),
                Err(Errno::AGAIN) => return Ok(0),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The pending frames of one connection.
#[derive(Debug, Default)]
pub struct Outbox {
    pending: Vec<u8>,
    /// Bytes of `pending` that are already sent; cut off when they are more than half of it.
    sent_len: usize,
    /// Bytes at the front that end a frame whose beginning is already sent.
    partial_frame: usize,
    /// When the kernel last took something, or when the outbox was last empty.
    progress_at: Option<Instant>,
    /// When the kernel was last asked to take what waits.
    tried_at: Option<Instant>,
}

impl Outbox {
    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.pending.len() - self.sent_len
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// For how long nothing was taken although something waits.
    pub fn stalled_for(&self, now: Instant) -> Duration {
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
    pub fn retry_delay(&self, now: Instant) -> Duration {
        if self.stalled_for(now) < STALLED_AFTER {
            RETRY_DELAY
        } else {
            STALLED_RETRY_DELAY
        }
    }

    /// Whether the peer is deaf and was tried only just now.
    pub fn in_backoff(&self, now: Instant) -> bool {
        let recent = |at| now.saturating_duration_since(at) < STALLED_RETRY_DELAY;
        self.stalled_for(now) >= STALLED_AFTER && self.tried_at.is_some_and(recent)
    }

    /// Sends whole frames, or keeps what the kernel does not take. One send at most.
    ///
    /// # Errors
    /// When the connection is gone; what waits is then worthless.
    pub fn send(&mut self, sink: &impl Sink, frames: &[u8], now: Instant) -> io::Result<()> {
        if self.is_empty() {
            self.push_unsent(frames, sink.try_send(frames)?, now);
            return Ok(());
        }
        self.push(frames);
        self.flush(sink, now)
    }

    /// Keeps what the kernel did not take of whole frames, when nothing waited before them.
    pub fn push_unsent(&mut self, frames: &[u8], sent: usize, now: Instant) {
        if sent < frames.len() {
            (self.progress_at, self.tried_at) = (Some(now), Some(now));
            self.partial_frame = rest_of_frame(frames, sent);
            self.push(&frames[sent..]);
        }
    }

    /// Sends what waits, as far as the kernel takes it. One send at most.
    ///
    /// # Errors
    /// When the connection is gone; what waits is then worthless.
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

    /// Drops every frame that has not begun to be sent.
    pub fn drop_unsent_frames(&mut self) {
        self.pending.truncate(self.sent_len + self.partial_frame);
    }

    fn compact(&mut self) {
        if self.is_empty() {
            // An empty outbox holds no memory: most connections have one.
            self.pending = Vec::new();
            self.sent_len = 0;
            self.progress_at = None;
        } else if self.sent_len > self.pending.len() / 2 {
            self.pending.drain(..self.sent_len);
            self.sent_len = 0;
        }
    }
}

/// Of whole frames of which the first `sent` bytes are gone: how many bytes the last frame begun still needs.
fn rest_of_frame(frames: &[u8], sent: usize) -> usize {
    let mut scanner = Scanner::default();
    scanner.feed(&frames[..sent]);
    if scanner.min_remaining() == 0 {
        return 0;
    }
    let mut rest = 0;
    // Half a header does not tell the length yet, so follow it byte by byte; then the payload in one step.
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

    /// A peer that takes a given number of bytes and then no more.
    #[derive(Default)]
    struct Peer {
        capacity: Cell<usize>,
        received: RefCell<Vec<u8>>,
    }

    impl Sink for Peer {
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
        let (peer, mut outbox) = (Peer::default(), Outbox::default());
        peer.capacity.set(1000);
        outbox
            .send(&peer, &frames(&[10, 20]), Instant::now())
            .unwrap();
        assert!(outbox.is_empty());
        assert_eq!(*peer.received.borrow(), frames(&[10, 20]));
    }

    #[test]
    fn peer_is_stalled_since_the_first_refused_send() {
        let (peer, mut outbox) = (Peer::default(), Outbox::default());
        let start = Instant::now();
        let second = Duration::from_secs(1);
        outbox.send(&peer, &frames(&[10]), start).unwrap();
        outbox.send(&peer, &frames(&[10]), start + second).unwrap();
        assert_eq!(outbox.stalled_for(start + 3 * second), 3 * second);
        peer.capacity.set(1);
        outbox.flush(&peer, start + 2 * second).unwrap();
        assert_eq!(outbox.stalled_for(start + 3 * second), second);
        peer.capacity.set(1000);
        outbox.flush(&peer, start + 3 * second).unwrap();
        assert_eq!(outbox.stalled_for(start + 9 * second), Duration::ZERO);
    }

    #[test]
    fn stalled_peer_is_retried_less_often_than_a_slow_one() {
        let (peer, mut outbox, start) = (Peer::default(), Outbox::default(), Instant::now());
        let after = |ms| start + Duration::from_millis(ms);
        outbox.send(&peer, &frames(&[10]), start).unwrap();
        assert_eq!(
            (outbox.in_backoff(after(20)), outbox.retry_delay(after(20))),
            (false, RETRY_DELAY)
        );
        outbox.flush(&peer, after(980)).unwrap();
        assert_eq!(
            (
                outbox.in_backoff(after(1050)),
                outbox.retry_delay(after(1050))
            ),
            (true, STALLED_RETRY_DELAY)
        );
        assert!(!outbox.in_backoff(after(1080)), "its next try is due");
        peer.capacity.set(1);
        outbox.flush(&peer, after(1080)).unwrap();
        assert!(!outbox.in_backoff(after(1090)), "it took something");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_doubled_or_torn_however_little_the_kernel_takes(
            lengths in prop::collection::vec(prop_oneof![0..300_usize, 65_530..65_540_usize], 1..5),
            rooms in prop::collection::vec(0..400_usize, 0..30),
        ) {
            let (peer, mut outbox) = (Peer::default(), Outbox::default());
            let all = frames(&lengths);
            outbox.send(&peer, &all, Instant::now()).unwrap();
            for room in rooms {
                peer.capacity.set(room);
                outbox.flush(&peer, Instant::now()).unwrap();
                prop_assert_eq!(peer.received.borrow().len() + outbox.len(), all.len());
            }
            peer.capacity.set(usize::MAX);
            outbox.flush(&peer, Instant::now()).unwrap();
            prop_assert_eq!(peer.received.take(), all);
        }

        #[test]
        fn dropping_the_unsent_frames_finishes_the_one_that_is_half_sent(
            lengths in prop::collection::vec(0..300_usize, 1..8),
            rooms in prop::collection::vec(0..200_usize, 1..6),
        ) {
            let (peer, mut outbox) = (Peer::default(), Outbox::default());
            peer.capacity.set(rooms[0]);
            outbox.send(&peer, &frames(&lengths), Instant::now()).unwrap();
            for room in &rooms[1..] {
                peer.capacity.set(*room);
                outbox.flush(&peer, Instant::now()).unwrap();
            }
            outbox.drop_unsent_frames();
            outbox.push(&frames(&[5]));
            peer.capacity.set(usize::MAX);
            outbox.flush(&peer, Instant::now()).unwrap();
            let got = peer.received.take();
            let whole = got.len() - frames(&[5]).len();
            prop_assert_eq!(&got[whole..], &frames(&[5])[..]);
            // What came before is a whole number of the original frames.
            let ends = (0..=lengths.len()).map(|n| frames(&lengths[..n]).len());
            prop_assert!(ends.into_iter().any(|end| end == whole));
        }
    }
}
