//! How every schedule ends: nothing more goes wrong, everything that waits is done, and then all people are checked.

use super::Step;
use crate::log_entry::LogEntry;
use crate::model::oracle::EntryVersion;
use crate::model::simulation::Simulation;
use crate::transcript::Transcript;

impl Simulation {
    /// Lets all people reconnect and a new one enter, and checks what each of them holds. Returns how many messages were
    /// sent again after they had been stored.
    pub fn assert_converges(mut self) -> usize {
        (0..self.people.len()).for_each(|person| self.apply(Step::Connect(person)));
        self.drain();
        self.add_person();
        self.apply(Step::Connect(self.people.len() - 1));
        self.drain();
        for person in &self.people {
            self.assert_complete(&person.transcript);
            self.assert_acks(&person.transcript);
            assert_sent_once_in_order(&self.log.versions, &person.transcript);
        }
        let newcomer = &self.people.last().unwrap().transcript;
        let gone: u64 = newcomer
            .trimmed
            .iter()
            .map(|gone| gone.end() - gone.start() + 1)
            .sum();
        assert_eq!(
            (gone, newcomer.oldest),
            (self.log.trimmed, self.log.trimmed + 1),
            "the newcomer does not know what was trimmed"
        );
        self.people
            .iter()
            .flat_map(|person| &person.transcript.acks)
            .filter(|ack| ack.duplicate)
            .count()
    }

    /// Everything up to the last seq, without a gap but for what was trimmed before it could be served.
    fn assert_complete(&self, log: &Transcript) {
        assert_eq!(
            (log.held_seq, log.is_complete()),
            (self.log.length(), true),
            "{}",
            log.name
        );
        let mut next = 1;
        let mut gone = log.trimmed.iter().peekable();
        for line in &log.entries {
            while let Some(gap) = gone.next_if(|gap| *gap.start() == next) {
                next = gap.end() + 1;
            }
            assert_eq!(line.seq, next, "{}: a gap", log.name);
            let forms = &self.log.versions[next as usize - 1];
            // A person who was away until a change was trimmed has not received it; what it changed was trimmed before.
            let missed =
                |form: &EntryVersion| log.trimmed.iter().any(|gone| gone.contains(&form.since));
            if !forms.iter().any(missed) {
                assert_eq!(
                    Some(line),
                    self.log.entries.get(next as usize - 1),
                    "{}",
                    log.name
                );
            }
            assert!(
                forms.iter().any(|form| form.entry == *line),
                "{}: {line:?}",
                log.name
            );
            next += 1;
        }
        assert!(
            log.trimmed.iter().all(|gap| *gap.end() <= self.log.trimmed),
            "{}: {:?}",
            log.name,
            log.trimmed
        );
    }

    /// Everything has its `ack`, and those of this log name the right place.
    fn assert_acks(&self, log: &Transcript) {
        assert!(log.unacked.is_empty(), "{}: {:?}", log.name, log.unacked);
        for ack in log.acks[log.acks_before_reset..]
            .iter()
            .filter(|ack| Some(&ack.epoch) == log.epoch.as_ref())
        {
            let said = log.sent.iter().find(|said| said.id == ack.id).unwrap();
            let line = LogEntry::from_sent(ack.seq, &log.name, said);
            assert_eq!(
                line,
                self.log.versions[ack.seq as usize - 1][0].entry,
                "{}: {ack:?}",
                log.name
            );
        }
    }
}

/// What a person sent is in the log in the order of sending, and nothing of it twice.
fn assert_sent_once_in_order(forms: &[Vec<EntryVersion>], log: &Transcript) {
    let mut said = log.sent.iter();
    for line in forms
        .iter()
        .map(|forms| &forms[0].entry)
        .filter(|line| line.from == log.name)
    {
        let is_next = said.any(|said| said.text == line.text && said.change == line.apply_change);
        assert!(is_next, "{}: {line:?} is out of order or twice", log.name);
    }
}
