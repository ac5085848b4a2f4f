//! Listening and accepting: a socket becomes a thread, the hub gets its own, and everything stops in order.
//!
//! What ends one connection never ends the server; what makes accepting fail makes it wait a little and try again.
//!
//! Knows sockets, threads and limits; never knows names or messages.

pub mod capacity;
pub mod connection;
pub mod http;
mod rejector;

use crate::admission::{Admission, ConnectionPermit};
use crate::chat::limits::Rules;
use crate::fanout::DeliveryLimits;
use crate::history::History;
use crate::hub::{Hub, HubInput, INPUT_QUEUE};
use crate::os_error::describe;
use crate::stats::Stats;
use crate::ws::ByteRate;
use connection::{STACK_SIZE, ServerContext};
use crossbeam_channel::{Receiver, Sender, bounded};
use http::Policy;
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{io, thread};

/// Connections that may wait to be accepted; std's 128 is too few when a whole class presses reload.
const BACKLOG: i32 = 4096;
/// The first and the longest wait when accepting fails, for instance because the process is out of descriptors.
const MIN_BACKOFF: Duration = Duration::from_millis(5);
const MAX_BACKOFF: Duration = Duration::from_millis(500);
/// How often the log is told that connections get no thread: whoever floods the server shall not flood its log.
const WARN_EVERY: Duration = Duration::from_secs(10);
/// How long the connections' threads may take to end after the hub has.
const THREADS_TIMEOUT: Duration = Duration::from_secs(1);

/// How a server is set up, in plain values.
pub struct Setup {
    /// Connections at the same time.
    pub max_connections: usize,
    /// Who may connect, and from which pages.
    pub policy: Policy,
    /// The rules of the conversation.
    pub rules: Rules,
    /// When connections are given up.
    pub delivery_limits: DeliveryLimits,
    /// The home of the log.
    pub history: Box<dyn History>,
}

/// A server that listens and does not serve yet.
pub struct Server {
    listener: TcpListener,
    context: Arc<ServerContext>,
    stopping: Arc<AtomicBool>,
    hub: Hub,
}

/// Stops a server from another thread.
#[derive(Clone)]
pub struct Stopper {
    listener: Arc<TcpListener>,
    inputs: Sender<HubInput>,
    stopping: Arc<AtomicBool>,
}

impl Server {
    /// A server on a listener from [`listen`].
    pub fn new(listener: TcpListener, setup: Setup) -> Self {
        let (sender, receiver): (_, Receiver<HubInput>) = bounded(INPUT_QUEUE);
        let stats = Arc::new(Stats::default());
        let context = ServerContext {
            policy: setup.policy,
            admission: Admission::new(setup.max_connections),
            inputs: sender,
            byte_rate: setup.rules.rate.map(byte_rate),
            stats: stats.clone(),
            started_at: Instant::now(),
            next_conn_id: AtomicU64::new(1),
        };
        let hub = Hub::new(
            setup.rules,
            setup.delivery_limits,
            setup.history,
            receiver,
            stats,
        );
        Self {
            listener,
            context: Arc::new(context),
            stopping: Arc::default(),
            hub,
        }
    }

    /// Where it listens, with the real port.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Figures that may be looked at while the server runs.
    pub fn stats(&self) -> Arc<Stats> {
        self.context.stats.clone()
    }

    /// Something to stop the server with.
    ///
    /// # Errors
    /// When the system has no descriptor for it.
    pub fn stopper(&self) -> io::Result<Stopper> {
        let listener = Arc::new(self.listener.try_clone()?);
        Ok(Stopper {
            listener,
            inputs: self.context.inputs.clone(),
            stopping: self.stopping.clone(),
        })
    }

    /// Serves until stopped: then everybody was told, and no thread of the server is left.
    ///
    /// # Errors
    /// When the hub's thread could not start or panicked; without it there is no conversation.
    pub fn run(self) -> io::Result<()> {
        let Self {
            listener,
            context,
            stopping,
            hub,
        } = self;
        // A hub that is gone must not leave a server that accepts and never answers.
        let stop_on_drop = StopOnDrop {
            listener: listener.try_clone()?,
            stopping: stopping.clone(),
        };
        let rejector = rejector::start(context.admission.clone())?;
        let hub_thread = thread::Builder::new().name("hub".into()).spawn(move || {
            let _stop_on_drop = stop_on_drop;
            hub.run();
        })?;
        accept_loop(&listener, &context, &stopping, &rejector);
        drop(listener);
        if hub_thread.join().is_err() {
            return Err(io::Error::other("the hub's thread panicked"));
        }
        let deadline = Instant::now() + THREADS_TIMEOUT;
        while context.admission.active() > 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Stopper {
    /// Stops the server: nobody new is accepted, everybody is told and closed.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        // A hub that is already gone has told everybody.
        let _ = self.inputs.send(HubInput::Stop);
        wake(&self.listener);
    }
}

/// Ends the accepting when the hub ends, for whatever reason.
struct StopOnDrop {
    listener: TcpListener,
    stopping: Arc<AtomicBool>,
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        wake(&self.listener);
    }
}

/// Makes a blocked `accept` return.
fn wake(listener: &TcpListener) {
    if SockRef::from(listener).shutdown(Shutdown::Both).is_err()
        && let Ok(address) = listener.local_addr()
    {
        // Not every system lets a listener be shut down; a visitor wakes it too.
        let _ = TcpStream::connect_timeout(&address, Duration::from_millis(100));
    }
}

/// Bytes per second that belong to a rate of messages: the longest message in plain text, generously, and at least what
/// a client needs that resends and reads back.
fn byte_rate(rate: f64) -> ByteRate {
    const BYTES_PER_MESSAGE: f64 = 16.0 * 1024.0;
    const MIN_RATE: f64 = 64.0 * 1024.0;
    let rate = (rate * BYTES_PER_MESSAGE).clamp(MIN_RATE, f64::from(u32::MAX / 4)) as u32;
    ByteRate {
        per_second: rate,
        burst: rate.saturating_mul(4),
    }
}

/// Listens on an address; port 0 takes a free one. Whoever connects from now on waits for the server to run.
///
/// # Errors
/// What the system says against the address.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    // Accepted sockets inherit all of these, which spares five system calls for each.
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(10));
    socket.set_tcp_keepalive(&keepalive.with_retries(3))?;
    // Without it the kernel would hide megabytes for each deaf client before it says that it takes no more.
    socket.set_tcp_notsent_lowat(64 * 1024)?;
    socket.set_tcp_user_timeout(Some(Duration::from_secs(30)))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn accept_loop(
    listener: &TcpListener,
    context: &Arc<ServerContext>,
    stopping: &AtomicBool,
    rejector: &Sender<Arc<TcpStream>>,
) {
    let (mut backoff, mut thread_warning) = (MIN_BACKOFF, ThrottledWarning::default());
    while !stopping.load(Ordering::Acquire) {
        match listener.accept() {
            Ok((socket, peer)) => {
                backoff = MIN_BACKOFF;
                if !stopping.load(Ordering::Acquire) {
                    spawn_connection(socket, peer.ip(), context, rejector, &mut thread_warning);
                }
            }
            Err(_) if stopping.load(Ordering::Acquire) => return,
            // The peer gave up before it was accepted.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
                ) => {}
            Err(error) => {
                log::warn!(
                    "Ninguém pode entrar agora ({}). Nova tentativa em {} ms.",
                    describe(&error),
                    backoff.as_millis()
                );
                thread::sleep(backoff);
                backoff = (backoff * 2).min(MAX_BACKOFF);
            }
        }
    }
}

/// Gives a new socket a thread, or a refusal.
fn spawn_connection(
    socket: TcpStream,
    address: IpAddr,
    context: &Arc<ServerContext>,
    rejector: &Sender<Arc<TcpStream>>,
    thread_warning: &mut ThrottledWarning,
) {
    let socket = Arc::new(socket);
    // Before there is a thread: a thousand who only knock would otherwise cost a thousand threads for a moment.
    let Some((permit, pending_permit)) = context.admission.admit(address) else {
        return reject(socket, rejector);
    };
    let (conn_socket, conn_context) = (socket.clone(), context.clone());
    let run_connection = move || {
        let _permit: ConnectionPermit = permit;
        connection::serve(conn_socket, address, pending_permit, &conn_context);
    };
    let started = match capacity::can_start_thread() {
        // Not `thread::spawn`: it panics when the system refuses a thread.
        true => thread::Builder::new()
            .stack_size(STACK_SIZE)
            .spawn(run_connection)
            .map(drop),
        false => Err(io::ErrorKind::OutOfMemory.into()),
    };
    if let Err(error) = started {
        thread_warning.record(&error, Instant::now());
        reject(socket, rejector);
    }
}

/// Connections that got no thread, told to the log together.
#[derive(Default)]
struct ThrottledWarning {
    count: usize,
    warned_at: Option<Instant>,
}

impl ThrottledWarning {
    fn record(&mut self, error: &io::Error, now: Instant) {
        self.count += 1;
        if self
            .warned_at
            .is_none_or(|at| now.saturating_duration_since(at) >= WARN_EVERY)
        {
            log::warn!(
                "Sem thread para {} conexões novas, que foram recusadas ({}). Aumente os limites ou use --max-conexoes.",
                self.count,
                describe(error)
            );
            (self.count, self.warned_at) = (0, Some(now));
        }
    }
}

/// Lets the porter say no. While he has his hands full nobody else is let in either: he waits for none of those he
/// refuses, and without him they would be cut off unheard.
fn reject(socket: Arc<TcpStream>, rejector: &Sender<Arc<TcpStream>>) {
    // A porter who is gone answers nobody.
    let _ = rejector.send(socket);
}
