//! A history that is put back, swapped, moved or removed, by the real program: what was acknowledged is there, or it was
//! refused, and everybody who holds more than the log is told.

use crate::harness::{kill, listening, server_on, wait_for_health};
use crate::support::client::WsClient;
use crate::support::process::{Program, ServerProcess};
use crate::support::rng::Rng;
use crate::support::server::ReservedPort;
use crate::support::{Deadline, long_or};
use papo::history::sqlite::{Format, SqliteHistory, export};
use papo::name::RoomName;
use papo::protocol::Entry;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A server on a port of its own and its history, in a folder of its own.
struct Scene {
    dir: TempDir,
    port: ReservedPort,
}

impl Scene {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        fs::create_dir(dir.path().join("conversa")).unwrap();
        Self {
            dir,
            port: ReservedPort::new(),
        }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("conversa")
    }

    /// The history; with a suffix a file beside it.
    fn log(&self, suffix: &str) -> PathBuf {
        self.folder().join(format!("historico.db{suffix}"))
    }

    /// Another file, which the server does not know.
    fn other(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn start(&self) -> ServerProcess {
        listening(server_on(&self.port, &self.log("")).spawn().unwrap())
    }

    /// Runs a word of `servidor` on the history and expects that it succeeds.
    fn run(&self, word: &str, copy: &Path) -> String {
        let (code, stdout, stderr) = self.program(word, copy).run("");
        assert_eq!((code, &*stderr), (0, ""), "{word}");
        stdout
    }

    fn program(&self, word: &str, copy: &Path) -> Program {
        let mut program = Program::server(&[word]);
        program.command.arg(copy);
        program.command.arg("--historico").arg(self.log(""));
        program
    }

    /// The texts in the lobby's log.
    fn texts(&self) -> Vec<String> {
        texts_in(&self.log(""))
    }
}

fn texts_in(log: &Path) -> Vec<String> {
    let mut json = Vec::new();
    export(
        log,
        &RoomName::lobby(),
        Format::Json,
        time::UtcOffset::UTC,
        &mut json,
    )
    .unwrap();
    let lines = json
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice::<Entry>(line).unwrap().text)
        .collect()
}

fn say_times(client: &mut WsClient, prefix: &str, times: usize) -> Vec<String> {
    let texts: Vec<String> = (0..times).map(|n| format!("{prefix} {n}")).collect();
    texts.iter().for_each(|text| client.say_acked(text));
    texts
}

/// Waits until the server has written this to stderr; gives back all that it has written.
#[track_caller]
fn wait_for_stderr(server: &ServerProcess, text: &str) -> String {
    let deadline = Deadline::of_one_event();
    loop {
        let written = server.process.stderr();
        if written.contains(text) {
            return written;
        }
        assert!(!deadline.is_over(), "{written}");
        std::thread::yield_now();
    }
}

/// Enters as somebody who holds a log up to this seq; gives back the `joined`.
fn resume(server: &ServerProcess, name: &str, epoch: &Value, after: u64) -> Value {
    let mut client = server.connect();
    let welcome = client.enter_with(name, json!({"epoch": epoch, "after": after}));
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    client.receive_where(|message| message["type"] == "joined")
}

/// Sends a message that must be refused, and gives back its id for another try.
#[track_caller]
fn say_refused(client: &mut WsClient, text: &str) -> String {
    let id = client.say(text);
    let answer = client.receive_where(|message| message["id"] == *id);
    assert_eq!(answer["code"], "history_unavailable", "{answer}");
    id
}

/// Sends a message again and again until it is taken.
#[track_caller]
fn say_again(client: &mut WsClient, id: &str, text: &str) {
    let deadline = Deadline::of_one_event();
    loop {
        client.send(json!({"type": "say", "room": "geral", "id": id, "text": text}));
        let answer = client.receive_where(|message| message["id"] == *id);
        if answer["type"] == "ack" {
            assert_ne!(
                answer["duplicate"], true,
                "it was refused, and yet it was there"
            );
            return;
        }
        assert!(!deadline.is_over(), "{answer}");
    }
}

fn copied_back(before: usize, after: usize) {
    let scene = Scene::new();
    let mut server = scene.start();
    let mut ana = server.connect();
    let epoch = ana.enter("Ana")["epoch"].clone();
    let mut texts = say_times(&mut ana, "antes", before);
    scene.run("copiar", &scene.other("copia.db"));
    say_times(&mut ana, "depois", after);
    kill(&mut server.process);
    fs::copy(scene.other("copia.db"), scene.log("")).unwrap();

    let server = scene.start();
    wait_for_stderr(&server, "sobras de outro banco de dados");
    // All who were there begin anew, not only the first.
    for name in ["Ana", "Bia"] {
        let joined = resume(&server, name, &epoch, (before + after) as u64);
        assert_eq!(
            (&joined["reset"], &joined["seq"]),
            (&json!(true), &json!(before))
        );
        assert_ne!(joined["epoch"], epoch);
    }
    server.enter("Rita").say_acked("de volta");
    drop(server);
    texts.push("de volta".into());
    assert_eq!(scene.texts(), texts);
}

#[test]
fn small_copy_put_back_after_a_kill_is_not_undone() {
    copied_back(200, 400);
}

#[test]
fn large_copy_put_back_after_a_kill_is_not_damaged() {
    // More than a thousand pages: the journal was merged into the file meanwhile.
    copied_back(400, 1000);
}

#[test]
fn file_put_back_without_its_journal_resets_everybody() {
    let scene = Scene::new();
    let mut server = scene.start();
    let mut ana = server.connect();
    let epoch = ana.enter("Ana")["epoch"].clone();
    say_times(&mut ana, "antes", 30);
    server.process.terminate();
    fs::copy(scene.log(""), scene.other("ontem.db")).unwrap();
    let mut server = scene.start();
    say_times(&mut server.enter("Rita"), "depois", 30);
    server.process.terminate();
    fs::copy(scene.other("ontem.db"), scene.log("")).unwrap();

    let mut server = scene.start();
    wait_for_stderr(&server, "já teve mais mensagens");
    for name in ["Ana", "Bia"] {
        let joined = resume(&server, name, &epoch, 60);
        assert_eq!(
            (&joined["reset"], &joined["seq"]),
            (&json!(true), &json!(30))
        );
    }
    server.process.terminate();
    // It is said once.
    let server = scene.start();
    assert!(!server.process.stderr().contains("ATENÇÃO"));
}

#[test]
fn journal_left_by_another_log_does_not_come_back() {
    let scene = Scene::new();
    let mut server = scene.start();
    say_times(&mut server.enter("Ana"), "de antes", 50);
    kill(&mut server.process);
    // As somebody does who wants to begin anew.
    fs::remove_file(scene.log("")).unwrap();
    let mut server = scene.start();
    assert!(server.banner.contains("(0 mensagens)"), "{}", server.banner);
    server.enter("Bia").say_acked("nova");
    server.process.terminate();
    assert_eq!(scene.texts(), ["nova"]);
}

/// Takes the files away under a talk of two, waits until it is noticed, and puts them back.
fn taken_away(take: impl Fn(&Scene), put_back: impl Fn(&Scene)) {
    let scene = Scene::new();
    let mut server = scene.start();
    let mut ana = server.enter("Ana");
    let mut bia = server.enter("Bia");
    let mut texts = say_times(&mut ana, "antes", 20);
    bia.wait_for_text("antes 19");
    take(&scene);
    let refused = say_refused(&mut ana, "ninguém guarda");
    say_refused(&mut bia, "nem isto");
    bia.send(json!({"type": "history", "room": "geral", "before": 10}));
    let page = bia.receive_where(|message| message["type"] == "history");
    assert_eq!(
        page["entries"].as_array().map(Vec::len),
        Some(9),
        "reading goes on"
    );
    let (code, health) = wait_for_health(server.address, "degraded");
    assert_eq!((code, &health["reason"]), (503, &json!("file_gone")));
    put_back(&scene);
    say_again(&mut ana, &refused, "guardado");
    bia.wait_for_text("guardado");
    wait_for_health(server.address, "ok");
    let said = wait_for_stderr(&server, "está de volta");
    assert_eq!(said.matches("todas são recusadas").count(), 1, "{said}");
    assert_eq!(said.matches("está de volta").count(), 1, "{said}");
    kill(&mut server.process);
    texts.push("guardado".into());
    assert_eq!(scene.texts(), texts);
    assert!(!scene.start().process.stderr().contains("ATENÇÃO"));
}

fn mv(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

#[test]
fn moved_history_is_refused_and_heals() {
    taken_away(
        |scene| mv(&scene.log(""), &scene.other("longe.db")),
        |scene| mv(&scene.other("longe.db"), &scene.log("")),
    );
}

#[test]
fn history_replaced_by_another_is_refused_and_heals() {
    taken_away(
        |scene| {
            mv(&scene.log(""), &scene.other("longe.db"));
            drop(SqliteHistory::open(&scene.other("outro.db"), None).unwrap());
            mv(&scene.other("outro.db"), &scene.log(""));
        },
        |scene| mv(&scene.other("longe.db"), &scene.log("")),
    );
}

#[test]
fn renamed_folder_of_the_history_is_refused_and_heals() {
    taken_away(
        |scene| mv(&scene.folder(), &scene.other("longe")),
        |scene| mv(&scene.other("longe"), &scene.folder()),
    );
}

#[test]
fn moved_journal_is_refused_and_heals() {
    taken_away(
        |scene| mv(&scene.log("-wal"), &scene.other("longe")),
        |scene| mv(&scene.other("longe"), &scene.log("-wal")),
    );
}

#[test]
fn removed_history_swallows_no_acknowledged_message() {
    let scene = Scene::new();
    let mut server = scene.start();
    let mut ana = server.enter("Ana");
    let mut bia = server.enter("Bia");
    say_times(&mut ana, "antes", 30);
    // As `git clean -fdx` does.
    fs::remove_dir_all(scene.folder()).unwrap();
    for client in [&mut ana, &mut bia] {
        say_refused(client, "?");
    }
    let said = wait_for_stderr(&server, "não está mais no lugar");
    assert!(said.contains("ligue o servidor de novo"), "{said}");
    server.process.terminate();
    fs::create_dir(scene.folder()).unwrap();
    let server = scene.start();
    server.enter("Ana").say_acked("de novo");
    drop(server);
    assert_eq!(scene.texts(), ["de novo"]);
}

#[test]
fn restore_is_refused_beside_a_server_and_keeps_the_old_log() {
    let scene = Scene::new();
    let copy = scene.other("copia.db");
    let mut server = scene.start();
    let mut ana = server.enter("Ana");
    let mut texts = say_times(&mut ana, "antes", 10);
    scene.run("copiar", &copy);
    let old_texts = [texts.clone(), say_times(&mut ana, "depois", 10)].concat();
    let (code, _, stderr) = scene.program("restaurar", &copy).run("");
    assert!(code == 1 && stderr.contains("Encerre-o antes"), "{stderr}");
    kill(&mut server.process);
    let said = scene.run("restaurar", &copy);
    assert!(said.starts_with("10 mensagens restauradas em "), "{said}");
    let kept = said.trim_end().rsplit(' ').next().unwrap();
    assert!(kept.contains(".antes-de-restaurar-20"), "{kept}");
    assert_eq!(texts_in(Path::new(kept)), old_texts);
    let server = scene.start();
    assert!(!server.process.stderr().contains("ATENÇÃO"));
    server.enter("Rita").say_acked("de volta");
    drop(server);
    texts.push("de volta".into());
    assert_eq!(scene.texts(), texts);
}

#[test]
fn restore_killed_at_any_moment_leaves_a_whole_log() {
    let mut rng = Rng::new();
    let scene = Scene::new();
    let copy = scene.other("copia.db");
    let mut server = scene.start();
    let mut ana = server.enter("Ana");
    let new = say_times(&mut ana, "antes", 40);
    scene.run("copiar", &copy);
    let mut old = [new.clone(), say_times(&mut ana, "depois", 40)].concat();
    kill(&mut server.process);
    let cycles = long_or(200, 20);
    let mut restored = 0;
    let mut cycle = 0;
    while cycle < cycles || restored == 0 {
        cycle += 1;
        let mut process = scene.program("restaurar", &copy).spawn().unwrap();
        // When it is killed is the experiment. Later and later, until one was fast enough.
        std::thread::sleep(rng.up_to_ms(10 + 5 * cycle));
        process.kill();
        let texts = scene.texts();
        if texts == new {
            restored += 1;
        } else {
            assert_eq!(texts, old, "neither the old log nor the new one");
        }
        // The next start takes the log as it finds it.
        let mut server = scene.start();
        let text = format!("volta {cycle}");
        server.enter(&format!("Pessoa {cycle}")).say_acked(&text);
        kill(&mut server.process);
        old = [texts, vec![text]].concat();
        assert_eq!(scene.texts(), old);
    }
    println!("{cycle} kills, {restored} restored");
}

#[test]
fn foreign_file_is_refused_and_not_renamed() {
    let scene = Scene::new();
    let list = "caju\numbu\nfarinha\n".repeat(100);
    fs::write(scene.log(""), &list).unwrap();
    let (code, _, stderr) = server_on(&scene.port, &scene.log("")).run("");
    assert_eq!(code, 1);
    assert!(stderr.contains("não é um histórico do Papo"), "{stderr}");
    for word in ["copiar", "exportar"] {
        let (code, _, stderr) = if word == "copiar" {
            scene.program(word, &scene.other("c.db")).run("")
        } else {
            let mut program = Program::server(&[word, "--historico"]);
            program.command.arg(scene.log(""));
            program.run("")
        };
        assert_eq!(code, 1);
        assert!(stderr.contains("não é um histórico do Papo"), "{stderr}");
    }
    assert_eq!(fs::read_to_string(scene.log("")).unwrap(), list);
    assert_eq!(fs::read_dir(scene.folder()).unwrap().count(), 1);
    fs::write(scene.log(""), "").unwrap();
    let mut program = Program::server(&["exportar", "--historico"]);
    program.command.arg(scene.log(""));
    let (code, _, stderr) = program.run("");
    assert!(code == 1 && stderr.contains("está vazio"), "{stderr}");
}

#[test]
fn damaged_history_says_how_to_get_at_it() {
    let scene = Scene::new();
    let mut server = scene.start();
    say_times(&mut server.enter("Ana"), "antes", 300);
    server.process.terminate();
    let mut bytes = fs::read(scene.log("")).unwrap();
    let middle = (bytes.len() / 2) & !4095;
    bytes[middle..middle + 8192].fill(0xA5);
    fs::write(scene.log(""), &bytes).unwrap();
    let server = scene.start();
    let said = wait_for_stderr(&server, ".recover | sqlite3 recuperado.db");
    assert!(said.contains("servidor restaurar recuperado.db"), "{said}");
    let aside = fs::read_dir(scene.folder())
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|path| {
            let name = path.to_string_lossy();
            name.contains(".danificado-") && name.ends_with(|last: char| last.is_ascii_digit())
        })
        .expect("the damaged file is kept");
    assert!(fs::read(aside).unwrap() == bytes);
}

#[test]
fn any_name_is_a_file_for_server_and_copy() {
    use std::os::unix::ffi::OsStrExt;
    for name in [&b"file:x.db"[..], b"file:y.db?mode=memory", b"latin\xe7.db"] {
        let scene = Scene::new();
        let name = Path::new(std::ffi::OsStr::from_bytes(name));
        let program = || {
            let mut program = Program::server(&["--historico"]);
            program.command.arg(name).current_dir(scene.folder());
            program
        };
        let server = listening(program().spawn().unwrap());
        server.enter("Ana").say_acked("oi");
        // Two servers can't use one file.
        let (code, _, stderr) = program().run("");
        assert!(code == 1 && stderr.contains("outro servidor"), "{stderr}");
        let mut copying = Program::server(&["copiar"]);
        copying.command.arg(name.with_extension("copia"));
        copying
            .command
            .arg("--historico")
            .arg(name)
            .current_dir(scene.folder());
        assert_eq!(copying.run("").0, 0);
        drop(server);
        assert_eq!(texts_in(&scene.folder().join(name)), ["oi"]);
        assert_eq!(
            texts_in(&scene.folder().join(name.with_extension("copia"))),
            ["oi"]
        );
    }
}

#[test]
fn witness_follows_the_log_while_it_grows() {
    let scene = Scene::new();
    let mut server = scene.start();
    let mut ana = server.enter("Ana");
    say_times(&mut ana, "oi", 5);
    // Without another message: within a second or two.
    let deadline = Deadline::of_one_event();
    let written = || fs::read_to_string(scene.log(".testemunha")).unwrap_or_default();
    while !written().ends_with(&format!(" {:020}\n", 5)) {
        assert!(!deadline.is_over(), "{}", written());
        ana.receive_within(Duration::from_millis(20));
    }
    kill(&mut server.process);
    // The journal is lost, as where only one file is mounted.
    fs::remove_file(scene.log("-wal")).unwrap();
    let server = scene.start();
    wait_for_stderr(&server, "já teve mais mensagens");
}
