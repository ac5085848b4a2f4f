//! Whether the path still leads to the files that are open: a message is stored only if a restart would find it.

use super::file_format::{SHM, WAL};
use super::file_names::with_suffix;
use crate::platform::FileId;
use std::io;
use std::path::{Path, PathBuf};

/// What is in the place of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finding {
    InPlace,
    Missing,
    Replaced,
}

/// Watches the database and the two files beside it.
pub(super) struct Watch {
    path: PathBuf,
    /// The suffix and the identity of each, the database first.
    files: [(&'static str, Option<FileId>); 3],
    in_place: bool,
}

impl Watch {
    /// Watches the files of an open database.
    pub(super) fn new(path: &Path, database: FileId) -> io::Result<Self> {
        let id = |suffix| FileId::at(&with_suffix(path, suffix));
        Ok(Self {
            path: path.to_owned(),
            files: [("", Some(database)), (WAL, id(WAL)?), (SHM, id(SHM)?)],
            in_place: true,
        })
    }

    /// Whether all files were in place at the last look.
    pub(super) fn was_in_place(&self) -> bool {
        self.in_place
    }

    /// Whether all files are in place now. Says it in the log when that has changed.
    pub(super) fn look(&mut self) -> bool {
        let lost = self.files.iter().find_map(|(suffix, id)| {
            let finding = find(&with_suffix(&self.path, suffix), *id);
            (finding != Finding::InPlace).then_some((*suffix, finding))
        });
        let was_in_place = std::mem::replace(&mut self.in_place, lost.is_none());
        match lost {
            Some((suffix, finding)) if was_in_place => self.report_loss(suffix, finding),
            None if !was_in_place => log::warn!(
                "O histórico {} está de volta. As mensagens são guardadas de novo.",
                self.path.display()
            ),
            _ => {}
        }
        lost.is_none()
    }

    /// Whether the database itself is in place.
    pub(super) fn database_in_place(&self) -> bool {
        find(&self.path, self.files[0].1) == Finding::InPlace
    }

    fn report_loss(&self, suffix: &str, finding: Finding) {
        let lost = with_suffix(&self.path, suffix);
        let lost = lost.display();
        let what = match finding {
            Finding::Replaced => format!("Há outro arquivo no lugar de {lost}"),
            _ => format!("O arquivo {lost} não está mais no lugar"),
        };
        let remedy = if suffix.is_empty() {
            "Ponha o mesmo arquivo de volta, e tudo segue; ou ligue o servidor de novo, e vale o que houver nesse caminho"
        } else {
            "O que já foi dito está em dia no arquivo do histórico: ligue o servidor de novo"
        };
        log::error!("{what}: nenhuma mensagem é guardada, e todas são recusadas. {remedy}.");
    }
}

fn find(path: &Path, id: Option<FileId>) -> Finding {
    match FileId::at(path) {
        Ok(found) if found == id => Finding::InPlace,
        Ok(Some(_)) => Finding::Replaced,
        // A folder on the way that is gone, or that can't be entered, is as good as no file.
        Ok(None) | Err(_) => Finding::Missing,
    }
}
