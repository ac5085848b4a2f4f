//! One tab: input, and what it shows.

use crate::devtools::{Devtools, POLL_INTERVAL};
use crate::support::patience;
use serde_json::{Value, json};
use std::rc::Rc;
use std::time::Instant;

/// Functions available to every expression evaluated in a page.
const PROBE: &str = include_str!("page_probe.js");

/// A tab.
pub struct Tab {
    devtools: Rc<Devtools>,
    target: String,
    session: String,
}

impl Tab {
    pub fn attach(devtools: Rc<Devtools>, target: String) -> Self {
        let attached = devtools
            .call(
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
            tab.call(&format!("{domain}.enable"), json!({}));
        }
        tab.resize(1280, 800);
        tab
    }

    /// Calls a method of the DevTools protocol on this tab.
    #[track_caller]
    pub fn call(&self, method: &str, params: Value) -> Value {
        self.devtools
            .call(&self.session, method, params)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The events of this kind so far.
    pub fn events(&self, method: &str) -> Vec<Value> {
        self.devtools.events(&self.session, method)
    }

    // Evaluating

    /// The value of an expression in the page; an error while the page is loading.
    #[track_caller]
    fn try_eval(&self, expression: &str) -> Result<Value, String> {
        let expression = format!("(async () => {{ {PROBE}\nreturn ({expression}); }})()");
        let ask = json!({"expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true});
        let answer = self.devtools.call(&self.session, "Runtime.evaluate", ask)?;
        let failed = &answer["exceptionDetails"];
        assert!(failed.is_null(), "{expression}: {failed}");
        Ok(answer["result"]["value"].clone())
    }

    /// The value of an expression in the page.
    #[track_caller]
    pub fn eval(&self, expression: &str) -> Value {
        self.try_eval(expression)
            .unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Waits until an expression is true in the page.
    #[track_caller]
    pub fn wait_until(&self, wanted: &str) {
        self.wait_for(wanted, |value| value == &Value::Bool(true));
    }

    /// Waits until the value of an expression matches, and returns it.
    #[track_caller]
    pub fn wait_for(&self, expression: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + patience();
        loop {
            let seen = self.try_eval(expression);
            if let Some(value) = seen.as_ref().ok().filter(|value| wanted(value)) {
                return value.clone();
            }
            if Instant::now() >= until {
                self.screenshot("failed");
                let wrong = self.errors();
                panic!(
                    "waited for {expression}, but saw {seen:?} in:\n{}\n{wrong:#?}",
                    self.text()
                );
            }
            self.devtools.record_for(POLL_INTERVAL);
        }
    }

    /// Waits until this text is visible.
    #[track_caller]
    pub fn sees(&self, text: &str) {
        self.wait_until(&format!(
            "document.body.innerText.includes({})",
            quoted(text)
        ));
    }

    /// Waits until this text is not visible.
    #[track_caller]
    pub fn does_not_see(&self, text: &str) {
        self.wait_until(&format!(
            "!document.body.innerText.includes({})",
            quoted(text)
        ));
    }

    /// All visible text.
    pub fn text(&self) -> String {
        self.try_eval("document.body.innerText").map_or_else(
            |error| error,
            |text| text.as_str().unwrap_or_default().to_owned(),
        )
    }

    // Input

    /// Opens a URL and waits until the page has loaded.
    #[track_caller]
    pub fn goes_to(&self, url: &str) {
        let answer = self.call("Page.navigate", json!({"url": url}));
        assert!(answer["errorText"].is_null(), "{url}: {answer}");
        self.wait_until(&format!(
            "location.href.startsWith({}) && document.readyState === 'complete'",
            quoted(url)
        ));
    }

    /// Reloads the page and waits until it has loaded.
    #[track_caller]
    pub fn reloads(&self) {
        self.eval("window.beforeReload = true");
        self.call("Page.reload", json!({}));
        self.wait_until("window.beforeReload === undefined && document.readyState === 'complete'");
    }

    /// Brings the tab to the front of its window.
    pub fn brings_to_front(&self) {
        self.devtools
            .call(
                "",
                "Target.activateTarget",
                json!({"targetId": self.target}),
            )
            .unwrap();
    }

    /// Inserts text, accents included, into the focused element.
    #[track_caller]
    pub fn types(&self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Presses a key, with modifiers if given: `Enter`, `Shift+Enter`, `Control+k`.
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
        self.call("Input.dispatchKeyEvent", event.clone());
        event["type"] = "keyUp".into();
        event["text"] = "".into();
        self.call("Input.dispatchKeyEvent", event);
    }

    /// Pastes from the clipboard.
    #[track_caller]
    pub fn pastes(&self) {
        self.runs_key_command("v", "paste");
    }

    /// Copies the selection.
    #[track_caller]
    pub fn copies(&self) {
        self.runs_key_command("c", "copy");
    }

    /// Presses Control and a letter, and runs the editing command bound to it.
    #[track_caller]
    fn runs_key_command(&self, letter: &str, command: &str) {
        let (code, number) = code_of(letter);
        for kind in ["keyDown", "keyUp"] {
            let commands = if kind == "keyDown" {
                vec![command]
            } else {
                Vec::new()
            };
            let event = json!({"type": kind, "key": letter, "code": code, "windowsVirtualKeyCode": number,
                "modifiers": bit_of("Control"), "commands": commands});
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Clicks the first match of this selector, once it is not covered.
    #[track_caller]
    pub fn clicks(&self, selector: &str) {
        let place = self.wait_for(
            &format!("clickPoint(document.querySelector({}))", quoted(selector)),
            Value::is_array,
        );
        self.click_at(&place);
    }

    /// Clicks the element with this role and accessible name.
    #[track_caller]
    pub fn chooses(&self, role: &str, name: &str) {
        let named = format!("clickPoint(byRole({}, {}))", quoted(role), quoted(name));
        let place = self.wait_for(&named, Value::is_array);
        self.click_at(&place);
    }

    #[track_caller]
    fn click_at(&self, place: &Value) {
        let event = |kind: &str| json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            self.call("Input.dispatchMouseEvent", event(kind));
        }
    }

    // The window

    /// Resizes the window; a narrow one emulates a phone.
    pub fn resize(&self, width: u32, height: u32) {
        let phone = width < 700;
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": if phone { 2 } else { 1 },
            "mobile": phone});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        self.call(
            "Emulation.setTouchEmulationEnabled",
            json!({"enabled": phone}),
        );
    }

    /// Zooms in until the viewport has this size, still on a desktop.
    pub fn zoom(&self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 2, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Sets the system's colour scheme: `light` or `dark`.
    pub fn prefer_scheme(&self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", features);
    }

    /// A screenshot as PNG in base64.
    pub fn capture_png(&self) -> String {
        let answer = self.call("Page.captureScreenshot", json!({"format": "png"}));
        answer["data"].as_str().unwrap().to_owned()
    }

    /// Saves a screenshot under `target/page-shots`.
    pub fn screenshot(&self, name: &str) {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("page-shots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(
            folder.join(format!("{name}.png")),
            crate::screenshot::from_base64(&self.capture_png()),
        )
        .unwrap();
    }

    /// Ends a test: saves screenshots and asserts that the page had no errors.
    #[track_caller]
    pub fn finish(&self, name: &str) {
        self.screenshots(name);
        self.assert_healthy();
    }

    /// Saves screenshots on a phone and on a desktop.
    #[track_caller]
    pub fn screenshots(&self, name: &str) {
        for (width, height) in [(390, 844), (1280, 800)] {
            self.resize(width, height);
            self.wait_until(&format!("innerWidth === {width} && await painted()"));
            self.screenshot(&format!("{name}-{width}x{height}"));
        }
    }

    /// Asserts that no script failed, no security policy was violated and no dialog opened.
    #[track_caller]
    pub fn assert_healthy(&self) {
        let wrong = self.errors();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// The page's errors so far.
    fn errors(&self) -> Vec<Value> {
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

/// A string as a JavaScript literal.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The bit of a modifier key.
fn bit_of(name: &str) -> u32 {
    match name {
        "Alt" => 1,
        "Control" => 2,
        "Shift" => 8,
        _ => 0,
    }
}

/// The code and the virtual key code of a key.
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
