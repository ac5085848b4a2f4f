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

mod address;
mod app;
mod clock;
mod command;
mod complete;
mod connection;
mod ending;
mod front;
mod heard;
mod input;
mod json;
mod keyboard;
mod keys;
mod line;
mod lines;
mod mention;
mod options;
mod pending;
mod room;
mod run;
mod screen;
mod session;
mod token;
mod visible;
mod words;

use app::{App, Exit, Mode};
use clock::Clock;
use crossbeam_channel::bounded;
use front::Front;
use options::{Options, Request};
use papo::reasons::describe;
use run::{Client, Sources};
use session::Session;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// News of the network that wait to be taken up; behind them the server waits.
const MAX_NEWS: usize = 1024;

/// Which kind of surface there is.
#[derive(Debug, Clone, Copy)]
struct Surface {
    /// Somebody types.
    attended: bool,
    /// Somebody reads the output as it comes.
    watched: bool,
    /// Keys can be read and the cursor can be moved.
    capable: bool,
    /// What reads the output is a program.
    json: bool,
}

fn main() -> ExitCode {
    // First of all, while there is only one thread.
    let clock = Clock::local();
    let request = options::parse(
        std::env::args_os().skip(1),
        std::env::var_os("PAPO_NOME"),
        std::env::var_os("PAPO_SENHA"),
    );
    let exit = match request {
        Ok(Request::Help) => print(&options::help()),
        Ok(Request::Version) => print(&format!("cliente {}\n", env!("CARGO_PKG_VERSION"))),
        Ok(Request::Talk(options)) => talk(options, clock),
        Err(sentence) => complain(&sentence, Exit::Usage),
    };
    ExitCode::from(exit as u8)
}

fn print(text: &str) -> Exit {
    // Whoever closed the pipe has read enough.
    let _ = io::stdout().write_all(text.as_bytes());
    Exit::Success
}

fn complain(sentence: &str, exit: Exit) -> Exit {
    let _ = writeln!(io::stderr(), "{sentence}");
    exit
}

fn talk(options: Options, clock: Clock) -> Exit {
    let surface = Surface::of(&options);
    // A name is asked for only where there is somebody to hear it.
    if options.name.is_none()
        && !options.insists
        && let Err(failure) = connection::probe(&options.address)
    {
        return complain(&failure.sentence(&options.address), Exit::Unreachable);
    }
    if options.name.is_none() && !surface.attended {
        return complain(
            "Falta o nome. Escreva assim: cliente --nome Ana",
            Exit::Usage,
        );
    }
    let (Ok(token), Ok(prefix)) = (token::obtain(), token::random_hex(8)) else {
        return complain(
            "O sistema não deu números aleatórios, e sem eles não há segredo.",
            Exit::Unexpected,
        );
    };
    let (Ok(stops), (sender, news)) = (ending::watch_for_the_end(), bounded(MAX_NEWS)) else {
        return complain(
            "Não consegui preparar o fim do programa (Ctrl+C).",
            Exit::Unexpected,
        );
    };
    let habits = Mode {
        interactive: surface.attended,
        keep_listening: options.stays,
        reconnect: options.insists,
    };
    let session = Session::new(options.address.clone(), sender);
    let mut app = App::new(
        options.address,
        habits,
        options.name,
        options.room,
        token,
        prefix,
    );
    app.show_at_the_door(options.secrets);
    let result = surface.open(clock).and_then(|mut front| {
        let inputs = if surface.capable {
            keyboard::keys()
        } else {
            keyboard::lines()
        }?;
        let sources = Sources {
            inputs,
            news,
            stops,
        };
        Ok(Client {
            app,
            session,
            front: front.as_mut(),
            sources,
            watched: true,
        }
        .run())
    });
    result.unwrap_or_else(|error| {
        complain(
            &format!("Não consegui usar o terminal: {}.", describe(&error)),
            Exit::Unexpected,
        )
    })
}

impl Surface {
    fn of(options: &Options) -> Self {
        let (attended, watched) = (io::stdin().is_terminal(), io::stdout().is_terminal());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        Self {
            attended,
            watched,
            capable: attended && watched && !dumb && !options.lines && !options.json,
            json: options.json,
        }
    }

    fn open(self, clock: Clock) -> io::Result<Box<dyn Front>> {
        if self.capable {
            ending::restore_on_panic();
            let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            return Ok(Box::new(screen::Screen::new(clock, colours)?));
        }
        let news = match (self.attended, self.watched) {
            (true, true) => Some(lines::NoticeStream::Stdout),
            (true, false) => Some(lines::NoticeStream::Stderr),
            (false, _) => None,
        };
        let lines = lines::PlainUi::new(clock, news);
        Ok(if self.json {
            Box::new(json::JsonUi::new(lines))
        } else {
            Box::new(lines)
        })
    }
}
