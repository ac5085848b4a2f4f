//! Copies the history for the command line, and says on a terminal how far the copy is.

use crate::open_history::{open_error, require_file};
use papo::config::Transfer;
use papo::history::sqlite::{self, CopyError, CopyProgress, OnProgress};
use papo::pt::{group_thousands, megabytes};
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The line is rewritten at most five times a second.
const REWRITE_EVERY: Duration = Duration::from_millis(200);

/// Copies the history, until `cancelled` is set, and returns the sentence to print. An error is the sentence to print.
pub fn copy(transfer: &Transfer, cancelled: &AtomicBool) -> Result<String, String> {
    let Transfer {
        history: path,
        copy: target,
    } = transfer;
    require_file(path)?;
    let copied = show_progress(cancelled, |on_progress| {
        sqlite::copy(path, target, on_progress)
    });
    let name = target.display();
    match copied {
        Ok(1) => Ok(format!("1 mensagem copiada para {name}.\n")),
        Ok(count) => Ok(format!(
            "{} mensagens copiadas para {name}.\n",
            group_thousands(count)
        )),
        Err(error) => Err(copy_error(path, target, &error)),
    }
}

/// Does work that copies pages, and says on a terminal how far it is.
pub fn show_progress<T>(cancelled: &AtomicBool, work: impl FnOnce(OnProgress) -> T) -> T {
    let stderr = std::io::stderr();
    let mut line = stderr
        .is_terminal()
        .then(|| ProgressLine::new(stderr, Instant::now()));
    let result = work(&mut |progress| {
        if let Some(line) = &mut line {
            line.show(progress, Instant::now());
        }
        if cancelled.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    if let Some(line) = line {
        line.clear();
    }
    result
}

/// Why there is no copy, and what to do about it.
fn copy_error(path: &Path, target: &Path, error: &CopyError) -> String {
    let name = target.display();
    match error {
        CopyError::Source(error) => open_error(path, error),
        CopyError::Exists => {
            format!("O arquivo {name} já existe. Escolha outro nome para a cópia.")
        }
        CopyError::InProgress => {
            format!(
                "Outra cópia para {name} está em andamento. Espere o fim dela ou escolha outro nome."
            )
        }
        CopyError::NoSpace(missing) => format!(
            "Faltam {} no disco para a cópia {name}. Libere espaço ou escolha outro lugar.",
            megabytes(*missing)
        ),
        CopyError::Cancelled => format!("Cópia cancelada: nada ficou em {name}."),
        CopyError::Io(_) | CopyError::Sql(_) => {
            format!("Não consegui escrever {name} ({error}). Confira a pasta e o espaço em disco.")
        }
    }
}

/// One line that is rewritten in place.
struct ProgressLine<W> {
    out: W,
    /// When it may be rewritten.
    next: Instant,
    shown: bool,
}

impl<W: Write> ProgressLine<W> {
    /// A line that stays empty for a moment: most copies are short.
    fn new(out: W, now: Instant) -> Self {
        Self {
            out,
            next: now + REWRITE_EVERY,
            shown: false,
        }
    }

    fn show(&mut self, progress: CopyProgress, now: Instant) {
        if now < self.next {
            return;
        }
        self.next = now + REWRITE_EVERY;
        self.shown = true;
        // A terminal that is gone stops no copy.
        let _ = write!(self.out, "\rCopiando… {} %\x1b[K", progress.percent());
        let _ = self.out.flush();
    }

    fn clear(mut self) {
        if self.shown {
            let _ = write!(self.out, "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_rewritten_five_times_a_second_and_cleared() {
        let mut out = Vec::new();
        let start = Instant::now();
        let mut line = ProgressLine::new(&mut out, start);
        for n in 0..=100 {
            let progress = CopyProgress {
                done: n,
                total: 100,
            };
            line.show(progress, start + Duration::from_millis(10) * n);
        }
        line.clear();
        let text = String::from_utf8(out).unwrap();
        let shown: Vec<&str> = text.split('\r').skip(1).collect();
        let percents = [20, 40, 60, 80, 100].map(|percent| format!("Copiando… {percent} %\x1b[K"));
        assert_eq!(shown[..5], percents);
        assert_eq!(shown[5..], ["\x1b[K"]);
    }

    #[test]
    fn short_copy_shows_no_progress() {
        let mut out = Vec::new();
        let start = Instant::now();
        let mut line = ProgressLine::new(&mut out, start);
        let progress = CopyProgress { done: 1, total: 1 };
        line.show(progress, start + Duration::from_millis(199));
        line.clear();
        assert_eq!(out, b"");
    }
}
