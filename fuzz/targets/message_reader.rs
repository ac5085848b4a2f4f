//! Any bytes after the handshake, in pieces of any size: never a panic, never a message over the limit, always an end,
//! and the same messages however the bytes were cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use papo::protocol::MAX_FRAME;
use papo::ws::{
    Incoming, LastSeen, LimitedReader, MessageReader, ReadError, ReadLimits, TimedRead,
};
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A peer that sends its bytes in pieces of the given sizes, over and over, and closes.
struct Peer<'a> {
    bytes: &'a [u8],
    pieces: &'a [u8],
    turn: usize,
}

impl Read for Peer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let piece = self
            .pieces
            .get(self.turn % self.pieces.len().max(1))
            .map_or(usize::MAX, |&size| size.into());
        self.turn += 1;
        let wanted = piece.max(1).min(buffer.len());
        self.bytes.read(&mut buffer[..wanted])
    }
}

impl TimedRead for Peer<'_> {
    fn set_read_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
}

/// All messages, and the close code of either side; 0 when the connection is just gone.
fn read_all(bytes: &[u8], rest: usize, pieces: &[u8]) -> (Vec<Incoming>, u16) {
    let (rest, later) = bytes.split_at(rest.min(bytes.len()));
    let limits = ReadLimits {
        byte_rate: None,
        message_timeout: Some(Duration::from_secs(3600)),
        last_seen: Some(Arc::new(LastSeen::new(Instant::now()))),
    };
    let peer = Peer {
        bytes: later,
        pieces,
        turn: 0,
    };
    let limited = LimitedReader::new(peer, limits);
    let mut reader = MessageReader::accept(limited, rest.to_vec(), MAX_FRAME, Vec::new());
    let mut messages = Vec::new();
    let code = loop {
        match reader.read() {
            Ok(incoming) => messages.push(incoming),
            Err(ReadError::Closed(code) | ReadError::Violation(code, _)) => break code,
            Err(ReadError::Lost(_)) => break 0,
            Err(ReadError::Stalled) => panic!("an hour has not passed"),
        }
    };
    let size = |incoming: &Incoming| match incoming {
        Incoming::Text(text) => text.len(),
        Incoming::Binary(bytes) => bytes.len(),
        Incoming::Pong => 0,
    };
    assert!(messages.iter().all(|incoming| size(incoming) <= MAX_FRAME));
    // Pings and closes are answered with at most the peer's own bytes.
    assert!(
        reader.control_out_mut().len() <= bytes.len() + 16,
        "more bytes were answered than sent"
    );
    (messages, code)
}

fuzz_target!(|input: (u8, [u8; 4], &[u8])| {
    let (rest, pieces, bytes) = input;
    assert_eq!(
        read_all(bytes, rest.into(), &pieces),
        read_all(bytes, 0, &[]),
        "the pieces made a difference"
    );
});
