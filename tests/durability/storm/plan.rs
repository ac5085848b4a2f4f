//! What becomes of the files of a dead server, and how often.

use crate::support::rng::Rng;

/// What happens to the files after a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aftermath {
    Nothing,
    /// The journal is lost, as with a single file that is mounted into a container.
    LostJournal,
    /// So is what stands beside the log and remembers how far it went.
    LostJournalAndWitness,
    /// A copy is put over the log with `cp`; the journal of the dead server stays beside it.
    CopyOver,
    /// A copy is put back with `servidor restaurar`.
    Restored,
    /// An older state of the log's own files is put back with `cp`.
    OldFile,
    /// The same, and nothing remembers how far the log went.
    OldFileWithoutWitness,
    /// An older log without its journal is put back; the journal of the dead server stays beside it.
    OldFileBesideJournal,
}

impl Aftermath {
    /// Everything but nothing.
    pub const ALL: [Self; 7] = [
        Self::LostJournal,
        Self::LostJournalAndWitness,
        Self::CopyOver,
        Self::Restored,
        Self::OldFile,
        Self::OldFileWithoutWitness,
        Self::OldFileBesideJournal,
    ];

    /// Whether an older state of the files is put back.
    pub fn needs_old_files(self) -> bool {
        matches!(
            self,
            Self::OldFile | Self::OldFileWithoutWitness | Self::OldFileBesideJournal
        )
    }

    /// Whether it should be one of the same epoch, if possible.
    pub fn needs_fresh_files(self) -> bool {
        matches!(self, Self::OldFile | Self::OldFileWithoutWitness)
    }

    /// Whether nothing beside the log remembers how far it went.
    pub fn loses_witness(self) -> bool {
        matches!(
            self,
            Self::LostJournalAndWitness | Self::OldFileWithoutWitness
        )
    }
}

/// How often nothing happens while each of the others happens once.
const NOTHING: usize = 6;

/// All that may happen, in random order, again and again.
#[derive(Default)]
pub struct Deck {
    cards: Vec<Aftermath>,
}

impl Deck {
    pub fn draw(&mut self, rng: &mut Rng) -> Aftermath {
        if self.cards.is_empty() {
            self.cards.extend(Aftermath::ALL);
            self.cards.extend([Aftermath::Nothing; NOTHING]);
        }
        self.cards.swap_remove(rng.below(self.cards.len()))
    }
}
