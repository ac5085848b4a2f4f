//! A panic in the full screen. The test starts its own executable again, in a pseudo-terminal, and panics there.

use super::*;
use crate::app::ViewModel;
use crate::app::output::Output;
use crate::ui::Ui;
use crate::ui::clock::Clock;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::Read;

/// Set only in the process that panics.
const PANIC_VARIABLE: &str = "PAPO_TEST_PANICS";

/// Does nothing by itself: the other test starts it in its terminal.
#[test]
fn panicking_client_process() {
    if std::env::var_os(PANIC_VARIABLE).is_none() {
        return;
    }
    restore_on_panic();
    let mut screen = screen::Screen::new(Clock::brasilia(), true).unwrap();
    screen.show(&Output::info("as últimas palavras")).unwrap();
    screen
        .refresh(&ViewModel {
            name: "Ana".into(),
            connected: true,
            max_text: 4000,
            ..ViewModel::default()
        })
        .unwrap();
    // A panic may happen in any thread while another one draws.
    let reader = thread::spawn(|| panic!("um defeito"));
    let _ = reader.join();
}

#[test]
fn panic_restores_the_terminal_and_keeps_the_conversation() {
    let pair = native_pty_system()
        .openpty(PtySize {
            rows: 24,
            cols: 80,
            pixel_width: 0,
            pixel_height: 0,
        })
        .unwrap();
    let modes = pair.master.get_termios().unwrap();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "ui::signals::tests::panicking_client_process",
        "--nocapture",
        "--test-threads=1",
    ]);
    // The default is the home folder, which may not exist.
    command.cwd(std::env::temp_dir());
    command.env(PANIC_VARIABLE, "1");
    // A backtrace would push the checked lines off the screen.
    command.env("RUST_BACKTRACE", "0");
    let mut child = pair.slave.spawn_command(command).unwrap();
    // The slave stays open, so that the terminal and its modes outlive the client.
    let mut reader = pair.master.try_clone_reader().unwrap();
    let (sender, output) = crossbeam_channel::unbounded();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            let _ = sender.send(buffer[..count].to_vec());
        }
    });
    assert_eq!(child.wait().unwrap().exit_code(), Exit::Unexpected as u32);
    let mut terminal = vt100::Parser::new(24, 80, 0);
    let mut was_full_screen = false;
    while !terminal.screen().contents().contains("um defeito") {
        let bytes = output
            .recv_timeout(Duration::from_secs(20))
            .expect("the panic's message");
        // Byte by byte: one read may contain both entering and leaving the full screen.
        for byte in bytes {
            terminal.process(&[byte]);
            was_full_screen |= terminal.screen().alternate_screen();
        }
    }
    let screen = terminal.screen();
    assert!(
        was_full_screen
            && !screen.alternate_screen()
            && !screen.bracketed_paste()
            && !screen.hide_cursor()
    );
    let text = screen.contents();
    let order = [
        "as últimas palavras",
        "O cliente encontrou um defeito",
        "um defeito",
    ]
    .map(|words| text.find(words));
    assert!(order.is_sorted() && order[0].is_some(), "{text}");
    assert_eq!(
        pair.master.get_termios().unwrap(),
        modes,
        "echo, line editing and signals are as they were"
    );
}
