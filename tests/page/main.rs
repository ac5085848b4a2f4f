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
mod half_characters;
mod harness;
mod injection;
mod invitation;
mod keyboard;
mod layout;
mod moderation;
mod outages;
mod page_actions;
mod refusals;
mod screenshot;
mod scrollback;
mod speed;
#[path = "../support/mod.rs"]
mod support;
mod tab;
mod time;
mod turned_clock;
