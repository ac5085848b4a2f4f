//! The network address as a QR code, to be scanned from the terminal by a phone.
//!
//! Knows QR modules and terminals; never knows which address it draws.

use papo::platform;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// In a smaller terminal the code would scroll the addresses off the screen.
const MIN_ROWS: u16 = 40;
/// Columns to the left, as the banner has them.
const INDENT: usize = 2;
/// Black on white, whatever the terminal's theme: many phones don't read inverted codes.
const DARK_ON_LIGHT: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

/// The code of a link, with an empty line above; `None` if stdout is no terminal or too small a one.
pub fn render_for_terminal(link: &str) -> Option<String> {
    let (width, height) = platform::terminal_size()?;
    let has_ansi = std::env::var_os("TERM").is_some_and(|term| term != "dumb");
    if !has_ansi || height < MIN_ROWS {
        return None;
    }
    let rows = rows(link)?;
    let columns = rows.first()?.chars().count() + INDENT;
    (columns <= width.into()).then(|| paint(&rows))
}

/// The code with its quiet zone, two modules in each character; `None` if the link is too long for any code.
fn rows(link: &str) -> Option<Vec<String>> {
    // A screen is undamaged: the least error correction gives the largest modules.
    let code = QrCode::with_error_correction_level(link, EcLevel::L).ok()?;
    let drawn = code.render::<Dense1x2>().quiet_zone(true).build();
    Some(drawn.lines().map(str::to_owned).collect())
}

fn paint(rows: &[String]) -> String {
    let mut text = String::from("\n");
    for row in rows {
        text.push_str(&format!("{:INDENT$}{DARK_ON_LIGHT}{row}{RESET}\n", ""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_ipv4_link_takes_17_rows() {
        let rows = rows("http://255.255.255.255:65535/").unwrap();
        assert_eq!((rows.len(), rows[0].chars().count()), (17, 33));
    }

    #[test]
    fn overlong_link_has_no_code() {
        assert_eq!(rows(&"x".repeat(5000)), None);
    }
}
