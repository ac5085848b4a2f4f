//! What the stories are told with: a server of one's own, and clients who speak the protocol.

use papo::chat::limits::Rules;
use papo::fanout::DeliveryLimits;
use papo::history::memory::MemoryHistory;
use papo::server::http::Policy;
use papo::server::{Server, Setup, Stopper, listen};
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, WebSocket};

/// How long anybody waits for anything.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// Longer than any story.
const ONE_HOUR: Duration = Duration::from_secs(3600);

/// A server that stops when it goes out of scope.
pub struct TestServer {
    pub address: SocketAddr,
    stopper: Stopper,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl TestServer {
    pub fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// Starts a server whose set-up was changed before.
    pub fn start_with(change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup {
            max_connections: 2000,
            policy: Policy::default(),
            // A story on a busy machine may take its time between a client's handshake and name.
            rules: Rules {
                entry_timeout: ONE_HOUR,
                ..Rules::default()
            },
            delivery_limits: DeliveryLimits::default(),
            history: Box::new(MemoryHistory::new().unwrap()),
        };
        change(&mut setup);
        let server = Server::new(
            listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap(),
            setup,
        );
        let (address, stopper) = (server.local_addr().unwrap(), server.stopper().unwrap());
        Self {
            address,
            stopper,
            thread: Some(std::thread::spawn(move || server.run())),
        }
    }

    /// Somebody who connects and does not enter.
    pub fn connect(&self) -> WsClient {
        WsClient::connect(self.address).unwrap()
    }

    /// Somebody who connects and enters; the same name is the same person.
    pub fn enter(&self, name: &str) -> WsClient {
        let mut client = self.connect();
        client.enter(name);
        client
    }

    /// Stops the server and waits until it has stopped.
    pub fn stop(mut self) {
        self.shut_down();
    }

    fn shut_down(&mut self) {
        self.stopper.stop();
        if let Some(running) = self.thread.take() {
            running.join().unwrap().unwrap();
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.shut_down();
        }
    }
}

/// One connection of one person.
pub struct WsClient {
    pub socket: WebSocket<TcpStream>,
    sent_count: u32,
}

/// How a connection ended, as the client saw it.
#[derive(Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// The code of the last `bye`.
    pub bye: Option<String>,
    /// The code of the close frame; `None` when there was none.
    pub close: Option<u16>,
}

impl WsClient {
    pub fn connect(address: SocketAddr) -> tungstenite::Result<Self> {
        Self::connect_from(address, None)
    }

    /// Connects as a page of this origin does.
    pub fn connect_from(
        address: SocketAddr,
        origin: Option<&'static str>,
    ) -> tungstenite::Result<Self> {
        Self::connect_through(TcpStream::connect(address)?, address, origin)
    }

    /// Connects with a receive buffer as small as the system allows: what is not read waits on the server's side.
    pub fn connect_with_small_buffer(address: SocketAddr) -> tungstenite::Result<Self> {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        socket.set_recv_buffer_size(2048)?;
        socket.connect(&address.into())?;
        Self::connect_through(socket.into(), address, None)
    }

    fn connect_through(
        stream: TcpStream,
        address: SocketAddr,
        origin: Option<&'static str>,
    ) -> tungstenite::Result<Self> {
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{address}/").into_client_request()?;
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("Origin", HeaderValue::from_static(origin));
        }
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Self {
                socket,
                sent_count: 0,
            }),
            Err(tungstenite::HandshakeError::Failure(error)) => Err(error),
            Err(tungstenite::HandshakeError::Interrupted(_)) => {
                panic!("the handshake took too long")
            }
        }
    }

    pub fn send(&mut self, message: Value) {
        self.socket
            .send(Message::text(message.to_string()))
            .unwrap();
    }

    /// Enters and waits until the lobby is open. The token is made of the name.
    pub fn enter(&mut self, name: &str) -> Value {
        self.send(json!({"type": "enter", "name": name, "token": token_for(name)}));
        assert_eq!(self.receive()["type"], "welcome");
        let joined = self.receive();
        assert_eq!(joined["type"], "joined");
        joined
    }

    /// Tries to enter, showing more than a name and a token; gives back the answer.
    pub fn enter_with(&mut self, name: &str, more: Value) -> Value {
        let mut enter = json!({"type": "enter", "name": name, "token": token_for(name)});
        enter
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.send(enter);
        self.receive()
    }

    /// Says something in the lobby under an id of its own.
    pub fn say(&mut self, text: &str) -> String {
        self.sent_count += 1;
        let id = format!("m{}", self.sent_count);
        self.send(json!({"type": "say", "room": "geral", "id": id, "text": text}));
        id
    }

    /// The next message, whatever it is.
    pub fn receive(&mut self) -> Value {
        loop {
            match self
                .socket
                .read()
                .expect("the server has nothing more to say")
            {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Expects exactly these messages next, in short form.
    pub fn expect(&mut self, expected: &[&str]) {
        for expected in expected {
            assert_eq!(summary(&self.receive()), *expected);
        }
    }

    /// Expects that nothing was sent up to now: the answer to a ping comes first.
    pub fn expect_nothing(&mut self) {
        self.send(json!({"type": "ping"}));
        self.expect(&["pong"]);
    }

    /// Says goodbye and waits until the server has closed.
    pub fn leave(mut self) {
        let close = CloseFrame {
            code: 1000.into(),
            reason: "".into(),
        };
        self.socket.close(Some(close)).unwrap();
        while self.socket.read().is_ok() {}
    }

    /// Reads to the end, for which it waits no longer than for anything else, whatever else comes.
    pub fn wait_for_disconnect(&mut self) -> Disconnect {
        let mut ending = Disconnect {
            bye: None,
            close: None,
        };
        let until = Instant::now() + DEADLINE;
        loop {
            match self.socket.read() {
                Ok(_) if Instant::now() > until => return ending,
                Ok(Message::Text(text)) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["type"] == "bye" {
                        ending.bye = message["code"].as_str().map(Into::into);
                    }
                }
                Ok(Message::Close(close)) => ending.close = close.map(|close| close.code.into()),
                Ok(_) => {}
                Err(_) => return ending,
            }
        }
    }
}

/// The end that a server's own goodbye makes.
pub fn disconnected_with(bye: &str, close: u16) -> Disconnect {
    Disconnect {
        bye: Some(bye.into()),
        close: Some(close),
    }
}

/// A token that belongs to a name.
pub fn token_for(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect::<String>()
        + "-0123456789abcdef"
}

/// What a message says, as short as a story needs it.
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
