//! A bad network in a box: a proxy on loopback that delays, stalls, truncates and resets what goes through it.
//!
//! What happens to the n-th connection is decided by rng before a byte of it has passed.

use crate::harness::Rng;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Most bytes that pass to the server before something happens: from the middle of the handshake to some ten messages.
const MAX_BYTES_UP: u64 = 2_000;
/// The same for what comes from the server, of which there is more.
const MAX_BYTES_DOWN: u64 = 20_000;
/// The longest stall and the longest delay of one piece, in milliseconds.
const MAX_STALL_MS: u64 = 150;
const MAX_DELAY_MS: u64 = 4;
/// About so many pieces in a row are late.
const DELAYED_PIECES: u64 = 20;
/// The largest piece that is passed on at once; frames are cut anywhere.
const MAX_PIECE: usize = 300;

/// What may happen to one direction of a connection.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Nothing passes for a while, then everything as before.
    Stall,
    /// Nothing passes for a while, then the connection is reset.
    StallAndReset,
    /// Reset at once: what is on its way is lost.
    Reset,
    /// The end comes in the middle of a frame, in an orderly way.
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

/// How often each kind of thing happened.
#[derive(Default)]
pub struct FaultCounts {
    pub cuts: AtomicUsize,
    pub stalls: AtomicUsize,
    pub delays: AtomicUsize,
}

/// The proxy; it stops when it goes out of scope.
pub struct FaultyProxy {
    pub address: SocketAddr,
    pub faults: Arc<FaultCounts>,
    stopping: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl FaultyProxy {
    pub fn start(server: SocketAddr, mut rng: Rng) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (faults, stopping) = (
            Arc::new(FaultCounts::default()),
            Arc::new(AtomicBool::new(false)),
        );
        let (harm, stop) = (faults.clone(), stopping.clone());
        let accepting = thread::spawn(move || {
            for client in listener.incoming() {
                if stop.load(Ordering::Acquire) {
                    return;
                }
                if let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) {
                    connect_through(client, server, &mut rng, &harm);
                }
            }
        });
        Self {
            address,
            faults,
            stopping,
            accepting: Some(accepting),
        }
    }
}

impl Drop for FaultyProxy {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        // A last visitor wakes the accepting thread; the others end with their connections.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// One direction of one connection.
struct Direction {
    from: TcpStream,
    to: TcpStream,
    fault: Fault,
    /// Bytes that pass before the fault, counted from the beginning.
    fault_at: usize,
    max_gap: u64,
    /// Set when the connection is to end without a word.
    reset: Arc<AtomicBool>,
    rng: Rng,
    damage: Arc<FaultCounts>,
}

/// Two pipes for one connection, each with its own bad luck.
fn connect_through(client: TcpStream, server: TcpStream, rng: &mut Rng, damage: &Arc<FaultCounts>) {
    let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let reset = Arc::new(AtomicBool::new(false));
    for (from, to, most) in [
        (client, server, MAX_BYTES_UP),
        (server_too, client_too, MAX_BYTES_DOWN),
    ] {
        let (fault, before, reset) = (rng.pick(FAULTS), rng.below(most) as usize, reset.clone());
        let pipe = Direction {
            from,
            to,
            fault,
            fault_at: before,
            max_gap: most,
            reset,
            rng: rng.fork(),
            damage: damage.clone(),
        };
        thread::spawn(move || pipe.forward());
    }
}

impl Direction {
    fn forward(mut self) {
        let _ = self.to.set_nodelay(true);
        let mut piece = [0; MAX_PIECE];
        let mut passed = 0;
        while let Ok(read @ 1..) = self.from.read(&mut piece) {
            let due = passed + read > self.fault_at;
            let lost =
                due && !self.apply_fault(&piece[..read], self.fault_at.saturating_sub(passed));
            if lost || self.to.write_all(&piece[..read]).is_err() {
                break;
            }
            passed += read;
        }
        // The end of one direction is the end of both. Shut for reading only, the sockets are reset when both pipes have
        // dropped them.
        let how = if self.reset.load(Ordering::Acquire) {
            Shutdown::Read
        } else {
            Shutdown::Both
        };
        for socket in [&self.from, &self.to] {
            let _ = socket.shutdown(how);
        }
    }

    /// Lets the fault happen; false when the connection does not survive it.
    fn apply_fault(&mut self, piece: &[u8], passing: usize) -> bool {
        let fault = self.fault;
        let count = |what: &AtomicUsize| what.fetch_add(1, Ordering::Relaxed);
        match fault {
            Fault::Delay => {
                count(&self.damage.delays);
                thread::sleep(self.rng.up_to_ms(MAX_DELAY_MS));
                if self.rng.one_in(DELAYED_PIECES) {
                    self.schedule_next_fault();
                }
                return true;
            }
            Fault::Stall | Fault::StallAndReset => {
                count(&self.damage.stalls);
                thread::sleep(self.rng.up_to_ms(MAX_STALL_MS));
            }
            Fault::Reset | Fault::Truncate => {}
        }
        match fault {
            Fault::Stall => {
                self.schedule_next_fault();
                return true;
            }
            Fault::Truncate => {
                let _ = self.to.write_all(&piece[..passing.min(piece.len() - 1)]);
            }
            _ => {
                self.reset.store(true, Ordering::Release);
                for socket in [&self.from, &self.to] {
                    let _ = socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO));
                }
            }
        }
        count(&self.damage.cuts);
        false
    }

    /// Everything passes again, until the next thing happens.
    fn schedule_next_fault(&mut self) {
        self.fault = self.rng.pick(FAULTS);
        self.fault_at += self.rng.below(self.max_gap) as usize;
    }
}
