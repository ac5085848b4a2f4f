//! Test harness: an in-memory server, the server program as a process, and a WebSocket client.

use crate::devtools::{SHUTDOWN_TIMEOUT, timeout};
use crate::paths::new_path;
use crate::port::Port;
use papo::chat::limits::Rules;
use papo::fanout::DeliveryLimits;
use papo::history::memory::MemoryHistory;
use papo::server::http::Policy;
use papo::server::{Server, Setup, Stopper, listen};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

/// A folder that is removed on drop.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        let path = new_path("page");
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // A browser's last child process may still be writing.
        let until = Instant::now() + SHUTDOWN_TIMEOUT;
        while std::fs::remove_dir_all(&self.0)
            .is_err_and(|error| error.kind() != ErrorKind::NotFound)
        {
            if Instant::now() >= until {
                return;
            }
            std::thread::yield_now();
        }
    }
}

/// Limits so generous that a test's client may leave messages unread.
const GENEROUS: DeliveryLimits = DeliveryLimits {
    max_outbox_bytes: 64 * 1024 * 1024,
    max_total_outbox_bytes: 256 * 1024 * 1024,
    stall_timeout: ONE_HOUR,
    ping_after: Duration::from_secs(20),
    dead_after: ONE_HOUR,
    closing_timeout: Duration::from_millis(500),
};
const ONE_HOUR: Duration = Duration::from_secs(3600);

/// An in-memory server, without a rate limit by default; stopped on drop.
pub struct TestServer {
    pub address: SocketAddr,
    stopper: Stopper,
    running: Option<JoinHandle<std::io::Result<()>>>,
}

impl TestServer {
    pub fn start() -> Self {
        Self::start_with(Rules {
            rate: None,
            ..Rules::default()
        })
    }

    /// Starts a server with these rules.
    pub fn start_with(rules: Rules) -> Self {
        let setup = Setup {
            max_connections: 100,
            policy: Policy::default(),
            rules,
            delivery_limits: GENEROUS,
            history: Box::new(MemoryHistory::new().unwrap()),
        };
        let server = Server::new(
            listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap(),
            setup,
        );
        let address = server.local_addr().unwrap();
        let stopper = server.stopper().unwrap();
        Self {
            address,
            stopper,
            running: Some(std::thread::spawn(move || server.run())),
        }
    }

    /// The URL of the page.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
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

impl Port {
    /// The URL of the page while a server runs on this port.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

/// The server program as a process; killed on drop.
pub struct ServerProcess {
    child: Child,
}

impl ServerProcess {
    /// Starts it in this folder with this history file, and waits until it listens.
    pub fn start(port: &Port, history: &Path, options: &[&str], folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_servidor"))
            .args(["--porta", &port.address.port().to_string(), "--historico"])
            .arg(history)
            .args(options)
            .current_dir(folder)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let process = Self { child };
        let mut line = String::new();
        while !line.ends_with("Ctrl+C\n") {
            line.clear();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "no banner");
        }
        process
    }

    /// Kills it with SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops it with SIGTERM, and waits until it has ended.
    pub fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A person without a browser: a WebSocket client of the protocol.
pub struct Client {
    socket: WebSocket<TcpStream>,
    sent: u32,
}

impl Client {
    /// Connects and enters a room; the token is derived from the name.
    pub fn enter(address: SocketAddr, name: &str, room: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(timeout())).unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!("ws://{address}/").into_client_request().unwrap();
        let (socket, _) = tungstenite::client(request, stream).unwrap();
        let mut client = Self { socket, sent: 0 };
        let token: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        client.send(
            json!({"type": "enter", "name": name, "room": room, "token": format!("{token:0>32}")}),
        );
        client.receive(|message| message["type"] == "joined");
        client
    }

    pub fn send(&mut self, message: Value) {
        self.socket
            .send(Message::text(message.to_string()))
            .unwrap();
    }

    /// The next message that matches; others are dropped.
    pub fn receive(&mut self, matches: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Message::Text(text) = self.socket.read().unwrap() {
                let message: Value = serde_json::from_str(&text).unwrap();
                if matches(&message) {
                    return message;
                }
            }
        }
    }

    /// Says this in a room and waits for the ack.
    pub fn says_in(&mut self, room: &str, text: &str) {
        self.sent += 1;
        let id = format!("v{}", self.sent);
        self.send(json!({"type": "say", "room": room, "id": id, "text": text}));
        let answer = self.receive(|message| message["id"] == *id);
        assert_eq!(answer["type"], "ack", "{answer}: {text}");
    }

    pub fn says(&mut self, text: &str) {
        self.says_in("geral", text);
    }

    /// Waits for a message with exactly this text.
    pub fn receives_text(&mut self, text: &str) -> Value {
        self.receive(|message| message["type"] == "message" && message["text"] == text)
    }
}
