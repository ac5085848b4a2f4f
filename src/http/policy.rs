//! Who may connect: which names this server answers to, and pages of which origin may talk to it.
//!
//! Without the first rule, any web site could point its own name at this machine and read the chat (DNS rebinding);
//! without the second, any web site open in a visitor's browser could speak for them.

use super::Response;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The names and origins that are accepted besides the obvious ones.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Names of this server: the machine's own, and those given with `--dominio`. Lower case.
    pub domains: Vec<String>,
    /// Origins given with `--origem`, as browsers write them. Lower case.
    pub origins: Vec<String>,
}

impl Policy {
    /// An IP address, `localhost`, `*.local` or one of the given names; anything else is not this server.
    pub(super) fn check_host(&self, host: &str) -> Result<(), Response> {
        let name = name_of(host).to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        let in_brackets = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let is_address = match in_brackets {
            Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
            None => name.parse::<Ipv4Addr>().is_ok(),
        };
        let is_name = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
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

    /// No origin (a program), a page opened as a file, a page of this very server, or one of the given origins.
    pub(super) fn check_origin(&self, origin: Option<&str>, host: &str) -> Result<(), Response> {
        let Some(origin) = origin.map(str::to_ascii_lowercase) else { return Ok(()) };
        let own = authority_of(&origin).is_some_and(|theirs| theirs == with_port(&origin, host));
        if own || origin == "null" || self.origins.contains(&origin) {
            return Ok(());
        }
        let text = format!(
            "Uma página de “{origin}” não pode conversar com este servidor. Para permitir, ligue-o com --origem {origin}"
        );
        Err(Response::text(403, &text))
    }
}

/// The host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            // The colons of an IPv6 address are inside brackets.
            if host.starts_with('[') && !name.ends_with(']') { host } else { name }
        }
        _ => host,
    }
}

/// The host and port that an origin names, with the port that its scheme implies.
fn authority_of(origin: &str) -> Option<String> {
    let (scheme, authority) = origin.split_once("://")?;
    matches!(scheme, "http" | "https").then(|| with_port(origin, authority))
}

/// An authority with its port written out.
fn with_port(origin: &str, authority: &str) -> String {
    let authority = authority.to_ascii_lowercase();
    if name_of(&authority).len() < authority.len() {
        return authority;
    }
    let port = if origin.starts_with("https://") { 443 } else { 80 };
    format!("{authority}:{port}")
}
