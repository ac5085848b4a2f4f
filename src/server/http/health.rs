//! What `/saude` answers: whether messages can be kept, and some figures.
//!
//! Knows figures and the history's health; never knows who is counted or what is stored.

use crate::history::HistoryHealth;
use crate::server::http::Response;
use crate::stats::Stats;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// What a running server can say about itself.
#[derive(Debug)]
pub struct ServerHealth {
    /// The figures.
    pub stats: Arc<Stats>,
    /// Whether messages can be kept.
    pub history: Arc<HistoryHealth>,
    /// When the server started.
    pub started_at: Instant,
}

impl Default for ServerHealth {
    /// A server that starts now.
    fn default() -> Self {
        Self {
            stats: Arc::default(),
            history: Arc::default(),
            started_at: Instant::now(),
        }
    }
}

impl ServerHealth {
    /// 200 with the status `ok`, or 503 with `degraded` and the reason while no message can be kept.
    pub(super) fn respond(&self) -> Response {
        let fault = self.history.fault(Instant::now());
        let mut health = json!({
            "status": fault.map_or("ok", |_| "degraded"),
            "server": format!("papo {}", env!("CARGO_PKG_VERSION")),
            "people": self.stats.people.load(Ordering::Relaxed),
            "connections": self.stats.connections.load(Ordering::Relaxed),
            "rooms": self.stats.rooms.load(Ordering::Relaxed),
            "uptime_s": self.started_at.elapsed().as_secs(),
        });
        if let Some(fault) = fault {
            health["reason"] = fault.code().into();
            health["text"] = fault.describe().into();
        }
        let status = if fault.is_some() { 503 } else { 200 };
        Response::new(
            status,
            "application/json",
            format!("{health}\n").into_bytes(),
        )
    }
}
