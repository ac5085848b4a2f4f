//! The page's files, inside the program: whoever has the server has the page.

use super::Response;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Each file as `(path, type, contents)`.
macro_rules! files {
    ($($name:literal $kind:ident),* $(,)?) => {
        &[$((concat!("/", $name), $kind, include_bytes!(concat!("../../html/", $name)))),*]
    };
}

/// All files that the page is made of.
pub(super) const FILES: &[(&str, &str, &[u8])] = files![
    "address.js" SCRIPT,
    "alerts.js" SCRIPT,
    "app.js" SCRIPT,
    "commands.js" SCRIPT,
    "complete.js" SCRIPT,
    "composer.js" SCRIPT,
    "connection.js" SCRIPT,
    "desk.js" SCRIPT,
    "dom.js" SCRIPT,
    "follow.js" SCRIPT,
    "form.js" SCRIPT,
    "invite.js" SCRIPT,
    "line.js" SCRIPT,
    "main.html" HTML,
    "menus.js" SCRIPT,
    "names.js" SCRIPT,
    "pages.js" SCRIPT,
    "panels.js" SCRIPT,
    "papo.js" SCRIPT,
    "protocol.js" SCRIPT,
    "room.js" SCRIPT,
    "search.js" SCRIPT,
    "session.js" SCRIPT,
    "status.js" SCRIPT,
    "storage.js" SCRIPT,
    "strip.js" SCRIPT,
    "style.css" CSS,
    "talk.js" SCRIPT,
    "text.js" SCRIPT,
    "timeline.js" SCRIPT,
    "unsent.js" SCRIPT,
    "words.js" SCRIPT,
];

/// The file of this path; `/` is the page itself.
pub(super) fn file(path: &str) -> Option<Response> {
    let path = if path == "/" { "/main.html" } else { path };
    let (_, kind, contents) = FILES.iter().find(|(name, ..)| *name == path)?;
    Some(Response::new(200, kind, *contents))
}
