//! The page in a real browser, told as stories: what is clicked and typed goes in, and what somebody would see comes out.
//! They need Debian's `chromium` (or another one, named by `PAPO_CHROMIUM`), so they run only when asked for:
//! `cargo test --test page -- --include-ignored`. Each leaves pictures under `target/page-shots`.
//!
//! The browser is driven by its own DevTools protocol over two pipes, with a client of ours of two hundred lines
//! ([`devtools`]). Compared with WebDriver there is no second program (chromium-driver) that has to fit the browser's
//! version, keep a port, and be ended; and dark themes, phones, real key events and failed scripts need the DevTools
//! protocol anyway. Compared with the crate `headless_chrome` there is no port that another program may take first, no
//! browser that outlives a killed test (it ends when its pipe closes), no thread that waits in silence, and no further
//! dependency. Whoever waits, waits for a condition, in one place, with one deadline.

#![cfg(unix)]
#![forbid(unsafe_code)]

#[path = "page/axe.rs"]
mod axe;
#[path = "page/browser.rs"]
mod browser;
#[path = "page/devtools.rs"]
mod devtools;
#[path = "page/entering.rs"]
mod entering;
#[path = "page/hands.rs"]
mod hands;
#[path = "page/hostile.rs"]
mod hostile;
#[path = "page/hosting.rs"]
mod hosting;
#[path = "page/inviting.rs"]
mod inviting;
#[path = "page/looks.rs"]
mod looks;
#[path = "page/outages.rs"]
mod outages;
#[path = "common/paths.rs"]
mod paths;
#[path = "page/picture.rs"]
mod picture;
#[path = "common/port.rs"]
mod port;
#[path = "page/puppet.rs"]
mod puppet;
#[path = "page/reading.rs"]
mod reading;
#[path = "page/refusals.rs"]
mod refusals;
#[path = "page/speed.rs"]
mod speed;
#[path = "page/stage.rs"]
mod stage;
#[path = "page/tab.rs"]
mod tab;
#[path = "page/talk.rs"]
mod talk;
#[path = "page/talking.rs"]
mod talking;
#[path = "page/times.rs"]
mod times;
#[path = "page/wire.rs"]
mod wire;
