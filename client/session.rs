//! The succession of connections: at most one at a time, and after a loss the next one, later and later.
//!
//! Knows when to connect; never knows what is said, nor why a connection is wanted.

use crate::address::Address;
use crate::app::{Event, Gone};
use crate::connection::{self, Link, News};
use crate::words::Failure;
use crossbeam_channel::Sender;
use papo::protocol::ClientMessage;
use std::time::{Duration, Instant};

/// The first retry comes within this time, each further one within the double …
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// … up to this.
const LAST_RETRY: Duration = Duration::from_secs(20);
/// A connection that lived this long makes the next retry a first one again.
const STABLE: Duration = Duration::from_secs(10);
/// Close code of whoever leaves for good (RFC 6455).
const NORMAL: u16 = 1000;

/// The connection at hand, or the next one.
pub struct Session {
    address: Address,
    news: Sender<(u64, News)>,
    /// Which connection is the current one; what older ones still tell is not heard.
    number: u64,
    link: Option<Link>,
    opened_at: Option<Instant>,
    /// Whether this connection has said something of our language.
    fluent: bool,
    attempts: u32,
    retry_at: Option<Instant>,
}

impl Session {
    pub fn new(address: Address, news: Sender<(u64, News)>) -> Self {
        Self {
            address,
            news,
            number: 0,
            link: None,
            opened_at: None,
            fluent: false,
            attempts: 0,
            retry_at: None,
        }
    }

    /// Begins a new connection; the old one, if any, is forgotten.
    pub fn connect(&mut self) {
        self.abandon();
        if connection::open(self.address.clone(), self.number, self.news.clone()).is_err() {
            let failure = Failure::Other("o sistema não deu mais um fio de execução".into());
            // Whoever takes the news up is the one who stands here: there is no waiting for room.
            if self
                .news
                .try_send((self.number, News::Failed(failure)))
                .is_err()
            {
                self.retry_at = Some(Instant::now() + LAST_RETRY);
            }
        }
    }

    /// Connects again later: at a random time within `within`, or as the number of attempts asks. Chance keeps a
    /// thousand clients from coming back in the same instant.
    pub fn retry(&mut self, within: Option<Duration>, now: Instant) {
        self.abandon();
        if self
            .opened_at
            .take()
            .is_some_and(|then| now.saturating_duration_since(then) >= STABLE)
        {
            self.attempts = 0;
        }
        let ceiling = within.unwrap_or_else(|| ceiling(self.attempts));
        self.attempts = self.attempts.saturating_add(1);
        self.retry_at = Some(now + ceiling.mul_f64(chance()));
    }

    pub fn send(&self, message: &ClientMessage) {
        if let Some(link) = &self.link {
            link.say(message.to_json());
        }
    }

    pub fn close(&self) {
        if let Some(link) = &self.link {
            link.close(NORMAL);
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

    /// What the news of a connection means.
    pub fn heard(&mut self, number: u64, news: News, now: Instant) -> Option<Event> {
        if number != self.number {
            if let News::Open(link) = news {
                link.cut();
            }
            return None;
        }
        match news {
            News::Open(link) => {
                self.link = Some(link);
                self.opened_at = Some(now);
                Some(Event::Opened)
            }
            News::Said(message) => {
                self.fluent = true;
                Some(Event::Said(message))
            }
            // The language may grow; but whoever has never spoken it does not speak it at all.
            News::Garbled if self.fluent => None,
            News::Garbled => self.gone(Gone::Failed(Failure::NotAChat)),
            News::Failed(failure) => self.gone(Gone::Failed(failure)),
            News::Ended => self.gone(Gone::Ended),
        }
    }

    fn gone(&mut self, gone: Gone) -> Option<Event> {
        self.abandon();
        Some(Event::Gone(gone))
    }

    fn abandon(&mut self) {
        if let Some(link) = self.link.take() {
            link.cut();
        }
        self.number += 1;
        self.fluent = false;
        self.retry_at = None;
    }
}

/// The longest wait before a retry.
fn ceiling(attempts: u32) -> Duration {
    FIRST_RETRY
        .saturating_mul(2u32.saturating_pow(attempts))
        .min(LAST_RETRY)
}

/// A random number from 0 to 1.
fn chance() -> f64 {
    // Without chance, waiting half of the time is as good as any.
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
    fn waits_double_up_to_twenty_seconds() {
        let waits: Vec<u64> = (0..8).map(|n| ceiling(n).as_millis() as u64).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000]);
        assert_eq!(ceiling(u32::MAX), LAST_RETRY);
    }

    #[test]
    fn a_retry_comes_within_the_time_that_the_server_asked_for() {
        let mut session = session();
        let now = Instant::now();
        session.retry(Some(Duration::from_secs(3)), now);
        let time = session.deadline().unwrap();
        assert!((now..=now + Duration::from_secs(3)).contains(&time));
    }

    #[test]
    fn the_last_words_of_an_old_connection_are_not_heard() {
        let mut session = session();
        let now = Instant::now();
        session.retry(None, now);
        assert!(session.heard(0, News::Ended, now).is_none());
        assert!(matches!(
            session.heard(1, News::Ended, now),
            Some(Event::Gone(Gone::Ended))
        ));
    }

    #[test]
    fn who_answers_in_another_language_is_not_a_chat() {
        let mut session = session();
        let now = Instant::now();
        let gone = session.heard(0, News::Garbled, now);
        assert!(matches!(
            gone,
            Some(Event::Gone(Gone::Failed(Failure::NotAChat)))
        ));
        let number = session.number;
        session.heard(number, News::Said(papo::protocol::ServerMessage::Pong), now);
        assert!(
            session.heard(number, News::Garbled, now).is_none(),
            "the language may have grown"
        );
    }
}
