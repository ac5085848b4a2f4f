//! Who may connect: which names this server answers to, and pages of which origin may talk to it.
//!
//! Without the first rule, any web site could point its own name at this machine and read the chat (DNS rebinding);
//! without the second, any web site open in a visitor's browser could speak for them.

use crate::auth::PasswordHash;
use crate::server::http::Response;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The names and origins that are accepted besides the obvious ones.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Names of this server: the machine's own, and those given with `--dominio`. Lower case.
    pub domains: Vec<String>,
    /// Origins given with `--origem`, as browsers write them. Lower case.
    pub origins: Vec<String>,
    /// What a page opened as a file must show; without it, no such page gets in.
    pub local_page_key: Option<PasswordHash>,
}

/// How far the origin of a connection is to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginTrust {
    /// A program, a page of this server, or one of an origin that was allowed.
    Full,
    /// The origin `null`: a page opened as a file, or a sandboxed frame of any web site. Only the former can show the key.
    NeedsKey,
}

impl Policy {
    /// An IP address, `localhost`, `*.local` or one of the given names; anything else is not this server.
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

    /// Whether somebody who entered with this key may come from where a file's pages come from.
    pub fn accepts_local_page_key(&self, key: Option<&str>) -> bool {
        self.local_page_key
            .zip(key)
            .is_some_and(|(ours, shown)| ours.matches(shown))
    }

    /// No origin (a program), a page of this very server, one of the given origins, or a page opened as a file.
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
            // The colons of an IPv6 address are inside brackets.
            if host.starts_with('[') && !name.ends_with(']') {
                host
            } else {
                name
            }
        }
        _ => host,
    }
}

/// The host and port that an origin names, with the port that its scheme implies.
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
