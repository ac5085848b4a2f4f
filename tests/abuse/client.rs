//! Somebody who speaks the protocol as it should be spoken.

use crate::harness::Deadline;
use papo::protocol::{ClientMessage, ServerMessage};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Error, Message, WebSocket};

/// One connection of one person.
pub struct WsClient {
    pub name: String,
    socket: WebSocket<TcpStream>,
}

impl WsClient {
    /// Connects and enters the lobby; gives the room's last seq too.
    pub fn enter(address: SocketAddr, name: &str, deadline: Deadline) -> (Self, u64) {
        let mut person = Self::connect(address, name, deadline).expect("the server lets people in");
        let secret = name.replace(' ', "_") + "-0123456789abcdef";
        person.send_text(&format!(
            r#"{{"type":"enter","name":"{name}","token":"{secret}"}}"#
        ));
        loop {
            match person.receive(deadline.left()) {
                Some(ServerMessage::Joined { seq, .. }) => return (person, seq),
                Some(ServerMessage::Error(refusal)) => panic!("{name}: {refusal:?}"),
                _ => {}
            }
        }
    }

    /// Connects without entering.
    pub fn connect(address: SocketAddr, name: &str, deadline: Deadline) -> Result<Self, Error> {
        let stream = TcpStream::connect_timeout(&address, deadline.left())?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(deadline.left()))?;
        stream.set_write_timeout(Some(deadline.left()))?;
        let request = format!("ws://{address}/").into_client_request()?;
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Self {
                name: name.into(),
                socket,
            }),
            Err(tungstenite::HandshakeError::Failure(error)) => Err(error),
            Err(tungstenite::HandshakeError::Interrupted(_)) => {
                Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into())
            }
        }
    }

    pub fn send(&mut self, message: &ClientMessage) {
        self.send_text(&message.to_json());
    }

    /// Says anything, also what is no message.
    pub fn send_text(&mut self, text: &str) {
        self.socket
            .send(Message::text(text))
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// The next message; `None` when there is none in this time. To be cut off is a failure.
    pub fn receive(&mut self, within: Duration) -> Option<ServerMessage> {
        self.socket
            .get_mut()
            .set_read_timeout(Some(within.max(Duration::from_millis(1))))
            .unwrap();
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    match serde_json::from_str(&text).expect("the server speaks the protocol") {
                        ServerMessage::Bye { code, text, .. } => {
                            panic!("{}: {code:?} {text}", self.name)
                        }
                        message => return Some(message),
                    }
                }
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    return None;
                }
                Err(error) => panic!("{} was cut off: {error}", self.name),
            }
        }
    }

    /// The answer to something that has one: comings and goings are passed over.
    pub fn receive_answer(&mut self, deadline: Deadline) -> ServerMessage {
        loop {
            match self.receive(deadline.left()) {
                Some(ServerMessage::Presence { .. }) => {}
                Some(message) => return message,
                None => panic!("{} got no answer", self.name),
            }
        }
    }

    /// Asks whether the server is there, and waits until it says so.
    pub fn ping(&mut self, deadline: Deadline) {
        self.send(&ClientMessage::Ping);
        while !matches!(self.receive(deadline.left()), Some(ServerMessage::Pong)) {}
    }

    /// Says goodbye and waits until the server has closed.
    pub fn leave(mut self, deadline: Deadline) {
        let close = CloseFrame {
            code: 1000.into(),
            reason: "".into(),
        };
        self.socket
            .get_mut()
            .set_read_timeout(Some(deadline.left()))
            .unwrap();
        self.socket.close(Some(close)).unwrap();
        while self.socket.read().is_ok() {}
    }
}
