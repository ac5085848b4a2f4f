//! One thread that answers 503 to the connections that were not admitted.
//!
//! Closing a socket with unread bytes makes the kernel reset it, and the peer may lose the response. So each socket is
//! kept for a moment after the response; the thread never blocks on any.
//! Knows sockets and one response; never knows the chat.

use crate::admission::Admission;
use crate::fanout::outbox::Sink;
use crate::server::connection::STACK_SIZE;
use crate::server::http::Response;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Sockets that may linger when all connection permits are taken: each holds a descriptor. Free permits allow more, and
/// the oldest are closed first.
const BASE_LINGERING: usize = 32;
/// Most sockets that linger: the kernel's memory for what they sent is bounded too.
const MAX_LINGERING: usize = 2048;
/// Sockets that may wait for their response.
const QUEUE: usize = 256;
/// How long a socket lingers.
const LINGER_TIME: Duration = Duration::from_millis(500);
/// How often the lingering sockets are read from.
const TICK: Duration = Duration::from_millis(20);

/// Starts the thread, which ends when the returned sender is dropped. It keeps `running` until then.
///
/// # Errors
/// When the system refuses a thread.
pub(super) fn start(
    admission: Arc<Admission>,
    running: Sender<Infallible>,
) -> std::io::Result<Sender<Arc<TcpStream>>> {
    let (sender, receiver) = bounded(QUEUE);
    thread::Builder::new()
        .name("rejector".into())
        .stack_size(STACK_SIZE)
        .spawn(move || {
            let _running = running;
            run(&receiver, &admission);
        })?;
    Ok(sender)
}

fn run(queue: &Receiver<Arc<TcpStream>>, admission: &Admission) {
    let refusal = Response::full(admission.max_connections()).to_bytes();
    let mut lingering: VecDeque<(Arc<TcpStream>, Instant)> = VecDeque::new();
    let mut next_tick = Instant::now();
    loop {
        let received = match lingering.is_empty() {
            true => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => queue.recv_deadline(next_tick),
        };
        let now = Instant::now();
        match received {
            Ok(socket) => {
                send_refusal(&socket, &refusal);
                lingering.push_back((socket, now + LINGER_TIME));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while lingering.len() > (BASE_LINGERING + admission.available()).min(MAX_LINGERING) {
            lingering.pop_front();
        }
        // Not with each new socket: n of them would cost n² reads.
        if now >= next_tick {
            lingering.retain(|(socket, until)| now < *until && still_open(socket));
            next_tick = now + TICK;
        }
    }
}

fn send_refusal(socket: &TcpStream, refusal: &[u8]) {
    // A peer that does not take even this is closed without it.
    let _ = socket.set_nonblocking(true);
    let _ = socket.try_send(refusal);
    let _ = socket.shutdown(Shutdown::Write);
}

/// Reads and drops what the peer sent; false once it has closed.
fn still_open(mut socket: &TcpStream) -> bool {
    let mut scratch = [0; 4096];
    for _ in 0..16 {
        match socket.read(&mut scratch) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
    true
}
