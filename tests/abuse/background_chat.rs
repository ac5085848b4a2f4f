//! Healthy people who chat beside an attack: each says numbered messages at a steady pace, checks that the messages of
//! the room come without a gap, once and in order, and notes the delay of each.

use crate::support::Deadline;
use crate::support::client::WsClient;
use papo::protocol::ServerMessage;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The word of a person's last message.
const FINAL_WORD: &str = "fim";

/// People who chat until they are stopped.
pub struct BackgroundChat {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<(u64, Vec<u64>)>>,
}

/// Delays of what they received.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryStats {
    /// The room's last seq.
    pub seq: u64,
    pub deliveries: usize,
    pub p50: Duration,
    pub p99: Duration,
    pub worst: Duration,
}

impl std::fmt::Display for DeliveryStats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let Self {
            deliveries,
            p50,
            p99,
            worst,
            ..
        } = self;
        write!(
            f,
            "{deliveries} deliveries, p50 {:.2} ms, p99 {:.2} ms, worst {:.1} ms",
            ms(*p50),
            ms(*p99),
            ms(*worst)
        )
    }
}

/// One of them.
struct CrowdMember {
    client: WsClient,
    /// All clocks begin here.
    start: Instant,
    every: Duration,
    padding: String,
    stop: Arc<AtomicBool>,
    /// The last seq that was received.
    seq: u64,
    sent: u64,
    /// The id of the last message, once it was sent.
    final_id: Option<String>,
    /// The next number of each other person, and whether that person has finished.
    peers: HashMap<String, (u64, bool)>,
    finished: bool,
    latencies: Vec<u64>,
}

impl BackgroundChat {
    /// This many people enter; each says something once in this time.
    pub fn start(address: SocketAddr, people: usize, every: Duration) -> Self {
        Self::start_with(address, "Pessoa", people, every, 0)
    }

    /// The same, with names and so many more characters in each message.
    pub fn start_with(
        address: SocketAddr,
        name: &str,
        people: usize,
        every: Duration,
        padding: usize,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let start = Instant::now();
        let names: Vec<String> = (0..people).map(|n| format!("{name} {n}")).collect();
        // All enter before the first one speaks.
        let entered: Vec<_> = names
            .iter()
            .map(|name| {
                let mut client = WsClient::connect(address).unwrap();
                let joined = client.enter(name);
                (client, joined["seq"].as_u64().unwrap())
            })
            .collect();
        let members = entered.into_iter().map(|(client, seq)| {
            let others = names.iter().filter(|name| **name != client.name);
            CrowdMember {
                peers: others.map(|name| (name.clone(), (0, false))).collect(),
                client,
                start,
                every,
                padding: " x".repeat(padding / 2),
                stop: stop.clone(),
                seq,
                sent: 0,
                final_id: None,
                finished: false,
                latencies: Vec::new(),
            }
        });
        Self {
            threads: members
                .map(|member| std::thread::spawn(move || member.run()))
                .collect(),
            stop,
        }
    }

    /// Lets all finish. A person who missed something fails here.
    pub fn finish(self) -> DeliveryStats {
        self.stop.store(true, Ordering::Relaxed);
        let mut seq = 0;
        let mut delays = Vec::new();
        for thread in self.threads {
            let (last, theirs) = thread.join().expect("a healthy person was harmed");
            seq = last.max(seq);
            delays.extend(theirs);
        }
        delays.sort_unstable();
        let at = |share: usize| {
            Duration::from_micros(delays[(delays.len() * share / 100).min(delays.len() - 1)])
        };
        DeliveryStats {
            seq,
            deliveries: delays.len(),
            p50: at(50),
            p99: at(99),
            worst: at(100),
        }
    }
}

impl CrowdMember {
    fn run(mut self) -> (u64, Vec<u64>) {
        let mut next = Instant::now();
        let mut deadline = None;
        while !(self.finished && self.peers.values().all(|(_, finished)| *finished)) {
            let stopping = self.stop.load(Ordering::Relaxed);
            if stopping && deadline.is_none() {
                self.final_id = Some(self.send_numbered(FINAL_WORD));
                deadline = Some(Deadline::within_seconds(60));
            } else if !stopping && next <= Instant::now() {
                let _ = self.send_numbered("");
                next = (next + self.every).max(Instant::now());
            }
            let wait = match deadline {
                None => next.saturating_duration_since(Instant::now()),
                Some(deadline) => deadline.left(),
            };
            if let Some(message) = self.client.receive_within(wait) {
                self.on_message(&message);
            }
        }
        (self.seq, self.latencies)
    }

    /// Says the next number; gives back the id.
    fn send_numbered(&mut self, word: &str) -> String {
        let at = self.start.elapsed().as_micros();
        let text = format!("{} {at} {word}{}", self.sent, self.padding);
        self.sent += 1;
        self.client.say(&text)
    }

    fn on_message(&mut self, message: &ServerMessage) {
        match message {
            ServerMessage::Message(entry) => {
                self.check_seq(entry.seq);
                let Some((expected, finished)) = self.peers.get_mut(&*entry.from) else {
                    return;
                };
                let mut words = entry.text.split(' ');
                let mut number = || {
                    words
                        .next()
                        .and_then(|word| word.parse::<u64>().ok())
                        .expect("a number")
                };
                assert_eq!(
                    number(),
                    *expected,
                    "{} received from {}",
                    self.client.name,
                    entry.from
                );
                let now = self.start.elapsed().as_micros() as u64;
                self.latencies.push(now.saturating_sub(number()));
                *expected += 1;
                *finished = words.next() == Some(FINAL_WORD);
            }
            ServerMessage::Ack {
                seq: Some(seq), id, ..
            } => {
                self.check_seq(*seq);
                self.finished |= self.final_id.as_ref() == Some(id);
            }
            ServerMessage::Error(refusal) => panic!("{}: {refusal:?}", self.client.name),
            _ => {}
        }
    }

    fn check_seq(&mut self, seq: u64) {
        assert_eq!(
            seq,
            self.seq + 1,
            "{} missed something or received it twice",
            self.client.name
        );
        self.seq = seq;
    }
}
