//! A server of one's own, stopped with its test, and one that says whatever it is told to.

use papo::delivery::Patience;
use papo::history::memory::MemoryHistory;
use papo::http::Policy;
use papo::hub::limits::Rules;
use papo::server::{Server, Setup, Stopper, listen};
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use tungstenite::{Message, WebSocket};

/// The real server, in memory.
pub struct TestServer {
    pub address: SocketAddr,
    stopper: Stopper,
    running: Option<JoinHandle<std::io::Result<()>>>,
}

impl TestServer {
    pub fn start() -> Self {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// A server where a story may be told faster than people type.
    pub fn start_without_rate() -> Self {
        let rules = Rules { rate: None, ..Rules::default() };
        Self::start_with(SocketAddr::from(([127, 0, 0, 1], 0)), rules)
    }

    pub fn start_on(address: SocketAddr) -> Self {
        Self::start_with(address, Rules::default())
    }

    fn start_with(address: SocketAddr, rules: Rules) -> Self {
        let setup = Setup {
            ceiling: 100,
            policy: Policy::default(),
            rules,
            patience: Patience::default(),
            history: Box::new(MemoryHistory::new().unwrap()),
        };
        let server = Server::new(listen(address).unwrap(), setup);
        let (address, stopper) = (server.local_addr().unwrap(), server.stopper().unwrap());
        Self { address, stopper, running: Some(std::thread::spawn(move || server.run())) }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

/// A server that lets one client in and cleans nothing.
pub struct Liar {
    listener: TcpListener,
}

impl Liar {
    pub fn listen() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (Self { listener }, address)
    }

    /// Waits for the client and lets it in.
    pub fn welcome(self) -> Lies {
        let (stream, _) = self.listener.accept().unwrap();
        let mut socket = tungstenite::accept(stream).unwrap();
        assert!(socket.read().unwrap().to_text().unwrap().contains("enter"));
        let mut lies = Lies { socket, seq: 0 };
        let limits = json!({"text": 4000, "name": 24, "room": 32, "rate": 5.0, "burst": 20});
        lies.send(json!({"type": "welcome", "name": "Ana", "tag": "a", "token": "t".repeat(32), "protocol": 1,
            "server": "x", "limits": limits, "heartbeat_ms": 20000}));
        let members = json!([{"name": "Ana", "tag": "a"}, {"name": "Bruno", "tag": "b"}]);
        lies.send(json!({"type": "joined", "room": "geral", "epoch": "e", "seq": 0, "oldest": 1, "online": 2,
            "members": members, "entries": [], "more": false, "reset": false}));
        lies
    }
}

/// The liar's connection.
pub struct Lies {
    socket: WebSocket<TcpStream>,
    seq: u64,
}

impl Lies {
    fn send(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).unwrap();
    }

    pub fn says(&mut self, from: &str, text: &str) {
        self.seq += 1;
        // All in one minute, so that the hour is shown once.
        let at = 1_772_557_500_000_u64 + self.seq;
        self.send(json!({"type": "message", "room": "geral", "seq": self.seq, "at": at, "from": from, "tag": "b",
            "text": text}));
    }
}
