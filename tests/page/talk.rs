//! What people do on this very page. The one place of the stories, beside `eyes.js`, that knows how the page is made.

use crate::stage::Folder;
use crate::tab::{Tab, quoted};
use serde_json::Value;
use std::path::Path;

impl Tab {
    /// Fills in the form and comes in.
    #[track_caller]
    pub fn enters(&self, name: &str) {
        self.enters_on_a_phone(name);
        self.is_inside(name);
    }

    /// The same on a phone, where the people are out of sight.
    #[track_caller]
    pub fn enters_on_a_phone(&self, name: &str) {
        self.clicks("#nome");
        self.look("document.activeElement.select()");
        self.writes(name);
        self.presses("Enter");
        self.is_connected();
    }

    /// Waits until the page has come in again by itself, as it does after a reload.
    #[track_caller]
    pub fn comes_back(&self, name: &str) {
        self.waits("isVisible(document.querySelector('#papo'))");
        self.is_inside(name);
    }

    /// Waits until the page is connected and shows who is here.
    #[track_caller]
    pub fn is_inside(&self, name: &str) {
        self.is_connected();
        self.waits(&format!(
            "people().some((person) => person.startsWith({}))",
            quoted(&format!("{name} (você)"))
        ));
    }

    #[track_caller]
    pub fn is_connected(&self) {
        self.waits("document.querySelector('#papo').dataset.state === 'online'");
    }

    /// Writes into the box and sends it with Enter.
    #[track_caller]
    pub fn says(&self, text: &str) {
        self.writes_draft(text);
        self.presses("Enter");
        self.waits("document.querySelector('#mensagem').value === ''");
    }

    /// Writes into the box and leaves it there.
    #[track_caller]
    pub fn writes_draft(&self, text: &str) {
        self.look("document.querySelector('#mensagem').focus()");
        self.writes(text);
    }

    /// Waits until somebody's message is in the page exactly once, and is no longer on its way.
    #[track_caller]
    pub fn hears(&self, from: &str, text: &str) {
        let (from, text) = (quoted(from), quoted(text));
        let heard = "authorOf(entry) === from && textOf(entry) === text && !isUnsent(entry)";
        self.waits(&format!(
            "((from, text) => entries().filter((entry) => {heard}).length === 1)({from}, {text})"
        ));
    }

    /// The texts in the page, from the top.
    pub fn texts(&self) -> Vec<String> {
        strings(&self.look("texts()"))
    }

    /// Waits until the texts in the page are these, in this order.
    #[track_caller]
    pub fn shows(&self, texts: &[String]) {
        self.waits_for("texts()", |seen| strings(seen) == texts);
    }
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

/// The page as a file: a copy in this folder, where a server may be started as if in the checkout.
pub fn file_page(folder: &Folder) -> String {
    let html = folder.path().join("html");
    std::fs::create_dir(&html).unwrap();
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("html")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), html.join(file.file_name())).unwrap();
    }
    format!("file://{}", html.join("main.html").display())
}
