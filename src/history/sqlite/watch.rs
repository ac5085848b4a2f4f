//! Whether the path still leads to the files that are open: a message is stored only if a restart would find it.

use super::contents::Contents;
use super::file_format::{SHM, WAL};
use super::file_names::with_suffix;
use super::journal_mark::MarkId;
use super::opening::Opened;
use super::passes::Passes;
use super::wal_index::WalState;
use crate::platform::FileId;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The state of a watched file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileState {
    InPlace,
    Missing,
    Replaced,
    /// It is the same file, and another program has written into it.
    Overwritten,
}

/// The paths that are watched. A symbolic link on the given path may come to lead elsewhere, and a restart follows it.
const DATABASE: usize = 0;
const JOURNAL: usize = 1;
const GIVEN: usize = 3;

/// Watches the database and the two files beside it.
pub(super) struct Watch {
    /// The path and the identity of each: the database, its journal, the journal's index, and the database as it was given.
    files: [(PathBuf, Option<FileId>); 4],
    contents: Contents,
    in_place: bool,
}

impl Watch {
    /// Watches the files of an open database, which this process writes in these passes.
    pub(super) fn new(opened: &Opened, passes: Arc<Passes>) -> io::Result<Self> {
        let database = Some(FileId::of(&opened.lock)?);
        let beside = |suffix| -> io::Result<_> {
            let path = with_suffix(&opened.path, suffix);
            let id = FileId::at(&path)?;
            Ok((path, id))
        };
        Ok(Self {
            files: [
                (opened.path.clone(), database),
                beside(WAL)?,
                beside(SHM)?,
                (opened.given.clone(), database),
            ],
            contents: Contents::new(opened, passes),
            in_place: true,
        })
    }

    /// Whether all files were in place at the last check.
    pub(super) fn was_in_place(&self) -> bool {
        self.in_place
    }

    /// The state of the journal now; `None` if it can't be read.
    pub(super) fn read_wal(&self) -> Option<WalState> {
        self.contents.read_wal()
    }

    /// From the next commit on this is the newest mark of the journal; `None` if that is not known.
    pub(super) fn set_newest_mark(&mut self, id: Option<MarkId>) {
        self.contents.set_newest_mark(id);
    }

    /// Whether all files are in place now, after the journal was in this state. Says it in the log when that has changed.
    pub(super) fn check(&mut self, wal: Option<WalState>) -> bool {
        let lost = self.find_lost(wal);
        let was_in_place = std::mem::replace(&mut self.in_place, lost.is_none());
        match lost {
            Some((file, state)) if was_in_place => self.report_loss(file, state),
            None if !was_in_place => log::warn!(
                "O histórico {} está de volta. As mensagens são guardadas de novo.",
                self.files[GIVEN].0.display()
            ),
            _ => {}
        }
        lost.is_none()
    }

    fn find_lost(&mut self, wal: Option<WalState>) -> Option<(usize, FileState)> {
        // Most often it is the same path.
        let are_all_different = self.files[GIVEN].0 != self.files[DATABASE].0;
        let watched = if are_all_different { 4 } else { GIVEN };
        let files = self.files[..watched].iter();
        let states = files.map(|(path, id)| find(path, *id));
        let lost = states
            .enumerate()
            .find(|(_, state)| *state != FileState::InPlace);
        if lost.is_some() {
            return lost;
        }
        self.contents.refresh(wal);
        if self.contents.database_overwritten() {
            Some((DATABASE, FileState::Overwritten))
        } else if self.contents.journal_overwritten() {
            Some((JOURNAL, FileState::Overwritten))
        } else {
            None
        }
    }

    /// Whether what the journal holds may still go into the database: both are what they were, under whatever name.
    pub(super) fn can_merge(&mut self) -> bool {
        self.contents.refresh(self.contents.read_wal());
        !self.contents.database_overwritten() && !self.contents.journal_overwritten()
    }

    /// Whether the database itself is in place.
    pub(super) fn database_in_place(&self) -> bool {
        let (path, id) = &self.files[DATABASE];
        find(path, *id) == FileState::InPlace
    }

    fn report_loss(&self, file: usize, state: FileState) {
        let lost = self.files[file].0.display();
        let what = match state {
            FileState::Replaced => format!("Há outro arquivo no lugar de {lost}"),
            FileState::Overwritten => format!("Outro programa escreveu em {lost}"),
            _ => format!("O arquivo {lost} não está mais no lugar"),
        };
        let remedy = match state {
            FileState::Overwritten => {
                "Ligue o servidor de novo: a conversa segue com o que houver no histórico. Para pôr uma cópia no lugar, \
                 encerre-o e use servidor restaurar"
            }
            _ if matches!(file, DATABASE | GIVEN) => {
                "Ponha o mesmo arquivo de volta, e tudo segue; ou ligue o servidor de novo, e vale o que houver nesse \
                 caminho"
            }
            _ => "O que já foi dito está em dia no arquivo do histórico: ligue o servidor de novo",
        };
        log::error!("{what}: nenhuma mensagem é guardada, e todas são recusadas. {remedy}.");
    }
}

fn find(path: &Path, id: Option<FileId>) -> FileState {
    match FileId::at(path) {
        Ok(found) if found == id => FileState::InPlace,
        Ok(Some(_)) => FileState::Replaced,
        // A folder on the way that is gone, or that can't be entered, is as good as no file.
        Ok(None) | Err(_) => FileState::Missing,
    }
}
