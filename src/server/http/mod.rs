//! HTTP for one request per connection: answered and closed, or upgraded to a WebSocket.
//!
//! The head is read by a loop of its own, because all of it has one deadline and one size limit, and the bytes after it
//! belong to the WebSocket.
//! Knows requests, responses and the page's files; never knows the chat.

mod head;
mod health;
mod page;
mod policy;
mod response;

pub use head::{HeadError, RequestHead, read_head};
pub use health::ServerHealth;
pub(crate) use policy::OriginTrust;
pub use policy::Policy;
pub(crate) use response::Response;

/// What to do with a request.
#[derive(Debug)]
pub enum Route {
    /// Send this and close.
    Respond(Response),
    /// Send this and continue as a WebSocket.
    Upgrade(Response, OriginTrust),
}

/// Decides how a request is answered.
pub fn route(head: &RequestHead, policy: &Policy, health: &ServerHealth) -> Route {
    match try_route(head, policy, health) {
        Ok(route) => route,
        Err(refusal) => Route::Respond(refusal),
    }
}

fn try_route(
    head: &RequestHead,
    policy: &Policy,
    health: &ServerHealth,
) -> Result<Route, Response> {
    let host = head
        .host
        .as_deref()
        .ok_or_else(|| Response::text(400, "Falta o cabeçalho Host neste pedido."))?;
    policy.check_host(host)?;
    if let Some(upgrade) = &head.upgrade {
        upgrade.check(head)?;
        let trust = policy.check_origin(head.origin.as_deref(), host)?;
        return Ok(Route::Upgrade(
            Response::switching_protocols(&upgrade.key),
            trust,
        ));
    }
    let found = match head.path.as_str() {
        "/saude" | "/health" => Some(health.respond()),
        path => page::file(path),
    };
    let not_found = || {
        Response::text(
            404,
            &format!("Não há nada aqui. A conversa fica em http://{host}/"),
        )
    };
    let response = found.ok_or_else(not_found);
    match head.method.as_str() {
        "GET" => Ok(Route::Respond(response?)),
        "HEAD" => Ok(Route::Respond(
            response.unwrap_or_else(|refusal| refusal).without_body(),
        )),
        _ => {
            response?;
            let refusal = Response::text(405, "Por aqui só se lê: use GET ou HEAD.");
            Err(refusal.with_header("Allow", "GET, HEAD"))
        }
    }
}

#[cfg(test)]
mod tests;
