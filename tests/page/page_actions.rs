//! What people do on the page, as methods of `Tab`. Only this module and `page_probe.js` know the page's structure.

use crate::tab::{Tab, quoted};
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

impl Tab {
    /// Fills in the form and enters.
    #[track_caller]
    pub fn enters(&self, name: &str) {
        self.enters_on_a_phone(name);
        self.is_inside(name);
    }

    /// The same on a phone, where the list of people is hidden.
    #[track_caller]
    pub fn enters_on_a_phone(&self, name: &str) {
        self.clicks("#nome");
        self.eval("document.activeElement.select()");
        self.types(name);
        self.presses("Enter");
        self.is_connected();
    }

    /// Waits until the page has entered again by itself, as after a reload.
    #[track_caller]
    pub fn comes_back(&self, name: &str) {
        self.wait_until("isVisible(document.querySelector('#papo'))");
        self.is_inside(name);
    }

    /// Waits until the page is connected and lists this person as “você”.
    #[track_caller]
    pub fn is_inside(&self, name: &str) {
        self.is_connected();
        self.wait_until(&format!(
            "people().some((person) => person.startsWith({}))",
            quoted(&format!("{name} (você)"))
        ));
    }

    #[track_caller]
    pub fn is_connected(&self) {
        self.wait_until("document.querySelector('#papo').dataset.state === 'online'");
    }

    /// Types into the box and sends it with Enter.
    #[track_caller]
    pub fn says(&self, text: &str) {
        self.types_draft(text);
        self.presses("Enter");
        self.wait_until("document.querySelector('#mensagem').value === ''");
    }

    /// Types into the box without sending.
    #[track_caller]
    pub fn types_draft(&self, text: &str) {
        self.eval("document.querySelector('#mensagem').focus()");
        self.types(text);
    }

    /// Waits until this message is shown exactly once, and as confirmed.
    #[track_caller]
    pub fn sees_message(&self, from: &str, text: &str) {
        let from = quoted(from);
        let text = quoted(text);
        let heard = "authorOf(entry) === from && textOf(entry) === text && !isUnsent(entry)";
        self.wait_until(&format!(
            "((from, text) => entries().filter((entry) => {heard}).length === 1)({from}, {text})"
        ));
    }

    /// The texts of the messages shown, from the top.
    pub fn texts(&self) -> Vec<String> {
        strings(&self.eval("texts()"))
    }

    /// Waits until exactly these texts are shown, in this order.
    #[track_caller]
    pub fn shows(&self, texts: &[String]) {
        self.wait_for("texts()", |seen| strings(seen) == texts);
    }
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

/// The `file:` URL of a copy of the page in this folder, from which a server can be started as in the checkout.
pub fn file_page(folder: &TempDir) -> String {
    let html = folder.path().join("html");
    std::fs::create_dir(&html).unwrap();
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("html")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), html.join(file.file_name())).unwrap();
    }
    format!("file://{}", html.join("main.html").display())
}
