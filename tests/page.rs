//! End-to-end tests of the page in a real browser.
//!
//! They need Debian's `chromium`, or the browser named by `PAPO_CHROMIUM`, and run only on request:
//! `cargo test --test page -- --include-ignored`. Screenshots are saved under `target/page-shots`.

#![cfg(unix)]
#![forbid(unsafe_code)]

#[path = "page/axe.rs"]
mod axe;
#[path = "page/browser.rs"]
mod browser;
#[path = "page/conversation.rs"]
mod conversation;
#[path = "page/devtools.rs"]
mod devtools;
#[path = "page/entering.rs"]
mod entering;
#[path = "page/fake_server.rs"]
mod fake_server;
#[path = "page/harness.rs"]
mod harness;
#[path = "page/injection.rs"]
mod injection;
#[path = "page/invitation.rs"]
mod invitation;
#[path = "page/keyboard.rs"]
mod keyboard;
#[path = "page/layout.rs"]
mod layout;
#[path = "page/moderation.rs"]
mod moderation;
#[path = "page/network.rs"]
mod network;
#[path = "page/outages.rs"]
mod outages;
#[path = "page/page_actions.rs"]
mod page_actions;
#[path = "common/paths.rs"]
mod paths;
#[path = "common/port.rs"]
mod port;
#[path = "page/refusals.rs"]
mod refusals;
#[path = "page/screenshot.rs"]
mod screenshot;
#[path = "page/scrollback.rs"]
mod scrollback;
#[path = "page/speed.rs"]
mod speed;
#[path = "page/tab.rs"]
mod tab;
#[path = "page/time.rs"]
mod time;
