//! Whether the history can be written now, and if not, why: set by its writer, read by any thread.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Longest time that a request to the history waits to be served. Then it is refused: it was not taken.
pub const MAX_WAIT: Duration = Duration::from_secs(2);

/// Why nothing can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum HistoryFault {
    /// The file is gone, or another one has its name.
    FileGone = 1,
    /// The last write failed.
    WriteFailed = 2,
    /// The disk has not answered for longer than [`MAX_WAIT`].
    Stalled = 3,
    /// The disk is full, or too little of it is left.
    NoSpace = 4,
    /// The history has reached its largest size.
    LimitReached = 5,
    /// Another program holds the file.
    Locked = 6,
    /// The thread that writes has ended.
    Stopped = 7,
}

impl HistoryFault {
    const ALL: [Self; 7] = [
        Self::FileGone,
        Self::WriteFailed,
        Self::Stalled,
        Self::NoSpace,
        Self::LimitReached,
        Self::Locked,
        Self::Stopped,
    ];

    /// Its name for programs, as `/saude` shows it.
    pub fn code(self) -> &'static str {
        match self {
            Self::FileGone => "file_gone",
            Self::WriteFailed => "write_failed",
            Self::Stalled => "stalled",
            Self::NoSpace => "no_space",
            Self::LimitReached => "limit_reached",
            Self::Locked => "locked",
            Self::Stopped => "stopped",
        }
    }

    /// Why a message was not taken, for its author.
    pub fn describe_refusal(self) -> &'static str {
        match self {
            Self::NoSpace => {
                "O disco do servidor está cheio, e a mensagem não foi enviada. Avise quem cuida do servidor."
            }
            Self::LimitReached => {
                "O histórico chegou ao tamanho máximo, e a mensagem não foi enviada. Avise quem cuida do servidor."
            }
            _ => {
                "O servidor não conseguiu guardar a mensagem, e ela não foi enviada. Tente de novo daqui a pouco."
            }
        }
    }

    /// What it is and what to do about it, for the operator.
    pub fn describe(self) -> &'static str {
        match self {
            Self::FileGone => {
                "O arquivo do histórico sumiu ou foi trocado. Ponha-o de volta no lugar, ou ligue o servidor de novo."
            }
            Self::WriteFailed => {
                "O histórico não se deixa escrever. Confira o disco e as permissões."
            }
            Self::Stalled => "O disco do histórico não responde. Confira o disco.",
            Self::NoSpace => "Quase não há mais espaço no disco do histórico. Libere espaço.",
            Self::LimitReached => {
                "O histórico chegou ao tamanho de --historico-max. Aumente o limite ou use --guardar."
            }
            Self::Locked => "Outro programa está usando o arquivo do histórico. Feche-o.",
            Self::Stopped => "Uma parte do histórico parou. Ligue o servidor de novo.",
        }
    }
}

/// The state of the history's writer.
#[derive(Debug)]
pub struct HistoryHealth {
    started: Instant,
    /// A [`HistoryFault`], or 0.
    fault: AtomicU8,
    /// Since when the writer works on what it does now, in milliseconds after `started`, plus one; 0 while it waits.
    busy_since_ms: AtomicU64,
}

impl Default for HistoryHealth {
    /// A history that can be written.
    fn default() -> Self {
        Self {
            started: Instant::now(),
            fault: AtomicU8::new(0),
            busy_since_ms: AtomicU64::new(0),
        }
    }
}

impl HistoryHealth {
    /// Why nothing can be stored at this time; `None` when all is well.
    pub fn fault(&self, now: Instant) -> Option<HistoryFault> {
        self.last_fault().or_else(|| {
            let since = self.busy_since_ms.load(Ordering::Relaxed).checked_sub(1)?;
            let busy = self.millis(now).saturating_sub(since);
            (u128::from(busy) > MAX_WAIT.as_millis()).then_some(HistoryFault::Stalled)
        })
    }

    /// The fault of the last write.
    pub(super) fn last_fault(&self) -> Option<HistoryFault> {
        let fault = self.fault.load(Ordering::Relaxed);
        HistoryFault::ALL
            .into_iter()
            .find(|&known| known as u8 == fault)
    }

    /// Sets what the writer met, and logs it if it has changed.
    pub(crate) fn set(&self, fault: Option<HistoryFault>) {
        let number = fault.map_or(0, |fault| fault as u8);
        let before = self.last_fault();
        self.fault.store(number, Ordering::Relaxed);
        if before == fault {
            return;
        }
        match fault {
            // The watch of the file says what became of it.
            Some(HistoryFault::FileGone) => {}
            None if before == Some(HistoryFault::FileGone) => {}
            Some(fault) => log::error!("Nenhuma mensagem é guardada agora. {}", fault.describe()),
            None => log::warn!("As mensagens voltaram a ser guardadas."),
        }
    }

    /// The writer works until the guard is dropped.
    pub(super) fn busy(&self) -> BusyGuard<'_> {
        let since = self.millis(Instant::now()) + 1;
        self.busy_since_ms.store(since, Ordering::Relaxed);
        BusyGuard(self)
    }

    fn millis(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.started).as_millis() as u64
    }
}

/// Ends the writer's work when dropped.
pub(super) struct BusyGuard<'a>(&'a HistoryHealth);

impl Drop for BusyGuard<'_> {
    fn drop(&mut self) {
        self.0.busy_since_ms.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writer_that_is_busy_for_too_long_has_stalled() {
        let health = HistoryHealth::default();
        let busy = health.busy();
        let began = Instant::now();
        assert_eq!(health.fault(began), None);
        let later = began + MAX_WAIT + Duration::from_millis(2);
        assert_eq!(health.fault(later), Some(HistoryFault::Stalled));
        drop(busy);
        assert_eq!(health.fault(later), None);
    }

    #[test]
    fn every_fault_is_kept_until_it_is_taken_back() {
        let health = HistoryHealth::default();
        for fault in HistoryFault::ALL {
            health.set(Some(fault));
            assert_eq!(health.fault(Instant::now()), Some(fault));
        }
        health.set(None);
        assert_eq!(health.fault(Instant::now()), None);
    }
}
