//! The wire to a browser: its DevTools protocol over two pipes.
//!
//! Knows processes, pipes and JSON; never knows pages. No port is opened and nothing has to be looked for: the browser
//! reads commands from one pipe and writes answers to the other, and when the pipes close (because the test has ended in
//! whatever way, `kill -9` included) it ends by itself.

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long anybody waits for anything, in seconds: a machine with two busy cores starts a browser in many.
const PATIENCE: u64 = 90;

/// The same as a time; `PAPO_PRAZO` makes it another one, for whoever is looking for a fault.
pub fn patience() -> Duration {
    let asked = std::env::var("PAPO_PRAZO")
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(asked.unwrap_or(PATIENCE))
}

/// How often a condition is looked at that nobody announces.
pub const GLANCE: Duration = Duration::from_millis(25);

/// How long a browser, and the last of its helpers, may take to end.
pub const FAREWELL: Duration = Duration::from_secs(5);

/// What the shell does before it becomes the browser: the browser takes its pipes at descriptors 3 and 4.
const BECOME: &str = r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

/// Without what a test does not need: a sandbox (which containers forbid), a GPU, the network's services.
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
    // A name that is no secure place, without a network.
    "--host-resolver-rules=MAP papo.local 127.0.0.1",
];

/// Something that the browser told without being asked.
#[derive(Debug, Clone)]
pub struct Event {
    pub session: String,
    pub method: String,
    pub params: Value,
}

/// A running browser, and what it has said.
pub struct Devtools {
    child: RefCell<Option<Child>>,
    stdin: RefCell<Option<ChildStdin>>,
    said: Receiver<Value>,
    next: Cell<u64>,
    events: RefCell<Vec<Event>>,
}

impl Devtools {
    /// Starts a browser that keeps everything in this folder.
    pub fn start(home: &Path) -> Self {
        let program = std::env::var("PAPO_CHROMIUM").unwrap_or_else(|_| "chromium".into());
        let complaints = std::fs::File::create(home.join("stderr.txt")).unwrap();
        let mut child = Command::new("sh")
            .args(["-c", BECOME, "sh", &program])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", home.display()))
            .arg("about:blank")
            .env("HOME", home)
            .env("LANGUAGE", "pt_BR")
            .env("TZ", "America/Sao_Paulo")
            // All its helpers are in a group of their own, which can be ended as one.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, said) = channel();
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
        let (child, stdin) = (RefCell::new(Some(child)), RefCell::new(Some(stdin)));
        Self {
            child,
            stdin,
            said,
            next: Cell::new(1),
            events: RefCell::default(),
        }
    }

    /// Asks the browser, or one of its pages, for something and waits for the answer.
    pub fn ask(&self, session: &str, method: &str, params: Value) -> Result<Value, String> {
        let id = self.tell(session, method, params);
        let until = Instant::now() + patience();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let message = self
                .said
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
            self.keep(message);
        }
    }

    /// Asks for something whose answer nobody needs.
    pub fn tell(&self, session: &str, method: &str, params: Value) -> u64 {
        let id = self.next.replace(self.next.get() + 1);
        let mut message = json!({"id": id, "method": method, "params": params});
        if !session.is_empty() {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        // A browser that has ended answers nothing, which whoever asks is told.
        let _ = self
            .stdin
            .borrow_mut()
            .as_mut()
            .map(|stdin| stdin.write_all(&bytes));
        id
    }

    /// Takes in what is said within this time. The one place where a condition that nobody announces is waited for.
    pub fn listen(&self, time: Duration) {
        let until = Instant::now() + time;
        loop {
            match self
                .said
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(message) => self.keep(message),
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => panic!("the browser has ended"),
            }
        }
    }

    /// What was told up to now, by this page.
    pub fn events(&self, session: &str, method: &str) -> Vec<Value> {
        let events = self.events.borrow();
        events
            .iter()
            .filter(|e| e.session == session && e.method == method)
            .map(|e| e.params.clone())
            .collect()
    }

    /// Ends the browser, if it has not ended yet, and waits until it has.
    pub fn end(&self) {
        // Without its pipe it ends by itself and in order; whatever of it has not ended then is ended. The group has its
        // number as long as nobody has taken note of the end of its first process.
        self.stdin.borrow_mut().take();
        let Some(mut child) = self.child.borrow_mut().take() else {
            return;
        };
        let pid = Pid::from_child(&child);
        let until = Instant::now() + FAREWELL;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), options), Ok(None)) && Instant::now() < until {
            let _ = self.said.recv_timeout(GLANCE);
        }
        let _ = kill_process_group(pid, Signal::KILL);
        let _ = child.wait();
    }

    fn keep(&self, mut message: Value) {
        let Some(method) = message["method"].as_str().map(str::to_owned) else {
            return;
        };
        let session = message["sessionId"].as_str().unwrap_or_default().to_owned();
        // A page stands still until somebody has answered its question.
        if method == "Page.javascriptDialogOpening" {
            self.tell(
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
        self.end();
    }
}
