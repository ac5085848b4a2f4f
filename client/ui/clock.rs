//! Times as people read them, in the local time zone.
//!
//! The offset is read once at the start: with several threads it can't be read safely.

use time::format_description::StaticFormatDescription;
use time::macros::format_description;
use time::{Date, Month, OffsetDateTime, UtcOffset, Weekday};

const HOUR_MINUTE: StaticFormatDescription = format_description!("[hour]:[minute]");
const TIMESTAMP: StaticFormatDescription = format_description!(
    "[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory]:[offset_minute]"
);

/// Turns the server's Unix milliseconds into local time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    offset: UtcOffset,
    /// The time at which it stands still.
    #[cfg(test)]
    frozen: Option<u64>,
}

impl Clock {
    /// Reads the local offset, before any thread is started; UTC where the system has none.
    pub fn local() -> Self {
        let offset = UtcOffset::current_local_offset().unwrap_or(UtcOffset::UTC);
        Self {
            offset,
            #[cfg(test)]
            frozen: None,
        }
    }

    /// Now, in Unix milliseconds.
    pub fn now_ms(&self) -> u64 {
        #[cfg(test)]
        if let Some(frozen) = self.frozen {
            return frozen;
        }
        u64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
    }

    /// The day of a time; `None` outside the calendar.
    pub fn day(&self, at: u64) -> Option<Date> {
        self.local_time(at).map(OffsetDateTime::date)
    }

    /// `09:05`
    pub fn hour_minute(&self, at: u64) -> String {
        self.local_time(at)
            .and_then(|time| time.format(HOUR_MINUTE).ok())
            .unwrap_or_else(|| "--:--".into())
    }

    /// When a mute ends: `às 14:32`, `em 04/03 às 08:00`; `None` once it has ended.
    pub fn mute_end(&self, until: u64) -> Option<String> {
        let now = self.now_ms();
        let day = self.day(until)?;
        let day = match self.day(now) == Some(day) {
            true => String::new(),
            false => format!("em {} ", short_date(day)),
        };
        (until > now).then(|| format!("{day}às {}", self.hour_minute(until)))
    }

    /// `2026-03-03T14:05:12-03:00`
    pub fn timestamp(&self, at: u64) -> String {
        self.local_time(at)
            .and_then(|time| time.format(TIMESTAMP).ok())
            .unwrap_or_else(|| "-".into())
    }

    fn local_time(&self, at: u64) -> Option<OffsetDateTime> {
        let seconds = i64::try_from(at / 1000).ok()?;
        OffsetDateTime::from_unix_timestamp(seconds)
            .ok()?
            .checked_to_offset(self.offset)
    }
}

/// `03/03`
pub fn short_date(day: Date) -> String {
    format!("{:02}/{:02}", day.day(), u8::from(day.month()))
}

/// `terça-feira, 3 de março`
pub fn long_date(day: Date) -> String {
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
    fn times_are_shown_in_local_time() {
        let clock = Clock::brasilia();
        assert_eq!(clock.hour_minute(AT), "14:05");
        assert_eq!(clock.timestamp(AT), "2026-03-03T14:05:12-03:00");
        assert_eq!(
            clock.day(AT).map(long_date).as_deref(),
            Some("terça-feira, 3 de março")
        );
    }

    #[test]
    fn mute_end_names_another_day() {
        const HOUR: u64 = 3_600_000;
        let clock = Clock::brasilia().frozen(AT);
        assert_eq!(clock.mute_end(AT + HOUR).as_deref(), Some("às 15:05"));
        assert_eq!(
            clock.mute_end(AT + 24 * HOUR).as_deref(),
            Some("em 04/03 às 14:05")
        );
        assert_eq!(clock.mute_end(AT), None);
        assert_eq!(clock.mute_end(u64::MAX), None);
    }

    #[test]
    fn time_beyond_the_calendar_is_shown_as_dashes() {
        assert_eq!(Clock::brasilia().hour_minute(u64::MAX), "--:--");
        assert_eq!(Clock::brasilia().timestamp(u64::MAX), "-");
        assert_eq!(Clock::brasilia().day(u64::MAX), None);
    }
}
