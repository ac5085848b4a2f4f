//! A fake server for what a real one rarely or never sends: hostile data, refusals, late answers.

use serde_json::{Value, json};
use std::net::{TcpListener, TcpStream};
use tungstenite::{Message, WebSocket};

/// The only connection of a fake server.
pub struct FakeConnection {
    socket: WebSocket<TcpStream>,
}

impl FakeConnection {
    /// Accepts one page and answers its `enter`; `joined` overrides fields of the lobby's `joined` message.
    pub fn accept(listener: &TcpListener, joined: &Value) -> Self {
        let (stream, _) = listener.accept().unwrap();
        stream
            .set_read_timeout(Some(crate::devtools::timeout()))
            .unwrap();
        let mut connection = Self {
            socket: tungstenite::accept(stream).unwrap(),
        };
        let enter = connection.receive("enter").unwrap();
        let limits = json!({"text": 4000, "name": 24, "room": 32, "rate": 5.0, "burst": 20});
        connection.send(json!({"type": "welcome", "name": enter["name"], "tag": "ana", "token": "t".repeat(32),
            "protocol": 1, "server": "<img src=x onerror=window.caught=3>", "limits": limits, "heartbeat_ms": 20000}));
        let mut lobby = json!({"type": "joined", "room": "geral", "epoch": "e", "seq": 0, "oldest": 1, "online": 1,
            "members": [{"name": enter["name"], "tag": "ana"}], "entries": [], "more": false, "reset": false});
        for (field, value) in joined.as_object().into_iter().flatten() {
            lobby[field] = value.clone();
        }
        connection.send(lobby);
        connection
    }

    pub fn send(&mut self, message: Value) {
        self.socket
            .send(Message::text(message.to_string()))
            .unwrap();
    }

    /// The types of all messages before the next one of this type.
    pub fn types_before(&mut self, kind: &str) -> Vec<String> {
        let mut before = Vec::new();
        loop {
            let message = self.read().expect("the page is still there");
            if message["type"] == kind {
                return before;
            }
            before.push(message["type"].as_str().unwrap().to_owned());
        }
    }

    /// The next message of this type; `None` when the page has disconnected.
    pub fn receive(&mut self, kind: &str) -> Option<Value> {
        loop {
            let message = self.read()?;
            if message["type"] == kind {
                return Some(message);
            }
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
