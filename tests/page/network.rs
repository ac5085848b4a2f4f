//! A network that can be cut: a proxy on loopback between the pages and the server.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// What the network does with data and new connections.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Passes them on.
    Up,
    /// Holds them back without notice, like a Wi-Fi out of reach.
    Silent,
    /// Refuses them.
    Down,
    /// The test has ended.
    Stopped,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    sockets: Mutex<Vec<TcpStream>>,
}

impl Shared {
    /// Waits while the network is silent; returns whether data may pass.
    fn may_pass(&self) -> bool {
        let state = self.state.lock().unwrap();
        *self
            .changed
            .wait_while(state, |state| *state == State::Silent)
            .unwrap()
            == State::Up
    }

    fn set(&self, state: State) {
        *self.state.lock().unwrap() = state;
        self.changed.notify_all();
    }

    fn close_all(&self) {
        for socket in self.sockets.lock().unwrap().drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// The proxy; stopped on drop.
pub struct Network {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl Network {
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Mutex::new(State::Up);
        let shared = Arc::new(Shared {
            state,
            changed: Condvar::new(),
            sockets: Mutex::default(),
        });
        let accepted = shared.clone();
        let accepting = std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if *accepted.state.lock().unwrap() == State::Stopped {
                    return;
                }
                let shared = accepted.clone();
                std::thread::spawn(move || connect(client, server, &shared));
            }
        });
        Self {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// The URL of the page through this network.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Closes every connection and refuses new ones.
    pub fn cut(&self) {
        self.shared.set(State::Down);
        self.shared.close_all();
    }

    /// Holds everything back without closing a connection.
    pub fn go_silent(&self) {
        self.shared.set(State::Silent);
    }

    pub fn restore(&self) {
        self.shared.set(State::Up);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.shared.set(State::Stopped);
        self.shared.close_all();
        // A last connection wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// Forwards both directions of one connection.
fn connect(client: TcpStream, server: SocketAddr, shared: &Arc<Shared>) {
    if !shared.may_pass() {
        return;
    }
    let Ok(server) = TcpStream::connect(server) else {
        return;
    };
    let pairs = [
        (client.try_clone(), server.try_clone()),
        (server.try_clone(), client.try_clone()),
    ];
    shared.sockets.lock().unwrap().extend([client, server]);
    for (from, to) in pairs {
        let (Ok(from), Ok(to), shared) = (from, to, shared.clone()) else {
            return;
        };
        std::thread::spawn(move || forward(from, to, &shared));
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let _ = to.set_nodelay(true);
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if !shared.may_pass() || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    for socket in [&from, &to] {
        let _ = socket.shutdown(Shutdown::Both);
    }
}
