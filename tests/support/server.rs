//! The server in this process, and addresses where no server is.

use crate::support::client::WsClient;
use papo::history::memory::MemoryHistory;
use papo::history::sqlite::SqliteHistory;
use papo::server::{DeliveryLimits, Policy, Rules, Server, Setup, Stopper, listen};
use socket2::{Domain, Socket, Type};
use std::net::SocketAddr;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

/// Any free port of loopback.
pub const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Longer than any test.
pub const ONE_HOUR: Duration = Duration::from_hours(1);

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

    /// Starts a server with a changed set-up.
    pub fn start_with(change: impl FnOnce(&mut Setup)) -> Self {
        Self::start_on(ANY_PORT, change)
    }

    pub fn start_on(address: SocketAddr, change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup {
            max_connections: 2000,
            policy: Policy::default(),
            // On a busy machine a test may take long between the handshake and `enter`.
            rules: Rules {
                entry_timeout: ONE_HOUR,
                ..Rules::default()
            },
            delivery_limits: DeliveryLimits::default(),
            history: Box::new(MemoryHistory::new().unwrap()),
        };
        change(&mut setup);
        let server = Server::new(listen(address).unwrap(), setup);
        let address = server.local_addr().unwrap();
        let stopper = server.stopper().unwrap();
        Self {
            address,
            stopper,
            thread: Some(std::thread::spawn(move || server.run())),
        }
    }

    /// A client that has connected and not entered.
    pub fn connect(&self) -> WsClient {
        WsClient::connect(self.address).unwrap()
    }

    /// A client that has entered the lobby; the same name is the same person.
    pub fn enter(&self, name: &str) -> WsClient {
        WsClient::entered(self.address, name)
    }

    /// The URL of the page.
    pub fn url(&self) -> String {
        page_url(self.address)
    }

    /// Stops the server and waits until it has stopped.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stopper.stop();
        // A test that fails must not wait for what it has left open.
        if !std::thread::panicking()
            && let Some(thread) = self.thread.take()
        {
            thread.join().unwrap().unwrap();
        }
    }
}

/// Set-up: no limit on the rate of messages.
pub fn without_rate(setup: &mut Setup) {
    setup.rules.rate = None;
}

/// Set-up: the history in this file.
pub fn stored_in(file: &Path) -> impl FnOnce(&mut Setup) {
    |setup| setup.history = Box::new(SqliteHistory::open(file, None).unwrap())
}

/// The URL of the page at this address.
pub fn page_url(address: SocketAddr) -> String {
    format!("http://{address}/")
}

/// A port of loopback on which nothing listens, and which the system gives to nothing else while this lives.
///
/// A bound socket that does not listen lets a server listen on the same port, and keeps the system from handing the port
/// out, to a client's end of a connection too.
pub struct ReservedPort {
    pub address: SocketAddr,
    _reservation: Socket,
}

impl ReservedPort {
    pub fn new() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&ANY_PORT.into()).unwrap();
        Self {
            address: socket.local_addr().unwrap().as_socket().unwrap(),
            _reservation: socket,
        }
    }

    /// The URL of the page while a server runs on this port.
    pub fn url(&self) -> String {
        page_url(self.address)
    }
}
