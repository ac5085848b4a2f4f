//! What the stories are told with: a server in memory, the real program that may be killed, and people without a browser.

use crate::devtools::{FAREWELL, patience};
use crate::paths::new_path;
use crate::port::Port;
use papo::delivery::DeliveryLimits;
use papo::history::memory::MemoryHistory;
use papo::http::Policy;
use papo::hub::limits::Rules;
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

/// A folder that goes away with its story.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = new_path("page");
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The last helper of a browser that was ended may still be writing.
        let until = Instant::now() + FAREWELL;
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

/// A server that waits for visitors who are not listening: the stories' people read only what they wait for.
const PATIENT: DeliveryLimits = DeliveryLimits {
    max_outbox_bytes: 64 * 1024 * 1024,
    max_total_outbox_bytes: 256 * 1024 * 1024,
    stall_timeout: AN_HOUR,
    ping_after: Duration::from_secs(20),
    dead_after: AN_HOUR,
    closing_timeout: Duration::from_millis(500),
};
const AN_HOUR: Duration = Duration::from_secs(3600);

/// A server in memory, where a story may be told faster than people type; it stops with its story.
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

    /// A server where these rules hold.
    pub fn start_with(rules: Rules) -> Self {
        let setup = Setup {
            max_connections: 100,
            policy: Policy::default(),
            rules,
            delivery_limits: PATIENT,
            history: Box::new(MemoryHistory::new().unwrap()),
        };
        let server = Server::new(
            listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap(),
            setup,
        );
        let (address, stopper) = (server.local_addr().unwrap(), server.stopper().unwrap());
        Self {
            address,
            stopper,
            running: Some(std::thread::spawn(move || server.run())),
        }
    }

    /// Where the page is.
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
    /// Where the page is while a server runs here.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

/// The real program, killed when it goes out of scope.
pub struct Servidor {
    child: Child,
}

impl Servidor {
    /// Starts it in this folder, with this log, and waits until it listens.
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
        let servidor = Self { child };
        let mut line = String::new();
        while !line.ends_with("Ctrl+C\n") {
            line.clear();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "no banner");
        }
        servidor
    }

    /// Ends it as `kill -9` does, with nothing to be done about it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Servidor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody without a browser, who speaks the protocol.
pub struct Visitor {
    socket: WebSocket<TcpStream>,
    said: u32,
}

impl Visitor {
    /// Connects and enters a room; the same name is the same person.
    pub fn enter(address: SocketAddr, name: &str, room: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(patience())).unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!("ws://{address}/").into_client_request().unwrap();
        let (socket, _) = tungstenite::client(request, stream).unwrap();
        let mut visitor = Self { socket, said: 0 };
        let token: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        visitor.send(
            json!({"type": "enter", "name": name, "room": room, "token": format!("{token:0>32}")}),
        );
        visitor.hears(|message| message["type"] == "joined");
        visitor
    }

    pub fn send(&mut self, message: Value) {
        self.socket
            .send(Message::text(message.to_string()))
            .unwrap();
    }

    /// The next message that is as wanted; the others are passed over.
    pub fn hears(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Message::Text(text) = self.socket.read().unwrap() {
                let message: Value = serde_json::from_str(&text).unwrap();
                if wanted(&message) {
                    return message;
                }
            }
        }
    }

    /// Says something in a room and waits until the server has it.
    pub fn says_in(&mut self, room: &str, text: &str) {
        self.said += 1;
        let id = format!("v{}", self.said);
        self.send(json!({"type": "say", "room": room, "id": id, "text": text}));
        let answer = self.hears(|message| message["id"] == *id);
        assert_eq!(answer["type"], "ack", "{answer}: {text}");
    }

    pub fn says(&mut self, text: &str) {
        self.says_in("geral", text);
    }

    /// Waits until somebody says exactly this.
    pub fn hears_text(&mut self, text: &str) -> Value {
        self.hears(|message| message["type"] == "message" && message["text"] == text)
    }
}
