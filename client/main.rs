//! `cliente`: the terminal client.
//!
//! Reading order: `options` → `app` (the core: events in, effects out) → `run` (the loop around it). `ui` shows and
//! reads; `net` connects. Imports go one way: `net`, `app`, `ui`, `run`, this file. It knows how the parts are put
//! together, never what they do.

mod app;
mod net;
mod options;
mod run;
mod ui;

use app::{App, AppSetup, Exit, Mode};
use crossbeam_channel::{Receiver, bounded};
use net::session::Session;
use options::{Invocation, Options};
use papo::auth::random_hex;
use papo::os_error::describe;
use papo::platform;
use run::{Client, Sources};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use ui::Ui;
use ui::clock::Clock;

/// Events of the connection that wait for the main thread; when they are full, the reader stops reading.
const MAX_QUEUED_EVENTS: usize = 1024;

/// What standard input and output are.
#[derive(Debug, Clone, Copy)]
struct Terminal {
    stdin_tty: bool,
    stdout_tty: bool,
    /// Keys can be read and the cursor can be moved.
    full_screen: bool,
    /// JSON was asked for.
    json: bool,
}

fn main() -> ExitCode {
    // The local offset can be read only while there is one thread.
    let clock = Clock::local();
    // Otherwise a write beyond `ulimit -f` ends the program without a sentence.
    let _ = platform::survive_file_size_limit();
    let arguments = std::env::args_os().skip(1);
    let invocation = options::parse(arguments, |name| std::env::var_os(name));
    let exit = match invocation {
        Ok(Invocation::Help) => print(&options::help()),
        Ok(Invocation::Version) => print(&format!("cliente {}\n", env!("CARGO_PKG_VERSION"))),
        Ok(Invocation::Chat(options)) => chat(options, clock),
        Err(error) => exit_with(&error.0, Exit::Usage),
    };
    ExitCode::from(exit as u8)
}

fn print(text: &str) -> Exit {
    // A reader that closed the pipe has read enough.
    let _ = io::stdout().write_all(text.as_bytes());
    Exit::Success
}

fn exit_with(sentence: &str, exit: Exit) -> Exit {
    let _ = writeln!(io::stderr(), "{sentence}");
    exit
}

fn chat(options: Options, clock: Clock) -> Exit {
    let terminal = Terminal::detect(&options);
    // Prompting for a name makes sense only once a server is known to answer.
    if options.name.is_none()
        && !options.reconnect
        && let Err(error) = net::connection::probe(&options.address)
    {
        let sentence = app::strings::connect_error(error, &options.address);
        return exit_with(&sentence, Exit::Unreachable);
    }
    if options.name.is_none() && !terminal.stdin_tty {
        return exit_with(
            "Falta o nome. Escreva assim: cliente --nome Ana",
            Exit::Usage,
        );
    }
    let (Ok(token), Ok(id_prefix)) = (net::token::load_or_create(), random_hex::<8>()) else {
        return exit_with(
            "O sistema não deu números aleatórios, e sem eles não há segredo.",
            Exit::Unexpected,
        );
    };
    let Ok(shutdown) = ui::signals::shutdown_signal() else {
        return exit_with(
            "Não consegui preparar o fim do programa (Ctrl+C).",
            Exit::Unexpected,
        );
    };
    let setup = AppSetup {
        mode: Mode {
            interactive: terminal.stdin_tty,
            keep_listening: options.keep_listening,
            reconnect: options.reconnect,
        },
        address: options.address,
        name: options.name,
        initial_room: options.room,
        token,
        id_prefix,
        credentials: options.credentials,
    };
    run_client(setup, terminal, clock, shutdown).unwrap_or_else(|error| {
        exit_with(
            &format!("Não consegui usar o terminal: {}.", describe(&error)),
            Exit::Unexpected,
        )
    })
}

fn run_client(
    setup: AppSetup,
    terminal: Terminal,
    clock: Clock,
    shutdown: Receiver<Exit>,
) -> io::Result<Exit> {
    let (sender, server_events) = bounded(MAX_QUEUED_EVENTS);
    let session = Session::new(setup.address.clone(), sender);
    let mut ui = terminal.open_ui(clock)?;
    let inputs = if terminal.full_screen {
        ui::stdin::read_keys()?
    } else {
        ui::stdin::read_lines()?
    };
    let client = Client {
        app: App::new(setup),
        session,
        ui: ui.as_mut(),
        sources: Sources {
            inputs,
            server_events,
            shutdown,
        },
        ui_alive: true,
        output_closed: false,
    };
    Ok(client.run())
}

impl Terminal {
    fn detect(options: &Options) -> Self {
        let stdin_tty = io::stdin().is_terminal();
        let stdout_tty = io::stdout().is_terminal();
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
