//! One connection's thread: answers one HTTP request, or upgrades it and then reads messages until the end.
//!
//! After the upgrade it only reads: messages and tungstenite's own control frames go to the hub, the only writer.
//!
//! Knows this one connection; never knows other connections, or what is stored.

use crate::admission::{Admission, PendingPermit};
use crate::auth::random_token;
use crate::fanout::ConnHandle;
use crate::hub::HubInput;
use crate::ids::{ClientAddr, ConnId};
use crate::os_error::describe;
use crate::protocol::{
    ByeCode, ClientMessage, ClientRequest, ErrorCode, MAX_FRAME, Refusal, ServerMessage, Token,
};
use crate::server::http;
use crate::server::http::{HeadError, OriginTrust, Policy, Response, Route, ServerHealth};
use crate::ws::{
    ByteRate, Incoming, LimitedReader, MessageReader, ReadError, ReadLimits, SharedSocket,
    TimedRead,
};
use crossbeam_channel::Sender;
use std::io::{self, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Stack of a connection's thread, in bytes. Only touched pages cost memory; with a much smaller stack, hostile input
/// could end the process instead of the connection.
pub const STACK_SIZE: usize = 256 * 1024;
/// How long the whole head of a request may take to arrive, a handshake included.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a message may stay unfinished.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to read and drop what a peer sends after the response.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(500);
/// Most bytes to read and drop; a fast peer sends this much within [`DRAIN_TIMEOUT`].
const MAX_DRAIN_BYTES: usize = 64 * 1024 * 1024;

/// What all connections of a server have in common.
pub(crate) struct ServerContext {
    /// Which names and origins are accepted.
    pub policy: Policy,
    /// Counts the connections.
    pub admission: Arc<Admission>,
    /// The hub's queue.
    pub inputs: Sender<HubInput>,
    /// How many bytes a peer may send; `None` is without limit.
    pub byte_rate: Option<ByteRate>,
    /// For `/saude`.
    pub health: ServerHealth,
    /// The number of the next connection.
    pub next_conn_id: AtomicU64,
}

/// Serves one accepted socket until it is closed.
pub(crate) fn serve(
    socket: Arc<TcpStream>,
    address: IpAddr,
    pending_permit: PendingPermit,
    context: &ServerContext,
) {
    if let Some(upgraded) = handshake(&socket, address, pending_permit, context) {
        run_websocket(socket, ClientAddr::from_ip(address), upgraded, context);
    }
}

/// A connection after its handshake.
struct Upgraded {
    /// What was read beyond the request's head.
    rest: Vec<u8>,
    pending_permit: PendingPermit,
    trust: OriginTrust,
}

/// Answers a request, or upgrades the connection.
// Not inlined: a thread keeps the stack pages that it once touched, so this frame must not lie below the read loop.
#[inline(never)]
fn handshake(
    socket: &Arc<TcpStream>,
    address: IpAddr,
    pending_permit: PendingPermit,
    context: &ServerContext,
) -> Option<Upgraded> {
    let deadline = Instant::now() + HEAD_TIMEOUT;
    let (head, rest) = match http::read_head(&mut SharedSocket(socket.clone()), deadline) {
        Ok(read) => read,
        Err(HeadError::Refused(refusal)) => {
            respond(socket, &refusal, deadline);
            return None;
        }
        Err(HeadError::Gone(error)) => {
            log::debug!("Nenhum pedido de {address} ({}).", describe(&error));
            return None;
        }
    };
    match http::route(&head, &context.policy, &context.health) {
        Route::Respond(response) => {
            respond(socket, &response, deadline);
            None
        }
        Route::Upgrade(response, trust) => {
            match write_all(socket, &response.to_bytes(), deadline) {
                Ok(()) => Some(Upgraded {
                    rest,
                    pending_permit,
                    trust,
                }),
                Err(error) => {
                    log::debug!(
                        "A conexão de {address} caiu no começo ({}).",
                        describe(&error)
                    );
                    None
                }
            }
        }
    }
}

/// Sends a response and closes the socket such that the peer can still read it.
fn respond(socket: &Arc<TcpStream>, response: &Response, deadline: Instant) {
    let sent = write_all(
        socket,
        &response.to_bytes(),
        deadline.max(Instant::now() + DRAIN_TIMEOUT),
    );
    if sent.is_err() || socket.shutdown(Shutdown::Write).is_err() {
        return;
    }
    // Closing with unread bytes would make the kernel reset the connection, and the response would be lost.
    let until = Instant::now() + DRAIN_TIMEOUT;
    let mut reader = LimitedReader::new(SharedSocket(socket.clone()), ReadLimits::default());
    drain(&mut reader, until);
}

/// Reads and drops what a peer still sends, until the given time.
fn drain(reader: &mut LimitedReader<SharedSocket>, until: Instant) {
    let mut scratch = [0; 2048];
    let mut left = MAX_DRAIN_BYTES;
    while left > 0 {
        let time = until.saturating_duration_since(Instant::now());
        if time.is_zero() || reader.source().set_read_timeout(Some(time)).is_err() {
            return;
        }
        match reader.read_unlimited(&mut scratch) {
            Ok(read @ 1..) => left = left.saturating_sub(read),
            _ => return,
        }
    }
}

fn write_all(mut socket: &TcpStream, bytes: &[u8], deadline: Instant) -> io::Result<()> {
    let left = deadline
        .saturating_duration_since(Instant::now())
        .max(Duration::from_millis(1));
    socket.set_write_timeout(Some(left))?;
    socket.write_all(bytes)
}

/// Registers the connection with the hub and reads until the end.
// This frame lies below all others of an idle connection, so whatever is large has a frame of its own above it.
#[inline(never)]
fn run_websocket(
    socket: Arc<TcpStream>,
    address: ClientAddr,
    upgraded: Upgraded,
    context: &ServerContext,
) {
    let Upgraded {
        rest,
        pending_permit,
        trust,
    } = upgraded;
    let Some(handle) = register(&socket, address, pending_permit, context) else {
        return;
    };
    // From here on the hub knows the connection, and must learn of its end, also after a panic.
    let notify = NotifyOnDrop {
        conn: handle.id,
        inputs: &context.inputs,
        clean_close: false,
    };
    let mut reader = new_reader(socket, rest, &handle, context);
    let end = read_loop(&mut reader, &handle, trust, context);
    finish(end, &mut reader, notify, context);
}

/// Ends a connection of which nothing more is read; `None` means that the hub closes it, or is gone.
#[inline(never)]
fn finish(
    end: Option<ReadError>,
    reader: &mut MessageReader<SharedSocket, ControlOut>,
    mut notify: NotifyOnDrop<'_>,
    context: &ServerContext,
) {
    let conn = notify.conn;
    if let Some(end) = &end {
        log::debug!("A conexão {} acabou: {end}.", conn.0);
    }
    match end {
        Some(ReadError::Closed(code)) => {
            notify.clean_close = code == 1000;
            // Before draining, so that the hub replies to the close and the others see the departure at once.
            drop(notify);
            drain(reader.input_mut(), Instant::now() + DRAIN_TIMEOUT);
        }
        Some(ReadError::Violation(code, text)) => {
            request_close(reader, conn, code, text, context);
        }
        Some(ReadError::Stalled) => request_close(
            reader,
            conn,
            1008,
            "A mensagem não chegou inteira a tempo.",
            context,
        ),
        Some(ReadError::Lost(_)) => {}
        // The hub sent a `bye`; closing with unread bytes would make the kernel reset the connection, and lose it.
        None => drain(reader.input_mut(), Instant::now() + 2 * DRAIN_TIMEOUT),
    }
}

/// Makes the connection known to the hub. `None` if the hub is gone.
#[inline(never)]
fn register(
    socket: &Arc<TcpStream>,
    address: ClientAddr,
    pending_permit: PendingPermit,
    context: &ServerContext,
) -> Option<Arc<ConnHandle>> {
    let handle = Arc::new(ConnHandle::new(
        ConnId(context.next_conn_id.fetch_add(1, Ordering::Relaxed)),
        address,
        socket.clone(),
        Some(pending_permit),
        Instant::now(),
    ));
    let connected = HubInput::Connected(handle.clone());
    context.inputs.send(connected).ok()?;
    Some(handle)
}

/// The reader of the messages after the handshake.
#[inline(never)]
fn new_reader(
    socket: Arc<TcpStream>,
    rest: Vec<u8>,
    handle: &ConnHandle,
    context: &ServerContext,
) -> Box<MessageReader<SharedSocket, ControlOut>> {
    let limits = ReadLimits {
        byte_rate: context.byte_rate,
        message_timeout: Some(MESSAGE_TIMEOUT),
        last_seen: Some(handle.last_seen.clone()),
    };
    let control_out = ControlOut {
        conn: handle.id,
        inputs: context.inputs.clone(),
    };
    Box::new(MessageReader::accept(
        LimitedReader::new(SharedSocket(socket), limits),
        rest,
        MAX_FRAME,
        control_out,
    ))
}

/// Reads messages and passes them to the hub. `None` means that the hub closes the connection, or is gone.
#[inline(never)]
fn read_loop(
    reader: &mut MessageReader<SharedSocket, ControlOut>,
    handle: &ConnHandle,
    trust: OriginTrust,
    context: &ServerContext,
) -> Option<ReadError> {
    loop {
        match reader.read() {
            Ok(Incoming::Text(text)) => pass_on(&text, handle, trust, context)?,
            Ok(Incoming::Pong) => {}
            Ok(Incoming::Binary(_)) => {
                return Some(ReadError::Violation(1003, "Aqui só se conversa em texto."));
            }
            Err(end) => return Some(end),
        }
    }
}

/// Turns one text message into the hub's input. `None` means that the connection is over.
#[inline(never)]
fn pass_on(
    text: &str,
    handle: &ConnHandle,
    trust: OriginTrust,
    context: &ServerContext,
) -> Option<()> {
    let request = match decode(text, trust, &context.policy) {
        Ok(request) => request,
        Err(refusal) => {
            let malformed = HubInput::Malformed(handle.id, refusal);
            return context.inputs.send(malformed).ok();
        }
    };
    if request.message.is_bulk() && !handle.bulk.acquire() {
        return None;
    }
    // False when the connection is over.
    if request.message.id().is_some() && !handle.in_flight.acquire() {
        return None;
    }
    // The next message may name this room and must find it open.
    let opens_room = request.message.opens_room();
    let input = HubInput::Request(handle.id, request);
    context.inputs.send(input).ok()?;
    if opens_room && !handle.bulk.wait_until_empty() {
        return None;
    }
    Some(())
}

/// Parses a message; an `enter` without a token gets one.
#[inline(never)]
fn decode(
    text: &str,
    trust: OriginTrust,
    policy: &Policy,
) -> Result<Box<ClientRequest>, Box<Refusal>> {
    let mut request = ClientMessage::parse_boxed(text)?;
    if let ClientMessage::Enter(enter) = &request.message
        && trust == OriginTrust::NeedsKey
        && !policy.accepts_local_page_key(enter.local_key.as_deref())
    {
        return Err(local_key_required(request.id()));
    }
    if let ClientMessage::Enter(enter) = &mut request.message
        && enter.token.is_none()
    {
        enter.token = new_token();
    }
    Ok(request)
}

#[cold]
#[inline(never)]
fn local_key_required(id: Option<&str>) -> Box<Refusal> {
    Box::new(Refusal {
        id: id.map(str::to_owned),
        ..Refusal::new(ErrorCode::LocalKeyRequired)
    })
}

/// A token for a person who has none.
#[inline(never)]
fn new_token() -> Option<Token> {
    let token = random_token();
    if token.is_err() {
        log::error!("O sistema não tem números aleatórios para dar.");
    }
    token.ok()
}

/// Asks the hub to close the connection after a violation, and drains it for a moment.
#[inline(never)]
fn request_close(
    reader: &mut MessageReader<SharedSocket, ControlOut>,
    conn: ConnId,
    code: u16,
    text: &str,
    context: &ServerContext,
) {
    let bye = ServerMessage::Bye {
        code: ByeCode::Protocol,
        text: text.into(),
        retry_after_ms: None,
    };
    if context
        .inputs
        .send(HubInput::CloseWith(conn, code, Box::new(bye)))
        .is_ok()
    {
        drain(reader.input_mut(), Instant::now() + DRAIN_TIMEOUT);
    }
}

/// When dropped, tells the hub that the connection is over.
struct NotifyOnDrop<'a> {
    conn: ConnId,
    inputs: &'a Sender<HubInput>,
    clean_close: bool,
}

impl Drop for NotifyOnDrop<'_> {
    fn drop(&mut self) {
        // An error means that the hub is gone.
        let _ = self
            .inputs
            .send(HubInput::Disconnected(self.conn, self.clean_close));
    }
}

/// Passes tungstenite's own control frames to the hub.
struct ControlOut {
    conn: ConnId,
    inputs: Sender<HubInput>,
}

impl Write for ControlOut {
    fn write(&mut self, frame: &[u8]) -> io::Result<usize> {
        let reply = HubInput::ControlFrame(self.conn, frame.to_vec());
        self.inputs
            .send(reply)
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(frame.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
