//! One connection after another: at most one at a time, and after a loss the next one, with growing delays.
//!
//! Knows when to connect; never knows what a message means, nor why a connection is wanted.

use crate::net::address::Address;
use crate::net::connection;
use crate::net::connection::{ConnectError, ServerEvent, ServerHandle};
use crossbeam_channel::Sender;
use papo::protocol::{ClientMessage, ServerMessage};
use std::time::{Duration, Instant};

/// Longest delay before the first retry; it doubles with each further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// Longest delay before any retry.
const MAX_BACKOFF: Duration = Duration::from_secs(20);
/// After a connection that lasted this long the delays start again from the first.
const STABLE_AFTER: Duration = Duration::from_secs(10);
/// The close code for leaving in order (RFC 6455).
const CLOSE_NORMAL: u16 = 1000;

/// What happened to the current connection.
#[derive(Debug)]
pub enum SessionEvent {
    /// It is open; nothing has been sent yet.
    Connected,
    Received(ServerMessage),
    /// There is no connection, or none any more.
    Disconnected(DisconnectCause),
}

/// How a connection ended, or did not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectCause {
    ConnectFailed(ConnectError),
    Closed,
}

/// The current connection, and when the next one is opened.
pub struct Session {
    address: Address,
    events: Sender<(u64, ServerEvent)>,
    /// The number of the current connection; events of older ones are ignored.
    generation: u64,
    server: Option<ServerHandle>,
    opened_at: Option<Instant>,
    /// This connection has sent a valid message.
    protocol_confirmed: bool,
    attempts: u32,
    retry_at: Option<Instant>,
}

impl Session {
    pub fn new(address: Address, events: Sender<(u64, ServerEvent)>) -> Self {
        Self {
            address,
            events,
            generation: 0,
            server: None,
            opened_at: None,
            protocol_confirmed: false,
            attempts: 0,
            retry_at: None,
        }
    }

    /// Starts a new connection and drops the old one.
    pub fn connect(&mut self) {
        self.drop_connection();
        if connection::open(self.address.clone(), self.generation, self.events.clone()).is_err() {
            let failed = ServerEvent::Failed(ConnectError::NoThread);
            // This thread also receives: waiting for room in the channel would be a deadlock.
            if self.events.try_send((self.generation, failed)).is_err() {
                self.retry_at = Some(Instant::now() + MAX_BACKOFF);
            }
        }
    }

    /// Connects again at a random time: within `within`, or within a ceiling that grows with each attempt. The random
    /// delay keeps a thousand clients from reconnecting in the same instant.
    pub fn retry(&mut self, within: Option<Duration>, now: Instant) {
        self.drop_connection();
        if self
            .opened_at
            .take()
            .is_some_and(|then| now.saturating_duration_since(then) >= STABLE_AFTER)
        {
            self.attempts = 0;
        }
        let ceiling = within.unwrap_or_else(|| backoff_ceiling(self.attempts));
        self.attempts = self.attempts.saturating_add(1);
        self.retry_at = Some(now + ceiling.mul_f64(random_fraction()));
    }

    pub fn send(&self, message: &ClientMessage) {
        if let Some(server) = &self.server {
            server.send(message.to_json());
        }
    }

    pub fn close(&self) {
        if let Some(server) = &self.server {
            server.close(CLOSE_NORMAL);
        }
    }

    /// When [`Session::tick`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        self.retry_at
    }

    pub fn tick(&mut self, now: Instant) {
        if self.retry_at.is_some_and(|time| now >= time) {
            self.connect();
        }
    }

    /// Turns an event of a connection into one of the session; `None` if it changes nothing.
    pub fn on_server_event(
        &mut self,
        generation: u64,
        event: ServerEvent,
        now: Instant,
    ) -> Option<SessionEvent> {
        if generation != self.generation {
            if let ServerEvent::Opened(server) = event {
                server.abort();
            }
            return None;
        }
        match event {
            ServerEvent::Opened(server) => {
                self.server = Some(server);
                self.opened_at = Some(now);
                Some(SessionEvent::Connected)
            }
            ServerEvent::Message(message) => {
                self.protocol_confirmed = true;
                Some(SessionEvent::Received(message))
            }
            // Later protocols may have messages unknown here; but a first message must be a known one.
            ServerEvent::Malformed if self.protocol_confirmed => None,
            ServerEvent::Malformed => {
                self.disconnect(DisconnectCause::ConnectFailed(ConnectError::NotAChat))
            }
            ServerEvent::Failed(error) => self.disconnect(DisconnectCause::ConnectFailed(error)),
            ServerEvent::Closed => self.disconnect(DisconnectCause::Closed),
        }
    }

    fn disconnect(&mut self, cause: DisconnectCause) -> Option<SessionEvent> {
        self.drop_connection();
        Some(SessionEvent::Disconnected(cause))
    }

    fn drop_connection(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
        }
        self.generation += 1;
        self.protocol_confirmed = false;
        self.retry_at = None;
    }
}

/// The longest wait before a retry.
fn backoff_ceiling(attempts: u32) -> Duration {
    FIRST_BACKOFF
        .saturating_mul(2u32.saturating_pow(attempts))
        .min(MAX_BACKOFF)
}

/// A random number from 0 to 1; half where the system has no random numbers.
fn random_fraction() -> f64 {
    getrandom::u32().map_or(0.5, |n| f64::from(n) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::unbounded;

    fn session() -> Session {
        Session::new(Address::new("127.0.0.1", 9), unbounded().0)
    }

    #[test]
    fn backoff_doubles_up_to_twenty_seconds() {
        let waits: Vec<u64> = (0..8)
            .map(|n| backoff_ceiling(n).as_millis() as u64)
            .collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000]);
        assert_eq!(backoff_ceiling(u32::MAX), MAX_BACKOFF);
    }

    #[test]
    fn retry_comes_within_the_time_the_server_asked_for() {
        let mut session = session();
        let now = Instant::now();
        session.retry(Some(Duration::from_secs(3)), now);
        let time = session.deadline().unwrap();
        assert!((now..=now + Duration::from_secs(3)).contains(&time));
    }

    #[test]
    fn events_of_an_old_connection_are_ignored() {
        let mut session = session();
        let now = Instant::now();
        session.retry(None, now);
        assert!(
            session
                .on_server_event(0, ServerEvent::Closed, now)
                .is_none()
        );
        assert!(matches!(
            session.on_server_event(1, ServerEvent::Closed, now),
            Some(SessionEvent::Disconnected(DisconnectCause::Closed))
        ));
    }

    #[test]
    fn first_malformed_message_means_not_a_chat() {
        let mut session = session();
        let now = Instant::now();
        let event = session.on_server_event(0, ServerEvent::Malformed, now);
        assert!(matches!(
            event,
            Some(SessionEvent::Disconnected(DisconnectCause::ConnectFailed(
                ConnectError::NotAChat
            )))
        ));
        let generation = session.generation;
        session.on_server_event(
            generation,
            ServerEvent::Message(ServerMessage::Pong { id: None }),
            now,
        );
        assert!(
            session
                .on_server_event(generation, ServerEvent::Malformed, now)
                .is_none(),
            "a later protocol may have more messages"
        );
    }
}
