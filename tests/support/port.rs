//! An address for a server that is not there: not yet, not any more, or never.

use std::net::SocketAddr;

/// A port of loopback where nobody listens, and which nobody else gets while this lives.
///
/// A bound socket that does not listen lets a server listen on the same port, and keeps the system from giving the port
/// to anybody who asks for a free one, including to a client's own end of a connection.
pub struct Port {
    pub address: SocketAddr,
    _reservation: socket2::Socket,
}

impl Port {
    pub fn reserve() -> Self {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket
            .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .unwrap();
        Self {
            address: socket.local_addr().unwrap().as_socket().unwrap(),
            _reservation: socket,
        }
    }
}
