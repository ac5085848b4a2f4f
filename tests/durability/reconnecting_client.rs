//! A client as the protocol wants it: it keeps what has no `ack`, reconnects after every end, asks for what it missed,
//! and sends again, with the same ids and in order, what may have been lost.

use crate::support::Deadline;
use crate::support::client::WsClient;
use crate::support::raw::token_for;
use crate::support::rng::Rng;
use crate::transcript::Transcript;
use papo::name::Name;
use papo::protocol::{ByeCode, ClientMessage, Credentials, Enter, ErrorCode, ServerMessage, Token};
use std::net::{Shutdown, SocketAddr};

/// The first and the longest pause between two tries to connect, in milliseconds. Random, so that clients that lost the
/// server together do not come back together.
const MIN_BACKOFF_MS: u64 = 10;
const MAX_BACKOFF_MS: u64 = 160;

/// Called before each try to connect, with what is held; it may wait.
pub type ConnectGate = Box<dyn FnMut(&Transcript) + Send>;

/// One person who reconnects until the deadline.
pub struct ReconnectingClient {
    pub transcript: Transcript,
    /// Ends that came from outside and left something without an `ack`.
    pub interruptions: usize,
    /// The `retry_after_ms` of each `bye` of a shutdown.
    pub retry_hints: Vec<u64>,
    /// Times that the lobby was opened.
    pub join_count: usize,
    /// Times that the server refused a message because it could not store it.
    pub refusal_count: usize,
    /// What holds the next connection back, if anything does.
    pub connect_gate: Option<ConnectGate>,
    address: SocketAddr,
    deadline: Deadline,
    rng: Rng,
    /// Most messages without an `ack` at the same time.
    window: usize,
    conn: Option<Conn>,
    backoff_ms: u64,
}

struct Conn {
    client: WsClient,
    /// How many of the messages without an `ack` went out through this connection.
    sent: usize,
    /// Whether the lobby is open.
    joined: bool,
}

impl ReconnectingClient {
    pub fn new(
        name: &str,
        address: SocketAddr,
        window: usize,
        deadline: Deadline,
        rng: Rng,
    ) -> Self {
        Self {
            transcript: Transcript::new(name),
            interruptions: 0,
            retry_hints: Vec::new(),
            join_count: 0,
            refusal_count: 0,
            connect_gate: None,
            address,
            deadline,
            rng,
            window,
            conn: None,
            backoff_ms: MIN_BACKOFF_MS,
        }
    }

    /// Another server, or another way to it.
    pub fn redirect(&mut self, address: SocketAddr, deadline: Deadline) {
        self.address = address;
        self.deadline = deadline;
        self.drop_connection();
    }

    /// Whether the window has room for another message.
    pub fn window_has_room(&self) -> bool {
        self.transcript.unacked.len() < self.window
    }

    /// Whether the lobby is open.
    pub fn is_joined(&self) -> bool {
        self.conn.as_ref().is_some_and(|conn| conn.joined)
    }

    /// Does the next thing: connects, sends what is to be sent, or waits for one message.
    pub fn step(&mut self) {
        self.deadline.left();
        let Some(conn) = &mut self.conn else {
            return self.connect();
        };
        let next = self
            .transcript
            .unacked
            .get(conn.sent)
            .filter(|_| conn.joined && conn.sent < self.window);
        let done = match next {
            Some(said) => {
                conn.sent += 1;
                let message = said.to_request();
                self.send(&message)
            }
            None => self.receive(),
        };
        if done.is_none() {
            self.drop_connection();
        }
    }

    /// Sends everything that is to be sent, then loses the connection before it has read any answer.
    pub fn cut_after_sending(&mut self) {
        let all = self.transcript.unacked.len().min(self.window);
        while self
            .conn
            .as_ref()
            .is_none_or(|conn| !conn.joined || conn.sent < all)
        {
            self.step();
        }
        let Some(Conn { mut client, .. }) = self.conn.take() else {
            return;
        };
        // The server gets what was sent; its answers arrive nowhere.
        let _ = client.socket.get_ref().shutdown(Shutdown::Write);
        while let Ok(answer) = client.try_receive(self.deadline.left()) {
            let is_refusal = |answer: String| answer.contains("history_unavailable");
            self.refusal_count += usize::from(answer.is_some_and(is_refusal));
        }
    }

    /// Goes on until everything that was sent has its `ack`.
    pub fn wait_for_acks(&mut self) {
        while !self.transcript.unacked.is_empty() {
            self.step();
        }
    }

    /// Goes on until the whole log of this length is held, and then makes sure that nothing else comes.
    pub fn sync_to(&mut self, length: u64) {
        while self.transcript.held_seq < length || !self.transcript.is_complete() {
            self.step();
        }
        while !self.confirm_nothing_pending() {}
        assert_eq!(self.transcript.held_seq, length, "{}", self.transcript.name);
    }

    /// True when the server answered a ping on a connection that has entered.
    fn confirm_nothing_pending(&mut self) -> bool {
        while !self.is_joined() {
            self.step();
        }
        let mut answer = self.send(&ClientMessage::Ping);
        while answer.is_some() {
            match self.read() {
                Some(ServerMessage::Pong { .. }) => return true,
                message => answer = message.and_then(|message| self.handle(&message)),
            }
        }
        self.drop_connection();
        false
    }

    fn connect(&mut self) {
        if let Some(gate) = &mut self.connect_gate {
            gate(&self.transcript);
        }
        let Ok(client) = WsClient::connect(self.address) else {
            return self.back_off();
        };
        self.conn = Some(Conn {
            client,
            sent: 0,
            joined: false,
        });
        let resume = self.transcript.since();
        let name = &self.transcript.name;
        let enter = ClientMessage::Enter(Enter {
            name: Name::new(name).unwrap(),
            token: Token::new(&token_for(name)),
            room: None,
            resume,
            local_key: None,
            credentials: Credentials::default(),
        });
        if self.send(&enter).is_none() {
            self.drop_connection();
        }
    }

    /// Waits before the next try, as the protocol asks.
    fn back_off(&mut self) {
        std::thread::sleep(self.rng.up_to_ms(self.backoff_ms).min(self.deadline.left()));
        self.backoff_ms = (self.backoff_ms * 2).min(MAX_BACKOFF_MS);
    }

    /// The connection is over; what has no `ack` will be sent again.
    fn drop_connection(&mut self) {
        if self.conn.take().is_some_and(|conn| conn.sent > 0) {
            self.interruptions += usize::from(!self.transcript.unacked.is_empty());
        }
    }

    /// A connection that takes nothing more may still have something to be read, such as its `bye`; so reading finds the
    /// end, not sending.
    fn send(&mut self, message: &ClientMessage) -> Option<()> {
        let _ = self.conn.as_mut()?.client.try_send(&message.to_json());
        Some(())
    }

    /// Waits for one message and handles it.
    fn receive(&mut self) -> Option<()> {
        let message = self.read()?;
        self.handle(&message)
    }

    fn read(&mut self) -> Option<ServerMessage> {
        let client = &mut self.conn.as_mut()?.client;
        let text = client.try_receive(self.deadline.left()).ok()??;
        Some(serde_json::from_str(&text).expect("a message of the protocol"))
    }

    /// `None` when the connection is of no more use.
    fn handle(&mut self, message: &ServerMessage) -> Option<()> {
        match message {
            ServerMessage::Bye {
                code: ByeCode::Shutdown,
                retry_after_ms: Some(within),
                ..
            } => {
                self.retry_hints.push(*within);
                self.drop_connection();
                std::thread::sleep(self.rng.up_to_ms(*within).min(self.deadline.left()));
                return None;
            }
            ServerMessage::Error(refusal) => {
                assert_eq!(
                    refusal.code,
                    ErrorCode::HistoryUnavailable,
                    "{}: {refusal:?}",
                    self.transcript.name
                );
                self.refusal_count += 1;
                // A refused message is sent again; a page or a room that could not be read, after a reconnect.
                let id = refusal.id.as_ref()?;
                let conn = self.conn.as_mut()?;
                conn.sent -= 1;
                self.transcript.send_again(id, conn.sent);
            }
            ServerMessage::Joined { .. } => {
                self.backoff_ms = MIN_BACKOFF_MS;
                self.join_count += 1;
                self.conn.as_mut()?.joined = true;
            }
            _ => {}
        }
        let waited = self.transcript.unacked.len();
        let page = self.transcript.receive(message);
        let answered = waited - self.transcript.unacked.len();
        let conn = self.conn.as_mut()?;
        conn.sent = conn.sent.saturating_sub(answered);
        match self.transcript.next_page_request().filter(|_| page) {
            Some(request) => self.send(&request),
            None => Some(()),
        }
    }
}

/// Goes on until all of them hold everything that they sent together; returns how much that is.
pub fn sync_all(people: &mut [ReconnectingClient]) -> u64 {
    let sent = people
        .iter()
        .map(|person| person.transcript.sent.len() as u64);
    let length = sent.sum();
    for person in people {
        person.sync_to(length);
    }
    length
}
