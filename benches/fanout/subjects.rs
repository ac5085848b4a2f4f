//! The programs that are measured: the real server, the raw limit, and the least chat on two widely used packages.

use crate::RAW_LIMIT;
use crate::load::peer::Dialect;
use crate::load::process::{Cores, Storage, Subject};
use std::path::Path;
use std::process::{Command, Stdio};

/// A way of measuring, the same for all programs of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Nobody spins: both sides run where the system likes, and the crowd sleeps while there is nothing to read.
    Quiet,
    /// The program has one core, and the crowd never sleeps on the other: the shortest delays, and no core left over for
    /// the disk.
    Spinning,
}

impl Method {
    pub fn label(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Spinning => "spinning",
        }
    }

    pub fn cores(self) -> Cores {
        match self {
            Self::Quiet => Cores::Shared,
            Self::Spinning => Cores::Apart,
        }
    }
}

/// A program that delivers messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `servidor`, with its history in memory or in a file.
    Server(Storage),
    /// A thread that only passes frames on.
    Limit,
    /// `websockets`, for Python.
    Python,
    /// `ws`, for Node.
    Node,
}

impl Program {
    /// The other program of this name, if its package is installed.
    pub fn find_installed(word: &str) -> Option<Self> {
        let (program, executable, args) = match word {
            "python" => (
                Self::Python,
                "python3",
                ["-c", "import websockets.asyncio.server"],
            ),
            "node" => (Self::Node, "node", ["-e", "require('ws')"]),
            _ => return None,
        };
        let status = Command::new(executable)
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status
            .is_ok_and(|status| status.success())
            .then_some(program)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Server(storage) => storage.label(),
            Self::Limit => "limit",
            Self::Python => "python",
            Self::Node => "node",
        }
    }

    pub fn is_ours(self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// How it is spoken to.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Server(_) => Dialect::Chat,
            Self::Limit => Dialect::Raw,
            Self::Python | Self::Node => Dialect::WebSocket,
        }
    }

    /// Starts it; only the limit needs the number of rooms.
    pub fn start(self, rooms: usize, cores: Cores) -> Subject {
        let script = |program: &str, name: &str| {
            let mut command = Command::new(program);
            command.arg(
                Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("benches/fanout/vs")
                    .join(name),
            );
            Subject::start(command, None, cores)
        };
        match self {
            Self::Server(storage) => Subject::server(storage, cores),
            Self::Limit => {
                let mut command =
                    Command::new(std::env::current_exe().expect("this program's own path"));
                command.args([RAW_LIMIT, &rooms.to_string()]);
                Subject::start(command, None, cores)
            }
            Self::Python => script("python3", "broadcast.py"),
            Self::Node => script("node", "broadcast.js"),
        }
    }
}
