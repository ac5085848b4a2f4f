//! A network between clients and a server: a proxy on loopback that cuts, stalls, delays and resets.
//!
//! Knows bytes and sockets; never knows the protocol.

use crate::support::rng::Rng;
use crate::support::server::{ANY_PORT, page_url};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The largest piece that is passed on at once; frames are cut anywhere.
const MAX_PIECE: usize = 300;
/// Most bytes that pass to the server before a fault: from the middle of the handshake to some ten messages.
const MAX_BYTES_UP: usize = 2_000;
/// The same for what comes from the server, of which there is more.
const MAX_BYTES_DOWN: usize = 20_000;
/// The longest stall and the longest delay of one piece, in milliseconds.
const MAX_STALL_MS: u64 = 150;
const MAX_DELAY_MS: u64 = 4;
/// About so many pieces in a row are late.
const DELAYED_PIECES: usize = 20;

/// The state of the whole network.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Up,
    /// Holds everything back without notice, like a Wi-Fi out of reach.
    Silent,
    /// Refuses data and connections.
    Down,
    /// The test has ended.
    Stopped,
}

/// What happens to one piece.
enum Passage {
    Pass,
    /// So many of its bytes pass, then the connection ends in order.
    Truncate(usize),
    /// The connection is reset: what is on its way is lost.
    Reset,
}

/// Decides about each piece of one direction, given its length; may hold it back.
type Plan = Box<dyn FnMut(usize) -> Passage + Send>;

/// How often each kind of fault happened.
#[derive(Default)]
pub struct FaultCounts {
    pub cuts: AtomicUsize,
    pub stalls: AtomicUsize,
    pub delays: AtomicUsize,
}

/// The proxy; stopped when it goes out of scope.
pub struct Network {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl Network {
    /// Passes everything on.
    pub fn reliable(server: SocketAddr) -> Self {
        Self::start(server, || {
            [(); 2].map(|()| Box::new(|_| Passage::Pass) as Plan)
        })
    }

    /// Cuts the first connections after so many bytes each, in both directions together; later ones live.
    pub fn cutting(server: SocketAddr, cuts: &'static [usize]) -> Self {
        let mut lives = cuts.iter().copied().chain(std::iter::repeat(usize::MAX));
        Self::start(server, move || {
            let left = Arc::new(Mutex::new(lives.next().expect("it never ends")));
            [left.clone(), left].map(|left| Box::new(move |length| cut_at_end(&left, length)) as _)
        })
    }

    /// Disturbs every connection in both directions, at random, and counts it.
    pub fn faulty(server: SocketAddr, mut rng: Rng, counts: &Arc<FaultCounts>) -> Self {
        let counts = counts.clone();
        Self::start(server, move || {
            [MAX_BYTES_UP, MAX_BYTES_DOWN].map(|max_gap| {
                let mut direction = FaultyDirection {
                    fault: rng.pick(&FAULTS),
                    fault_at: rng.below(max_gap),
                    passed: 0,
                    max_gap,
                    rng: rng.fork(),
                    counts: counts.clone(),
                };
                Box::new(move |length| direction.next(length)) as _
            })
        })
    }

    /// `plans` makes the plans of a new connection, up and down.
    fn start(server: SocketAddr, mut plans: impl FnMut() -> [Plan; 2] + Send + 'static) -> Self {
        let listener = TcpListener::bind(ANY_PORT).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::new(State::Up),
            changed: Condvar::new(),
            conns: Mutex::default(),
        });
        let accepted = shared.clone();
        let accepting = thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if *accepted.state.lock().unwrap() == State::Stopped {
                    return;
                }
                let plans = plans();
                let shared = accepted.clone();
                thread::spawn(move || connect(client, server, plans, &shared));
            }
        });
        Self {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// The URL of the page through this network.
    pub fn url(&self) -> String {
        page_url(self.address)
    }

    /// Closes every connection and refuses new ones.
    pub fn take_down(&self) {
        self.shared.set(State::Down);
        self.shared.close_all();
    }

    /// Holds everything back without closing a connection.
    pub fn go_silent(&self) {
        self.shared.set(State::Silent);
    }

    pub fn restore(&self) {
        self.shared.set(State::Up);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.shared.set(State::Stopped);
        self.shared.close_all();
        // A last connection wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    conns: Mutex<Vec<Weak<Conn>>>,
}

impl Shared {
    /// Waits while the network is silent; returns whether data may pass.
    fn may_pass(&self) -> bool {
        let state = self.state.lock().unwrap();
        let silent = |state: &mut State| *state == State::Silent;
        *self.changed.wait_while(state, silent).unwrap() == State::Up
    }

    fn set(&self, state: State) {
        *self.state.lock().unwrap() = state;
        self.changed.notify_all();
    }

    fn close_all(&self) {
        let mut conns = self.conns.lock().unwrap();
        for conn in conns.drain(..).filter_map(|conn| conn.upgrade()) {
            conn.shut_down(Shutdown::Both);
        }
    }
}

/// One connection through the network; its sockets close when both directions have ended.
struct Conn {
    client: TcpStream,
    server: TcpStream,
}

impl Conn {
    fn shut_down(&self, how: Shutdown) {
        for socket in [&self.client, &self.server] {
            let _ = socket.shutdown(how);
        }
    }

    /// Shut for reading only and without lingering, both sockets are reset when they close.
    fn reset(&self) {
        for socket in [&self.client, &self.server] {
            let _ = socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
        self.shut_down(Shutdown::Read);
    }
}

/// Forwards both directions of one connection.
fn connect(client: TcpStream, server: SocketAddr, plans: [Plan; 2], shared: &Arc<Shared>) {
    if !shared.may_pass() {
        return;
    }
    let Ok(server) = TcpStream::connect(server) else {
        return;
    };
    let conn = Arc::new(Conn { client, server });
    shared.conns.lock().unwrap().push(Arc::downgrade(&conn));
    let [up, down] = plans;
    let conn_down = conn.clone();
    let shared_down = shared.clone();
    thread::spawn(move || {
        forward(
            &conn_down.server,
            &conn_down.client,
            &conn_down,
            down,
            &shared_down,
        );
    });
    forward(&conn.client, &conn.server, &conn, up, shared);
}

/// Passes on what one side sends; the end of one direction is the end of both.
fn forward(mut from: &TcpStream, mut to: &TcpStream, conn: &Conn, mut plan: Plan, shared: &Shared) {
    let _ = to.set_nodelay(true);
    let mut piece = [0; MAX_PIECE];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        if !shared.may_pass() {
            break;
        }
        match plan(length) {
            Passage::Pass if to.write_all(&piece[..length]).is_ok() => {}
            Passage::Pass => break,
            Passage::Truncate(bytes) => {
                let _ = to.write_all(&piece[..bytes]);
                break;
            }
            Passage::Reset => return conn.reset(),
        }
    }
    conn.shut_down(Shutdown::Both);
}

/// Takes a piece off what a connection may still carry.
fn cut_at_end(left: &Mutex<usize>, length: usize) -> Passage {
    let mut left = left.lock().unwrap();
    if *left <= length {
        return Passage::Truncate(std::mem::take(&mut left));
    }
    *left -= length;
    Passage::Pass
}

/// What may happen to one direction of a connection.
#[derive(Clone, Copy)]
enum Fault {
    /// One piece is held back.
    Stall,
    StallAndReset,
    Reset,
    /// The end comes in order, in the middle of a frame.
    Truncate,
    /// Every piece is late.
    Delay,
}

const FAULTS: [Fault; 5] = [
    Fault::Stall,
    Fault::StallAndReset,
    Fault::Reset,
    Fault::Truncate,
    Fault::Delay,
];

/// One direction with a fault ahead. It sleeps because it stands for a slow network; no test waits by it.
struct FaultyDirection {
    fault: Fault,
    /// Bytes that pass before the fault, counted from the beginning.
    fault_at: usize,
    passed: usize,
    /// Most bytes between two faults.
    max_gap: usize,
    rng: Rng,
    counts: Arc<FaultCounts>,
}

impl FaultyDirection {
    fn next(&mut self, length: usize) -> Passage {
        let before = self.passed;
        self.passed += length;
        if self.passed <= self.fault_at {
            return Passage::Pass;
        }
        match self.fault {
            Fault::Delay => {
                self.counts.delays.fetch_add(1, Ordering::Relaxed);
                thread::sleep(self.rng.up_to_ms(MAX_DELAY_MS));
                if self.rng.one_in(DELAYED_PIECES) {
                    self.schedule_next();
                }
                Passage::Pass
            }
            Fault::Stall => {
                self.stall();
                self.schedule_next();
                Passage::Pass
            }
            Fault::StallAndReset => {
                self.stall();
                self.cut(Passage::Reset)
            }
            Fault::Reset => self.cut(Passage::Reset),
            Fault::Truncate => {
                let passing = self.fault_at.saturating_sub(before);
                self.cut(Passage::Truncate(passing.min(length - 1)))
            }
        }
    }

    fn stall(&mut self) {
        self.counts.stalls.fetch_add(1, Ordering::Relaxed);
        thread::sleep(self.rng.up_to_ms(MAX_STALL_MS));
    }

    fn cut(&self, passage: Passage) -> Passage {
        self.counts.cuts.fetch_add(1, Ordering::Relaxed);
        passage
    }

    fn schedule_next(&mut self) {
        self.fault = self.rng.pick(&FAULTS);
        self.fault_at += self.rng.below(self.max_gap);
    }
}
