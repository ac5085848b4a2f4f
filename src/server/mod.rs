//! Listening, accepting and stopping: each socket gets a thread, and the hub has its own.
//!
//! An error of one connection never ends the server; an error of `accept` makes it wait and try again.
//!
//! Knows sockets, threads and limits; never knows names or messages.

pub mod capacity;
pub(crate) mod connection;
pub(crate) mod http;
mod rejector;

pub use crate::chat::AUDIT_LOG;
pub use crate::chat::limits::Rules;
pub use crate::fanout::DeliveryLimits;
pub use http::Policy;

use crate::admission::{Admission, ConnectionPermit};
use crate::history::History;
use crate::hub::{Hub, HubInput, INPUT_QUEUE};
use crate::os_error::describe;
use crate::stats::Stats;
use crate::ws::ByteRate;
use connection::{STACK_SIZE, ServerContext};
use crossbeam_channel::{Receiver, Sender, bounded};
use http::ServerHealth;
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use std::convert::Infallible;
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{io, thread};

/// Connections that may wait for `accept`; std's 128 is too few when hundreds of browsers reload at once.
const BACKLOG: i32 = 4096;
/// The first and the longest wait when accepting fails, for instance because the process is out of descriptors.
const MIN_BACKOFF: Duration = Duration::from_millis(5);
const MAX_BACKOFF: Duration = Duration::from_millis(500);
/// How often the log may mention connections without a thread: a flood of the server must not flood its log.
const WARN_EVERY: Duration = Duration::from_secs(10);
/// How long the other threads may take to end after the hub has.
const THREADS_TIMEOUT: Duration = Duration::from_secs(1);

/// How a server is set up, in plain values.
pub struct Setup {
    /// Connections at the same time.
    pub max_connections: usize,
    /// Who may connect, and from which pages.
    pub policy: Policy,
    /// The rules of the conversation.
    pub rules: Rules,
    /// When slow and silent connections are closed.
    pub delivery_limits: DeliveryLimits,
    /// Where entries are stored.
    pub history: Box<dyn History>,
}

/// A server that listens and does not accept yet.
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
            health: ServerHealth {
                stats: stats.clone(),
                history: setup.history.health(),
                started_at: Instant::now(),
            },
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
    /// The system's error.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Figures to read while the server runs.
    pub fn stats(&self) -> Arc<Stats> {
        self.context.health.stats.clone()
    }

    /// A handle that stops the server.
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

    /// Serves until stopped. When it returns, the hub's thread has ended and every connection was sent its `bye`; the
    /// other threads have ended too, or did not within a second.
    ///
    /// # Errors
    /// When the hub's thread could not start or panicked.
    pub fn run(self) -> io::Result<()> {
        let Self {
            listener,
            context,
            stopping,
            hub,
        } = self;
        // Without the hub, a server would accept and never answer.
        let stop_on_drop = StopOnDrop {
            listener: listener.try_clone()?,
            stopping: stopping.clone(),
        };
        // Nothing is ever sent through it: it closes when the last thread has dropped its sender.
        let (running, all_ended) = bounded(0);
        let rejector = rejector::start(context.admission.clone(), running.clone())?;
        let hub_thread = thread::Builder::new().name("hub".into()).spawn(move || {
            let _stop_on_drop = stop_on_drop;
            hub.run();
        })?;
        let mut acceptor = Acceptor {
            context,
            rejector,
            running,
            spawned: 0,
            thread_warning: ThrottledWarning::default(),
        };
        acceptor.run(&listener, &stopping);
        drop(listener);
        if hub_thread.join().is_err() {
            return Err(io::Error::other("the hub's thread panicked"));
        }
        drop(acceptor);
        let _ = all_ended.recv_timeout(THREADS_TIMEOUT);
        Ok(())
    }
}

impl Stopper {
    /// Stops the server: it accepts no more connections, and closes all with a `bye`.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        // An error means that the hub has already stopped.
        let _ = self.inputs.send(HubInput::Stop);
        wake(&self.listener);
    }
}

/// Ends the accept loop when the hub ends, also by a panic.
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
        // Not every system lets a listener be shut down; a connection wakes it too.
        let _ = TcpStream::connect_timeout(&address, Duration::from_millis(100));
    }
}

/// Bytes per second for a rate of messages: enough for the longest text in each, and at least what a client needs to
/// resend its queue and read its history.
fn byte_rate(rate: f64) -> ByteRate {
    const BYTES_PER_MESSAGE: f64 = 16.0 * 1024.0;
    const MIN_RATE: f64 = 64.0 * 1024.0;
    let rate = (rate * BYTES_PER_MESSAGE).clamp(MIN_RATE, f64::from(u32::MAX / 4)) as u32;
    ByteRate {
        per_second: rate,
        burst: rate.saturating_mul(4),
    }
}

/// Listens on an address; port 0 takes a free one. Connections wait in the backlog until the server runs.
///
/// # Errors
/// When the system refuses the address.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    // Accepted sockets inherit all of these, which spares five system calls for each.
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(10));
    socket.set_tcp_keepalive(&keepalive.with_retries(3))?;
    // Otherwise the kernel buffers megabytes for each stalled client before it takes no more.
    socket.set_tcp_notsent_lowat(64 * 1024)?;
    socket.set_tcp_user_timeout(Some(Duration::from_secs(30)))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts sockets and gives each a thread, or hands it to the rejector.
struct Acceptor {
    context: Arc<ServerContext>,
    rejector: Sender<Arc<TcpStream>>,
    /// Cloned into each thread, so that the channel closes when all have ended.
    running: Sender<Infallible>,
    /// Threads started so far; their names count them.
    spawned: u64,
    thread_warning: ThrottledWarning,
}

impl Acceptor {
    fn run(&mut self, listener: &TcpListener, stopping: &AtomicBool) {
        let mut backoff = MIN_BACKOFF;
        while !stopping.load(Ordering::Acquire) {
            match listener.accept() {
                Ok((socket, peer)) => {
                    backoff = MIN_BACKOFF;
                    if !stopping.load(Ordering::Acquire) {
                        self.spawn_connection(socket, peer.ip());
                    }
                }
                Err(_) if stopping.load(Ordering::Acquire) => return,
                // The peer closed before it was accepted.
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

    fn spawn_connection(&mut self, socket: TcpStream, address: IpAddr) {
        let socket = Arc::new(socket);
        // Admitted before there is a thread: a flood of connections would otherwise cost a thread each for a moment.
        let Some((permit, pending_permit)) = self.context.admission.admit(address) else {
            return self.reject(socket);
        };
        let conn_socket = socket.clone();
        let context = self.context.clone();
        let running = self.running.clone();
        let run_connection = move || {
            let _running = running;
            let _permit: ConnectionPermit = permit;
            connection::serve(conn_socket, address, pending_permit, &context);
        };
        self.spawned += 1;
        let started = match capacity::can_start_thread() {
            // Not `thread::spawn`: it panics when the system refuses a thread.
            true => thread::Builder::new()
                .name(format!("conn-{}", self.spawned))
                .stack_size(STACK_SIZE)
                .spawn(run_connection)
                .map(drop),
            false => Err(io::ErrorKind::OutOfMemory.into()),
        };
        if let Err(error) = started {
            self.thread_warning.record(&error, Instant::now());
            self.reject(socket);
        }
    }

    /// Hands the socket to the rejector, which sends 503. Blocks accepting while its queue is full; the rejector never
    /// blocks on a peer.
    fn reject(&self, socket: Arc<TcpStream>) {
        // An error means that the rejector's thread is gone; the socket is closed without a response.
        let _ = self.rejector.send(socket);
    }
}

/// Counts connections that got no thread, and logs them together.
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
            self.count = 0;
            self.warned_at = Some(now);
        }
    }
}
