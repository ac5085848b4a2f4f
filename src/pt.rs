//! Numbers and durations in Brazilian Portuguese.

/// A number with separated thousands: 1.284.
pub fn group_thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

/// Bytes as a rounded-up size: “3 MB”, “1.284 MB”.
pub fn megabytes(bytes: u64) -> String {
    format!("{} MB", group_thousands(bytes.div_ceil(1_000_000).max(1)))
}

/// A duration in at most two units: “10 minutos”, “1 hora e 30 minutos”.
pub(crate) fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str, &str); 4] = [
        (86_400, "dia", "dias"),
        (3600, "hora", "horas"),
        (60, "minuto", "minutos"),
        (1, "segundo", "segundos"),
    ];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (length, one, many) in UNITS {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    }
    parts.truncate(2);
    if parts.is_empty() {
        "0 segundos".into()
    } else {
        parts.join(" e ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_thousands_inserts_dots() {
        assert_eq!(
            [0, 999, 1284, 1_000_000].map(group_thousands),
            ["0", "999", "1.284", "1.000.000"]
        );
    }

    #[test]
    fn megabytes_are_rounded_up() {
        let sizes = [0, 1, 1_000_000, 1_000_001, 1_283_000_001].map(megabytes);
        assert_eq!(sizes, ["1 MB", "1 MB", "1 MB", "2 MB", "1.284 MB"]);
    }

    #[test]
    fn duration_uses_at_most_two_units() {
        let durations = [30, 1, 60, 600, 3600, 5400, 7 * 86_400, 90_061].map(duration);
        let expected = [
            "30 segundos",
            "1 segundo",
            "1 minuto",
            "10 minutos",
            "1 hora",
            "1 hora e 30 minutos",
            "7 dias",
            "1 dia e 1 hora",
        ];
        assert_eq!(durations, expected);
    }
}
