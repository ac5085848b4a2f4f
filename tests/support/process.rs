//! The two programs as processes, and the server's process until it listens.

use crate::support::Deadline;
use crate::support::client::WsClient;
use crate::support::proc::{ProcessStats, proc_dir_of, raise_descriptors, status_mask};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const CLIENT_PATH: &str = env!("CARGO_BIN_EXE_cliente");
pub const SERVER_PATH: &str = env!("CARGO_BIN_EXE_servidor");

/// A program inherits what this process ignores, for instance under `nohup` or in the background of a script; a signal
/// that is handled here is none of that.
static HEED_SIGNALS: LazyLock<()> = LazyLock::new(|| {
    let ignored = status_mask(Path::new("/proc/self"), "SigIgn:");
    for signal in [Signal::INT, Signal::HUP] {
        if ignored & (1 << (signal.as_raw() - 1)) != 0 {
            signal_hook::flag::register(signal.as_raw(), Arc::default()).unwrap();
        }
    }
});

/// A program, its arguments and its environment, and a folder of its own; it can be started again and again.
pub struct Program {
    pub command: Command,
    dir: Arc<TempDir>,
}

impl Program {
    /// `servidor` on a free port and with its history in memory, unless the options say otherwise.
    pub fn server(options: &[&str]) -> Self {
        let mut program = Self::new(SERVER_PATH, options);
        // Options beat variables.
        program
            .command
            .env("PAPO_PORTA", "0")
            .env("PAPO_HISTORICO", "nenhum");
        program
    }

    /// `cliente`, with its state in the program's folder.
    pub fn client(options: &[&str]) -> Self {
        let mut program = Self::new(CLIENT_PATH, options);
        program
            .command
            .env("TZ", "UTC")
            .env("XDG_STATE_HOME", program.dir.path());
        program
    }

    fn new(path: &str, options: &[&str]) -> Self {
        LazyLock::force(&HEED_SIGNALS);
        let mut command = Command::new(path);
        command.args(options).env_clear();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            command,
            dir: Arc::new(TempDir::new().unwrap()),
        }
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Lets another program start this one: its path and arguments come after the other's own.
    pub fn wrap(&mut self, path: &str, arguments: &[&str]) {
        let mut wrapped = Self::new(path, arguments).command;
        wrapped
            .arg(self.command.get_program())
            .args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            wrapped.env(name, value.unwrap_or_default());
        }
        self.command = wrapped;
    }

    /// Lets a shell do something first, and become the program: set a limit, ignore a signal, redirect a stream.
    pub fn wrap_in_shell(&mut self, before: &str, redirections: &str) {
        let script = format!("{before}exec \"$0\" \"$@\" {redirections}");
        self.wrap("/bin/sh", &["-c", &script]);
    }

    /// The program's folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Runs it to its end with this input; gives back the exit code and what it wrote to stdout and stderr.
    pub fn run(&mut self, input: &str) -> (i32, String, String) {
        let mut child = self.command.stdin(Stdio::piped()).spawn().unwrap();
        // A program that refuses its options may have ended before it reads.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().expect("it ends by itself");
        (code, text(output.stdout), text(output.stderr))
    }

    /// Starts it without input; what it writes to stderr goes to a file in its folder.
    pub fn spawn(&mut self) -> std::io::Result<Running> {
        let mut stderr = File::options();
        let stderr = stderr.create(true).append(true);
        let stderr = stderr.open(stderr_path(&self.dir))?;
        self.spawn_with_stderr(stderr)
    }

    /// Starts it without input; what it writes to stderr goes there.
    pub fn spawn_with_stderr(&mut self, stderr: impl Into<Stdio>) -> std::io::Result<Running> {
        let mut child = self.command.stderr(stderr).spawn()?;
        // Otherwise this process would hold its end of a pipe open.
        self.command.stderr(Stdio::null());
        Ok(Running {
            stdout: child.stdout.take().map(BufReader::new),
            child,
            dir: self.dir.clone(),
        })
    }
}

fn stderr_path(dir: &TempDir) -> PathBuf {
    dir.path().join("stderr.txt")
}

/// A running program, killed when it goes out of scope.
pub struct Running {
    child: Child,
    /// `None` once it was closed.
    stdout: Option<BufReader<ChildStdout>>,
    dir: Arc<TempDir>,
}

impl Running {
    /// Appends the next line of stdout; false at its end.
    pub fn read_line(&mut self, text: &mut String) -> bool {
        let stdout = self.stdout.as_mut().expect("stdout is open");
        stdout.read_line(text).unwrap() > 0
    }

    /// The next line of stdout, without its end.
    pub fn next_line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.read_line(&mut line), "{}", self.stderr());
        line.trim_end().to_owned()
    }

    pub fn close_stdout(&mut self) {
        self.stdout = None;
    }

    /// What it has written to stderr so far.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(stderr_path(&self.dir)).unwrap_or_default()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) -> ExitStatus {
        self.child.kill().unwrap();
        self.child.wait().unwrap()
    }

    /// Waits until it ends; gives back the exit code and the rest of stdout.
    pub fn wait(&mut self) -> (i32, String) {
        let mut rest = String::new();
        if let Some(stdout) = &mut self.stdout {
            stdout.read_to_string(&mut rest).unwrap();
        }
        let status = self.child.wait().unwrap();
        (status.code().expect("it ends by itself"), rest)
    }

    /// Asks it to end with SIGTERM and waits until it has; gives back the rest of stdout.
    pub fn terminate(&mut self) -> String {
        self.signal(Signal::TERM);
        let (code, rest) = self.wait();
        assert_eq!(code, 0, "{}", self.stderr());
        rest
    }

    /// Sets a soft limit while it runs; `None` is as much as it may have.
    pub fn set_limit(&self, resource: Resource, soft: Option<u64>) {
        let Rlimit { maximum, .. } = getrlimit(resource);
        let limit = Rlimit {
            current: soft.or(maximum),
            maximum,
        };
        prlimit(Some(self.pid()), resource, limit).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let stderr = self.stderr();
            let lines: Vec<&str> = stderr.lines().take(20).collect();
            println!("stderr of the program:\n{}", lines.join("\n"));
        }
    }
}

/// The moderator key in a banner.
pub fn moderator_key(banner: &str) -> &str {
    let key = banner.split("/#chave=").nth(1).expect("a key");
    key.split(char::is_whitespace).next().expect("a word")
}

/// A `servidor` that listens.
pub struct ServerProcess {
    pub process: Running,
    pub address: SocketAddr,
    pub banner: String,
    proc_dir: PathBuf,
}

impl ServerProcess {
    pub fn start(program: &mut Program) -> Self {
        Self::try_start(program).expect("the server can be started")
    }

    /// `None` when the system does not allow it.
    pub fn try_start(program: &mut Program) -> Option<Self> {
        raise_descriptors();
        Self::wait_until_listening(program.spawn().ok()?)
    }

    /// Reads the banner: after its last line the server listens. `None` when it ends before.
    pub fn wait_until_listening(mut process: Running) -> Option<Self> {
        let mut banner = String::new();
        while !banner.ends_with("Ctrl+C\n") {
            if !process.read_line(&mut banner) {
                println!("no banner: {banner}{}", process.stderr());
                return None;
            }
        }
        let rest = banner.split("localhost:").nth(1);
        let port = rest.and_then(|rest| rest.split('/').next()?.trim().parse().ok());
        Some(Self {
            address: SocketAddr::from(([127, 0, 0, 1], port.expect("the banner shows the port"))),
            proc_dir: proc_dir_of(process.child.id()),
            process,
            banner,
        })
    }

    pub fn connect(&self) -> WsClient {
        WsClient::connect(self.address).unwrap()
    }

    pub fn enter(&self, name: &str) -> WsClient {
        WsClient::entered(self.address, name)
    }

    /// A moderator; the key in the banner is used up by it.
    pub fn enter_as_moderator(&self, name: &str) -> WsClient {
        let mut client = self.connect();
        let key = moderator_key(&self.banner);
        let welcome = client.enter_with(name, serde_json::json!({"moderator_key": key}));
        assert_eq!(welcome["moderator"], true);
        client
    }

    /// What it costs now.
    pub fn stats(&self) -> ProcessStats {
        ProcessStats::of(&self.proc_dir)
    }

    /// Waits until its figures are as wanted; gives back how long that took. No event announces it, so the probe receives
    /// for a moment between two looks.
    #[track_caller]
    pub fn wait_until(
        &self,
        probe: &mut WsClient,
        deadline: Deadline,
        wanted: impl Fn(&ProcessStats) -> bool,
    ) -> Duration {
        let start = Instant::now();
        loop {
            let stats = self.stats();
            if wanted(&stats) {
                return start.elapsed();
            }
            assert!(!deadline.is_over(), "it did not settle: {stats:?}");
            probe.receive_within(Duration::from_millis(5));
        }
    }

    /// Waits until there are no more threads and descriptors than before.
    #[track_caller]
    pub fn wait_until_recovered(
        &self,
        probe: &mut WsClient,
        deadline: Deadline,
        before: &ProcessStats,
    ) -> Duration {
        self.wait_until(probe, deadline, |now| {
            now.threads <= before.threads && now.descriptors <= before.descriptors
        })
    }

    /// It runs, and no thread of it has panicked.
    #[track_caller]
    pub fn assert_healthy(&mut self) {
        let stderr = self.process.stderr();
        assert!(self.process.is_running(), "it ended: {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}
