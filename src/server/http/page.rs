//! The page's files, compiled into the program, so that the server needs no files beside it.
//!
//! Knows names, types and contents; never knows requests. The map of `html/` is at [`FILES`].

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

/// All files of the page: `main.html` is its static part, `style.css` its look, `load.js` the list of the scripts.
///
/// The scripts in the order of that list; each uses only those above it. A script offers its functions in one member of
/// `Papo`, and calls what it must not know through the `hooks` that `app` sets. There is no framework, no module and no
/// build, so that the page also opens as a file.
///
/// | script | is for | never knows |
/// |---|---|---|
/// | `protocol` | the wire: messages, codes, limits; the mirror of `src/protocol` | who sends them |
/// | `strings` | every sentence that a script shows | where it is shown |
/// | `dom` | finding and making elements, drawing once per frame, copying | what they mean |
/// | `storage` | the browser's storage, where it allows any; the token and new ids | what is stored |
/// | `names` | when two names are the same, their colours, and names within a text | people |
/// | `address` | the server's address, the moderator key in the page's address, the link of an invitation | the connection |
/// | `text` | a message as nodes: the markup, links, mentions; never as HTML | whose message it is |
/// | `connection` | one socket: entering, silence, reconnecting. Its states: `idle`, `connecting`, `online`, `waiting` {`until`, `stopped`}, `ended` {`code`, `text`, `room`} | rooms and messages |
/// | `room` | a room's state: its members, who is typing, how far it is read | how it is drawn |
/// | `message` | one message as elements, and how a later entry changes it | the other messages |
/// | `timeline` | the messages of one room: order, groups, days, the unread mark, at most 400 | scrolling and the wire |
/// | `scroll` | the scroll position: following the end, keeping the place, the button up or down | what the messages say |
/// | `sidebar` | the lists of people and rooms | what a click does |
/// | `status` | the connection's state in a word and a banner | why it was lost |
/// | `composer` | the text box: drafts, length, height, sending and restoring | commands |
/// | `complete` | the suggestions above the text box | where they come from |
/// | `alerts` | title, icon, sound and notifications | which message deserves one |
/// | `invite` | the link and its QR code (ISO/IEC 18004) | who is invited |
/// | `search` | the search panel | how the search is done |
/// | `form` | the form to enter | how to enter |
/// | `rooms` | all rooms, the current one, and what is unread in them | the wire |
/// | `session` | the person's name, token and role, also after a reload | what is drawn |
/// | `send-queue` | messages without an `ack`: one in flight, the others in order, kept over a reload | how they are drawn |
/// | `history` | asking for the entries before, after or around one | how they are drawn |
/// | `commands` | the one table of the commands, and what each does | keys and buttons |
/// | `menus` | the settings, and the moderation commands as buttons | the wire |
/// | `message-toolbar` | copying, editing and erasing the message under the pointer | the wire |
/// | `incoming` | each message of the server, passed to the scripts that it concerns | elements |
/// | `app` | how the others are joined: the hooks, the keys, the two screens | their details |
pub(super) const FILES: &[(&str, &str, &[u8])] = files![
    "address.js" SCRIPT,
    "alerts.js" SCRIPT,
    "app.js" SCRIPT,
    "clock.js" SCRIPT,
    "commands.js" SCRIPT,
    "complete.js" SCRIPT,
    "composer.js" SCRIPT,
    "connection.js" SCRIPT,
    "dom.js" SCRIPT,
    "form.js" SCRIPT,
    "history.js" SCRIPT,
    "incoming.js" SCRIPT,
    "invite.js" SCRIPT,
    "joins.js" SCRIPT,
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
