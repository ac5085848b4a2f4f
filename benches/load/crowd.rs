//! Many simulated people in one thread: one epoll loop reads for all of them and sends what is due.

use super::peer::{Dialect, Peer, PeerState, WORDS};
use super::tally::{Tally, nanos};
use super::text::Sentences;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// People entering at the same time; the server allows 256 pending connections.
const MAX_ENTERING: usize = 200;
/// How long anything may take that does not depend on the load.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Messages of one sender that may wait for their answer: the server's own window.
const IN_FLIGHT: usize = 32;
/// Different sentences that are said in turn.
const SENTENCES: usize = 4096;
/// Bytes read at once.
const READ_BUFFER: usize = 256 * 1024;

/// A crowd and what it saw.
pub struct Crowd {
    address: SocketAddr,
    dialect: Dialect,
    epoll: std::os::fd::OwnedFd,
    events: Vec<epoll::Event>,
    buffer: Vec<u8>,
    pub peers: Vec<Peer>,
    /// People in each room who read what they are sent.
    readers: Vec<u64>,
    pub tally: Tally,
    /// Deliveries that all messages so far must cause.
    pub expected: u64,
    /// People who have not joined yet.
    entering: usize,
    /// What is said, in turn.
    texts: Vec<String>,
    /// Messages so far.
    said: usize,
    /// Never sleeps, for the shortest delays. Sleeping leaves the core to the disk's workers.
    pub busy_polling: bool,
}

impl Crowd {
    /// An empty crowd for a program that is spoken to in this way.
    pub fn new(address: SocketAddr, dialect: Dialect) -> Self {
        Self {
            address,
            dialect,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).expect("epoll"),
            events: Vec::with_capacity(1024),
            buffer: vec![0; READ_BUFFER],
            peers: Vec::new(),
            readers: Vec::new(),
            tally: Tally::default(),
            expected: 0,
            entering: 0,
            texts: vec![format!("{:.>WORDS$}", " a sentence of some length")],
            said: 0,
            busy_polling: false,
        }
    }

    /// From now on everybody says whole sentences, as long as before: some twenty words instead of six, and other ones each
    /// time. For the search index they are more work; for everything else the same.
    pub fn say_sentences(&mut self) {
        let mut source = Sentences::new(1);
        let texts = std::iter::repeat_with(|| source.exactly(WORDS));
        self.texts = texts.take(SENTENCES).collect();
    }

    /// Lets this many people enter this many rooms, in small waves, and waits until all have joined.
    pub fn enter(&mut self, people: usize, rooms: usize) {
        let first = self.peers.len();
        let deadline = Instant::now() + TIMEOUT;
        for number in first..first + people {
            self.connect_peer(number, number % rooms);
            while self.entering >= MAX_ENTERING && self.poll(deadline) {}
        }
        self.wait_for_entering(deadline);
    }

    /// Waits until all who began to enter have joined.
    pub fn wait_for_entering(&mut self, deadline: Instant) {
        while self.entering > 0 && self.poll(deadline) {}
        let missing = self.entering;
        if missing > 0 {
            self.tally
                .fail(|| format!("{missing} people could not enter in time"));
        }
    }

    /// Lets one more person begin to enter.
    pub fn connect_peer(&mut self, number: usize, room: usize) {
        let name = if room == 0 {
            "geral".to_owned()
        } else {
            format!("sala{room}")
        };
        let peer = Peer::connect(self.address, format!("p{number}"), room, name, self.dialect);
        let peer = peer.expect("the program under test can be reached");
        let key = epoll::EventData::new_u64(self.peers.len() as u64);
        epoll::add(&self.epoll, &peer.socket, key, epoll::EventFlags::IN)
            .expect("epoll takes a socket");
        self.entering += usize::from(peer.state != PeerState::Joined);
        if self.readers.len() <= room {
            self.readers.resize(room + 1, 0);
        }
        self.readers[room] += 1;
        self.peers.push(peer);
    }

    /// Lets a person never read again.
    pub fn stop_reading(&mut self, at: usize) {
        let peer = &mut self.peers[at];
        peer.stop_reading();
        self.readers[peer.room] -= 1;
        let _ = epoll::delete(&self.epoll, &peer.socket);
    }

    /// Lets a person say one message.
    pub fn say(&mut self, at: usize) {
        self.queue_message(at);
        self.flush(at);
    }

    fn queue_message(&mut self, at: usize) {
        let words = &self.texts[self.said % self.texts.len()];
        self.said += 1;
        let peer = &mut self.peers[at];
        peer.queue_message(words);
        self.expected += self.readers[peer.room];
    }

    /// Reads what there is, waiting for it until a time. False once that time is over.
    pub fn poll(&mut self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let wait = if self.busy_polling {
            Duration::ZERO
        } else {
            left
        };
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
        let before = peer.state;
        let refused = self.tally.refused;
        let ended = match peer.socket.read(&mut self.buffer) {
            Ok(0) => Some("it was closed".to_owned()),
            Ok(read) => peer
                .receive(&self.buffer[..read], nanos(), &mut self.tally)
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
            peer.state = PeerState::Closed;
            let _ = epoll::delete(&self.epoll, &peer.socket);
            // It may be closed already; if not, the server need not wait for it.
            let _ = peer.socket.shutdown(std::net::Shutdown::Both);
            if !peer.may_be_closed {
                self.tally
                    .fail(|| format!("connection {at} ended: {reason}"));
            }
        }
        // What was refused reaches nobody.
        self.expected -= (self.tally.refused - refused) * self.readers[peer.room];
        let is_entering = |state| matches!(state, PeerState::Upgrading | PeerState::Entering);
        if is_entering(before) && !is_entering(peer.state) {
            self.entering -= 1;
        }
    }

    fn flush(&mut self, at: usize) {
        if let Err(error) = self.peers[at].flush() {
            self.tally
                .fail(|| format!("connection {at} takes nothing: {error}"));
        }
    }

    /// Lets the senders take turns at so many messages a second, for some time.
    pub fn send_at_rate(&mut self, senders: &[usize], rate: f64, time: Duration) {
        let start = Instant::now();
        let mut sent = 0;
        loop {
            let due = start + Duration::from_secs_f64(f64::from(sent) / rate);
            let now = Instant::now();
            if now >= start + time {
                return;
            }
            if due <= now {
                self.say(senders[sent as usize % senders.len()]);
                sent += 1;
            } else {
                self.poll(due.min(start + time));
            }
        }
    }

    /// Lets the senders send as much as the server answers, for some time.
    pub fn send_at_full_rate(&mut self, senders: &[usize], time: Duration) {
        let end = Instant::now() + time;
        loop {
            for &at in senders {
                for _ in self.peers[at].unacknowledged.len()..IN_FLIGHT {
                    self.queue_message(at);
                }
                self.flush(at);
            }
            if !self.poll(end) {
                return;
            }
        }
    }

    /// Waits until all messages have reached all readers; what has not by then is lost.
    pub fn wait_for_deliveries(&mut self) {
        let deadline = Instant::now() + TIMEOUT;
        while self.tally.delivered < self.expected && self.tally.failed == 0 && self.poll(deadline)
        {
        }
        let delivered = self.tally.delivered;
        let expected = self.expected;
        if delivered != expected {
            self.tally
                .fail(|| format!("{delivered} of {expected} deliveries came"));
        }
    }
}
