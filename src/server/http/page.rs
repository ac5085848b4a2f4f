//! The page's files, inside the program: whoever has the server has the page.
//!
//! The map of `html/`. `main.html` is all that stands still, `style.css` how it looks, `load.js` the list of the scripts in
//! the order of this table: each knows those above it, says what it can do in one member of `Papo`, and is told through
//! its `hooks` what it must not know. There is no framework, no module and no build, so that the page also opens as a file.
//!
//! | script | is for | never knows |
//! |---|---|---|
//! | `protocol` | the wire: what is said, what is understood, the limits; the mirror of `src/protocol` | who says it |
//! | `strings` | every sentence that a script shows | where it is shown |
//! | `dom` | finding and making elements, drawing once per frame, copying | what they mean |
//! | `storage` | what a browser keeps, where it lets us; the token and new ids | what is kept |
//! | `names` | when two names are one, their colours, and names within a text | people |
//! | `address` | where the server is, the host key in the address, the link of an invitation | the connection |
//! | `text` | a message as nodes: the little markup, links, mentions; never as HTML | whose message it is |
//! | `connection` | one socket: entering, silence, coming back. Its states: `idle`, `connecting`, `online`, `waiting` {`until`, `stopped`}, `ended` {`code`, `text`} | rooms and messages |
//! | `room` | what is known of a room: who is there, who types, how far it is read | how it is drawn |
//! | `message` | one line of the conversation as elements, and what a later entry changes in it | the other lines |
//! | `timeline` | the lines of one room: order, groups, days, the unread line, at most 400 | the window and the wire |
//! | `scroll` | the window on the lines: following the end, keeping the place, the button up or down | what the lines say |
//! | `sidebar` | the people and the rooms beside it | what a click on one does |
//! | `status` | the word and the banner of the connection | why it was lost |
//! | `composer` | the box: drafts, length, height, sending and bringing back | commands |
//! | `complete` | the suggestions above the box | where they come from |
//! | `alerts` | title, icon, sound and notices | what is worth one |
//! | `invite` | the link and its QR code (ISO/IEC 18004) | who is invited |
//! | `search` | the panel of the search | how one finds |
//! | `form` | the screen to enter | how one enters |
//! | `rooms` | all rooms, which one is in front, what is unread in them | the wire |
//! | `session` | who one is, here and after a reload | what is drawn |
//! | `send-queue` | what was not acknowledged yet: one on its way, the others in order, kept over a reload | how it is drawn |
//! | `history` | asking for what came before, after or around | what it looks like |
//! | `commands` | the one table of what may be typed, and what each does | keys and buttons |
//! | `menus` | the settings, and the host's tools as buttons out of that table | the wire |
//! | `message-toolbar` | copying, editing and erasing the message that is pointed at | the wire |
//! | `incoming` | what the server says, brought to whom it concerns | elements |
//! | `app` | who is told of what: the hooks, the keys, the two screens | details of any of them |

use crate::server::http::Response;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Each file as `(path, type, contents)`.
macro_rules! files {
    ($($name:literal $kind:ident),* $(,)?) => {
        &[$((concat!("/", $name), $kind, include_bytes!(concat!("../../../html/", $name)))),*]
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
    "dom.js" SCRIPT,
    "form.js" SCRIPT,
    "history.js" SCRIPT,
    "incoming.js" SCRIPT,
    "invite.js" SCRIPT,
    "load.js" SCRIPT,
    "main.html" HTML,
    "menus.js" SCRIPT,
    "message-toolbar.js" SCRIPT,
    "message.js" SCRIPT,
    "names.js" SCRIPT,
    "protocol.js" SCRIPT,
    "room.js" SCRIPT,
    "rooms.js" SCRIPT,
    "scroll.js" SCRIPT,
    "search.js" SCRIPT,
    "send-queue.js" SCRIPT,
    "session.js" SCRIPT,
    "sidebar.js" SCRIPT,
    "status.js" SCRIPT,
    "storage.js" SCRIPT,
    "strings.js" SCRIPT,
    "style.css" CSS,
    "text.js" SCRIPT,
    "timeline.js" SCRIPT,
];

/// The file of this path; `/` is the page itself.
pub(super) fn file(path: &str) -> Option<Response> {
    let path = if path == "/" { "/main.html" } else { path };
    let (_, content_type, contents) = FILES.iter().find(|(name, ..)| *name == path)?;
    Some(Response::new(200, content_type, *contents))
}
