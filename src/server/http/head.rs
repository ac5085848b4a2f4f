//! Reads one request's head within a deadline and a size limit.
//!
//! Knows bytes and headers; never knows which requests are accepted.

use crate::server::http::Response;
use crate::ws::TimedRead;
use std::io;
use std::time::Instant;

/// Longest head, in bytes; browsers send less than 1 KiB.
const MAX_HEAD_SIZE: usize = 8 * 1024;
/// Most header lines; browsers send about fifteen.
const MAX_HEADERS: usize = 64;
/// Bytes read at once; most heads are shorter.
const READ_CHUNK: usize = 1024;

/// The parts of a request that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// As sent: `GET`, `HEAD`…
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// Whether the request speaks HTTP/1.1; WebSocket needs it.
    pub is_http_1_1: bool,
    /// The one `Host` header.
    pub host: Option<String>,
    /// The one `Origin` header.
    pub origin: Option<String>,
    /// Set when the request asks for WebSocket.
    pub upgrade: Option<UpgradeHeaders>,
}

/// The WebSocket headers of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpgradeHeaders {
    /// Whether `Connection` has the word `upgrade`.
    pub connection_upgrade: bool,
    /// `Sec-WebSocket-Version`.
    pub version: Option<String>,
    /// `Sec-WebSocket-Key`; empty if absent.
    pub key: String,
}

/// Why there is no head.
#[derive(Debug)]
pub enum HeadError {
    /// The request is wrong; send this.
    Refused(Response),
    /// The connection is gone, or nothing was sent on it; close it.
    Gone(io::Error),
}

impl UpgradeHeaders {
    /// Checks what RFC 6455 asks of a handshake.
    pub(super) fn check(&self, head: &RequestHead) -> Result<(), Response> {
        if head.method != "GET" || !head.is_http_1_1 || !self.connection_upgrade {
            return Err(Response::text(
                400,
                "Este pedido de WebSocket está incompleto.",
            ));
        }
        if self.version.as_deref() != Some("13") {
            let refusal = Response::text(426, "Este servidor fala a versão 13 do WebSocket.");
            return Err(refusal.with_header("Sec-WebSocket-Version", "13"));
        }
        // 16 bytes in base64: 22 characters and two signs of equality.
        let key = self.key.as_bytes();
        let base64 = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
        if key.len() != 24 || !key.ends_with(b"==") || !key[..22].iter().all(base64) {
            return Err(Response::text(
                400,
                "A chave deste pedido de WebSocket não está certa.",
            ));
        }
        Ok(())
    }
}

/// Reads a request's head, and returns the bytes read after it too.
///
/// # Errors
/// The response for the peer, or that there is no peer left.
pub fn read_head(
    source: &mut impl TimedRead,
    deadline: Instant,
) -> Result<(RequestHead, Vec<u8>), HeadError> {
    let mut bytes = Vec::with_capacity(READ_CHUNK);
    loop {
        if let Some((head, length)) = parse(&bytes).map_err(HeadError::Refused)? {
            return Ok((head, bytes.split_off(length)));
        }
        if bytes.len() >= MAX_HEAD_SIZE {
            return Err(HeadError::Refused(Response::text(
                431,
                "O cabeçalho deste pedido é grande demais.",
            )));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(timed_out(&bytes));
        }
        source
            .set_read_timeout(Some(left))
            .map_err(HeadError::Gone)?;
        // Read into the heap, which is freed; a thread keeps the stack pages that it once touched.
        let end = bytes.len();
        bytes.resize((end + READ_CHUNK).min(MAX_HEAD_SIZE), 0);
        let read = source.read(&mut bytes[end..]);
        bytes.truncate(end + read.as_ref().map_or(0, |read| *read));
        match read {
            Ok(0) => return Err(HeadError::Gone(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                return Err(timed_out(&bytes));
            }
            Err(error) => return Err(HeadError::Gone(error)),
        }
    }
}

/// Browsers open connections in advance and may never use them; those get no answer.
fn timed_out(bytes: &[u8]) -> HeadError {
    if bytes.is_empty() {
        HeadError::Gone(io::ErrorKind::TimedOut.into())
    } else {
        HeadError::Refused(Response::text(408, "O pedido não chegou inteiro a tempo."))
    }
}

/// Parses a head if it is complete, and returns its length too.
fn parse(bytes: &[u8]) -> Result<Option<(RequestHead, usize)>, Response> {
    let mut headers = vec![httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Response::text(431, "Este pedido tem cabeçalhos demais."));
        }
        Err(_) => return Err(Response::text(400, "Isto não é um pedido HTTP.")),
    };
    let headers = Headers(request.headers);
    let upgrade = headers
        .list_contains("upgrade", "websocket")?
        .then(|| -> Result<_, Response> {
            Ok(UpgradeHeaders {
                connection_upgrade: headers.list_contains("connection", "upgrade")?,
                version: headers.single("sec-websocket-version")?.map(str::to_owned),
                key: headers
                    .single("sec-websocket-key")?
                    .unwrap_or_default()
                    .to_owned(),
            })
        });
    let target = without_authority(request.path.unwrap_or_default());
    let head = RequestHead {
        method: request.method.unwrap_or_default().to_owned(),
        path: target
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .to_owned(),
        is_http_1_1: request.version == Some(1),
        host: headers.single("host")?.map(str::to_owned),
        origin: headers.single("origin")?.map(str::to_owned),
        upgrade: upgrade.transpose()?,
    };
    Ok(Some((head, length)))
}

/// The path of a target; a request may give the whole URL, as to a proxy.
fn without_authority(target: &str) -> &str {
    let rest = target
        .strip_prefix("http://")
        .or_else(|| target.strip_prefix("https://"));
    match rest {
        Some(rest) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => target,
    }
}

struct Headers<'a>(&'a [httparse::Header<'a>]);

impl<'a> Headers<'a> {
    fn all(&self, name: &'static str) -> impl Iterator<Item = Result<&'a str, Response>> {
        let named = self
            .0
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| {
            let text = std::str::from_utf8(header.value).map(str::trim);
            text.map_err(|_| Response::text(400, "Um cabeçalho deste pedido não é texto."))
        })
    }

    /// The value of a header that may appear only once.
    fn single(&self, name: &'static str) -> Result<Option<&'a str>, Response> {
        let mut values = self.all(name);
        let value = values.next().transpose()?;
        if values.next().is_some() {
            return Err(Response::text(
                400,
                "Um cabeçalho deste pedido aparece duas vezes.",
            ));
        }
        Ok(value)
    }

    /// Whether a comma-separated header contains a word.
    fn list_contains(&self, name: &'static str, word: &str) -> Result<bool, Response> {
        for value in self.all(name) {
            if value?
                .split(',')
                .any(|item| item.trim().eq_ignore_ascii_case(word))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
