//! The accepted values of `Host` and `Origin`.
//!
//! Checking `Host` stops DNS rebinding: a web site that points its own name at this machine and reads the chat. Checking
//! `Origin` stops web sites from speaking through a browser that has them open.

use crate::auth::PasswordHash;
use crate::server::http::Response;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The names and origins accepted beside the default ones.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Names of this server: the machine's own, and those given with `--dominio`. Lower case.
    pub domains: Vec<String>,
    /// Origins given with `--origem`, as browsers write them. Lower case.
    pub origins: Vec<String>,
    /// The key that a page opened as a file must send; without it, no such page may enter.
    pub local_page_key: Option<PasswordHash>,
}

/// How far the origin of a connection is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginTrust {
    /// A program, a page of this server, or one of an origin that was allowed.
    Full,
    /// The origin `null`: a page opened as a file, or a sandboxed frame of any web site. Only the former has the key.
    NeedsKey,
}

impl Policy {
    /// Accepts an IP address, `localhost`, `*.local` or one of the given names.
    pub(super) fn check_host(&self, host: &str) -> Result<(), Response> {
        let name = host_without_port(host).to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        let in_brackets = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        let is_address = match in_brackets {
            Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
            None => name.parse::<Ipv4Addr>().is_ok(),
        };
        let is_name = name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
        let known = is_address
            || name == "localhost"
            || (is_name && name.ends_with(".local") && name.len() > ".local".len())
            || self.domains.iter().any(|domain| domain == name);
        if known {
            return Ok(());
        }
        let text = format!(
            "Este servidor não atende pelo nome “{name}”. Abra a conversa pelo endereço IP, ou ligue o servidor com \
             --dominio {name}"
        );
        Err(Response::text(421, &text))
    }

    /// Whether this key admits a connection of origin `null`.
    pub(crate) fn accepts_local_page_key(&self, key: Option<&str>) -> bool {
        self.local_page_key
            .zip(key)
            .is_some_and(|(ours, shown)| ours.matches(shown))
    }

    /// Accepts no origin (a program), this server's own, one of the given ones, or `null` (a page opened as a file).
    pub(super) fn check_origin(
        &self,
        origin: Option<&str>,
        host: &str,
    ) -> Result<OriginTrust, Response> {
        let Some(origin) = origin.map(str::to_ascii_lowercase) else {
            return Ok(OriginTrust::Full);
        };
        let own = origin_authority(&origin)
            .is_some_and(|theirs| theirs == with_default_port(&origin, host));
        if own || self.origins.contains(&origin) {
            return Ok(OriginTrust::Full);
        }
        if origin == "null" {
            return Ok(OriginTrust::NeedsKey);
        }
        let text = format!(
            "Uma página de “{origin}” não pode conversar com este servidor. Para permitir, ligue-o com --origem {origin}"
        );
        Err(Response::text(403, &text))
    }
}

/// The host without its port.
fn host_without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            // The last colon may be one of an IPv6 address, inside the brackets.
            if host.starts_with('[') && !name.ends_with(']') {
                host
            } else {
                name
            }
        }
        _ => host,
    }
}

/// An origin's host and port; without a port, its scheme's default.
fn origin_authority(origin: &str) -> Option<String> {
    let (scheme, authority) = origin.split_once("://")?;
    matches!(scheme, "http" | "https").then(|| with_default_port(origin, authority))
}

/// An authority with its port written out.
fn with_default_port(origin: &str, authority: &str) -> String {
    let authority = authority.to_ascii_lowercase();
    if host_without_port(&authority).len() < authority.len() {
        return authority;
    }
    let port = if origin.starts_with("https://") {
        443
    } else {
        80
    };
    format!("{authority}:{port}")
}
