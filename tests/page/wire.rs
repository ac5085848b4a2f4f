//! A network that can go away and come back: a proxy on loopback between the pages and the server.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// What the network does with what it is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Passes it on.
    Up,
    /// Keeps it for later and tells nobody, as a Wi-Fi out of reach does.
    Silent,
    /// Refuses it.
    Down,
    /// The story is over.
    Gone,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    sockets: Mutex<Vec<TcpStream>>,
}

impl Shared {
    /// Waits until the network is not silent any more, and tells whether something may pass.
    fn passes(&self) -> bool {
        let state = self.state.lock().unwrap();
        *self
            .changed
            .wait_while(state, |state| *state == State::Silent)
            .unwrap()
            == State::Up
    }

    fn turn(&self, state: State) {
        *self.state.lock().unwrap() = state;
        self.changed.notify_all();
    }

    fn cut(&self) {
        for socket in self.sockets.lock().unwrap().drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// The network; it ends with its story.
pub struct Wire {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl Wire {
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Mutex::new(State::Up);
        let shared = Arc::new(Shared {
            state,
            changed: Condvar::new(),
            sockets: Mutex::default(),
        });
        let ours = shared.clone();
        let accepting = std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if *ours.state.lock().unwrap() == State::Gone {
                    return;
                }
                let shared = ours.clone();
                std::thread::spawn(move || connect(client, server, &shared));
            }
        });
        Self {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// Where the page is, seen through this network.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Ends every connection and refuses new ones.
    pub fn goes_down(&self) {
        self.shared.turn(State::Down);
        self.shared.cut();
    }

    /// Passes nothing on any more, and says nothing of it.
    pub fn falls_silent(&self) {
        self.shared.turn(State::Silent);
    }

    pub fn comes_back(&self) {
        self.shared.turn(State::Up);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.shared.turn(State::Gone);
        self.shared.cut();
        // A last visitor wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// Both directions of one connection.
fn connect(client: TcpStream, server: SocketAddr, shared: &Arc<Shared>) {
    if !shared.passes() {
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
        std::thread::spawn(move || carry(from, to, &shared));
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let _ = to.set_nodelay(true);
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        if !shared.passes() || to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    for socket in [&from, &to] {
        let _ = socket.shutdown(Shutdown::Both);
    }
}
