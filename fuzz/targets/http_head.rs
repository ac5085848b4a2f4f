//! Any bytes as the head of a request, in pieces of any size: never a panic, never more than the limit, and the same
//! result however the bytes were cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use papo::server::Policy;
use papo::testing::{HeadError, RequestHead, ServerHealth, read_head, route};
use papo::ws::TimedRead;
use std::io::{self, Read};
use std::time::{Duration, Instant};

/// A peer that sends its bytes in pieces and closes.
struct Peer<'a> {
    bytes: &'a [u8],
    piece: usize,
}

impl Read for Peer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = self.piece.min(buffer.len());
        self.bytes.read(&mut buffer[..wanted])
    }
}

impl TimedRead for Peer<'_> {
    fn set_read_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
}

/// A head with the bytes after it, a refusal, or nothing.
fn read_outcome(bytes: &[u8], piece: usize) -> Result<(RequestHead, Vec<u8>), Option<Vec<u8>>> {
    let mut peer = Peer { bytes, piece };
    let read = read_head(&mut peer, Instant::now() + Duration::from_secs(3600));
    read.map(|(head, mut rest)| {
        rest.extend_from_slice(peer.bytes);
        (head, rest)
    })
    .map_err(|error| match error {
        HeadError::Refused(refusal) => Some(refusal.to_bytes()),
        HeadError::Gone(_) => None,
    })
}

fuzz_target!(|input: &[u8]| {
    let Some((&piece, bytes)) = input.split_first() else {
        return;
    };
    let whole = read_outcome(bytes, usize::MAX);
    let pieces = read_outcome(bytes, usize::from(piece) + 1);
    if let (Ok(whole), Ok(pieces)) = (&whole, &pieces) {
        assert_eq!(whole, pieces, "the pieces made a difference");
    }
    if let Ok((head, rest)) = whole {
        assert!(bytes.ends_with(&rest) && bytes.len() - rest.len() <= 8 * 1024);
        route(&head, &Policy::default(), &ServerHealth::default());
    }
});
