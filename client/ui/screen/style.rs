//! The looks of things: attributes first, colours where they are wanted; nothing is said by colour alone.
//!
//! Knows styles; never knows what they are put on.

use crate::app::output::Severity;
use papo::text::fold;
use ratatui::style::{Color, Modifier, Style};

/// No style.
pub const PLAIN: Style = Style::new();
/// What may be overlooked.
pub const DIM: Style = Style::new().add_modifier(Modifier::DIM);
/// What stands out.
pub const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

/// The ANSI colours for names: without black, white, the greys and the dark blue that many dark screens swallow.
const NAME_COLOURS: [Color; 11] = [
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Magenta,
    Color::Cyan,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
];

/// A name: the same person has the same colour everywhere; one's own is bold, one that speaks to oneself is reversed.
pub fn name(name: &str, own: bool, mention: bool, colours: bool) -> Style {
    // FNV-1a: small, and the same in every version of this program.
    let hash = fold(name).bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let mut style = PLAIN;
    if colours {
        style = style.fg(NAME_COLOURS[hash as usize % NAME_COLOURS.len()]);
    }
    if own {
        style = style.add_modifier(Modifier::BOLD);
    }
    if mention {
        style = style.add_modifier(Modifier::BOLD | Modifier::REVERSED);
    }
    style
}

/// The line where reading stopped.
pub fn unread_mark(colours: bool) -> Style {
    if colours {
        BOLD.fg(Color::Yellow)
    } else {
        BOLD
    }
}

/// Who whispers to whom.
pub fn whisper(colours: bool) -> Style {
    let style = PLAIN.add_modifier(Modifier::ITALIC);
    if colours {
        style.fg(Color::Magenta)
    } else {
        style
    }
}

/// Words of the client.
pub fn notice(severity: Severity, colours: bool) -> Style {
    match severity {
        Severity::Info => DIM,
        Severity::Answer => PLAIN,
        Severity::Problem if colours => BOLD.fg(Color::Red),
        Severity::Problem => BOLD,
    }
}
