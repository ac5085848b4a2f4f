//! An HTTP response: a status, the headers that every response has, and a body.
//!
//! Knows HTTP's form; never knows what was asked.

use crate::pt::group_thousands;
use std::borrow::Cow;
use std::fmt::Write;

/// What the page may do: load its own files, connect to chat servers, and nothing else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    headers: Vec<(&'static str, String)>,
    body: Cow<'static, [u8]>,
    /// False for `HEAD`: the length is sent, the body is not.
    send_body: bool,
}

impl Response {
    /// A response with a body of this type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Cow<'static, [u8]>>) -> Self {
        let headers = vec![
            ("Content-Type", content_type.to_owned()),
            (
                "Content-Security-Policy",
                CONTENT_SECURITY_POLICY.to_owned(),
            ),
            ("X-Content-Type-Options", "nosniff".to_owned()),
            ("Referrer-Policy", "no-referrer".to_owned()),
            ("Cache-Control", "no-cache".to_owned()),
            ("Connection", "close".to_owned()),
        ];
        Self {
            status,
            headers,
            body: body.into(),
            send_body: true,
        }
    }

    /// A response of one sentence.
    pub fn text(status: u16, sentence: &str) -> Self {
        Self::new(
            status,
            "text/plain; charset=utf-8",
            format!("{sentence}\n").into_bytes(),
        )
    }

    /// All connection permits are taken.
    pub fn full(max_connections: usize) -> Self {
        let places = if max_connections == 1 {
            "conexão"
        } else {
            "conexões"
        };
        let text = format!(
            "A conversa está cheia ({} {places}). Tente mais tarde.",
            group_thousands(max_connections as u64)
        );
        Self::text(503, &text).with_header("Retry-After", "5")
    }

    /// The connection continues as a WebSocket.
    pub(super) fn switching_protocols(key: &str) -> Self {
        let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
        let headers = vec![
            ("Upgrade", "websocket".to_owned()),
            ("Connection", "Upgrade".to_owned()),
            ("Sec-WebSocket-Accept", accept),
        ];
        Self {
            status: 101,
            headers,
            body: Cow::Borrowed(b""),
            send_body: false,
        }
    }

    /// The same response with one more header.
    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The same response for `HEAD`.
    pub(crate) fn without_body(mut self) -> Self {
        self.send_body = false;
        self
    }

    /// The bytes to send.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!(
            "HTTP/1.1 {} {}\r\n",
            self.status,
            reason_phrase(self.status)
        );
        for (name, value) in &self.headers {
            // A value may quote what the peer sent; a line break in it would start another header.
            let value: String = value.chars().filter(|c| !c.is_control()).collect();
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if self.status != 101 {
            let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if self.send_body {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

fn reason_phrase(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Unknown",
    }
}
