//! The ids that the server's modules share: of connections, rooms and client addresses.
//!
//! Knows numbers and addresses; never knows connections or rooms themselves.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A connection's number, never reused while the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub u64);

/// A room's number while it is open; reused after the room is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(pub u32);

/// The address of a client, only for comparing: bans and failed attempts are counted by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddr(IpAddr);

impl ClientAddr {
    /// Any loopback address.
    pub const LOCAL: Self = Self(IpAddr::V4(Ipv4Addr::LOCALHOST));

    /// The address of an IP. Of IPv6 only the network part counts: one machine can use all 2⁶⁴ addresses of its network.
    pub(crate) fn from_ip(ip: IpAddr) -> Self {
        let ip = ip.to_canonical();
        if ip.is_loopback() {
            return Self::LOCAL;
        }
        match ip {
            IpAddr::V4(_) => Self(ip),
            IpAddr::V6(ip) => Self(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64)).into()),
        }
    }

    /// Reads what `Display` wrote; `None` if it is no address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::from_ip)
    }

    /// Whether this is the server's own machine; all clients of a reverse proxy have this address.
    pub(crate) fn is_local(self) -> bool {
        self == Self::LOCAL
    }
}

impl fmt::Display for ClientAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_machine_are_equal() {
        let of = |ip: &str| ClientAddr::from_ip(ip.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:203.0.113.7"), of("203.0.113.7"));
        assert_ne!(of("203.0.113.7"), of("203.0.113.8"));
        for ip in ["203.0.113.7", "2001:db8::1", "127.0.0.2"] {
            assert_eq!(ClientAddr::parse(&of(ip).to_string()), Some(of(ip)));
        }
        assert_eq!(ClientAddr::parse("perto"), None);
        assert!(
            of("127.0.0.2").is_local() && of("::1").is_local() && !of("192.168.0.1").is_local()
        );
    }
}
