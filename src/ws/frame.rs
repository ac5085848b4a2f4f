//! WebSocket frames as bytes (RFC 6455, section 5): writing the server's own, and finding where frames end in a stream.
//!
//! The server writes each frame once, unmasked, into a buffer that many connections share, so it writes them itself;
//! reading frames stays with tungstenite, and this module only follows their boundaries.
//!
//! Knows bytes; never knows sockets or what the payloads mean.

const FIN: u8 = 0x80;
const MASK_BIT: u8 = 0x80;
const OPCODE_MASK: u8 = 0x0F;
const CONTROL_BIT: u8 = 0x08;

/// The kinds of frame that the server writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// UTF-8 text.
    Text = 0x1,
    /// Bytes.
    Binary = 0x2,
    /// The last frame of a connection.
    Close = 0x8,
    /// Asks for a pong.
    Ping = 0x9,
    /// Answers a ping.
    Pong = 0xA,
}

/// Appends one whole unmasked frame.
///
/// Control frames must have a payload of at most 125 bytes.
pub fn write(buffer: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    buffer.reserve(payload.len() + 10);
    buffer.push(FIN | opcode as u8);
    match payload.len() {
        short @ 0..=125 => buffer.push(short as u8),
        medium @ 126..=0xFFFF => {
            buffer.push(126);
            buffer.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            buffer.push(127);
            buffer.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    buffer.extend_from_slice(payload);
}

/// Appends a close frame; the reason is cut at 123 bytes, between characters.
pub fn write_close(buffer: &mut Vec<u8>, code: u16, reason: &str) {
    const MAX_REASON: usize = 123;
    let reason = &reason[..reason.floor_char_boundary(MAX_REASON)];
    let mut payload = Vec::with_capacity(2 + reason.len());
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(reason.as_bytes());
    write(buffer, Opcode::Close, &payload);
}

/// Whether these bytes begin a close frame.
pub fn is_close(bytes: &[u8]) -> bool {
    bytes
        .first()
        .is_some_and(|first| first & OPCODE_MASK == Opcode::Close as u8)
}

/// Whether these bytes begin a pong.
pub fn is_pong(bytes: &[u8]) -> bool {
    bytes
        .first()
        .is_some_and(|first| first & OPCODE_MASK == Opcode::Pong as u8)
}

/// Follows a stream of frames and knows at every byte whether a frame or a fragmented message is still unfinished.
///
/// It judges nothing: what is wrong in a frame is found by whoever reads it.
#[derive(Debug, Default)]
pub struct Scanner {
    /// The bytes of a header that is not complete yet; 14 is the longest.
    header: [u8; 14],
    header_len: u8,
    /// Payload bytes still to come of the frame whose header is complete.
    payload_left: u64,
    /// Whether a data message has begun and its last fragment has not come.
    fragmented: bool,
}

impl Scanner {
    /// Follows the next bytes of the stream, and tells whether a message ended within them.
    pub fn feed(&mut self, mut bytes: &[u8]) -> bool {
        let mut ended = false;
        while !bytes.is_empty() {
            if self.payload_left > 0 {
                let skipped = self.payload_left.min(bytes.len() as u64);
                self.payload_left -= skipped;
                bytes = &bytes[skipped as usize..];
            } else {
                self.header[usize::from(self.header_len)] = bytes[0];
                self.header_len += 1;
                bytes = &bytes[1..];
                self.finish_header();
            }
            ended |= !self.unfinished();
        }
        ended
    }

    /// Whether something has begun and not ended: half a header, half a frame, or a message without its last fragment.
    pub fn unfinished(&self) -> bool {
        self.header_len > 0 || self.payload_left > 0 || self.fragmented
    }

    /// Bytes that are certainly missing from the frame at hand: 0 exactly at the end of a frame.
    pub fn min_remaining(&self) -> u64 {
        if self.header_len > 0 {
            1
        } else {
            self.payload_left
        }
    }

    fn finish_header(&mut self) {
        if self.header_len < 2 {
            return;
        }
        let [first, second, ..] = self.header;
        let (length_bytes, mask_bytes) = match second & !MASK_BIT {
            126 => (2, 4 * (second >> 7)),
            127 => (8, 4 * (second >> 7)),
            _ => (0, 4 * (second >> 7)),
        };
        if self.header_len < 2 + length_bytes + mask_bytes {
            return;
        }
        self.payload_left = match length_bytes {
            0 => u64::from(second & !MASK_BIT),
            n => self.header[2..2 + usize::from(n)]
                .iter()
                .fold(0, |length, &b| length << 8 | u64::from(b)),
        };
        if first & CONTROL_BIT == 0 {
            self.fragmented = first & FIN == 0;
        }
        self.header_len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tungstenite::protocol::Role;
    use tungstenite::protocol::frame::Frame;
    use tungstenite::protocol::frame::coding::{Data, OpCode};
    use tungstenite::{Message, WebSocket};

    /// What a peer's tungstenite reads from these bytes.
    fn read_back(bytes: &[u8]) -> Message {
        struct Stream<'a>(&'a [u8]);
        impl std::io::Read for Stream<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                self.0.read(buffer)
            }
        }
        impl std::io::Write for Stream<'_> {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        WebSocket::from_raw_socket(Stream(bytes), Role::Client, None)
            .read()
            .unwrap()
    }

    #[test]
    fn frames_of_every_length_are_read_back_by_tungstenite() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            let text = "x".repeat(length);
            let mut bytes = Vec::new();
            write(&mut bytes, Opcode::Text, text.as_bytes());
            assert_eq!(read_back(&bytes), Message::text(text));
        }
    }

    #[test]
    fn close_reason_is_cut_between_characters() {
        let mut bytes = Vec::new();
        write_close(&mut bytes, 1013, &"ã".repeat(100));
        assert!(is_close(&bytes) && !is_pong(&bytes));
        let Message::Close(Some(close)) = read_back(&bytes) else {
            panic!("no close frame")
        };
        assert_eq!(
            (u16::from(close.code), close.reason.as_str()),
            (1013, "ã".repeat(61).as_str())
        );
    }

    fn frame() -> impl Strategy<Value = Vec<u8>> {
        let length = prop_oneof![0..200_usize, 65_500..65_600_usize];
        (0..4_u8, length, any::<bool>(), any::<bool>()).prop_map(|(kind, length, fin, masked)| {
            let payload = vec![7_u8; length];
            let mut frame = match kind {
                0 => Frame::message(payload, OpCode::Data(Data::Text), fin),
                1 => Frame::message(payload, OpCode::Data(Data::Continue), fin),
                2 => Frame::message(payload, OpCode::Data(Data::Binary), fin),
                _ => Frame::ping(payload[..length.min(125)].to_vec()),
            };
            if masked {
                frame.header_mut().mask = Some([1, 2, 3, 4]);
            }
            let mut bytes = Vec::new();
            frame.format(&mut bytes).unwrap();
            bytes
        })
    }

    proptest! {
        #[test]
        fn scanner_finds_every_boundary_for_any_chunking(
            frames in prop::collection::vec(frame(), 1..6),
            cuts in prop::collection::vec(1..3000_usize, 1..20),
        ) {
            let mut scanner = Scanner::default();
            let mut fragmented = false;
            for frame in frames {
                let mut rest = frame.as_slice();
                for cut in cuts.iter().cycle() {
                    let (now, later) = rest.split_at((*cut).min(rest.len()));
                    scanner.feed(now);
                    rest = later;
                    if rest.is_empty() {
                        break;
                    }
                    prop_assert!(scanner.unfinished() && scanner.min_remaining() > 0);
                }
                if frame[0] & CONTROL_BIT == 0 {
                    fragmented = frame[0] & FIN == 0;
                }
                prop_assert_eq!(scanner.min_remaining(), 0);
                prop_assert_eq!(scanner.unfinished(), fragmented);
            }
        }

        #[test]
        fn scanner_accepts_any_bytes(bytes in any::<Vec<u8>>()) {
            Scanner::default().feed(&bytes);
        }
    }
}
