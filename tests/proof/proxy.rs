//! A bad network in a box: a proxy on loopback that delays, stalls, truncates and resets what goes through it.
//!
//! What happens to the n-th connection is decided by dice before a byte of it has passed.

use crate::stage::Dice;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Most bytes that pass to the server before something happens: from the middle of the handshake to some ten messages.
const BEFORE_UP: u64 = 2_000;
/// The same for what comes from the server, of which there is more.
const BEFORE_DOWN: u64 = 20_000;
/// The longest stall and the longest delay of one piece, in milliseconds.
const STALL: u64 = 150;
const DELAY: u64 = 4;
/// About so many pieces in a row are late.
const LATE: u64 = 20;
/// The largest piece that is passed on at once; frames are cut anywhere.
const PIECE: usize = 300;

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
pub struct Damage {
    pub cuts: AtomicUsize,
    pub stalls: AtomicUsize,
    pub delays: AtomicUsize,
}

/// The proxy; it stops when it goes out of scope.
pub struct Proxy {
    pub address: SocketAddr,
    pub damage: Arc<Damage>,
    stopping: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Proxy {
    pub fn start(server: SocketAddr, mut dice: Dice) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (damage, stopping) = (
            Arc::new(Damage::default()),
            Arc::new(AtomicBool::new(false)),
        );
        let (harm, stop) = (damage.clone(), stopping.clone());
        let accepting = thread::spawn(move || {
            for client in listener.incoming() {
                if stop.load(Ordering::Acquire) {
                    return;
                }
                if let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) {
                    connect(client, server, &mut dice, &harm);
                }
            }
        });
        Self {
            address,
            damage,
            stopping,
            accepting: Some(accepting),
        }
    }
}

impl Drop for Proxy {
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
struct Pipe {
    from: TcpStream,
    to: TcpStream,
    fault: Fault,
    /// Bytes that pass before the fault, counted from the beginning.
    before: usize,
    most: u64,
    /// Set when the connection is to end without a word.
    reset: Arc<AtomicBool>,
    dice: Dice,
    damage: Arc<Damage>,
}

/// Two pipes for one connection, each with its own bad luck.
fn connect(client: TcpStream, server: TcpStream, dice: &mut Dice, damage: &Arc<Damage>) {
    let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let reset = Arc::new(AtomicBool::new(false));
    for (from, to, most) in [
        (client, server, BEFORE_UP),
        (server_too, client_too, BEFORE_DOWN),
    ] {
        let (fault, before, reset) = (dice.pick(FAULTS), dice.below(most) as usize, reset.clone());
        let pipe = Pipe {
            from,
            to,
            fault,
            before,
            most,
            reset,
            dice: dice.fork(),
            damage: damage.clone(),
        };
        thread::spawn(move || pipe.carry());
    }
}

impl Pipe {
    fn carry(mut self) {
        let _ = self.to.set_nodelay(true);
        let mut piece = [0; PIECE];
        let mut passed = 0;
        while let Ok(read @ 1..) = self.from.read(&mut piece) {
            let due = passed + read > self.before;
            let lost = due && !self.survives(&piece[..read], self.before.saturating_sub(passed));
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
    fn survives(&mut self, piece: &[u8], passing: usize) -> bool {
        let fault = self.fault;
        let count = |what: &AtomicUsize| what.fetch_add(1, Ordering::Relaxed);
        match fault {
            Fault::Delay => {
                count(&self.damage.delays);
                thread::sleep(self.dice.up_to_ms(DELAY));
                if self.dice.once_in(LATE) {
                    self.goes_on();
                }
                return true;
            }
            Fault::Stall | Fault::StallAndReset => {
                count(&self.damage.stalls);
                thread::sleep(self.dice.up_to_ms(STALL));
            }
            Fault::Reset | Fault::Truncate => {}
        }
        match fault {
            Fault::Stall => {
                self.goes_on();
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
    fn goes_on(&mut self) {
        self.fault = self.dice.pick(FAULTS);
        self.before += self.dice.below(self.most) as usize;
    }
}
