//! `servidor`: reads the options, opens the history, starts the server, prints the banner and stops on Ctrl+C.

mod banner;
mod copy_history;
mod local_page_key;
mod open_history;
mod qr;

use papo::auth::{PasswordHash, random_key};
use papo::config::{self, Command, Config};
use papo::os_error::describe;
use papo::server::{AUDIT_LOG, DeliveryLimits, Policy, Rules, Server, Setup, capacity, listen};
use simplelog::{CombinedLogger, LevelFilter, SharedLogger, WriteLogger};
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
    let arguments = std::env::args_os().skip(1);
    let command = match config::parse(arguments, |name| std::env::var_os(name)) {
        Ok(request) => request,
        Err(error) => return exit_with(&error.0, EXIT_USAGE),
    };
    match run_command(&command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => exit_with(&sentence, EXIT_FAILURE),
    }
}

/// Runs a command. An error is the sentence to print.
fn run_command(command: &Command) -> Result<(), String> {
    match command {
        Command::Help => print(&config::help()),
        Command::Version => print(&format!("papo {}\n", env!("CARGO_PKG_VERSION"))),
        Command::Export(export) => open_history::export(export)?,
        Command::Serve(config) => match &config.copy_to {
            Some(target) => {
                let cancelled = set_on_signal()?;
                print(&copy_history::copy(&config.history, target, &cancelled)?);
            }
            None => serve(config)?,
        },
    }
    Ok(())
}

fn print(text: &str) {
    // A closed pipe (`| head`) is not an error.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn exit_with(sentence: &str, code: u8) -> ExitCode {
    eprintln!("{sentence}");
    ExitCode::from(code)
}

/// Serves until stopped. An error is the sentence to print.
fn serve(config: &Config) -> Result<(), String> {
    init_logging(config)?;
    let capacity = capacity::find(config.max_connections);
    // The port before the file: a second server started by mistake should report the port.
    let listener =
        listen(config.socket_address()).map_err(|error| banner::listen_error(config, &error))?;
    let opened = open_history::open(config)?;
    let moderator_key = random_key()
        .map_err(|_| "O sistema não tem números aleatórios para dar. Tente de novo.")?;
    let password = config
        .password
        .as_ref()
        .map(|password| PasswordHash::of(password.expose_secret()));
    let rate = (config.rate > 0.0).then_some(config.rate);
    let mut domains = config.domains.clone();
    domains.push(gethostname::gethostname().to_string_lossy().to_lowercase());
    let setup = Setup {
        max_connections: capacity.connections,
        policy: Policy {
            domains,
            origins: config.origins.clone(),
            local_page_key: local_page_key::load_or_create(Path::new("html")),
        },
        rules: Rules {
            rate,
            password,
            moderator_key: Some(PasswordHash::of(&moderator_key)),
            ..Rules::default()
        },
        delivery_limits: DeliveryLimits::default(),
        history: opened.history,
    };
    let server = Server::new(listener, setup);
    let address = server
        .local_addr()
        .map_err(|error| format!("O sistema não disse qual é a porta: {}", describe(&error)))?;
    stop_on_ctrl_c(&server)?;
    let stats = server.stats();
    print(&banner::welcome(
        address,
        &opened.summary,
        opened.note.as_deref(),
        &capacity,
        &moderator_key,
    ));
    if config.qr_code
        && let Some(link) = banner::network_link(address)
    {
        print(&qr::render_for_terminal(&link).unwrap_or_default());
    }
    let result = server.run();
    print(&banner::goodbye(stats.notified.load(Ordering::Relaxed)));
    result.map_err(|error| {
        format!(
            "O servidor parou por um erro interno ({}). Ligue-o de novo.",
            describe(&error)
        )
    })
}

fn init_logging(config: &Config) -> Result<(), String> {
    let level = match config.verbosity {
        0 => LevelFilter::Warn,
        1 => LevelFilter::Info,
        _ => LevelFilter::Debug,
    };
    // Only our own modules: tungstenite would dump frames, and texts never belong in a log.
    let mut loggers: Vec<Box<dyn SharedLogger>> = vec![WriteLogger::new(
        level,
        log_format("papo"),
        log_output(config)?,
    )];
    if level < LevelFilter::Info {
        loggers.push(WriteLogger::new(
            LevelFilter::Info,
            log_format(AUDIT_LOG),
            log_output(config)?,
        ));
    }
    CombinedLogger::init(loggers).map_err(|_| "Não consegui ligar os registros.".into())
}

/// Log lines of these modules, with the local time, or UTC where the time zone is unknown.
fn log_format(modules: &'static str) -> simplelog::Config {
    let mut format = simplelog::ConfigBuilder::new();
    let _ = format.set_time_offset_to_local();
    format
        .add_filter_allow_str(modules)
        .set_time_format_rfc3339()
        .build()
}

fn log_output(config: &Config) -> Result<Box<dyn Write + Send>, String> {
    let Some(path) = &config.log_file else {
        return Ok(Box::new(std::io::stderr()));
    };
    let file = std::fs::File::options().create(true).append(true).open(path).map_err(|error| {
        let path = path.display();
        format!(
            "Não consegui escrever os registros em {path} ({}). Escolha outro arquivo: servidor --log papo.log",
            describe(&error)
        )
    })?;
    Ok(Box::new(file))
}

/// A flag that Ctrl+C, SIGTERM and SIGHUP set.
fn set_on_signal() -> Result<Arc<AtomicBool>, String> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    ctrlc::set_handler(move || set.store(true, Ordering::Relaxed))
        .map_err(|_| "Não consegui preparar o Ctrl+C.")?;
    Ok(flag)
}

/// The first Ctrl+C (or SIGTERM, SIGHUP) stops the server in order, the second at once.
fn stop_on_ctrl_c(server: &Server) -> Result<(), String> {
    let stopper = server.stopper().map_err(|error| {
        format!(
            "O sistema não deu mais um descritor ({}).",
            describe(&error)
        )
    })?;
    let stopping = AtomicBool::new(false);
    let on_signal = move || {
        if stopping.swap(true, Ordering::Relaxed) {
            std::process::exit(EXIT_INTERRUPTED);
        }
        stopper.stop();
    };
    ctrlc::set_handler(on_signal).map_err(|_| "Não consegui preparar o Ctrl+C.".into())
}
