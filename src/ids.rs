//! The ids that the parts of the server share: connections, rooms, and where a connection comes from.
//!
//! Knows numbers and addresses; never knows what they stand for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The number of a connection, never used twice while the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub u64);

/// A room's number while it is open; used again after the room is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(pub u32);

/// Where a connection comes from, for counting and for closing the door; nothing can be read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddr(IpAddr);

impl ClientAddr {
    /// This machine.
    pub const LOCAL: Self = Self(IpAddr::V4(Ipv4Addr::LOCALHOST));

    /// The address behind an IP. Of IPv6 only the network counts: one machine has all 2⁶⁴ addresses of its own.
    pub fn from_ip(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            ip if ip.is_loopback() => Self::LOCAL,
            IpAddr::V6(ip) => Self(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64)).into()),
            ip => Self(ip),
        }
    }

    /// Whether this is the machine of the server itself: perhaps a proxy, behind which anybody may be.
    pub fn is_local(self) -> bool {
        self == Self::LOCAL
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
        assert!(
            of("127.0.0.2").is_local() && of("::1").is_local() && !of("192.168.0.1").is_local()
        );
    }
}
