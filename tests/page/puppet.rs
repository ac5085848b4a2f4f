//! A server that says whatever it is told to: lies, and refusals that a real one rarely gives.

use serde_json::{Value, json};
use std::net::{TcpListener, TcpStream};
use tungstenite::{Message, WebSocket};

/// The one connection of such a server.
pub struct Puppet {
    socket: WebSocket<TcpStream>,
}

impl Puppet {
    /// Waits for somebody who wants to enter, and lets them in. The lobby looks like `joined`, which may say anything.
    pub fn lets_in(listener: &TcpListener, joined: &Value) -> Self {
        let (stream, _) = listener.accept().unwrap();
        stream
            .set_read_timeout(Some(crate::devtools::patience()))
            .unwrap();
        let mut puppet = Self {
            socket: tungstenite::accept(stream).unwrap(),
        };
        let enter = puppet.hears("enter").unwrap();
        let limits = json!({"text": 4000, "name": 24, "room": 32, "rate": 5.0, "burst": 20});
        puppet.says(json!({"type": "welcome", "name": enter["name"], "tag": "ana", "token": "t".repeat(32),
            "protocol": 1, "server": "<img src=x onerror=window.caught=3>", "limits": limits, "heartbeat_ms": 20000}));
        let mut lobby = json!({"type": "joined", "room": "geral", "epoch": "e", "seq": 0, "oldest": 1, "online": 1,
            "members": [{"name": enter["name"], "tag": "ana"}], "entries": [], "more": false, "reset": false});
        for (field, value) in joined.as_object().into_iter().flatten() {
            lobby[field] = value.clone();
        }
        puppet.says(lobby);
        puppet
    }

    pub fn says(&mut self, message: Value) {
        self.socket
            .send(Message::text(message.to_string()))
            .unwrap();
    }

    /// The types of all that comes before a message of this type.
    pub fn hears_before(&mut self, kind: &str) -> Vec<String> {
        let mut before = Vec::new();
        loop {
            let message = self.hears_any().expect("the page is still there");
            if message["type"] == kind {
                return before;
            }
            before.push(message["type"].as_str().unwrap().to_owned());
        }
    }

    /// The next message of this type; `None` when the page has gone.
    pub fn hears(&mut self, kind: &str) -> Option<Value> {
        loop {
            let message = self.hears_any()?;
            if message["type"] == kind {
                return Some(message);
            }
        }
    }

    fn hears_any(&mut self) -> Option<Value> {
        loop {
            if let Message::Text(text) = self.socket.read().ok()? {
                return Some(serde_json::from_str(&text).unwrap());
            }
        }
    }
}
