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
