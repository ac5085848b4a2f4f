//! How much space the history has left: what its writer finds, for the chat to warn of.

use crate::pt::group_thousands;

/// From this share on moderators are warned, in percent, and again from the next.
const THRESHOLDS: [u8; 2] = [80, 95];
/// So far below a threshold its warning ends, in percent: a share that sways around it is not news each time.
const HYSTERESIS: f64 = 3.0;

/// Of what a share is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpaceLimit {
    /// The disk, as `df` counts it.
    Disk,
    /// The largest size that the history may have.
    History,
}

/// Little space is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpaceWarning {
    /// The threshold that was passed, in percent.
    pub threshold: u8,
    /// Of what.
    pub limit: SpaceLimit,
}

impl SpaceWarning {
    /// The warning for these used shares, in percent, after the one that holds now.
    pub(super) fn find(disk: f64, history: f64, now: Option<Self>) -> Option<Self> {
        let held = |limit| {
            now.filter(|now| now.limit == limit)
                .map(|now| now.threshold)
        };
        let passed = |limit, used: f64| {
            let passed = |&threshold: &u8| {
                let slack = match held(limit) {
                    Some(held) if held >= threshold => HYSTERESIS,
                    _ => 0.0,
                };
                used >= f64::from(threshold) - slack
            };
            let threshold = THRESHOLDS.into_iter().rfind(passed)?;
            Some(Self { threshold, limit })
        };
        let warnings = [
            passed(SpaceLimit::Disk, disk),
            passed(SpaceLimit::History, history),
        ];
        let warnings = warnings.into_iter().flatten();
        warnings.max_by_key(|warning| warning.threshold)
    }

    /// The warning as a sentence.
    pub fn describe(self) -> String {
        let threshold = group_thousands(u64::from(self.threshold));
        match self.limit {
            SpaceLimit::Disk => {
                format!("O disco do histórico está {threshold}% cheio. Libere espaço.")
            }
            SpaceLimit::History => format!(
                "O histórico chegou a {threshold}% de --historico-max. Aumente o limite ou use --guardar."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warning_holds_until_the_share_is_well_below_its_threshold() {
        let mut now = None;
        let mut thresholds = Vec::new();
        for used in [79.9, 80.0, 79.0, 77.1, 76.9, 95.0, 93.0, 91.9, 20.0] {
            now = SpaceWarning::find(used, 0.0, now);
            thresholds.push(now.map_or(0, |warning| warning.threshold));
        }
        assert_eq!(thresholds, [0, 80, 80, 80, 0, 95, 95, 80, 0]);
    }

    #[test]
    fn warning_names_what_is_closer_to_its_end() {
        let warning = SpaceWarning::find(81.0, 96.0, None).unwrap();
        assert_eq!(
            (warning.threshold, warning.limit),
            (95, SpaceLimit::History)
        );
        assert!(warning.describe().contains("95% de --historico-max"));
    }
}
