//! The reader against scripted streams: messages, replies, violations and deadlines.

use super::*;
use crate::ws::frame::{Opcode, write, write_close};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A stream of prepared pieces, which then waits for its timeout, or ends without one.
struct ScriptedStream {
    pieces: VecDeque<Vec<u8>>,
    timeout: std::cell::Cell<Option<Duration>>,
}

impl ScriptedStream {
    fn new(pieces: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self {
            pieces: pieces.into_iter().collect(),
            timeout: std::cell::Cell::new(None),
        }
    }
}

impl Read for ScriptedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.pieces.front_mut() else {
            return match self.timeout.get() {
                Some(timeout) => {
                    std::thread::sleep(timeout);
                    Err(io::ErrorKind::WouldBlock.into())
                }
                None => Ok(0),
            };
        };
        let read = piece.len().min(buffer.len());
        buffer[..read].copy_from_slice(&piece[..read]);
        piece.drain(..read);
        if piece.is_empty() {
            self.pieces.pop_front();
        }
        Ok(read)
    }
}

impl TimedRead for ScriptedStream {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.timeout.set(timeout);
        Ok(())
    }
}

/// One masked frame, as clients send it (a mask of zeros leaves the payload readable).
fn from_client(fin: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![u8::from(fin) << 7 | opcode];
    match payload.len() {
        short @ 0..=125 => frame.push(0x80 | short as u8),
        medium => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(medium as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

fn reader(
    pieces: impl IntoIterator<Item = Vec<u8>>,
    limits: ReadLimits,
) -> MessageReader<ScriptedStream, Vec<u8>> {
    MessageReader::accept(
        LimitedReader::new(ScriptedStream::new(pieces), limits),
        Vec::new(),
        1000,
        Vec::new(),
    )
}

#[test]
fn fragmented_message_arrives_whole_around_a_ping() {
    let pieces = [
        from_client(false, 1, "Ol".as_bytes()),
        from_client(true, 9, b"p"),
        from_client(true, 0, "á".as_bytes()),
    ];
    let mut reader = reader(pieces, ReadLimits::default());
    assert_eq!(reader.read().unwrap(), Incoming::Text("Olá".into()));
    assert!(matches!(reader.read(), Err(ReadError::Lost(_))));
    let mut pong = Vec::new();
    write(&mut pong, Opcode::Pong, b"p");
    assert_eq!(*reader.control_out_mut(), pong);
}

#[test]
fn ping_flood_is_answered_first_few_and_last() {
    let flood = (0..100_u8)
        .flat_map(|n| from_client(true, 9, &[n]))
        .collect();
    let mut reader = reader([flood], ReadLimits::default());
    assert!(reader.read().is_err());
    let mut pongs = Vec::new();
    for n in (0..16).chain([99]) {
        write(&mut pongs, Opcode::Pong, &[n]);
    }
    assert_eq!(*reader.control_out_mut(), pongs);
}

/// A busy client was once disconnected after ten seconds: each of its reads ended within another message.
#[test]
fn whole_messages_across_reads_never_time_out() {
    let message = from_client(true, 1, &[b'a'; 99]);
    let limit = Duration::from_millis(150);
    let stream = message.repeat(30);
    // Every piece ends five bytes into the next message.
    let pieces = std::iter::once(stream[..5].to_vec())
        .chain(stream[5..].chunks(message.len()).map(<[u8]>::to_vec));
    let mut reader = reader(
        pieces,
        ReadLimits {
            message_timeout: Some(limit),
            ..ReadLimits::default()
        },
    );
    let start = Instant::now();
    for read in 1..=30 {
        reader.read().unwrap();
        // Three times the limit passes in all; the caller's time between reads does not count either.
        while start.elapsed() < read * limit / 10 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn close_is_answered_with_its_own_code() {
    let mut reader = reader(
        [from_client(true, 8, &1000_u16.to_be_bytes())],
        ReadLimits::default(),
    );
    assert!(matches!(reader.read(), Err(ReadError::Closed(1000))));
    let mut close = Vec::new();
    write_close(&mut close, 1000, "");
    assert_eq!(*reader.control_out_mut(), close);
}

#[test]
fn violations_have_their_close_codes() {
    let cases: [(Vec<u8>, u16); 5] = [
        (from_client(true, 1, &[0xFF]), 1007),
        (from_client(true, 1, &[b'a'; 1001]), 1009),
        (from_client(true, 3, b""), 1002),
        (from_client(true, 0, b""), 1002),
        (vec![0x81, 0x01, b'a'], 1002),
    ];
    for (bytes, expected) in cases {
        let end = reader([bytes.clone()], ReadLimits::default())
            .read()
            .expect_err("a violation");
        assert!(
            matches!(end, ReadError::Violation(code, _) if code == expected),
            "{bytes:?}: {end:?}"
        );
    }
}

#[test]
fn message_begun_behind_a_whole_one_also_times_out() {
    let mut both = from_client(true, 1, b"oi");
    both.extend_from_slice(&from_client(true, 1, b"metade")[..4]);
    let limits = ReadLimits {
        message_timeout: Some(Duration::from_millis(20)),
        ..ReadLimits::default()
    };
    let mut reader = reader([both], limits);
    assert_eq!(reader.read().unwrap(), Incoming::Text("oi".into()));
    assert!(matches!(reader.read(), Err(ReadError::Stalled)));
}

#[test]
fn deadline_holds_for_one_byte_at_a_time() {
    struct Slow(Instant);
    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            std::thread::sleep(Duration::from_millis(1));
            assert!(
                self.0.elapsed() < Duration::from_secs(30),
                "the deadline was never kept"
            );
            buffer[0] = 0;
            Ok(1)
        }
    }
    impl TimedRead for Slow {
        fn set_read_timeout(&self, _: Option<Duration>) -> io::Result<()> {
            Ok(())
        }
    }
    let limits = ReadLimits {
        message_timeout: Some(Duration::from_millis(30)),
        ..ReadLimits::default()
    };
    let mut input = LimitedReader::new(Slow(Instant::now()), limits);
    input.already_read(&[0x01, 0x80]);
    let mut reader = MessageReader::accept(input, Vec::new(), 1000, Vec::new());
    // Zeros are empty continuation frames: each frame ends, the message never does.
    assert!(matches!(
        reader.read(),
        Err(ReadError::Stalled | ReadError::Violation(..))
    ));
}

#[test]
fn flood_is_read_at_the_byte_rate() {
    let flood: Vec<u8> = from_client(true, 2, &[0; 500]).repeat(20);
    let bytes = flood.len();
    let byte_rate = ByteRate {
        per_second: 100_000,
        burst: 1_000,
    };
    let start = Instant::now();
    let mut reader = reader(
        [flood],
        ReadLimits {
            byte_rate: Some(byte_rate),
            ..ReadLimits::default()
        },
    );
    while reader.read().is_ok() {}
    // Charged after the fact: the burst and the last read (a bit more than 4 KiB) cost no time.
    let throttled = bytes - 1_000 - 4_200;
    assert!(start.elapsed() >= Duration::from_secs_f64(throttled as f64 / 100_000.0));
}

#[test]
fn last_seen_moves_with_every_touch() {
    let start = Instant::now();
    let last_seen = std::sync::Arc::new(LastSeen::new(start));
    let later = start + Duration::from_secs(50);
    assert_eq!(last_seen.idle_for(later), Duration::from_secs(50));
    last_seen.touch(start + Duration::from_secs(20));
    assert_eq!(last_seen.idle_for(later), Duration::from_secs(30));
}

proptest! {
    #[test]
    fn reader_terminates_on_any_input(pieces in prop::collection::vec(any::<Vec<u8>>(), 0..8)) {
        let limits = ReadLimits { message_timeout: Some(Duration::from_millis(1)), ..ReadLimits::default() };
        let mut reader = reader(pieces, limits);
        while reader.read().is_ok() {}
    }

    #[test]
    fn text_survives_any_fragmentation(text in "\\PC{0,80}", cuts in prop::collection::vec(0..100_usize, 0..5)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for (n, cut) in cuts.iter().chain([&text.len()]).enumerate() {
            pieces.push(from_client(n == cuts.len(), u8::from(n == 0), &text.as_bytes()[from..*cut]));
            from = *cut;
        }
        prop_assert_eq!(reader(pieces, ReadLimits::default()).read().unwrap(), Incoming::Text(text.into()));
    }
}
