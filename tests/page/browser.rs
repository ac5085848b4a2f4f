//! A browser of one's own: people with separate storage, each with tabs.

use crate::devtools::Devtools;
use crate::stage::Folder;
use crate::tab::Tab;
use serde_json::json;
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One browser at a time: two of them on two cores only make each other late.
static TURN: Mutex<()> = Mutex::new(());

/// A browser that ends with its story.
pub struct Browser {
    devtools: Rc<Devtools>,
    // In this order: the browser has ended before its folder goes, and then the next one may start.
    _home: Folder,
    _turn: MutexGuard<'static, ()>,
}

/// Somebody with a browser of their own: what one person's pages store, no other person's pages see.
pub struct Person<'a> {
    browser: &'a Browser,
    context: String,
}

impl Browser {
    pub fn start() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let home = Folder::new();
        let devtools = Rc::new(Devtools::start(home.path()));
        devtools
            .ask("", "Target.setDiscoverTargets", json!({"discover": true}))
            .unwrap();
        Self {
            devtools,
            _home: home,
            _turn: turn,
        }
    }

    pub fn person(&self) -> Person<'_> {
        let answer = self
            .devtools
            .ask("", "Target.createBrowserContext", json!({}))
            .unwrap();
        Person {
            browser: self,
            context: answer["browserContextId"].as_str().unwrap().to_owned(),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Also when a tab is still held by somebody.
        self.devtools.end();
    }
}

impl Person<'_> {
    /// A tab in a window of its own, at this address.
    pub fn opens(&self, url: &str) -> Tab {
        let tab = self.tab(true);
        tab.goes_to(url);
        tab
    }

    /// An empty tab; in front of the last one, or in a window of its own.
    pub fn tab(&self, new_window: bool) -> Tab {
        let devtools = &self.browser.devtools;
        let target = json!({"url": "about:blank", "browserContextId": self.context, "newWindow": new_window});
        let target = devtools.ask("", "Target.createTarget", target).unwrap()["targetId"]
            .as_str()
            .unwrap()
            .to_owned();
        Tab::attach(devtools.clone(), target)
    }

    /// Says yes to a permission, for pages of this origin.
    pub fn permits(&self, origin: &str, permission: &str, setting: &str) {
        let wish = json!({"permission": {"name": permission}, "setting": setting, "origin": origin,
            "browserContextId": self.context});
        self.browser
            .devtools
            .ask("", "Browser.setPermission", wish)
            .unwrap();
    }
}
