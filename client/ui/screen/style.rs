//! Styles: attributes, with colours where they are enabled; nothing is shown by colour alone.
//!
//! Never knows what a style is applied to.

use crate::app::output::Severity;
use papo::text::fold;
use ratatui::style::{Color, Modifier, Style};

/// No style.
pub const PLAIN: Style = Style::new();
/// For secondary text.
pub const DIM: Style = Style::new().add_modifier(Modifier::DIM);
/// For emphasis.
pub const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

/// The ANSI colours for names: without black, white, grey, and the dark blue that is illegible on many dark screens.
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

/// A name: each person has one colour everywhere; the own name is bold, the sender of a mention is reversed.
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

/// The rule above the first unread message.
pub fn unread_mark(colours: bool) -> Style {
    if colours {
        BOLD.fg(Color::Yellow)
    } else {
        BOLD
    }
}

/// The two names of a whisper.
pub fn whisper(colours: bool) -> Style {
    let style = PLAIN.add_modifier(Modifier::ITALIC);
    if colours {
        style.fg(Color::Magenta)
    } else {
        style
    }
}

/// A notice.
pub fn notice(severity: Severity, colours: bool) -> Style {
    match severity {
        Severity::Info => DIM,
        Severity::Answer => PLAIN,
        Severity::Problem if colours => BOLD.fg(Color::Red),
        Severity::Problem => BOLD,
    }
}
