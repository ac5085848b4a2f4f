//! Many simulated people in one thread: one epoll loop reads for all of them and says what is due.

use super::peer::{Manners, Peer, Stage};
use super::tally::{Tally, nanos};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// People on their way in at the same time; the server lets 256 stand in its door.
const WAVE: usize = 200;
/// How long anything may take that does not depend on the load.
const PATIENCE: Duration = Duration::from_secs(15);
/// Messages of one sender that may wait for their answer: the server's own window.
const WINDOW: usize = 32;
/// Bytes read at once.
const READ: usize = 256 * 1024;

/// A crowd and what it saw.
pub struct Crowd {
    address: SocketAddr,
    manners: Manners,
    epoll: std::os::fd::OwnedFd,
    events: Vec<epoll::Event>,
    buffer: Vec<u8>,
    pub peers: Vec<Peer>,
    /// People in each room who read what they are sent.
    listeners: Vec<u64>,
    pub tally: Tally,
    /// Deliveries that everything said so far must cause.
    pub expected: u64,
    /// People who are not in yet.
    entering: usize,
    /// Never sleeps: for the shortest delays. Sleeping leaves the core to the disk's workers.
    pub spinning: bool,
}

impl Crowd {
    /// Nobody yet, before a program that is spoken to in this way.
    pub fn new(address: SocketAddr, manners: Manners) -> Self {
        Self {
            address,
            manners,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).expect("epoll"),
            events: Vec::with_capacity(1024),
            buffer: vec![0; READ],
            peers: Vec::new(),
            listeners: Vec::new(),
            tally: Tally::default(),
            expected: 0,
            entering: 0,
            spinning: false,
        }
    }

    /// Brings this many people into this many rooms, in small waves, and waits until all are in.
    pub fn enter(&mut self, people: usize, rooms: usize) {
        let (first, deadline) = (self.peers.len(), Instant::now() + PATIENCE);
        for number in first..first + people {
            self.begin_entering(number, number % rooms);
            while self.entering >= WAVE && self.turn(deadline) {}
        }
        self.wait_for_entering(deadline);
    }

    /// Waits until everybody who began to enter is in.
    pub fn wait_for_entering(&mut self, deadline: Instant) {
        while self.entering > 0 && self.turn(deadline) {}
        let outside = self.entering;
        if outside > 0 {
            self.tally
                .fail(|| format!("{outside} people could not enter in time"));
        }
    }

    /// Somebody new comes to the door.
    pub fn begin_entering(&mut self, number: usize, room: usize) {
        let name = if room == 0 {
            "geral".to_owned()
        } else {
            format!("sala{room}")
        };
        let peer = Peer::connect(self.address, format!("p{number}"), room, name, self.manners);
        let peer = peer.expect("the program under test can be reached");
        let key = epoll::EventData::new_u64(self.peers.len() as u64);
        epoll::add(&self.epoll, &peer.socket, key, epoll::EventFlags::IN)
            .expect("epoll takes a socket");
        self.entering += usize::from(peer.stage != Stage::In);
        if self.listeners.len() <= room {
            self.listeners.resize(room + 1, 0);
        }
        self.listeners[room] += 1;
        self.peers.push(peer);
    }

    /// Somebody never reads again.
    pub fn deafen(&mut self, at: usize) {
        let peer = &mut self.peers[at];
        peer.go_deaf();
        self.listeners[peer.room] -= 1;
        let _ = epoll::delete(&self.epoll, &peer.socket);
    }

    /// Somebody says one thing.
    pub fn say(&mut self, at: usize) {
        self.peers[at].say();
        self.expected += self.listeners[self.peers[at].room];
        self.flush(at);
    }

    /// Reads what is there, waiting for it until a time. False once that time is over.
    pub fn turn(&mut self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let wait = if self.spinning { Duration::ZERO } else { left };
        let wait = Timespec {
            tv_sec: wait.as_secs() as _,
            tv_nsec: wait.subsec_nanos().into(),
        };
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("epoll: {error}"),
        }
        let events = std::mem::take(&mut self.events);
        for event in &events {
            self.read(event.data.u64() as usize);
        }
        self.events = events;
        !left.is_zero()
    }

    fn read(&mut self, at: usize) {
        let peer = &mut self.peers[at];
        let before = peer.stage;
        let ended = match peer.socket.read(&mut self.buffer) {
            Ok(0) => Some("it was closed".to_owned()),
            Ok(read) => peer
                .hear(&self.buffer[..read], nanos(), &mut self.tally)
                .err()
                .map(|error| error.to_string()),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                None
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(reason) = ended {
            peer.stage = Stage::Gone;
            let _ = epoll::delete(&self.epoll, &peer.socket);
            // It may be gone already; if not, the server need not wait for it.
            let _ = peer.socket.shutdown(std::net::Shutdown::Both);
            if !peer.expendable {
                self.tally
                    .fail(|| format!("connection {at} ended: {reason}"));
            }
        }
        let outside = |stage| matches!(stage, Stage::Upgrading | Stage::Entering);
        if outside(before) && !outside(peer.stage) {
            self.entering -= 1;
        }
    }

    fn flush(&mut self, at: usize) {
        if let Err(error) = self.peers[at].flush() {
            self.tally
                .fail(|| format!("connection {at} takes nothing: {error}"));
        }
    }

    /// Lets the senders take turns to say so many things a second, for some time.
    pub fn talk(&mut self, senders: &[usize], rate: f64, time: Duration) {
        let start = Instant::now();
        let mut said = 0;
        loop {
            let due = start + Duration::from_secs_f64(f64::from(said) / rate);
            let now = Instant::now();
            if now >= start + time {
                return;
            }
            if due <= now {
                self.say(senders[said as usize % senders.len()]);
                said += 1;
            } else {
                self.turn(due.min(start + time));
            }
        }
    }

    /// Lets the senders say as much as the server answers, for some time.
    pub fn shout(&mut self, senders: &[usize], time: Duration) {
        let end = Instant::now() + time;
        loop {
            for &at in senders {
                let peer = &mut self.peers[at];
                let room = peer.room;
                let free = WINDOW - peer.unacknowledged.len().min(WINDOW);
                for _ in 0..free {
                    peer.say();
                }
                self.expected += free as u64 * self.listeners[room];
                self.flush(at);
            }
            if !self.turn(end) {
                return;
            }
        }
    }

    /// Waits until everything that was said has reached everybody; what has not by then is lost.
    pub fn settle(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.tally.delivered < self.expected && self.tally.failed == 0 && self.turn(deadline)
        {
        }
        let (delivered, expected) = (self.tally.delivered, self.expected);
        if delivered != expected {
            self.tally
                .fail(|| format!("{delivered} of {expected} deliveries came"));
        }
    }
}
