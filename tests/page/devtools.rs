//! Client of the browser's DevTools protocol, over two pipes.
//!
//! Knows processes, pipes and JSON; never knows pages. The browser ends by itself when its pipes close, however the
//! test has ended.

use crate::support::patience;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How often a condition without an event is checked.
pub const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// How long a browser and its child processes may take to end.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Shell script that starts the browser with its pipes at descriptors 3 and 4.
const EXEC_WITH_PIPES: &str = r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

/// Turns off what a test does not need: the sandbox (which containers forbid), the GPU, network services.
const FLAGS: [&str; 19] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-extensions",
    "--disable-features=Translate,MediaRouter,OptimizationHints",
    "--password-store=basic",
    "--mute-audio",
    "--force-color-profile=srgb",
    "--lang=pt-BR",
    "--window-size=1280,800",
    // A host name that is not a secure context, resolved without a network.
    "--host-resolver-rules=MAP papo.local 127.0.0.1",
];

/// An event sent by the browser.
#[derive(Debug, Clone)]
pub struct Event {
    pub session: String,
    pub method: String,
    pub params: Value,
}

/// A running browser and its events so far.
pub struct Devtools {
    child: RefCell<Option<Child>>,
    stdin: RefCell<Option<ChildStdin>>,
    incoming: Receiver<Value>,
    next: Cell<u64>,
    events: RefCell<Vec<Event>>,
}

impl Devtools {
    /// Starts a browser with its profile in this folder.
    pub fn start(profile_dir: &Path) -> Self {
        let program = std::env::var("PAPO_CHROMIUM").unwrap_or_else(|_| "chromium".into());
        let stderr = std::fs::File::create(profile_dir.join("stderr.txt")).unwrap();
        let mut child = Command::new("sh")
            .args(["-c", EXEC_WITH_PIPES, "sh", &program])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile_dir.display()))
            .arg("about:blank")
            .env("HOME", profile_dir)
            .env("LANGUAGE", "pt_BR")
            .env("TZ", "America/Sao_Paulo")
            // Puts its child processes into one group, which can be killed as one.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, incoming) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while stdout
                .read_until(0, &mut message)
                .is_ok_and(|read| read > 0)
            {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else {
                    return;
                };
                if sender.send(value).is_err() {
                    return;
                }
                message.clear();
            }
        });
        Self {
            child: RefCell::new(Some(child)),
            stdin: RefCell::new(Some(stdin)),
            incoming,
            next: Cell::new(1),
            events: RefCell::default(),
        }
    }

    /// Calls a method of the browser or of one of its pages, and waits for the result.
    pub fn call(&self, session: &str, method: &str, params: Value) -> Result<Value, String> {
        let id = self.send(session, method, params);
        let until = Instant::now() + patience();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let message = self
                .incoming
                .recv_timeout(left)
                .map_err(|error| format!("{method}: {error}"))?;
            if message["id"] == id {
                let error = &message["error"];
                return if error.is_null() {
                    Ok(message["result"].clone())
                } else {
                    Err(format!("{method}: {error}"))
                };
            }
            self.record(message);
        }
    }

    /// Calls a method without waiting for its result.
    pub fn send(&self, session: &str, method: &str, params: Value) -> u64 {
        let id = self.next.replace(self.next.get() + 1);
        let mut message = json!({"id": id, "method": method, "params": params});
        if !session.is_empty() {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        // If the browser has ended, `call` fails on the missing answer.
        let _ = self
            .stdin
            .borrow_mut()
            .as_mut()
            .map(|stdin| stdin.write_all(&bytes));
        id
    }

    /// Records events for this long.
    pub fn record_for(&self, time: Duration) {
        let until = Instant::now() + time;
        loop {
            match self
                .incoming
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(message) => self.record(message),
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => panic!("the browser has ended"),
            }
        }
    }

    /// The events of this page so far.
    pub fn events(&self, session: &str, method: &str) -> Vec<Value> {
        let events = self.events.borrow();
        events
            .iter()
            .filter(|e| e.session == session && e.method == method)
            .map(|e| e.params.clone())
            .collect()
    }

    /// Ends the browser and waits until it has ended.
    pub fn shut_down(&self) {
        // Closing its pipe ends it in order; what is left then is killed. The group's id stays valid until the first
        // process has been waited for.
        self.stdin.borrow_mut().take();
        let Some(mut child) = self.child.borrow_mut().take() else {
            return;
        };
        let pid = Pid::from_child(&child);
        let until = Instant::now() + SHUTDOWN_TIMEOUT;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), options), Ok(None)) && Instant::now() < until {
            let _ = self.incoming.recv_timeout(POLL_INTERVAL);
        }
        let _ = kill_process_group(pid, Signal::KILL);
        let _ = child.wait();
    }

    fn record(&self, mut message: Value) {
        let Some(method) = message["method"].as_str().map(str::to_owned) else {
            return;
        };
        let session = message["sessionId"].as_str().unwrap_or_default().to_owned();
        // A page is blocked until its dialog is answered.
        if method == "Page.javascriptDialogOpening" {
            self.send(
                &session,
                "Page.handleJavaScriptDialog",
                json!({"accept": true}),
            );
        }
        self.events.borrow_mut().push(Event {
            session,
            method,
            params: message["params"].take(),
        });
    }
}

impl Drop for Devtools {
    fn drop(&mut self) {
        self.shut_down();
    }
}
