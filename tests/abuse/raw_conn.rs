//! Many raw connections on one thread: written to now and then, read as soon as there is something, until the server has
//! closed them all.

use crate::support::Deadline;
use crate::support::client::WsClient;
use crate::support::raw::{self, RawResponse, handshake_and_enter};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// One raw connection.
pub struct RawConn {
    socket: TcpStream,
    /// Bytes that the kernel took.
    pub sent: usize,
    /// Whether the kernel said that nothing can be sent any more.
    pub write_failed: bool,
    pub received: Vec<u8>,
    /// The beginning of what is measured, and how long after it the connection ended.
    pub since: Instant,
    pub closed_after: Option<Duration>,
}

impl RawConn {
    /// Connects and sends these bytes; nothing waits from here on.
    pub fn connect(address: SocketAddr, bytes: &[u8]) -> Self {
        // Taken first, so that a time does not seem shorter because this thread had to wait.
        let since = Instant::now();
        Self::new(TcpStream::connect(address).unwrap(), bytes, since)
    }

    /// The same, with a receive buffer as small as the system allows.
    pub fn connect_with_small_buffer(address: SocketAddr, bytes: &[u8]) -> Self {
        let since = Instant::now();
        let socket = raw::connect_with_small_buffer(address).unwrap();
        Self::new(socket, bytes, since)
    }

    /// A connection that has entered; what follows the handshake is still to be read.
    pub fn entered(address: SocketAddr, name: &str) -> Self {
        Self::connect(address, &handshake_and_enter(name)).wait_for_joined()
    }

    pub fn entered_with_small_buffer(address: SocketAddr, name: &str) -> Self {
        Self::connect_with_small_buffer(address, &handshake_and_enter(name)).wait_for_joined()
    }

    fn wait_for_joined(mut self) -> Self {
        let joined = self.wait_for_text(r#""type":"joined""#);
        assert!(joined, "{:?}", self.response());
        self.since = Instant::now();
        self
    }

    fn new(mut socket: TcpStream, bytes: &[u8], since: Instant) -> Self {
        socket.set_nodelay(true).unwrap();
        socket.write_all(bytes).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self {
            socket,
            sent: bytes.len(),
            write_failed: false,
            received: Vec::new(),
            since,
            closed_after: None,
        }
    }

    /// Sends as much of this as the kernel takes now.
    pub fn send(&mut self, bytes: &[u8]) -> usize {
        let taken = match self.socket.write(bytes) {
            Ok(taken) => taken,
            Err(error) => {
                self.write_failed |= error.kind() != ErrorKind::WouldBlock;
                0
            }
        };
        self.sent += taken;
        taken
    }

    /// Waits until these characters were received; false when the connection ended before.
    pub fn wait_for_text(&mut self, part: &str) -> bool {
        let deadline = Deadline::of_one_event();
        let mut searched = 0_usize;
        loop {
            let from = searched.saturating_sub(part.len());
            if self.received[from..]
                .windows(part.len())
                .any(|window| window == part.as_bytes())
            {
                return true;
            }
            if self.closed_after.is_some() {
                return false;
            }
            searched = self.received.len();
            wait([&*self].into_iter(), PollFlags::IN, deadline.left());
            self.read_available();
        }
    }

    /// Waits until the kernel takes more, or until there is something to read if that is wanted too.
    pub fn wait_writable(&self, reads: bool, within: Duration) {
        wait(
            [self].into_iter(),
            if reads {
                PollFlags::IN | PollFlags::OUT
            } else {
                PollFlags::OUT
            },
            within,
        );
    }

    /// Reads what there is, up to a bound, and notes the end.
    pub fn read_available(&mut self) {
        let mut piece = [0; 16 * 1024];
        for _ in 0..64 {
            match self.socket.read(&mut piece) {
                Ok(read @ 1..) => self.received.extend_from_slice(&piece[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                _ => {
                    self.closed_after.get_or_insert(self.since.elapsed());
                    // Otherwise the server would wait a moment for more bytes.
                    let _ = self.socket.shutdown(std::net::Shutdown::Both);
                    return;
                }
            }
        }
    }

    /// What the server said so far.
    pub fn response(&self) -> RawResponse {
        RawResponse::parse(&self.received)
    }
}

/// Reads from all of them until the server has closed them, and lets each act now and then. The probe pings meanwhile, so
/// that the server does not drop it.
pub fn run_until_closed(
    attackers: &mut [RawConn],
    every: Duration,
    deadline: Deadline,
    probe: &mut WsClient,
    mut act: impl FnMut(&mut RawConn),
) {
    let mut next = Instant::now() + every;
    while attackers.iter().any(|conn| conn.closed_after.is_none()) {
        let left = next
            .saturating_duration_since(Instant::now())
            .min(deadline.left());
        wait(attackers.iter(), PollFlags::IN, left);
        attackers
            .iter_mut()
            .filter(|conn| conn.closed_after.is_none())
            .for_each(RawConn::read_available);
        if next <= Instant::now() {
            next += every;
            probe.ping();
            attackers
                .iter_mut()
                .filter(|conn| conn.closed_after.is_none())
                .for_each(&mut act);
        }
    }
}

/// Waits until one that is still open has something to read.
pub fn wait_for_any<'a>(attackers: impl Iterator<Item = &'a RawConn>, within: Duration) {
    wait(attackers, PollFlags::IN, within);
}

fn wait<'a>(attackers: impl Iterator<Item = &'a RawConn>, what: PollFlags, within: Duration) {
    let there = attackers.filter(|conn| conn.closed_after.is_none());
    let mut waiting: Vec<PollFd> = there.map(|conn| PollFd::new(&conn.socket, what)).collect();
    let within = Timespec {
        tv_sec: within.as_secs() as i64,
        tv_nsec: i64::from(within.subsec_nanos()),
    };
    match poll(&mut waiting, Some(&within)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => panic!("{error}"),
    }
}

/// The shortest and the longest time until the end.
pub fn min_max_seconds<'a>(attackers: impl Iterator<Item = &'a RawConn>) -> (f64, f64) {
    let times = attackers
        .filter_map(|conn| conn.closed_after)
        .map(|gone| gone.as_secs_f64());
    times.fold((f64::INFINITY, 0.0), |(least, most), time| {
        (least.min(time), most.max(time))
    })
}
