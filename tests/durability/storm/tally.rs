//! How often each thing happened in the storm.

use super::plan::Aftermath;
use std::fmt;

/// The counts of a whole storm.
#[derive(Default)]
pub struct Tally {
    pub kills: u64,
    pub copies: usize,
    pub clock_jumps: usize,
    /// Times that the running server's file was away and a message was refused for it.
    pub moved_away: usize,
    /// Times that the journal was lost in the middle of a checkpoint, which leaves no log to go on with.
    pub unusable: usize,
    /// Times that a new epoch had to begin, by what made it necessary.
    noticed: [usize; Aftermath::ALL.len()],
}

impl Tally {
    /// A copy was put back, or the log went back behind what people had seen of it.
    pub fn count_noticed(&mut self, why: Aftermath) {
        let place = Aftermath::ALL.iter().position(|kind| *kind == why);
        self.noticed[place.expect("there is a reason")] += 1;
    }

    /// Whether each kind of thing happened, and was felt by the people.
    pub fn is_complete(&self, has_clock: bool) -> bool {
        let jumped = self.clock_jumps > 0 || !has_clock;
        jumped
            && self.copies > 0
            && self.moved_away > 0
            && self.noticed.iter().all(|times| *times > 0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills, {} copies, {} jumps of the clock, {} times away, {} unusable",
            self.kills, self.copies, self.clock_jumps, self.moved_away, self.unusable
        )?;
        for (kind, times) in Aftermath::ALL.iter().zip(self.noticed) {
            write!(f, ", {kind:?} {times}")?;
        }
        Ok(())
    }
}
