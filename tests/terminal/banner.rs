//! The first screen of `servidor`: a large terminal shows a QR code that a phone can read, and no other does.

use crate::pty::PtyClient;
use crate::support::process::{Program, ServerProcess};

/// Columns and rows of a window that has room for the code.
const LARGE_SIZE: (u16, u16) = (100, 45);
/// Pixels of a module in the picture that the decoder gets.
const MODULE_PIXELS: usize = 4;

/// What the drawn code says; `None` if there is none.
fn decode_qr(pty: &PtyClient) -> Option<String> {
    let columns = usize::from(LARGE_SIZE.0);
    let rows = usize::from(LARGE_SIZE.1) * 2;
    // Beside the code the picture is grey-dark, as in a terminal with a dark theme.
    let is_light = |x: usize, y: usize| {
        let cell = pty.cell((y / 2) as u16, x as u16);
        let drawn =
            cell.bgcolor() == vt100::Color::Idx(231) && cell.fgcolor() == vt100::Color::Idx(16);
        let dark = match cell.contents() {
            "█" => true,
            "▀" => y.is_multiple_of(2),
            "▄" => !y.is_multiple_of(2),
            _ => false,
        };
        drawn && !dark
    };
    let shade = |x: usize, y: usize| {
        if is_light(x / MODULE_PIXELS, y / MODULE_PIXELS) {
            255
        } else {
            20
        }
    };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(
        columns * MODULE_PIXELS,
        rows * MODULE_PIXELS,
        shade,
    );
    let grids = picture.detect_grids();
    Some(grids.first()?.decode().unwrap().1)
}

/// The address in the network; `None` on a machine without any.
fn network_link(pty: &PtyClient) -> Option<String> {
    let row = pty
        .screen()
        .into_iter()
        .find(|row| row.contains("Na rede"))?;
    row.split_whitespace()
        .find(|word| word.starts_with("http://"))
        .map(str::to_owned)
}

#[test]
fn qr_code_in_large_terminal_decodes_to_the_address() {
    let mut pty = PtyClient::server(&["--rede"], LARGE_SIZE.0, LARGE_SIZE.1);
    pty.wait_for_text("Ctrl+C");
    let Some(link) = network_link(&pty) else {
        println!("This machine has no network: there is no address to show.");
        return;
    };
    pty.wait_until("the code", |pty| decode_qr(pty).as_deref() == Some(&link));
    assert!(
        link.ends_with('/') && link.matches(':').count() == 2,
        "{link}"
    );
    // All of the banner is still in sight, and the code ends on the screen.
    assert!(
        pty.screen()[0].starts_with("Papo "),
        "{}",
        pty.screen().join("\n")
    );
}

#[test]
fn qr_code_is_drawn_only_with_network_and_room() {
    let loopback: &[&str] = &[];
    let cases = [
        (&["--rede", "--sem-qr"][..], LARGE_SIZE.0, LARGE_SIZE.1),
        (&["--rede"], LARGE_SIZE.0, 39),
        (&["--rede"], 30, LARGE_SIZE.1),
        (loopback, LARGE_SIZE.0, LARGE_SIZE.1),
    ];
    for (arguments, columns, rows) in cases {
        let mut pty = PtyClient::server(arguments, columns, rows);
        pty.wait_for_text("Ctrl+C");
        // What comes after the banner has come when the server has ended.
        pty.signal(rustix::process::Signal::TERM);
        pty.wait_for_exit();
        let screen = pty.screen().join("\n");
        assert!(
            screen.contains("Até logo.") && !screen.contains(['█', '▀', '▄']),
            "{arguments:?}: {screen}"
        );
    }
}

#[test]
fn piped_banner_has_no_qr_code_or_escapes() {
    let mut program = Program::server(&["--rede"]).env("TERM", "xterm-256color");
    let mut server = ServerProcess::start(&mut program);
    // What comes after the banner has come when the server has ended.
    let text = server.banner.clone() + &server.process.terminate();
    assert!(
        text.contains("Até logo.") && !text.contains(['█', '▀', '▄', '\x1b']),
        "{text}"
    );
}
