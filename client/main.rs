//! `cliente`: the terminal client.
//!
//! Reading order: `options` (what was asked for) → `app` (the state: events in, effects out) → `run` (the loop that
//! feeds it and does what it says). Around the state stand the fronts `screen` and `lines`, and the network:
//! `session` (one connection after another) over `connection` (two threads on one socket).
//!
//! ```text
//! keyboard ──Input──▶ front ──Event──▶ ┌─────┐ ──Show──▶ front (screen | lines)
//! connection ──News──▶ session ─Event─▶ │ app │ ──Send──▶ session ──▶ connection
//! system, time ─────────────────Event─▶ └─────┘ ──Exit──▶
//! ```
//!
//! This file knows how the parts are put together, and nothing of what they do.

#![forbid(unsafe_code)]

mod app;
mod net;
mod options;
mod run;
mod ui;

use app::{App, Exit, Mode};
use crossbeam_channel::bounded;
use net::session::Session;
use options::{Invocation, Options};
use papo::os_error::describe;
use run::{Client, Sources};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use ui::Ui;
use ui::clock::Clock;

/// News of the network that wait to be taken up; behind them the server waits.
const MAX_QUEUED_EVENTS: usize = 1024;

/// Which kind of surface there is.
#[derive(Debug, Clone, Copy)]
struct Terminal {
    /// Somebody types.
    stdin_tty: bool,
    /// Somebody reads the output as it comes.
    stdout_tty: bool,
    /// Keys can be read and the cursor can be moved.
    full_screen: bool,
    /// What reads the output is a program.
    json: bool,
}

fn main() -> ExitCode {
    // First of all, while there is only one thread.
    let clock = Clock::local();
    let invocation = options::parse(
        std::env::args_os().skip(1),
        std::env::var_os("PAPO_NOME"),
        std::env::var_os("PAPO_SENHA"),
    );
    let exit = match invocation {
        Ok(Invocation::Help) => print(&options::help()),
        Ok(Invocation::Version) => print(&format!("cliente {}\n", env!("CARGO_PKG_VERSION"))),
        Ok(Invocation::Chat(options)) => chat(options, clock),
        Err(sentence) => exit_with(&sentence, Exit::Usage),
    };
    ExitCode::from(exit as u8)
}

fn print(text: &str) -> Exit {
    // Whoever closed the pipe has read enough.
    let _ = io::stdout().write_all(text.as_bytes());
    Exit::Success
}

fn exit_with(sentence: &str, exit: Exit) -> Exit {
    let _ = writeln!(io::stderr(), "{sentence}");
    exit
}

fn chat(options: Options, clock: Clock) -> Exit {
    let terminal = Terminal::detect(&options);
    // A name is asked for only where there is somebody to hear it.
    if options.name.is_none()
        && !options.reconnect
        && let Err(error) = net::connection::probe(&options.address)
    {
        let sentence = app::strings::connect_error(&error, &options.address);
        return exit_with(&sentence, Exit::Unreachable);
    }
    if options.name.is_none() && !terminal.stdin_tty {
        return exit_with(
            "Falta o nome. Escreva assim: cliente --nome Ana",
            Exit::Usage,
        );
    }
    let (Ok(token), Ok(id_prefix)) = (net::token::load_or_create(), net::token::random_hex(8))
    else {
        return exit_with(
            "O sistema não deu números aleatórios, e sem eles não há segredo.",
            Exit::Unexpected,
        );
    };
    let (Ok(shutdown), (sender, server_events)) =
        (ui::signals::shutdown_signal(), bounded(MAX_QUEUED_EVENTS))
    else {
        return exit_with(
            "Não consegui preparar o fim do programa (Ctrl+C).",
            Exit::Unexpected,
        );
    };
    let mode = Mode {
        interactive: terminal.stdin_tty,
        keep_listening: options.keep_listening,
        reconnect: options.reconnect,
    };
    let session = Session::new(options.address.clone(), sender);
    let mut app = App::new(
        options.address,
        mode,
        options.name,
        options.room,
        token,
        id_prefix,
    );
    app.set_credentials(options.credentials);
    let result = terminal.open_ui(clock).and_then(|mut ui| {
        let inputs = if terminal.full_screen {
            ui::stdin::read_keys()
        } else {
            ui::stdin::read_lines()
        }?;
        let sources = Sources {
            inputs,
            server_events,
            shutdown,
        };
        Ok(Client {
            app,
            session,
            ui: ui.as_mut(),
            sources,
            ui_alive: true,
        }
        .run())
    });
    result.unwrap_or_else(|error| {
        exit_with(
            &format!("Não consegui usar o terminal: {}.", describe(&error)),
            Exit::Unexpected,
        )
    })
}

impl Terminal {
    fn detect(options: &Options) -> Self {
        let (stdin_tty, stdout_tty) = (io::stdin().is_terminal(), io::stdout().is_terminal());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        Self {
            stdin_tty,
            stdout_tty,
            full_screen: stdin_tty && stdout_tty && !dumb && !options.plain && !options.json,
            json: options.json,
        }
    }

    fn open_ui(self, clock: Clock) -> io::Result<Box<dyn Ui>> {
        if self.full_screen {
            ui::signals::restore_on_panic();
            let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            return Ok(Box::new(ui::screen::Screen::new(clock, colours)?));
        }
        let notices = match (self.stdin_tty, self.stdout_tty) {
            (true, true) => Some(ui::plain::NoticeStream::Stdout),
            (true, false) => Some(ui::plain::NoticeStream::Stderr),
            (false, _) => None,
        };
        let plain = ui::plain::PlainUi::new(clock, notices);
        Ok(if self.json {
            Box::new(ui::json::JsonUi::new(plain))
        } else {
            Box::new(plain)
        })
    }
}
