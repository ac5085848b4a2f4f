//! Any bytes after the handshake, in pieces of any size: never a panic, never a message over the limit, an end that
//! comes, and the same messages however the bytes were cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use papo::protocol::MAX_FRAME;
use papo::ws::{End, Guard, Incoming, Pulse, Reader, Source, Watch};
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

impl Source for Peer<'_> {
    fn set_read_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that was understood, and the close code that the peer gave or gets; 0 when it is just gone.
fn conversation(bytes: &[u8], rest: usize, pieces: &[u8]) -> (Vec<Incoming>, u16) {
    let (rest, later) = bytes.split_at(rest.min(bytes.len()));
    let pulse = Some(Arc::new(Pulse::new(Instant::now())));
    let watch = Watch {
        budget: None,
        unfinished: Some(Duration::from_secs(3600)),
        pulse,
    };
    let guard = Guard::new(
        Peer {
            bytes: later,
            pieces,
            turn: 0,
        },
        watch,
    );
    let mut reader = Reader::accept(guard, rest.to_vec(), MAX_FRAME, Vec::new());
    let mut said = Vec::new();
    let code = loop {
        match reader.read() {
            Ok(incoming) => said.push(incoming),
            Err(End::Closed(code) | End::Broken(code, _)) => break code,
            Err(End::Lost(_)) => break 0,
            Err(End::Stalled) => panic!("an hour has not passed"),
        }
    };
    let size = |incoming: &Incoming| match incoming {
        Incoming::Text(text) => text.len(),
        Incoming::Binary(bytes) => bytes.len(),
        Incoming::Pong => 0,
    };
    assert!(said.iter().all(|incoming| size(incoming) <= MAX_FRAME));
    // What is answered to pings and closes is at most what a peer may make us send: its own bytes back.
    assert!(
        reader.replies_mut().len() <= bytes.len() + 16,
        "more is answered than was said"
    );
    (said, code)
}

fuzz_target!(|input: (u8, [u8; 4], &[u8])| {
    let (rest, pieces, bytes) = input;
    assert_eq!(
        conversation(bytes, rest.into(), &pieces),
        conversation(bytes, 0, &[]),
        "the pieces decided"
    );
});
