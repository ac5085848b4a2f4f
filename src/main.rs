//! `servidor`: reads the options, opens the history, starts the server, prints the banner and stops on a signal.

mod banner;
mod copy_history;
mod local_page_key;
mod open_history;
mod output;
mod qr;
mod restore_history;

use output::{Outputs, init_logging, report_panics};
use papo::auth::{PasswordHash, random_key};
use papo::config::{self, Command, Config};
use papo::os_error::describe;
use papo::platform::{self, StopSignal};
use papo::server::{DeliveryLimits, Policy, Rules, Server, Setup, capacity, listen};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A failure at run time.
const EXIT_FAILURE: u8 = 1;
/// The options are invalid.
const EXIT_USAGE: u8 = 2;
/// Stopped at once, by a second Ctrl+C.
const EXIT_INTERRUPTED: i32 = 130;

fn main() -> ExitCode {
    // Otherwise a write beyond `ulimit -f` ends the program, whatever the file.
    let _ = platform::survive_file_size_limit();
    let arguments = std::env::args_os().skip(1);
    let command = match config::parse(arguments, |name| std::env::var_os(name)) {
        Ok(request) => request,
        Err(error) => return exit_with(&error.0, EXIT_USAGE),
    };
    run_command(&command).unwrap_or_else(|sentence| exit_with(&sentence, EXIT_FAILURE))
}

/// Runs a command. An error is the sentence to print.
fn run_command(command: &Command) -> Result<ExitCode, String> {
    match command {
        Command::Help => print(&config::help()),
        Command::Version => print(&format!("papo {}\n", env!("CARGO_PKG_VERSION"))),
        Command::Export(export) => open_history::export(export)?,
        Command::Copy(transfer) => {
            let cancelled = set_on_stop_signal()?;
            print(&copy_history::copy(transfer, &cancelled)?);
        }
        Command::Restore(transfer) => {
            let cancelled = set_on_stop_signal()?;
            print(&restore_history::restore(transfer, &cancelled)?);
        }
        Command::Serve(config) => return serve(config),
    }
    Ok(ExitCode::SUCCESS)
}

fn print(text: &str) {
    // A closed pipe (`| head`) is not an error.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn exit_with(sentence: &str, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{sentence}");
    ExitCode::from(code)
}

/// Serves until stopped. An error is the sentence to print, before it serves.
fn serve(config: &Config) -> Result<ExitCode, String> {
    open_history::refuse_shared_file(config)?;
    let outputs = Outputs::start(config.log_file.as_deref())?;
    init_logging(config, &outputs)?;
    report_panics(&outputs);
    let server = start_server(config, &outputs).inspect_err(|_| outputs.finish())?;
    let stats = server.stats();
    let result = server.run();
    outputs.print(&banner::goodbye(stats.notified.load(Ordering::Relaxed)));
    if let Err(error) = &result {
        let reason = describe(error);
        outputs.print_error(&format!(
            "O servidor parou por um erro interno ({reason}). Ligue-o de novo."
        ));
    }
    outputs.finish();
    Ok(result.map_or(ExitCode::from(EXIT_FAILURE), |()| ExitCode::SUCCESS))
}

/// A server that listens, and its banner. An error is the sentence to print.
fn start_server(config: &Config, outputs: &Outputs) -> Result<Server, String> {
    let capacity = capacity::find(config.max_connections);
    // The port before the file: a second server started by mistake should report the port.
    let listener =
        listen(config.socket_address()).map_err(|error| banner::listen_error(config, &error))?;
    let opened = open_history::open(config)?;
    for warning in &opened.warnings {
        outputs.print_error(warning);
        // Without a log file the log goes to the same place.
        if config.log_file.is_some() {
            log::warn!("{warning}");
        }
    }
    let moderator_key = random_key()
        .map_err(|_| "O sistema não tem números aleatórios para dar. Tente de novo.")?;
    let setup = Setup {
        max_connections: capacity.connections,
        policy: policy(config),
        rules: rules(config, &moderator_key),
        delivery_limits: DeliveryLimits::default(),
        history: opened.history,
    };
    let server = Server::new(listener, setup);
    let address = server
        .local_addr()
        .map_err(|error| format!("O sistema não disse qual é a porta: {}", describe(&error)))?;
    handle_signals(&server, config, outputs)?;
    outputs.print(&banner::welcome(
        address,
        &opened.summary,
        opened.note.as_deref(),
        &capacity,
        &moderator_key,
    ));
    if config.qr_code
        && let Some(link) = banner::network_link(address)
        && let Some(code) = qr::render_for_terminal(&link)
    {
        outputs.print(&code);
    }
    Ok(server)
}

fn policy(config: &Config) -> Policy {
    let mut domains = config.domains.clone();
    domains.push(gethostname::gethostname().to_string_lossy().to_lowercase());
    Policy {
        domains,
        origins: config.origins.clone(),
        local_page_key: local_page_key::load_or_create(Path::new("html")),
    }
}

fn rules(config: &Config, moderator_key: &str) -> Rules {
    let password = config.password.as_ref();
    Rules {
        rate: (config.rate > 0.0).then_some(config.rate),
        password: password.map(|password| PasswordHash::of(password.expose_secret())),
        moderator_key: Some(PasswordHash::of(moderator_key)),
        ..Rules::default()
    }
}

/// A flag that Ctrl+C, SIGTERM and SIGHUP set.
fn set_on_stop_signal() -> Result<Arc<AtomicBool>, String> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    platform::on_stop_signal(move |_| set.store(true, Ordering::Relaxed))
        .map_err(|_| "Não consegui preparar o Ctrl+C.")?;
    Ok(flag)
}

/// The first Ctrl+C (or SIGTERM, SIGHUP) stops the server in order, the second at once. With a log file and no terminal
/// SIGHUP only opens that file again, as programs that rotate logs expect.
fn handle_signals(server: &Server, config: &Config, outputs: &Outputs) -> Result<(), String> {
    let stopper = server.stopper().map_err(|error| {
        format!(
            "O sistema não deu mais um descritor ({}).",
            describe(&error)
        )
    })?;
    let rotates = config.log_file.is_some() && !platform::has_terminal();
    let outputs = outputs.clone();
    let stopping = AtomicBool::new(false);
    let on_signal = move |signal| {
        if signal == StopSignal::HangUp && rotates {
            return outputs.reopen_log();
        }
        if stopping.swap(true, Ordering::Relaxed) {
            std::process::exit(EXIT_INTERRUPTED);
        }
        stopper.stop();
    };
    platform::on_stop_signal(on_signal)
        .map_err(|error| format!("Não consegui preparar o Ctrl+C ({}).", describe(&error)))
}
