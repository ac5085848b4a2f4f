//! The little HTTP that a chat needs: one request, answered or upgraded, then never again on the same connection.
//!
//! The head is read by our own loop, because the whole of it has one deadline and one size limit, and whatever came
//! after it belongs to the WebSocket.
//!
//! Knows requests, answers and the page's files; never knows the chat.

mod head;
mod page;
mod policy;
mod response;

pub use head::{Head, HeadError, Upgrade, read_head};
pub use policy::{Policy, Trust};
pub use response::Response;

use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::exchange::Stats;

/// What is to be done with a request.
#[derive(Debug)]
pub enum Verdict {
    /// Answer it and close.
    Answer(Response),
    /// Send this and go on in WebSocket.
    Upgrade(Response, Trust),
}

/// Decides what a request gets.
pub fn judge(head: &Head, policy: &Policy, stats: &Stats, started: Instant) -> Verdict {
    match decide(head, policy, stats, started) {
        Ok(verdict) => verdict,
        Err(refusal) => Verdict::Answer(refusal),
    }
}

fn decide(
    head: &Head,
    policy: &Policy,
    stats: &Stats,
    started: Instant,
) -> Result<Verdict, Response> {
    let host = head
        .host
        .as_deref()
        .ok_or_else(|| Response::text(400, "Falta o cabeçalho Host neste pedido."))?;
    policy.check_host(host)?;
    if let Some(upgrade) = &head.upgrade {
        upgrade.check(head)?;
        let trust = policy.check_origin(head.origin.as_deref(), host)?;
        return Ok(Verdict::Upgrade(
            Response::switching_protocols(&upgrade.key),
            trust,
        ));
    }
    let found = match head.path.as_str() {
        "/saude" => Some(health(stats, started)),
        path => page::file(path),
    };
    let nothing_here = || {
        Response::text(
            404,
            &format!("Não há nada aqui. A conversa fica em http://{host}/"),
        )
    };
    let answer = found.ok_or_else(nothing_here);
    match head.method.as_str() {
        "GET" => Ok(Verdict::Answer(answer?)),
        "HEAD" => Ok(Verdict::Answer(
            answer.unwrap_or_else(|refusal| refusal).without_body(),
        )),
        _ => {
            answer?;
            let refusal = Response::text(405, "Por aqui só se lê: use GET ou HEAD.");
            Err(refusal.with("Allow", "GET, HEAD"))
        }
    }
}

fn health(stats: &Stats, started: Instant) -> Response {
    let health = serde_json::json!({
        "status": "ok",
        "server": format!("papo {}", env!("CARGO_PKG_VERSION")),
        "people": stats.people.load(Ordering::Relaxed),
        "connections": stats.connections.load(Ordering::Relaxed),
        "rooms": stats.rooms.load(Ordering::Relaxed),
        "uptime_s": started.elapsed().as_secs(),
    });
    Response::new(200, "application/json", format!("{health}\n").into_bytes())
}

#[cfg(test)]
mod tests;
