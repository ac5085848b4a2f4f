//! A client as the protocol wants it: it keeps what has no `ack`, comes back after every end, asks for what it missed,
//! and says again, with the same ids and in order, what may have been lost.

use crate::stage::{Deadline, Dice};
use crate::transcript::Transcript;
use papo::name::Name;
use papo::protocol::{ByeCode, ClientMessage, Credentials, ErrorCode, ServerMessage, Token};
use std::net::{Shutdown, SocketAddr, TcpStream};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

/// The first and the longest pause between two tries to connect, in milliseconds. Random, so that those who lost the
/// server together do not come back together.
const FIRST_PAUSE: u64 = 10;
const LAST_PAUSE: u64 = 160;

/// One person who never gives up.
pub struct Client {
    pub log: Transcript,
    /// Ends that came from outside and left something without an `ack`.
    pub interrupted: usize,
    /// What each `bye` shutdown said of when to come back.
    pub invitations: Vec<u64>,
    /// Times that the lobby was opened.
    pub entered: usize,
    /// Times that the server refused a message because it could not store it.
    pub refused: usize,
    address: SocketAddr,
    deadline: Deadline,
    dice: Dice,
    /// Most messages without an `ack` at the same time.
    window: usize,
    conn: Option<Conn>,
    pause_ms: u64,
}

struct Conn {
    socket: WebSocket<TcpStream>,
    /// How many of the messages without an `ack` went out through this connection.
    sent: usize,
    /// Whether the lobby is open.
    inside: bool,
}

impl Client {
    pub fn new(
        name: &str,
        address: SocketAddr,
        window: usize,
        deadline: Deadline,
        dice: Dice,
    ) -> Self {
        Self {
            log: Transcript::new(name),
            interrupted: 0,
            invitations: Vec::new(),
            entered: 0,
            refused: 0,
            address,
            deadline,
            dice,
            window,
            conn: None,
            pause_ms: FIRST_PAUSE,
        }
    }

    /// Another server, or another way to it.
    pub fn turn_to(&mut self, address: SocketAddr, deadline: Deadline) {
        (self.address, self.deadline) = (address, deadline);
        self.lose();
    }

    /// Whether there is a place in the window for another message.
    pub fn may_say(&self) -> bool {
        self.log.unacked.len() < self.window
    }

    /// Whether the lobby is open.
    pub fn is_inside(&self) -> bool {
        self.conn.as_ref().is_some_and(|conn| conn.inside)
    }

    /// Does the next thing: connects, sends what is to be sent, or waits for one word of the server.
    pub fn step(&mut self) {
        self.deadline.left();
        let Some(conn) = &mut self.conn else {
            return self.connect();
        };
        let next = self
            .log
            .unacked
            .get(conn.sent)
            .filter(|_| conn.inside && conn.sent < self.window);
        let done = match next {
            Some(said) => {
                conn.sent += 1;
                let message = said.to_request();
                self.send(&message)
            }
            None => self.listen(),
        };
        if done.is_none() {
            self.lose();
        }
    }

    /// Sends everything that is to be sent, then loses the connection before it has read any answer.
    pub fn cut_after_sending(&mut self) {
        let all = self.log.unacked.len().min(self.window);
        while self
            .conn
            .as_ref()
            .is_none_or(|conn| !conn.inside || conn.sent < all)
        {
            self.step();
        }
        let Some(Conn { mut socket, .. }) = self.conn.take() else {
            return;
        };
        // In this way the server gets what was sent; its answers arrive nowhere.
        let _ = socket.get_ref().shutdown(Shutdown::Write);
        while socket
            .get_mut()
            .set_read_timeout(Some(self.deadline.left()))
            .is_ok()
            && socket.read().is_ok()
        {}
    }

    /// Goes on until nothing that was said is without an `ack`.
    pub fn settle(&mut self) {
        while !self.log.unacked.is_empty() {
            self.step();
        }
    }

    /// Goes on until the whole log of this length is held, and then makes sure that nothing else comes.
    pub fn hold(&mut self, length: u64) {
        while self.log.held_seq < length || !self.log.is_complete() {
            self.step();
        }
        while !self.ask_for_quiet() {}
        assert_eq!(self.log.held_seq, length, "{}", self.log.name);
    }

    /// True when the server answered a ping on a connection that is inside.
    fn ask_for_quiet(&mut self) -> bool {
        while !self.is_inside() {
            self.step();
        }
        let mut answer = self.send(&ClientMessage::Ping);
        while answer.is_some() {
            match self.read() {
                Some(ServerMessage::Pong) => return true,
                word => answer = word.and_then(|word| self.hear(&word)),
            }
        }
        self.lose();
        false
    }

    fn connect(&mut self) {
        match self.open() {
            Some(socket) => {
                self.conn = Some(Conn {
                    socket,
                    sent: 0,
                    inside: false,
                });
                let name = Name::new(&self.log.name).unwrap();
                let secret: String = self
                    .log
                    .name
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .collect();
                let token = Token::new(&format!("{secret}-0123456789abcdef"));
                let (room, key, secrets) = (None, None, Credentials::default());
                if self
                    .send(&ClientMessage::Enter {
                        name,
                        token,
                        room,
                        resume: self.log.since(),
                        local_key: key,
                        credentials: secrets,
                    })
                    .is_none()
                {
                    self.lose();
                }
            }
            None => self.pause(),
        }
    }

    fn open(&self) -> Option<WebSocket<TcpStream>> {
        let stream = TcpStream::connect_timeout(&self.address, self.deadline.left()).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_write_timeout(Some(self.deadline.left())).ok()?;
        stream.set_read_timeout(Some(self.deadline.left())).ok()?;
        let request = format!("ws://{}/", self.address)
            .into_client_request()
            .unwrap();
        Some(tungstenite::client(request, stream).ok()?.0)
    }

    /// Waits before the next try, as every client does that means well.
    fn pause(&mut self) {
        std::thread::sleep(self.dice.up_to_ms(self.pause_ms).min(self.deadline.left()));
        self.pause_ms = (self.pause_ms * 2).min(LAST_PAUSE);
    }

    /// The connection is over; what has no `ack` will be said again.
    fn lose(&mut self) {
        if self.conn.take().is_some_and(|conn| conn.sent > 0) {
            self.interrupted += usize::from(!self.log.unacked.is_empty());
        }
    }

    /// A connection that takes nothing more may still have something to be read, its `bye` for instance; so the end is
    /// what reading finds.
    fn send(&mut self, message: &ClientMessage) -> Option<()> {
        let _ = self
            .conn
            .as_mut()?
            .socket
            .send(Message::text(message.to_json()));
        Some(())
    }

    /// Waits for one word of the server and does what it asks for.
    fn listen(&mut self) -> Option<()> {
        let word = self.read()?;
        self.hear(&word)
    }

    fn read(&mut self) -> Option<ServerMessage> {
        let socket = &mut self.conn.as_mut()?.socket;
        socket
            .get_mut()
            .set_read_timeout(Some(self.deadline.left()))
            .ok()?;
        loop {
            match socket.read().ok()? {
                Message::Text(text) => {
                    return Some(
                        serde_json::from_str(&text).expect("the server speaks the protocol"),
                    );
                }
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// `None` when the connection is of no more use.
    fn hear(&mut self, word: &ServerMessage) -> Option<()> {
        match word {
            ServerMessage::Bye {
                code: ByeCode::Shutdown,
                retry_after_ms: Some(within),
                ..
            } => {
                self.invitations.push(*within);
                self.lose();
                std::thread::sleep(self.dice.up_to_ms(*within).min(self.deadline.left()));
                return None;
            }
            ServerMessage::Error(refusal) => {
                assert_eq!(
                    refusal.code,
                    ErrorCode::HistoryUnavailable,
                    "{}: {refusal:?}",
                    self.log.name
                );
                self.refused += 1;
                // A message that was not taken is said again; a page or a room that could not be read, after a new start.
                refusal.id.as_ref()?;
                self.conn.as_mut()?.sent -= 1;
            }
            ServerMessage::Joined { .. } => {
                self.pause_ms = FIRST_PAUSE;
                self.entered += 1;
                self.conn.as_mut()?.inside = true;
            }
            _ => {}
        }
        let waited = self.log.unacked.len();
        let page = self.log.receive(word);
        let answered = waited - self.log.unacked.len();
        let conn = self.conn.as_mut()?;
        conn.sent = conn.sent.saturating_sub(answered);
        match self.log.next_page_request().filter(|_| page) {
            Some(wish) => self.send(&wish),
            None => Some(()),
        }
    }
}
