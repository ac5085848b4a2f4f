//! A rate-limited reader between a socket and tungstenite, with a deadline for unfinished messages.
//!
//! It counts bytes, because limits on whole messages miss a flood of empty continuation frames, and a read timeout per
//! call is no deadline against one byte at a time.
//! Knows bytes and time; never knows payloads.

use crate::rate::TokenBucket;
use crate::ws::frame::Scanner;
use std::io::{self, Read};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A reader with a read timeout.
pub trait TimedRead: Read {
    /// Sets how long a read may wait for a byte; `None` is without limit.
    ///
    /// # Errors
    /// The system's error.
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;
}

impl TimedRead for TcpStream {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        TcpStream::set_read_timeout(self, timeout)
    }
}

/// The reading half of a socket whose writing half has another owner.
#[derive(Debug, Clone)]
pub struct SharedSocket(pub Arc<TcpStream>);

impl Read for SharedSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

impl TimedRead for SharedSocket {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_read_timeout(timeout)
    }
}

/// When the last byte of a connection arrived: written by its reader, read by the hub's sweep.
#[derive(Debug)]
pub struct LastSeen {
    start: Instant,
    last_ms: AtomicU64,
}

impl LastSeen {
    /// A timestamp of now.
    pub fn new(now: Instant) -> Self {
        Self {
            start: now,
            last_ms: AtomicU64::new(0),
        }
    }

    /// A byte arrived.
    pub(crate) fn touch(&self, now: Instant) {
        let ms = now.saturating_duration_since(self.start).as_millis() as u64;
        self.last_ms.store(ms, Ordering::Relaxed);
    }

    /// How long ago the last byte arrived.
    pub(crate) fn idle_for(&self, now: Instant) -> Duration {
        let last = self.start + Duration::from_millis(self.last_ms.load(Ordering::Relaxed));
        now.saturating_duration_since(last)
    }
}

/// How many bytes a peer may send: a burst at once, then a steady rate. Beyond it the reader sleeps, so the peer waits
/// in its own socket.
#[derive(Debug, Clone, Copy)]
pub struct ByteRate {
    /// Bytes per second in the long run.
    pub per_second: u32,
    /// Bytes at once.
    pub burst: u32,
}

/// The limits of a [`LimitedReader`].
#[derive(Debug, Clone, Default)]
pub struct ReadLimits {
    /// The rate of bytes; `None` is without limit.
    pub byte_rate: Option<ByteRate>,
    /// How long a message may stay unfinished; `None` is without limit.
    pub message_timeout: Option<Duration>,
    /// Updated with each read.
    pub last_seen: Option<Arc<LastSeen>>,
}

/// Reads from a source within [`ReadLimits`].
pub struct LimitedReader<S> {
    source: S,
    limits: ReadLimits,
    scanner: Scanner,
    /// Bytes that may be read; in debt after reading ahead of the rate. `None` is without limit.
    bucket: Option<TokenBucket>,
    /// Since when the current message is unfinished.
    unfinished_since: Option<Instant>,
    /// When the last read ended: the time until the next read is the caller's, and does not count against the peer.
    last_read_at: Instant,
    /// Whether the source has a read timeout, to save a system call per read.
    timeout_set: bool,
    stalled: bool,
}

impl<S: TimedRead> LimitedReader<S> {
    /// A reader within these limits.
    pub fn new(source: S, limits: ReadLimits) -> Self {
        let now = Instant::now();
        let bucket = limits
            .byte_rate
            .map(|rate| TokenBucket::new(f64::from(rate.burst), f64::from(rate.per_second), now));
        Self {
            source,
            limits,
            scanner: Scanner::default(),
            bucket,
            unfinished_since: None,
            last_read_at: now,
            // Unknown: the source's previous owner may have set one.
            timeout_set: true,
            stalled: false,
        }
    }

    /// Accounts for bytes of the stream that were read before this reader existed.
    pub(crate) fn already_read(&mut self, bytes: &[u8]) {
        self.account(bytes, Instant::now());
    }

    /// Whether reading failed because a message was not finished in time.
    pub fn stalled(&self) -> bool {
        self.stalled
    }

    /// The source itself.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Reads without limits, to drain the socket after the end.
    pub(crate) fn read_unlimited(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer)
    }

    fn account(&mut self, bytes: &[u8], now: Instant) {
        if let Some(last_seen) = &self.limits.last_seen {
            last_seen.touch(now);
        }
        if let Some(bucket) = &mut self.bucket {
            bucket.charge(bytes.len() as f64);
        }
        if self.limits.message_timeout.is_some() {
            let ended = self.scanner.feed(bytes);
            // Reads of a busy peer often end within a message, but each time within another one.
            let since = self.unfinished_since.filter(|_| !ended).unwrap_or(now);
            self.unfinished_since = self.scanner.unfinished().then_some(since);
        }
    }

    /// Sleeps until the byte rate allows another read.
    fn throttle(&mut self) {
        if let Some(bucket) = self.bucket.as_mut().filter(|bucket| bucket.in_debt()) {
            std::thread::sleep(bucket.time_until_repaid(Instant::now()));
        }
    }

    /// Sets the source's timeout to the time left for the current message.
    fn set_deadline(&mut self) -> io::Result<()> {
        let deadline = match (self.unfinished_since, self.limits.message_timeout) {
            (Some(since), Some(limit)) => Some(since + limit),
            _ => None,
        };
        let Some(deadline) = deadline else {
            if self.timeout_set {
                self.source.set_read_timeout(None)?;
                self.timeout_set = false;
            }
            return Ok(());
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            self.stalled = true;
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.timeout_set = true;
        self.source.set_read_timeout(Some(left))
    }
}

impl<S: TimedRead> Read for LimitedReader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.unfinished_since = self
            .unfinished_since
            .map(|since| since + self.last_read_at.elapsed());
        self.throttle();
        loop {
            self.set_deadline()?;
            match self.source.read(buffer) {
                Ok(read) => {
                    self.last_read_at = Instant::now();
                    if read > 0 {
                        self.account(&buffer[..read], self.last_read_at);
                    }
                    return Ok(read);
                }
                // A timeout shows here as WouldBlock; the deadline itself decides whether time is up.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) =>
                {
                    if self.unfinished_since.is_none() {
                        return Err(error);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
