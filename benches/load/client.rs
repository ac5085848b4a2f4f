//! One person who asks for something and waits for the answer.

use super::raw;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Messages that may wait for their answer: the server's own window.
const IN_FLIGHT: usize = 32;

/// A connection that reads only while something is awaited.
pub struct Client {
    socket: TcpStream,
    received: Vec<u8>,
    room: &'static str,
    next_id: u64,
}

impl Client {
    /// Enters a room, as a moderator if there is a key.
    pub fn enter(
        address: SocketAddr,
        name: &str,
        room: &'static str,
        moderator_key: Option<&str>,
    ) -> Self {
        let socket = TcpStream::connect(address).expect("the server can be reached");
        socket.set_nodelay(true).expect("a socket");
        socket.set_read_timeout(Some(TIMEOUT)).expect("a socket");
        let mut client = Self {
            socket,
            received: Vec::new(),
            room,
            next_id: 0,
        };
        client.write(raw::HANDSHAKE.as_bytes());
        while client.cut_head().is_none() {
            client.read();
        }
        client.send(&json!({
            "type": "enter", "name": name, "room": room, "token": raw::token_for(name),
            "moderator_key": moderator_key,
        }));
        client.wait_for("joined");
        client
    }

    /// Removes the answer to the handshake once it is there.
    fn cut_head(&mut self) -> Option<()> {
        let mut windows = self.received.windows(4);
        let end = windows.position(|bytes| bytes == b"\r\n\r\n")?;
        self.received.drain(..end + 4);
        Some(())
    }

    fn write(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).expect("the server reads");
    }

    fn read(&mut self) {
        let mut buffer = [0; 16 * 1024];
        let read = self.socket.read(&mut buffer);
        let read = read.expect("the server answers in time");
        assert!(read > 0, "the server closed a connection");
        self.received.extend_from_slice(&buffer[..read]);
    }

    /// Sends one message.
    pub fn send(&mut self, message: &Value) {
        self.write(&raw::frame(raw::TEXT, message.to_string().as_bytes()));
    }

    /// Waits for a message of this type; others are passed over.
    ///
    /// # Panics
    /// At an `error`, and when nothing comes in time.
    pub fn wait_for(&mut self, kind: &str) -> Value {
        loop {
            let Some((first, payload, length)) = raw::next_frame(&self.received) else {
                self.read();
                continue;
            };
            let payload = payload.to_vec();
            self.received.drain(..length);
            if first == raw::PING {
                self.write(&raw::frame(raw::PONG, &payload));
                continue;
            }
            let message: Value = serde_json::from_slice(&payload).expect("a message in JSON");
            assert_ne!(message["type"], "error", "{message}");
            if message["type"] == kind {
                return message;
            }
        }
    }

    fn send_say(&mut self, text: &str) {
        self.next_id += 1;
        let id = self.next_id.to_string();
        self.send(&json!({"type": "say", "room": self.room, "id": id, "text": text}));
    }

    /// Says something and waits until it is acknowledged.
    pub fn say(&mut self, text: &str) {
        self.send_say(text);
        self.wait_for("ack");
    }

    /// Says all of this as fast as it is acknowledged.
    pub fn say_all(&mut self, texts: &[String]) {
        for (at, text) in texts.iter().enumerate() {
            if at >= IN_FLIGHT {
                self.wait_for("ack");
            }
            self.send_say(text);
        }
        for _ in 0..texts.len().min(IN_FLIGHT) {
            self.wait_for("ack");
        }
    }

    /// Searches the room and returns how many entries were found.
    pub fn search(&mut self, query: &str) -> usize {
        self.send(&json!({"type": "search", "room": self.room, "query": query}));
        let found = self.wait_for("found");
        found["entries"].as_array().map_or(0, Vec::len)
    }

    /// Erases what a person said in the last ten minutes, and waits until that is acknowledged. Only for moderators.
    pub fn erase_all_of(&mut self, name: &str) {
        self.next_id += 1;
        let id = self.next_id.to_string();
        self.send(
            &json!({"type": "moderate", "act": "erase", "room": self.room, "id": id, "name": name}),
        );
        self.wait_for("ack");
    }

    /// Waits until so many entries were erased before its eyes.
    pub fn wait_for_erased(&mut self, count: usize) {
        let mut erased = 0;
        while erased < count {
            let message = self.wait_for("message");
            erased += message["erases"].as_array().map_or(0, Vec::len);
        }
    }
}
