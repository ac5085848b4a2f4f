//! A server of one's own, stopped with its test, and one that says whatever it is told to.

use papo::chat::limits::Rules;
use papo::fanout::DeliveryLimits;
use papo::history::memory::MemoryHistory;
use papo::server::http::Policy;
use papo::server::{Server, Setup, Stopper, listen};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use tungstenite::{Message, WebSocket};

/// The real server, in memory.
pub struct TestServer {
    pub address: SocketAddr,
    stopper: Stopper,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl TestServer {
    pub fn start() -> Self {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// A server where a story may be told faster than people type.
    pub fn start_unlimited() -> Self {
        let rules = Rules {
            rate: None,
            ..Rules::default()
        };
        Self::start_with(SocketAddr::from(([127, 0, 0, 1], 0)), rules)
    }

    pub fn start_on(address: SocketAddr) -> Self {
        Self::start_with(address, Rules::default())
    }

    fn start_with(address: SocketAddr, rules: Rules) -> Self {
        let setup = Setup {
            max_connections: 100,
            policy: Policy::default(),
            rules,
            delivery_limits: DeliveryLimits::default(),
            history: Box::new(MemoryHistory::new().unwrap()),
        };
        let server = Server::new(listen(address).unwrap(), setup);
        let (address, stopper) = (server.local_addr().unwrap(), server.stopper().unwrap());
        Self {
            address,
            stopper,
            thread: Some(std::thread::spawn(move || server.run())),
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(running) = self.thread.take() {
            let _ = running.join();
        }
    }
}

/// A network that breaks: stands before a server and cuts one connection after another.
pub struct CuttingProxy;

impl CuttingProxy {
    /// Cuts the first connections after so many bytes each, in either direction; those after them live.
    pub fn start(server: SocketAddr, cuts: &'static [usize]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let lives = cuts.iter().copied().chain(std::iter::repeat(usize::MAX));
            for (visitor, bytes) in listener.incoming().zip(lives) {
                let (Ok(visitor), Ok(host)) = (visitor, TcpStream::connect(server)) else {
                    return;
                };
                let (visitor, host) = (Arc::new(visitor), Arc::new(host));
                let left = Arc::new(AtomicUsize::new(bytes));
                for (from, to) in [(visitor.clone(), host.clone()), (host, visitor)] {
                    let left = left.clone();
                    std::thread::spawn(move || forward(&from, &to, &left));
                }
            }
        });
        address
    }
}

/// Carries bytes one way until there is nothing left to be carried, and cuts both ways then.
fn forward(mut from: &TcpStream, mut to: &TcpStream, left: &AtomicUsize) {
    let mut buffer = [0; 512];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            Some(left.saturating_sub(count))
        });
        let count = count.min(before.unwrap_or(0));
        if to.write_all(&buffer[..count]).is_err() || left.load(Ordering::SeqCst) == 0 {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// A server that says whatever it is told to, and cleans nothing.
pub struct FakeServer {
    listener: TcpListener,
}

impl FakeServer {
    pub fn listen() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (Self { listener }, address)
    }

    /// Waits for a client and lets it in.
    pub fn welcome(&self) -> FakeConnection {
        self.welcome_with_backlog(&json!({"seq": 0, "entries": []}))
    }

    /// Waits for a client and lets it in, with this said in the room meanwhile: the last number and the entries.
    pub fn welcome_with_backlog(&self, meanwhile: &Value) -> FakeConnection {
        let (stream, _) = self.listener.accept().unwrap();
        let mut socket = tungstenite::accept(stream).unwrap();
        assert!(socket.read().unwrap().to_text().unwrap().contains("enter"));
        let mut conn = FakeConnection {
            socket,
            seq: meanwhile["seq"].as_u64().unwrap(),
        };
        let limits = json!({"text": 4000, "name": 24, "room": 32, "rate": 5.0, "burst": 20});
        conn.send(json!({"type": "welcome", "name": "Ana", "tag": "a", "token": "t".repeat(32), "protocol": 1,
            "server": "x", "limits": limits, "heartbeat_ms": 20000}));
        let members = json!([{"name": "Ana", "tag": "a"}, {"name": "Bruno", "tag": "b"}]);
        conn.send(json!({"type": "joined", "room": "geral", "epoch": "e", "seq": conn.seq, "oldest": 1, "online": 2,
            "members": members, "entries": meanwhile["entries"], "more": false, "reset": false}));
        conn
    }
}

/// The fake_server's connection.
pub struct FakeConnection {
    socket: WebSocket<TcpStream>,
    seq: u64,
}

impl FakeConnection {
    pub fn send(&mut self, message: Value) {
        self.socket
            .send(Message::text(message.to_string()))
            .unwrap();
    }

    pub fn send_message(&mut self, from: &str, text: &str) {
        let message = entry(self.seq + 1, from, text);
        self.seq += 1;
        self.send(message);
    }

    /// Waits for the next message of the client.
    pub fn receive(&mut self) -> Value {
        serde_json::from_str(self.socket.read().unwrap().to_text().unwrap()).unwrap()
    }

    /// Speaks until the client takes nothing any more.
    pub fn send_until_blocked(&mut self) {
        let second = Some(std::time::Duration::from_secs(1));
        self.socket.get_ref().set_write_timeout(second).unwrap();
        let text = "palavra ".repeat(400);
        loop {
            self.seq += 1;
            let message = Message::text(
                entry(self.seq, "Bruno", &format!("{} {text}", self.seq)).to_string(),
            );
            if self.socket.send(message).is_err() {
                return;
            }
        }
    }
}

/// Something that was said; all in one minute, so that the hour is shown once.
pub fn entry(seq: u64, from: &str, text: &str) -> Value {
    let at = 1_772_557_500_000_u64 + seq;
    json!({"type": "message", "room": "geral", "seq": seq, "at": at, "from": from, "tag": "b", "text": text})
}
