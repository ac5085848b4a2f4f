//! A browser with one profile per person, each with its own storage and tabs.

use crate::devtools::{Devtools, SHUTDOWN_TIMEOUT};
use crate::tab::Tab;
use serde_json::json;
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tempfile::TempDir;

/// One browser at a time: two of them on two cores only slow each other down.
static EXCLUSIVE: Mutex<()> = Mutex::new(());

/// A browser that is shut down on drop.
pub struct Browser {
    devtools: Rc<Devtools>,
    // Dropped in this order: the folder is removed after the browser has ended, then the next one may start.
    _profile_dir: ProfileDir,
    _exclusive: MutexGuard<'static, ()>,
}

/// A browser context with storage of its own.
pub struct Profile<'a> {
    browser: &'a Browser,
    context: String,
}

impl Browser {
    pub fn start() -> Self {
        let exclusive = EXCLUSIVE.lock().unwrap_or_else(PoisonError::into_inner);
        let profile_dir = ProfileDir(TempDir::new().unwrap());
        let devtools = Rc::new(Devtools::start(profile_dir.0.path()));
        devtools
            .call("", "Target.setDiscoverTargets", json!({"discover": true}))
            .unwrap();
        Self {
            devtools,
            _profile_dir: profile_dir,
            _exclusive: exclusive,
        }
    }

    pub fn profile(&self) -> Profile<'_> {
        let answer = self
            .devtools
            .call("", "Target.createBrowserContext", json!({}))
            .unwrap();
        Profile {
            browser: self,
            context: answer["browserContextId"].as_str().unwrap().to_owned(),
        }
    }
}

/// The folder of a browser's profile, into which its last child process may still be writing.
struct ProfileDir(TempDir);

impl Drop for ProfileDir {
    fn drop(&mut self) {
        let until = Instant::now() + SHUTDOWN_TIMEOUT;
        while self.0.path().exists()
            && std::fs::remove_dir_all(self.0.path()).is_err()
            && Instant::now() < until
        {
            std::thread::yield_now();
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Shuts down even while a tab still holds the connection.
        self.devtools.shut_down();
    }
}

impl Profile<'_> {
    /// Opens this URL in a new window.
    pub fn opens(&self, url: &str) -> Tab {
        let tab = self.tab(true);
        tab.goes_to(url);
        tab
    }

    /// Opens an empty tab, in a new window or in front of the last tab.
    pub fn tab(&self, new_window: bool) -> Tab {
        let devtools = &self.browser.devtools;
        let target = json!({"url": "about:blank", "browserContextId": self.context, "newWindow": new_window});
        let target = devtools.call("", "Target.createTarget", target).unwrap()["targetId"]
            .as_str()
            .unwrap()
            .to_owned();
        Tab::attach(devtools.clone(), target)
    }

    /// Sets a permission for pages of this origin.
    pub fn set_permission(&self, origin: &str, permission: &str, setting: &str) {
        let request = json!({"permission": {"name": permission}, "setting": setting, "origin": origin,
            "browserContextId": self.context});
        self.browser
            .devtools
            .call("", "Browser.setPermission", request)
            .unwrap();
    }
}
