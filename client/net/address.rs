//! The server's address as people write it: `192.168.0.10`, `casa.local:9001`, `[::1]:9000`, or the `http://…` that the
//! server shows when it starts.
//!
//! Knows the spelling of addresses; never knows whether a server answers there.

use std::fmt;
use std::net::Ipv6Addr;

/// The server's default port.
pub const DEFAULT_PORT: u16 = 9000;

/// A server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A host name or an IP address, without the brackets of IPv6.
    host: String,
    port: u16,
    /// Begins with `/`.
    path: String,
}

/// Why a text is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressError {
    Malformed,
    /// `wss://` or `https://`: this client has no TLS.
    Encrypted,
}

impl Address {
    pub fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.to_owned(),
            port,
            path: "/".to_owned(),
        }
    }

    /// Reads an address as it was written.
    pub fn parse(raw: &str) -> Result<Self, AddressError> {
        let raw = raw.trim();
        let (scheme, rest) = raw.split_once("://").unwrap_or(("ws", raw));
        match scheme.to_ascii_lowercase().as_str() {
            "ws" | "http" => {}
            "wss" | "https" => return Err(AddressError::Encrypted),
            _ => return Err(AddressError::Malformed),
        }
        // The fragment is for the page.
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_port(authority)?;
        let port = match port {
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|&port| port > 0)
                .ok_or(AddressError::Malformed)?,
            None => DEFAULT_PORT,
        };
        let well_formed = !host.is_empty()
            && host
                .chars()
                .all(|c| c.is_alphanumeric() || "-._:%".contains(c));
        if !well_formed || path.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(AddressError::Malformed);
        }
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self {
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        })
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address for the handshake; its host becomes the `Host` header, which the server checks.
    pub fn url(&self) -> String {
        format!("ws://{self}{}", self.path)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), AddressError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(AddressError::Malformed)?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(AddressError::Malformed),
        };
    }
    if authority.parse::<Ipv6Addr>().is_ok() {
        return Ok((authority, None));
    }
    match authority.split_once(':') {
        Some((_, port)) if port.contains(':') => Err(AddressError::Malformed),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((authority, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(raw: &str) -> String {
        Address::parse(raw).map_or_else(|error| format!("{error:?}"), |address| address.to_string())
    }

    #[test]
    fn address_is_parsed_in_every_usual_form() {
        assert_eq!(parsed("192.168.0.10"), "192.168.0.10:9000");
        assert_eq!(parsed("casa.local:9001"), "casa.local:9001");
        assert_eq!(parsed("[::1]:9001"), "[::1]:9001");
        assert_eq!(parsed("::1"), "[::1]:9000");
        assert_eq!(parsed("ws://localhost:8000/papo"), "localhost:8000");
        assert_eq!(parsed("http://192.168.0.10:9000/#lab"), "192.168.0.10:9000");
    }

    #[test]
    fn url_keeps_host_port_and_path() {
        assert_eq!(
            Address::parse("ws://[::1]:8000/papo").unwrap().url(),
            "ws://[::1]:8000/papo"
        );
        assert_eq!(
            Address::parse("localhost").unwrap().url(),
            "ws://localhost:9000/"
        );
    }

    #[test]
    fn malformed_address_is_rejected() {
        for raw in [
            "",
            ":9000",
            "a b",
            "host:abc",
            "host:0",
            "host:70000",
            "[::1",
            "a:b:c",
            "ftp://x",
            "x\x1b[2J",
        ] {
            assert_eq!(parsed(raw), "Malformed", "{raw:?}");
        }
        assert_eq!(parsed("wss://papo.example"), "Encrypted");
    }
}
