//! One tab: what somebody does in it, and what it shows.

use crate::devtools::{Devtools, GLANCE, patience};
use serde_json::{Value, json};
use std::rc::Rc;
use std::time::Instant;

/// What every look at a page may use: how one finds things in it.
const EYES: &str = include_str!("eyes.js");

/// A tab with a page in it.
pub struct Tab {
    devtools: Rc<Devtools>,
    target: String,
    session: String,
}

impl Tab {
    pub fn attach(devtools: Rc<Devtools>, target: String) -> Self {
        let attached = devtools
            .ask(
                "",
                "Target.attachToTarget",
                json!({"targetId": target, "flatten": true}),
            )
            .unwrap();
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        let tab = Self {
            devtools,
            target,
            session,
        };
        for domain in ["Page", "Runtime", "Log", "Accessibility"] {
            tab.ask(&format!("{domain}.enable"), json!({}));
        }
        tab.sized(1280, 800);
        tab
    }

    /// A command of the DevTools protocol to this tab.
    #[track_caller]
    pub fn ask(&self, method: &str, params: Value) -> Value {
        self.devtools
            .ask(&self.session, method, params)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// What this tab told about this up to now.
    pub fn events(&self, method: &str) -> Vec<Value> {
        self.devtools.events(&self.session, method)
    }

    // Looking

    /// The value of an expression in the page; an error while the page is being replaced.
    #[track_caller]
    fn glance(&self, expression: &str) -> Result<Value, String> {
        let expression = format!("(async () => {{ {EYES}\nreturn ({expression}); }})()");
        let ask = json!({"expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true});
        let answer = self.devtools.ask(&self.session, "Runtime.evaluate", ask)?;
        let failed = &answer["exceptionDetails"];
        assert!(failed.is_null(), "{expression}: {failed}");
        Ok(answer["result"]["value"].clone())
    }

    /// The value of an expression in the page.
    #[track_caller]
    pub fn look(&self, expression: &str) -> Value {
        self.glance(expression)
            .unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Waits until an expression is true in the page.
    #[track_caller]
    pub fn waits(&self, wanted: &str) {
        self.waits_for(wanted, |value| value == &Value::Bool(true));
    }

    /// Waits until the value of an expression is as wanted, and gives it back.
    #[track_caller]
    pub fn waits_for(&self, expression: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + patience();
        loop {
            let seen = self.glance(expression);
            if let Some(value) = seen.as_ref().ok().filter(|value| wanted(value)) {
                return value.clone();
            }
            if Instant::now() >= until {
                self.keep("failed");
                let wrong = self.troubles();
                panic!(
                    "waited for {expression}, but saw {seen:?} in:\n{}\n{wrong:#?}",
                    self.text()
                );
            }
            self.devtools.listen(GLANCE);
        }
    }

    /// Waits until this is to be read somewhere.
    #[track_caller]
    pub fn sees(&self, text: &str) {
        self.waits(&format!(
            "document.body.innerText.includes({})",
            quoted(text)
        ));
    }

    /// Waits until this is nowhere to be read any more.
    #[track_caller]
    pub fn sees_no(&self, text: &str) {
        self.waits(&format!(
            "!document.body.innerText.includes({})",
            quoted(text)
        ));
    }

    /// All that is to be read.
    pub fn text(&self) -> String {
        self.glance("document.body.innerText").map_or_else(
            |error| error,
            |text| text.as_str().unwrap_or_default().to_owned(),
        )
    }

    // Acting

    /// Opens an address and waits until its page stands.
    #[track_caller]
    pub fn goes_to(&self, url: &str) {
        let answer = self.ask("Page.navigate", json!({"url": url}));
        assert!(answer["errorText"].is_null(), "{url}: {answer}");
        self.waits(&format!(
            "location.href.startsWith({}) && document.readyState === 'complete'",
            quoted(url)
        ));
    }

    /// Loads the page anew and waits until it stands.
    #[track_caller]
    pub fn reloads(&self) {
        self.look("window.beforeReload = true");
        self.ask("Page.reload", json!({}));
        self.waits("window.beforeReload === undefined && document.readyState === 'complete'");
    }

    /// Comes to the front of its window.
    pub fn comes_forward(&self) {
        self.devtools
            .ask(
                "",
                "Target.activateTarget",
                json!({"targetId": self.target}),
            )
            .unwrap();
    }

    /// Writes as one does with a keyboard that has accents.
    #[track_caller]
    pub fn writes(&self, text: &str) {
        self.ask("Input.insertText", json!({"text": text}));
    }

    /// Presses a key, perhaps with others held: `Enter`, `Shift+Enter`, `Control+k`.
    #[track_caller]
    pub fn presses(&self, keys: &str) {
        let (held, key) = keys.rsplit_once('+').unwrap_or(("", keys));
        let modifiers: u32 = held.split('+').map(bit_of).sum();
        let (code, number) = code_of(key);
        let text = match key {
            "Enter" => "\r",
            _ if key.chars().count() == 1 && modifiers & !bit_of("Shift") == 0 => key,
            _ => "",
        };
        let mut event = json!({"type": "keyDown", "key": key, "code": code, "windowsVirtualKeyCode": number,
            "modifiers": modifiers, "text": text});
        self.ask("Input.dispatchKeyEvent", event.clone());
        event["type"] = "keyUp".into();
        event["text"] = "".into();
        self.ask("Input.dispatchKeyEvent", event);
    }

    /// Pastes what was copied last.
    #[track_caller]
    pub fn pastes(&self) {
        self.edits("v", "paste");
    }

    /// Copies what is selected.
    #[track_caller]
    pub fn copies(&self) {
        self.edits("c", "copy");
    }

    /// Presses a letter with Control held, and does what the system has bound to it.
    #[track_caller]
    fn edits(&self, letter: &str, command: &str) {
        let (code, number) = code_of(letter);
        for kind in ["keyDown", "keyUp"] {
            let commands = if kind == "keyDown" {
                vec![command]
            } else {
                Vec::new()
            };
            let event = json!({"type": kind, "key": letter, "code": code, "windowsVirtualKeyCode": number,
                "modifiers": bit_of("Control"), "commands": commands});
            self.ask("Input.dispatchKeyEvent", event);
        }
    }

    /// Clicks at the first thing that this selector finds, once nothing is in front of it.
    #[track_caller]
    pub fn clicks(&self, selector: &str) {
        let place = self.waits_for(
            &format!("placeOf(document.querySelector({}))", quoted(selector)),
            Value::is_array,
        );
        self.clicks_at(&place);
    }

    /// Clicks at what a screen reader calls so: the role and the whole name.
    #[track_caller]
    pub fn chooses(&self, role: &str, name: &str) {
        let named = format!("placeOf(named({}, {}))", quoted(role), quoted(name));
        let place = self.waits_for(&named, Value::is_array);
        self.clicks_at(&place);
    }

    #[track_caller]
    fn clicks_at(&self, place: &Value) {
        let event = |kind: &str| json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            self.ask("Input.dispatchMouseEvent", event(kind));
        }
    }

    // The window

    /// Makes the window this large; a narrow one is a phone's.
    pub fn sized(&self, width: u32, height: u32) {
        let phone = width < 700;
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": if phone { 2 } else { 1 },
            "mobile": phone});
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
        self.ask(
            "Emulation.setTouchEmulationEnabled",
            json!({"enabled": phone}),
        );
    }

    /// Zooms in until this is what is left of the window; still a window on a desk.
    pub fn zoomed(&self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 2, "mobile": false});
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// What the system prefers: `light` or `dark`.
    pub fn prefers(&self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.ask("Emulation.setEmulatedMedia", features);
    }

    /// A picture of the window, as PNG in base 64.
    pub fn picture(&self) -> String {
        let answer = self.ask("Page.captureScreenshot", json!({"format": "png"}));
        answer["data"].as_str().unwrap().to_owned()
    }

    /// Keeps a picture under `target/page-shots`.
    pub fn keep(&self, name: &str) {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("page-shots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(
            folder.join(format!("{name}.png")),
            crate::picture::from_base64(&self.picture()),
        )
        .unwrap();
    }

    /// How every story ends: with a picture on a desk and one on a phone, and a page in which nothing has gone wrong.
    #[track_caller]
    pub fn ends(&self, story: &str) {
        self.poses(story);
        self.is_healthy();
    }

    /// Keeps a picture on a phone and one on a desk.
    #[track_caller]
    pub fn poses(&self, story: &str) {
        for (width, height) in [(390, 844), (1280, 800)] {
            self.sized(width, height);
            self.waits(&format!("innerWidth === {width} && await painted()"));
            self.keep(&format!("{story}-{width}x{height}"));
        }
    }

    /// No script has failed, nothing was forbidden by the page's own rules, and no dialog came up.
    #[track_caller]
    pub fn is_healthy(&self) {
        let wrong = self.troubles();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// What went wrong in the page up to now.
    fn troubles(&self) -> Vec<Value> {
        let mut wrong = self.events("Runtime.exceptionThrown");
        wrong.extend(self.events("Page.javascriptDialogOpening"));
        let log = self.events("Log.entryAdded");
        wrong.extend(
            log.into_iter()
                .filter(|entry| entry["entry"]["source"] == "security"),
        );
        wrong
    }
}

/// A string as a literal of JavaScript.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The bit of a key that is held.
fn bit_of(name: &str) -> u32 {
    match name {
        "Alt" => 1,
        "Control" => 2,
        "Shift" => 8,
        _ => 0,
    }
}

/// Where a key is on the keyboard, and its number.
fn code_of(key: &str) -> (String, u32) {
    let number = match key {
        "Backspace" => 8,
        "Tab" => 9,
        "Enter" => 13,
        "Escape" => 27,
        "PageUp" => 33,
        "PageDown" => 34,
        "End" => 35,
        "Home" => 36,
        "ArrowUp" => 38,
        "ArrowDown" => 40,
        "F6" => 117,
        _ => {
            let letter = key.chars().next().unwrap().to_ascii_uppercase();
            return (format!("Key{letter}"), letter.into());
        }
    };
    (key.to_owned(), number)
}
