//! `kill -9` right after the notice: what keeps order is there again after the next start, and what was ended is not.

use crate::harness::{kill, listening, server_on};
use crate::support::client::{WsClient, merged, summary};
use crate::support::process::{Program, ServerProcess, moderator_key};
use crate::support::raw::token_for;
use crate::support::server::ReservedPort;
use rustix::process::Resource;
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;

/// A server that is killed and started again with the same history.
struct KilledServer {
    server: ServerProcess,
    program: Program,
    folder: TempDir,
    _port: ReservedPort,
}

impl KilledServer {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let port = ReservedPort::new();
        let mut program = server_on(&port, &folder.path().join("historico.db"));
        Self {
            server: listening(program.spawn().unwrap()),
            program,
            folder,
            _port: port,
        }
    }

    fn kill_and_restart(&mut self) {
        kill(&mut self.server.process);
        self.server = listening(self.program.spawn().unwrap());
    }

    /// The answer to an `enter` with these fields.
    fn try_enter(&self, name: &str, more: Value) -> Value {
        self.server.connect().enter_with(name, more)
    }

    /// Whether the history's files hold these bytes anywhere.
    fn files_hold(&self, text: &str) -> bool {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .any(|bytes| {
                bytes
                    .windows(text.len())
                    .any(|part| part == text.as_bytes())
            })
    }
}

impl WsClient {
    fn moderate(&mut self, act: Value) {
        self.send(merged(json!({"type": "moderate"}), act));
    }

    /// Waits for the next notice.
    fn wait_for_notice(&mut self) -> String {
        let notice = self.receive_where(|message| message["type"] == "notice");
        notice["text"].as_str().unwrap().to_owned()
    }

    /// The answer to a `join` of *cofre* with this password.
    fn join_vault(&mut self, password: Option<&str>) -> Value {
        self.send(json!({"type": "join", "room": "cofre", "room_password": password}));
        self.receive_where(|message| message["type"] == "joined" || message["type"] == "error")
    }

    /// Sets the password of *cofre*, and waits until the room is told.
    fn set_vault_password(&mut self, password: &str) {
        self.send(json!({"type": "room_password", "room": "cofre", "password": password}));
        let state = self.receive_room_state();
        assert_eq!(
            (&state["room"], &state["password"]),
            (&json!("cofre"), &json!(true))
        );
    }
}

#[test]
fn room_password_and_owner_survive_kill() {
    let mut this = KilledServer::start();
    let mut rita = this.server.enter("Rita");
    rita.join_vault(None);
    rita.say_acked_in("cofre", "o segredo é 42");
    rita.set_vault_password("abacate maduro");
    this.kill_and_restart();

    let mut stranger = this.server.enter("Xereta");
    let refused = stranger.join_vault(None);
    assert_eq!(summary(&refused), "error password_required");
    let refused = stranger.join_vault(Some("abacaxi"));
    assert_eq!(summary(&refused), "error password_wrong");
    stranger.send(json!({"type": "rooms"}));
    let rooms = stranger.receive()["rooms"].clone();
    let vault = json!({"room": "cofre", "online": 0, "seq": 1, "password": true});
    assert_eq!(rooms[1], vault, "{rooms}");
    // A first `enter` waits for the check too, and so does a friend; both get in.
    let welcome = this.try_enter(
        "Bruno",
        json!({"room": "cofre", "room_password": "abacate maduro"}),
    );
    assert_eq!(summary(&welcome), "welcome Bruno");
    let mut rita = this.server.enter("Rita");
    let joined = rita.join_vault(Some("abacate maduro"));
    assert_eq!(joined["entries"][0]["text"], "o segredo é 42");
    // The room still belongs to Rita, and to nobody else.
    stranger.join_vault(Some("abacate maduro"));
    stranger.send(json!({"type": "room_password", "room": "cofre"}));
    let refused = stranger.receive_where(|message| message["type"] == "error");
    assert_eq!(summary(&refused), "error forbidden");
    rita.set_vault_password("goiaba");
    this.kill_and_restart();

    let mut rita = this.server.enter("Rita");
    for (password, answer) in [
        ("abacate maduro", "error password_wrong"),
        ("goiaba", "joined cofre 1"),
    ] {
        assert_eq!(summary(&rita.join_vault(Some(password))), answer);
    }
    assert!(this.files_hold("o segredo é 42"), "the files are looked at");
    assert!(!this.files_hold("abacate maduro") && !this.files_hold("goiaba"));
}

#[test]
fn moderator_is_known_by_token_after_kill() {
    let mut this = KilledServer::start();
    let old_key = moderator_key(&this.server.banner).to_owned();
    let mut ana = this.server.enter_as_moderator("Ana");
    let mut bruno = this.server.enter("Bruno");
    ana.moderate(json!({"act": "promote", "name": "Bruno"}));
    bruno.wait_for_notice();
    this.kill_and_restart();

    let token = token_for("Ana");
    for (name, more) in [
        ("Ana", json!({})),
        ("Ana", json!({ "moderator_key": old_key })),
        ("Ana", json!({"moderator_key": "qualquer coisa"})),
        ("Ana Maria", json!({ "token": token })),
        ("Bruno", json!({})),
    ] {
        let welcome = this.try_enter(name, more.clone());
        assert_eq!(welcome["moderator"], true, "{name} {more}: {welcome}");
    }
    let guest = this.try_enter("Célia", json!({ "moderator_key": old_key }));
    assert_eq!(summary(&guest), "error moderator_key_wrong");
    let mut ana = this.server.connect();
    ana.enter("Ana");
    ana.moderate(json!({"act": "demote", "name": "Bruno"}));
    ana.wait_for_notice();
    this.kill_and_restart();

    assert_eq!(this.try_enter("Bruno", json!({}))["moderator"], Value::Null);
    // The new key is still there for the first who shows it, who stays a moderator in turn.
    this.server.enter_as_moderator("Célia");
    this.kill_and_restart();
    assert_eq!(this.try_enter("Célia", json!({}))["moderator"], true);
}

#[test]
fn ban_survives_kill_until_it_is_lifted() {
    let mut this = KilledServer::start();
    let mut ana = this.server.enter_as_moderator("Ana");
    let _bruno = this.server.enter("Bruno");
    ana.moderate(json!({"act": "ban", "name": "Bruno", "seconds": 600}));
    ana.wait_for_notice();
    this.kill_and_restart();
    let refused = this.try_enter("Bruno", json!({}));
    assert_eq!(summary(&refused), "error banned");
    let left = refused["retry_after_ms"].as_u64().unwrap();
    assert!((1..=600_001).contains(&left), "{refused}");
    let mut ana = this.server.connect();
    ana.enter("Ana");
    ana.moderate(json!({"act": "unban", "name": "Bruno"}));
    ana.wait_for_notice();
    this.kill_and_restart();
    assert_eq!(
        summary(&this.try_enter("Bruno", json!({}))),
        "welcome Bruno"
    );
}

#[test]
fn mute_survives_kill_and_ends_in_time() {
    let mut this = KilledServer::start();
    let mut ana = this.server.enter_as_moderator("Ana");
    let mut bruno = this.server.enter("Bruno");
    ana.moderate(json!({"act": "mute", "name": "Bruno", "seconds": 600}));
    let told = bruno.receive_room_state();
    let until = told["muted_until"].as_u64().unwrap();
    this.kill_and_restart();
    let mut bruno = this.server.connect();
    let state = bruno.enter("Bruno")["state"].clone();
    let same = state["muted_until"].as_u64().unwrap();
    assert!(same.abs_diff(until) < 1000, "{told} {state}");
    bruno.say("oi");
    assert_eq!(summary(&bruno.receive()), "error muted");
    let mut ana = this.server.connect();
    ana.enter("Ana");
    ana.moderate(json!({"act": "mute", "name": "Bruno", "seconds": 3}));
    ana.wait_for_notice();
    this.kill_and_restart();
    let mut bruno = this.server.enter("Bruno");
    // It may have ended while the server started; else it lasts as long as the server says.
    loop {
        let id = bruno.say("oi");
        let answer = bruno.receive_where(|message| message["id"] == *id);
        if answer["type"] == "ack" {
            break;
        }
        let left = answer["retry_after_ms"].as_u64().unwrap();
        assert!(answer["code"] == "muted" && left <= 3001, "{answer}");
        std::thread::sleep(Duration::from_millis(left));
    }
}

#[test]
fn lock_and_room_modes_survive_kill() {
    let mut this = KilledServer::start();
    let mut ana = this.server.enter_as_moderator("Ana");
    ana.moderate(json!({"act": "moderators_only", "room": "geral", "on": true}));
    ana.moderate(json!({"act": "slow", "room": "geral", "seconds": 600}));
    ana.moderate(json!({"act": "lock", "on": true}));
    for _ in 0..3 {
        ana.wait_for_notice();
    }
    this.kill_and_restart();
    assert_eq!(summary(&this.try_enter("Bruno", json!({}))), "error locked");
    let mut ana = this.server.connect();
    let expected =
        json!({"moderators_only": true, "slow_ms": 600_000, "password": false, "locked": true});
    assert_eq!(ana.enter("Ana")["state"], expected);
    ana.moderate(json!({"act": "moderators_only", "room": "geral"}));
    ana.moderate(json!({"act": "lock"}));
    for _ in 0..2 {
        ana.wait_for_notice();
    }
    this.kill_and_restart();
    let mut bruno = this.server.enter("Bruno");
    bruno.say_acked("um");
    let id = bruno.say("dois");
    let refused = bruno.receive_where(|message| message["id"] == *id);
    assert_eq!(summary(&refused), "error slow_mode");
}

#[test]
fn ban_on_a_full_disk_holds_until_the_server_stops() {
    let mut this = KilledServer::start();
    let mut ana = this.server.enter_as_moderator("Ana");
    let _bruno = this.server.enter("Bruno");
    this.server.process.set_limit(Resource::Fsize, Some(0));
    ana.moderate(json!({"act": "ban", "name": "Bruno"}));
    let notice = ana.wait_for_notice();
    assert_eq!(notice, "Ana baniu Bruno da conversa por 1 hora.");
    let warning = ana.wait_for_notice();
    assert!(warning.starts_with("Isto vale agora, mas"), "{warning}");
    assert_eq!(summary(&this.try_enter("Bruno", json!({}))), "error banned");
    this.server.assert_healthy();
    this.kill_and_restart();
    assert_eq!(
        summary(&this.try_enter("Bruno", json!({}))),
        "welcome Bruno"
    );
}
