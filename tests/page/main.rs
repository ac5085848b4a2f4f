//! End-to-end tests of the page in a real browser.
//!
//! They need Debian's `chromium`, or the browser named by `PAPO_CHROMIUM`, and run only on request:
//! `cargo test --test page -- --include-ignored`. Screenshots are saved under `target/page-shots`.

#![cfg(unix)]
#![forbid(unsafe_code)]

mod axe;
mod browser;
mod conversation;
mod devtools;
mod entering;
mod fake_server;
mod harness;
mod injection;
mod invitation;
mod keyboard;
mod layout;
mod moderation;
mod network;
mod outages;
mod page_actions;
#[path = "../support/paths.rs"]
mod paths;
#[path = "../support/port.rs"]
mod port;
mod refusals;
mod screenshot;
mod scrollback;
mod speed;
mod tab;
mod time;
