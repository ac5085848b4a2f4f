//! Moments as people read them, in the time of this computer.
//!
//! Knows the local offset, read once at the start: with several threads running the system can't be asked safely any
//! more. Never knows what happened at those moments.

use time::format_description::StaticFormatDescription;
use time::macros::format_description;
use time::{Date, Month, OffsetDateTime, UtcOffset, Weekday};

const HOUR: StaticFormatDescription = format_description!("[hour]:[minute]");
const STAMP: StaticFormatDescription = format_description!(
    "[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory]:[offset_minute]"
);

/// Turns the server's Unix milliseconds into local time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    offset: UtcOffset,
    /// The moment at which it always is, for tests.
    #[cfg(test)]
    frozen: Option<u64>,
}

impl Clock {
    /// Reads the local offset. Must be called before any thread is started; UTC where the system does not tell.
    pub fn local() -> Self {
        let offset = UtcOffset::current_local_offset().unwrap_or(UtcOffset::UTC);
        Self {
            offset,
            #[cfg(test)]
            frozen: None,
        }
    }

    /// This moment in Unix milliseconds.
    pub fn now(&self) -> u64 {
        #[cfg(test)]
        if let Some(frozen) = self.frozen {
            return frozen;
        }
        u64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
    }

    /// The day of a moment; `None` for one that no calendar has.
    pub fn day(&self, at: u64) -> Option<Date> {
        self.moment(at).map(OffsetDateTime::date)
    }

    /// `09:05`
    pub fn hour(&self, at: u64) -> String {
        self.moment(at)
            .and_then(|moment| moment.format(HOUR).ok())
            .unwrap_or_else(|| "--:--".into())
    }

    /// `2026-03-03T14:05:12-03:00`
    pub fn stamp(&self, at: u64) -> String {
        self.moment(at)
            .and_then(|moment| moment.format(STAMP).ok())
            .unwrap_or_else(|| "-".into())
    }

    fn moment(&self, at: u64) -> Option<OffsetDateTime> {
        let seconds = i64::try_from(at / 1000).ok()?;
        OffsetDateTime::from_unix_timestamp(seconds)
            .ok()?
            .checked_to_offset(self.offset)
    }
}

/// `03/03`
pub fn day_in_digits(day: Date) -> String {
    format!("{:02}/{:02}", day.day(), u8::from(day.month()))
}

/// `terça-feira, 3 de março`
pub fn day_in_words(day: Date) -> String {
    let weekday = match day.weekday() {
        Weekday::Monday => "segunda-feira",
        Weekday::Tuesday => "terça-feira",
        Weekday::Wednesday => "quarta-feira",
        Weekday::Thursday => "quinta-feira",
        Weekday::Friday => "sexta-feira",
        Weekday::Saturday => "sábado",
        Weekday::Sunday => "domingo",
    };
    let month = match day.month() {
        Month::January => "janeiro",
        Month::February => "fevereiro",
        Month::March => "março",
        Month::April => "abril",
        Month::May => "maio",
        Month::June => "junho",
        Month::July => "julho",
        Month::August => "agosto",
        Month::September => "setembro",
        Month::October => "outubro",
        Month::November => "novembro",
        Month::December => "dezembro",
    };
    format!("{weekday}, {} de {month}", day.day())
}

#[cfg(test)]
impl Clock {
    /// Three hours behind UTC, as in Brasília.
    pub fn brasilia() -> Self {
        Self {
            offset: UtcOffset::from_hms(-3, 0, 0).expect("a valid offset"),
            frozen: None,
        }
    }

    /// A clock that stands still.
    pub fn frozen(self, at: u64) -> Self {
        Self {
            frozen: Some(at),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 March 2026, 14:05:12 in Brasília.
    const AT: u64 = 1_772_557_512_345;

    #[test]
    fn moments_are_local() {
        let clock = Clock::brasilia();
        assert_eq!(clock.hour(AT), "14:05");
        assert_eq!(clock.stamp(AT), "2026-03-03T14:05:12-03:00");
        assert_eq!(
            clock.day(AT).map(day_in_words).as_deref(),
            Some("terça-feira, 3 de março")
        );
    }

    #[test]
    fn a_moment_beyond_every_calendar_harms_nobody() {
        assert_eq!(Clock::brasilia().hour(u64::MAX), "--:--");
        assert_eq!(Clock::brasilia().stamp(u64::MAX), "-");
        assert_eq!(Clock::brasilia().day(u64::MAX), None);
    }
}
