//! A server that sends whatever a test tells it to: hostile data, refusals, late answers, nothing.

use crate::support::client::merged;
use crate::support::patience;
use crate::support::server::ANY_PORT;
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;
use tungstenite::{Message, WebSocket};

pub struct FakeServer {
    pub address: SocketAddr,
    listener: TcpListener,
}

/// A client's connection to the fake server.
pub struct FakeConnection {
    socket: WebSocket<TcpStream>,
    seq: u64,
}

impl FakeServer {
    pub fn listen() -> Self {
        let listener = TcpListener::bind(ANY_PORT).unwrap();
        Self {
            address: listener.local_addr().unwrap(),
            listener,
        }
    }

    /// Waits for a client and lets it enter; `joined` overrides fields of the lobby's `joined`.
    pub fn accept(&self, joined: Value) -> FakeConnection {
        let mut conn = self.handshake();
        let enter = conn.receive("enter").unwrap();
        conn.admit(&enter, joined);
        conn
    }

    /// Waits for a client's connection, and leaves its `enter` unanswered.
    pub fn handshake(&self) -> FakeConnection {
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(patience())).unwrap();
        FakeConnection {
            socket: tungstenite::accept(stream).unwrap(),
            seq: 0,
        }
    }
}

impl FakeConnection {
    /// Answers `enter` as if the client were in the lobby now; `joined` overrides fields of its `joined`.
    pub fn admit(&mut self, enter: &Value, joined: Value) {
        self.seq = joined["seq"].as_u64().unwrap_or(0);
        self.welcome(enter);
        let name = &enter["name"];
        let lobby = json!({"type": "joined", "room": "geral", "epoch": "e", "seq": 0, "oldest": 1, "online": 1,
            "members": [{"name": name, "tag": "ana"}], "entries": [], "more": false, "reset": false,
            "state": {"moderators_only": false, "slow_ms": 0, "password": false, "locked": false}});
        self.send(merged(lobby, joined));
    }

    /// Answers `enter` with `welcome` alone.
    pub fn welcome(&mut self, enter: &Value) {
        let limits = json!({"text": 4000, "name": 24, "room": 32, "rate": 5.0, "burst": 20});
        self.send(json!({"type": "welcome", "name": enter["name"], "tag": "ana", "token": "t".repeat(32), "protocol": 1,
            "server": "<img src=x onerror=window.caught=3>", "limits": limits, "heartbeat_ms": 20000}));
    }

    pub fn send(&mut self, message: Value) {
        self.try_send(&message).unwrap();
    }

    fn try_send(&mut self, message: &Value) -> tungstenite::Result<()> {
        self.socket.send(Message::text(message.to_string()))
    }

    /// Sends the next message of the lobby.
    pub fn send_message(&mut self, from: &str, text: &str) {
        self.seq += 1;
        self.send(entry(self.seq, from, text));
    }

    /// Sends messages until the client takes nothing more.
    pub fn send_until_blocked(&mut self) {
        let second = Some(Duration::from_secs(1));
        self.socket.get_ref().set_write_timeout(second).unwrap();
        let text = "palavra ".repeat(400);
        loop {
            self.seq += 1;
            let text = format!("{} {text}", self.seq);
            if self.try_send(&entry(self.seq, "Bruno", &text)).is_err() {
                return;
            }
        }
    }

    /// The next message of this kind; `None` when the client has disconnected.
    pub fn receive(&mut self, kind: &str) -> Option<Value> {
        loop {
            let message = self.read()?;
            if message["type"] == kind {
                return Some(message);
            }
        }
    }

    /// The kinds of all messages before the next one of this kind.
    pub fn kinds_before(&mut self, kind: &str) -> Vec<String> {
        let mut before = Vec::new();
        loop {
            let message = self.read().expect("the client is connected");
            if message["type"] == kind {
                return before;
            }
            before.push(message["type"].as_str().unwrap().to_owned());
        }
    }

    fn read(&mut self) -> Option<Value> {
        loop {
            if let Message::Text(text) = self.socket.read().ok()? {
                return Some(serde_json::from_str(&text).unwrap());
            }
        }
    }
}

/// A message of the lobby; all in one minute, so that the hour is shown once.
pub fn entry(seq: u64, from: &str, text: &str) -> Value {
    let at = 1_772_557_500_000_u64 + seq;
    json!({"type": "message", "room": "geral", "seq": seq, "at": at, "from": from, "tag": "b", "text": text})
}
