//! The one thread that refuses those who get no thread.
//!
//! A refusal must be read before the connection is closed: what the peer sent and nobody read would make the kernel reset
//! the connection, refusal and all. So the porter answers at once, keeps each socket for a moment, and waits for none.
//!
//! Knows sockets and one answer; never knows the chat.

use crate::admission::Admission;
use crate::fanout::outbox::Sink;
use crate::server::connection::STACK_SIZE;
use crate::server::http::Response;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::collections::VecDeque;
use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Refused connections that are kept even when all places are taken; each holds a descriptor, and the oldest go first.
/// While places are free, their descriptors serve for more.
const BASE_LINGERING: usize = 32;
/// Refused connections that are kept at most: the memory for what the kernel holds of them is bounded too.
const MAX_LINGERING: usize = 2048;
/// Connections that may wait for him to look up.
const QUEUE: usize = 256;
/// How long one is kept.
const LINGER_TIME: Duration = Duration::from_millis(500);
/// How often the kept ones are read from.
const TICK: Duration = Duration::from_millis(20);

/// Starts the porter of a server with this door.
///
/// # Errors
/// When the system has no thread for him.
pub fn start(admission: Arc<Admission>) -> std::io::Result<Sender<Arc<TcpStream>>> {
    let (sender, receiver) = bounded(QUEUE);
    thread::Builder::new()
        .name("porter".into())
        .stack_size(STACK_SIZE)
        .spawn(move || run(&receiver, &admission))?;
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
        // Not at each arrival: a thousand of them would read a thousand sockets a thousand times.
        if now >= next_tick {
            lingering.retain(|(socket, until)| now < *until && still_open(socket));
            next_tick = now + TICK;
        }
    }
}

fn send_refusal(socket: &TcpStream, refusal: &[u8]) {
    // Whoever does not take even this is not worth more.
    let _ = socket.set_nonblocking(true);
    let _ = socket.try_send(refusal);
    let _ = socket.shutdown(Shutdown::Write);
}

/// Reads and drops what the peer has sent; false once it has closed.
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
