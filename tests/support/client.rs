//! A WebSocket client of the protocol: one connection of one person.

use crate::support::raw::{connect_with_small_buffer, token_for};
use crate::support::{Deadline, patience};
use papo::protocol::{ClientMessage, ServerMessage};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

/// One connection. Methods named `try_…` report the end of the connection; the others fail the test.
pub struct WsClient {
    pub name: String,
    pub socket: WebSocket<TcpStream>,
    sent_count: u32,
    /// States of rooms that came between other messages.
    room_states: VecDeque<Value>,
}

/// How a connection ended, as the client saw it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Disconnect {
    /// The code of the last `bye`.
    pub bye: Option<String>,
    /// The code of the close frame; `None` when there was none.
    pub close: Option<u16>,
}

/// The end of a connection that the server closed with a `bye`.
pub fn disconnected_with(bye: &str, close: u16) -> Disconnect {
    Disconnect {
        bye: Some(bye.into()),
        close: Some(close),
    }
}

impl WsClient {
    pub fn connect(address: SocketAddr) -> tungstenite::Result<Self> {
        Self::connect_through(TcpStream::connect(address)?, None)
    }

    /// Connects as a page of this origin does.
    pub fn connect_from(address: SocketAddr, origin: &'static str) -> tungstenite::Result<Self> {
        Self::connect_through(TcpStream::connect(address)?, Some(origin))
    }

    /// Connects with a receive buffer as small as the system allows.
    pub fn connect_with_small_buffer(address: SocketAddr) -> tungstenite::Result<Self> {
        Self::connect_through(connect_with_small_buffer(address)?, None)
    }

    fn connect_through(
        stream: TcpStream,
        origin: Option<&'static str>,
    ) -> tungstenite::Result<Self> {
        stream.set_read_timeout(Some(patience()))?;
        stream.set_write_timeout(Some(patience()))?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{}/", stream.peer_addr()?).into_client_request()?;
        if let Some(origin) = origin {
            let origin = HeaderValue::from_static(origin);
            request.headers_mut().insert("Origin", origin);
        }
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Self {
                name: String::new(),
                socket,
                sent_count: 0,
                room_states: VecDeque::new(),
            }),
            Err(HandshakeError::Failure(error)) => Err(error),
            Err(HandshakeError::Interrupted(_)) => {
                Err(std::io::Error::from(ErrorKind::TimedOut).into())
            }
        }
    }

    /// A client that has entered the lobby; the same name is the same person.
    #[track_caller]
    pub fn entered(address: SocketAddr, name: &str) -> Self {
        let mut client = Self::connect(address).unwrap();
        client.enter(name);
        client
    }

    /// Enters the lobby; gives back the `joined`.
    #[track_caller]
    pub fn enter(&mut self, name: &str) -> Value {
        let welcome = self.enter_with(name, json!({}));
        assert_eq!(welcome["type"], "welcome", "{name}: {welcome}");
        let joined = self.receive();
        assert_eq!(joined["type"], "joined", "{name}: {joined}");
        joined
    }

    /// Tries to enter with more fields than a name and a token; gives back the answer.
    #[track_caller]
    pub fn enter_with(&mut self, name: &str, more: Value) -> Value {
        self.name = name.into();
        let enter = json!({"type": "enter", "name": name, "token": token_for(name)});
        self.send(merged(enter, more));
        self.receive()
    }

    #[track_caller]
    pub fn send(&mut self, message: Value) {
        self.send_text(&message.to_string());
    }

    #[track_caller]
    pub fn send_message(&mut self, message: &ClientMessage) {
        self.send_text(&message.to_json());
    }

    /// Sends any text, also what is no message.
    #[track_caller]
    pub fn send_text(&mut self, text: &str) {
        if let Err(error) = self.try_send(text) {
            panic!("{}: {error}", self.name);
        }
    }

    pub fn try_send(&mut self, text: &str) -> tungstenite::Result<()> {
        self.socket.send(Message::text(text))
    }

    /// Says this in the lobby; gives back the id.
    #[track_caller]
    pub fn say(&mut self, text: &str) -> String {
        self.say_in("geral", text)
    }

    #[track_caller]
    pub fn say_in(&mut self, room: &str, text: &str) -> String {
        self.sent_count += 1;
        let id = format!("m{}", self.sent_count);
        self.send(json!({"type": "say", "room": room, "id": id, "text": text}));
        id
    }

    /// Says this in the lobby and waits for the `ack`; other messages are dropped.
    #[track_caller]
    pub fn say_acked(&mut self, text: &str) {
        self.say_acked_in("geral", text);
    }

    #[track_caller]
    pub fn say_acked_in(&mut self, room: &str, text: &str) {
        let id = self.say_in(room, text);
        let answer = self.receive_where(|message| message["id"] == *id);
        assert_eq!(answer["type"], "ack", "{answer}: {text}");
    }

    /// The next text; `None` when there is none in this time.
    pub fn try_receive(&mut self, within: Duration) -> tungstenite::Result<Option<String>> {
        let until = Instant::now() + within;
        loop {
            // Pings come now and then: they must not prolong the wait.
            let left = until.saturating_duration_since(Instant::now());
            let left = left.max(Duration::from_millis(1));
            self.socket.get_mut().set_read_timeout(Some(left))?;
            match self.socket.read() {
                Ok(Message::Text(text)) => return Ok(Some(text.to_string())),
                Ok(Message::Close(_)) => return Err(Error::ConnectionClosed),
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    #[track_caller]
    fn receive_text(&mut self, deadline: Deadline) -> String {
        match self.try_receive(deadline.left()) {
            Ok(Some(text)) => text,
            Ok(None) => panic!("{}: the server says nothing more", self.name),
            Err(error) => panic!("{}: {error}", self.name),
        }
    }

    /// The next message; states of rooms are kept for [`WsClient::receive_room_state`].
    #[track_caller]
    pub fn receive(&mut self) -> Value {
        self.receive_where(|_| true)
    }

    /// The next message that matches and is no state of a room; others are dropped. So is this person's own arrival, which
    /// comes only if it was not sent at once.
    #[track_caller]
    pub fn receive_where(&mut self, matches: impl Fn(&Value) -> bool) -> Value {
        let deadline = Deadline::of_one_event();
        loop {
            let message = parse(&self.receive_text(deadline));
            if message["type"] == "room_state" {
                self.room_states.push_back(message);
            } else if matches(&message) && !self.is_own_arrival(&message) {
                return message;
            }
        }
    }

    fn is_own_arrival(&self, message: &Value) -> bool {
        let is_me = |member: &Value| member["name"] == *self.name;
        let joined = message["joined"].as_array();
        let only_me = joined.is_some_and(|joined| !joined.is_empty() && joined.iter().all(is_me));
        message["type"] == "presence" && only_me && message["left"] == json!([])
    }

    /// The next state of a room, which may have come already; other messages are dropped.
    #[track_caller]
    pub fn receive_room_state(&mut self) -> Value {
        let deadline = Deadline::of_one_event();
        loop {
            if let Some(state) = self.room_states.pop_front() {
                return state;
            }
            let message = parse(&self.receive_text(deadline));
            if message["type"] == "room_state" {
                return message;
            }
        }
    }

    /// Waits for a message with exactly this text; others are dropped.
    #[track_caller]
    pub fn wait_for_text(&mut self, text: &str) {
        self.receive_where(|message| message["type"] == "message" && message["text"] == text);
    }

    /// The next message; `None` when there is none in this time. A `bye` is a failure.
    #[track_caller]
    pub fn receive_within(&mut self, within: Duration) -> Option<ServerMessage> {
        let text = match self.try_receive(within) {
            Ok(text) => text?,
            Err(error) => panic!("{}: {error}", self.name),
        };
        match serde_json::from_str(&text).expect("a message of the protocol") {
            ServerMessage::Bye { code, text, .. } => panic!("{}: {code:?} {text}", self.name),
            message => Some(message),
        }
    }

    /// The next message that is no presence and no state of a room.
    #[track_caller]
    pub fn receive_answer(&mut self) -> ServerMessage {
        let deadline = Deadline::of_one_event();
        loop {
            match self.receive_within(deadline.left()) {
                Some(ServerMessage::Presence { .. } | ServerMessage::RoomState { .. }) => {}
                Some(message) => return message,
                None => panic!("{} got no answer", self.name),
            }
        }
    }

    /// Waits for the `pong`; other messages are dropped.
    #[track_caller]
    pub fn ping(&mut self) {
        let deadline = Deadline::of_one_event();
        self.send_message(&ClientMessage::Ping);
        loop {
            match self.receive_within(deadline.left()) {
                Some(ServerMessage::Pong { .. }) => return,
                Some(_) => {}
                None => panic!("{} got no pong", self.name),
            }
        }
    }

    /// Expects exactly these messages next, in short form.
    #[track_caller]
    pub fn expect(&mut self, expected: &[&str]) {
        for expected in expected {
            assert_eq!(summary(&self.receive()), *expected);
        }
    }

    /// Expects these messages next, in short form, in any order: presence is sent at its own pace.
    #[track_caller]
    pub fn expect_in_any_order(&mut self, expected: &[&str]) {
        let mut received: Vec<String> = expected.iter().map(|_| summary(&self.receive())).collect();
        let mut expected = expected.to_vec();
        received.sort_unstable();
        expected.sort_unstable();
        assert_eq!(received, expected);
    }

    /// Expects that nothing was sent up to now: the answer to a ping comes first.
    #[track_caller]
    pub fn expect_nothing(&mut self) {
        self.send(json!({"type": "ping"}));
        self.expect(&["pong"]);
    }

    /// Closes with this code and waits until the server has closed.
    pub fn close(mut self, code: u16) {
        let close = CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        self.socket.close(Some(close)).unwrap();
        self.wait_for_disconnect();
    }

    /// Leaves with a goodbye.
    pub fn leave(self) {
        self.close(1000);
    }

    /// Reads to the end of the connection, whatever comes before it.
    pub fn wait_for_disconnect(&mut self) -> Disconnect {
        let mut end = Disconnect::default();
        let deadline = Deadline::of_one_event();
        self.socket
            .get_mut()
            .set_read_timeout(Some(patience()))
            .unwrap();
        while !deadline.is_over() {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let message = parse(&text);
                    if message["type"] == "bye" {
                        end.bye = message["code"].as_str().map(Into::into);
                    }
                }
                Ok(Message::Close(close)) => end.close = close.map(|close| close.code.into()),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        end
    }
}

/// The first message with the fields of the second.
pub fn merged(mut message: Value, more: Value) -> Value {
    for (field, value) in more.as_object().into_iter().flatten() {
        message[field] = value.clone();
    }
    message
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("a message of the protocol")
}

/// A message in short form.
pub fn summary(message: &Value) -> String {
    let text = |field: &str| message[field].as_str().unwrap_or_default().to_owned();
    let names = |field: &str, sign: &str| {
        let list = message[field].as_array().cloned().unwrap_or_default();
        list.iter()
            .map(|member| format!(" {sign}{}", member["name"].as_str().unwrap()))
            .collect::<String>()
    };
    match message["type"].as_str().unwrap() {
        "message" => format!("{} {}: {}", message["seq"], text("from"), text("text")),
        "ack" if message["seq"].is_null() => format!("ack {}", text("id")),
        "ack" => format!("ack {} {}", text("id"), message["seq"]),
        "presence" => format!(
            "{} online{}{}",
            message["online"],
            names("joined", "+"),
            names("left", "-")
        ),
        "welcome" => format!("welcome {}", text("name")),
        "joined" => format!("joined {} {}", text("room"), message["online"]),
        "left" => format!("left {}", text("room")),
        "whisper" => format!("{} > {}: {}", text("from"), text("to"), text("text")),
        "typing" => format!("{} types", text("name")),
        "role" if message["moderator"] == true => format!("{} moderates", text("name")),
        "role" => format!("{} no longer moderates", text("name")),
        "notice" if message["from"].is_null() => format!("* {}", text("text")),
        "notice" => format!("{}! {}", text("from"), text("text")),
        "error" | "bye" => format!("{} {}", text("type"), text("code")),
        other => other.to_owned(),
    }
}
