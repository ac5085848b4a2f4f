//! Log lines and panics, into the queues.

use super::Outputs;
use papo::config::Config;
use papo::server::AUDIT_LOG;
use simplelog::{CombinedLogger, LevelFilter, SharedLogger, WriteLogger};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use std::thread;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// Sends log lines to the outputs, as detailed as the configuration wants them. An error is the sentence to print.
pub fn init_logging(config: &Config, outputs: &Outputs) -> Result<(), String> {
    let level = match config.verbosity {
        0 => LevelFilter::Warn,
        1 => LevelFilter::Info,
        _ => LevelFilter::Debug,
    };
    // Only our own modules: tungstenite would dump frames, and texts never belong in a log.
    let mut loggers: Vec<Box<dyn SharedLogger>> = vec![WriteLogger::new(
        level,
        log_format("papo", outputs.offset),
        outputs.log_writer(),
    )];
    if level < LevelFilter::Info {
        loggers.push(WriteLogger::new(
            LevelFilter::Info,
            log_format(AUDIT_LOG, outputs.offset),
            outputs.log_writer(),
        ));
    }
    CombinedLogger::init(loggers).map_err(|_| "Não consegui ligar os registros.".into())
}

/// Log lines of these modules.
fn log_format(modules: &'static str, offset: UtcOffset) -> simplelog::Config {
    simplelog::ConfigBuilder::new()
        .set_time_offset(offset)
        .add_filter_allow_str(modules)
        .set_time_format_rfc3339()
        .build()
}

/// Sends the messages of panics to the outputs: the standard library's own hook blocks on standard error.
pub fn report_panics(outputs: &Outputs) {
    let outputs = outputs.clone();
    std::panic::set_hook(Box::new(move |info| {
        // Past the logger, which may be what panicked.
        outputs.print_everywhere(&describe_panic(info, outputs.offset));
        if thread::current().name() == Some("main") {
            // Nothing else runs before the program ends.
            outputs.finish();
        }
    }));
}

fn describe_panic(info: &PanicHookInfo<'_>, offset: UtcOffset) -> String {
    let time = timestamp(offset);
    let thread = thread::current();
    let name = thread.name().unwrap_or("?");
    let mut text = format!(
        "{time} [ERROR] O servidor encontrou um defeito (thread {name}). O que se sabe dele: {info}\n"
    );
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        text.push_str(&format!("{backtrace}\n"));
    }
    text
}

/// The time as log lines have it, to the second.
pub(super) fn timestamp(offset: UtcOffset) -> String {
    let now = OffsetDateTime::now_utc().to_offset(offset);
    now.truncate_to_second()
        .format(&Rfc3339)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::process::{Command, Stdio};

    /// Set only in the process that panics.
    const PANIC_VARIABLE: &str = "PAPO_TEST_PANICS";

    /// Does nothing by itself: the other tests start it with a stderr of theirs.
    #[test]
    fn panicking_server_process() {
        if std::env::var_os(PANIC_VARIABLE).is_none() {
            return;
        }
        let outputs = Outputs::start(None).unwrap();
        report_panics(&outputs);
        let thread = thread::Builder::new().name("conn-7".into());
        let panicking = thread.spawn(|| panic!("um teste")).unwrap();
        assert!(panicking.join().is_err());
        outputs.finish();
    }

    /// Starts the test above in a process of its own, which must end well.
    fn panic_in_process(stderr: UnixStream) {
        let status = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "output::logging::tests::panicking_server_process",
            ])
            .env(PANIC_VARIABLE, "1")
            .env_remove("RUST_BACKTRACE")
            .stdout(Stdio::null())
            .stderr(OwnedFd::from(stderr))
            .status();
        assert!(status.unwrap().success());
    }

    #[test]
    fn panic_is_reported_with_its_thread_and_place() {
        let (stderr, mut reader) = UnixStream::pair().unwrap();
        panic_in_process(stderr);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        let words = "[ERROR] O servidor encontrou um defeito (thread conn-7). O que se sabe dele: panicked at src";
        assert!(text.contains(words) && text.contains("um teste"), "{text}");
    }

    #[test]
    fn panic_waits_for_no_full_stderr() {
        let (mut stderr, _reader) = UnixStream::pair().unwrap();
        stderr.set_nonblocking(true).unwrap();
        while stderr.write(&[b'x'; 4096]).is_ok() {}
        stderr.set_nonblocking(false).unwrap();
        panic_in_process(stderr);
    }
}
