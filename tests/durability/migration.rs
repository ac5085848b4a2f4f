//! Files of the released program: migrated whole, with a copy kept, whatever happens meanwhile.

use crate::full_disk::SmallDisk;
use crate::harness::{kill, listening, server_on};
use crate::support::process::{Program, ServerProcess};
use crate::support::rng::Rng;
use crate::support::server::ReservedPort;
use crate::support::version_3::{Version3Log, wal_of};
use crate::support::{Deadline, long_form, long_or};
use papo::history::sqlite::{self, Format};
use papo::name::RoomName;
use rusqlite::Connection;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};
use tempfile::TempDir;

const ROOMS: [&str; 3] = ["geral", "Laboratório", "recreio"];
/// So long a released file may take to migrate, its copy not counted.
const MAX_MIGRATION: Duration = Duration::from_secs(5);

/// A log with everything that the released program could store; the end of it is in the journal.
fn released_log() -> Version3Log {
    let mut log = Version3Log::new();
    for room in ROOMS {
        log.begin();
        for n in 0..300 {
            let text = format!("mensagem {n} de {room}");
            log.say(room, "Ana", &format!("{room}{n}"), &text);
        }
        log.commit();
        let secret = log.say(room, "Bruno", &format!("{room} s"), "o xilindrozinho caiu");
        log.edit(
            room,
            "Ana",
            &format!("{room} e"),
            7,
            "a jabuticabeira floriu",
        );
        log.erase(room, "Bruno", &format!("{room} x"), secret);
    }
    log.say("geral", "Ana", "última", "só no diário");
    log
}

/// The path of the copy that is kept.
fn kept(history: &Path) -> PathBuf {
    let mut name = history.as_os_str().to_owned();
    name.push(".antes-da-versao-4");
    name.into()
}

/// All rooms as JSON lines.
fn exported(history: &Path) -> Vec<String> {
    let export = |room: &str| {
        let mut json = Vec::new();
        let room = RoomName::new(room).unwrap();
        let utc = time::UtcOffset::UTC;
        let found = sqlite::export(history, &room, Format::Json, utc, &mut json).unwrap();
        assert!(found.is_some(), "{room} is missing");
        String::from_utf8(json).unwrap()
    };
    ROOMS.map(export).into()
}

/// The copy is a whole file of version 3, for the account alone, and nothing else is left.
#[track_caller]
fn assert_kept_whole(history: &Path, expected: &[String]) {
    let kept = kept(history);
    assert_eq!(exported(&kept), expected);
    let connection = Connection::open(&kept).unwrap();
    let check: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    let version: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!((&*check, version), ("ok", 3));
    let check_index = "INSERT INTO words (words) VALUES ('integrity-check')";
    connection.execute_batch(check_index).unwrap();
    let mode = kept.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!kept.with_extension("antes-da-versao-4.copiando").exists());
}

fn start(program: &mut Program) -> ServerProcess {
    listening(program.spawn().unwrap())
}

#[test]
fn released_log_left_by_a_kill_is_migrated_whole() {
    let dir = TempDir::new().unwrap();
    let history = dir.path().join("historico.db");
    released_log().leave_killed(&history);
    let expected = exported(&history);
    let port = ReservedPort::new();
    let mut program = server_on(&port, &history);
    let mut server = start(&mut program);
    let told = format!(
        "O arquivo foi atualizado; o anterior está guardado em {}",
        kept(&history).display()
    );
    assert!(server.banner.contains(&told), "{}", server.banner);
    assert!(
        server.banner.contains("(910 mensagens)"),
        "{}",
        server.banner
    );
    assert_eq!(exported(&history), expected);
    assert_kept_whole(&history, &expected);

    let mut ana = server.enter("Ana");
    // A resend of what only the journal had is recognized.
    let again = json!({"type": "say", "room": "geral", "id": "última", "text": "só no diário"});
    ana.send(again);
    let ack = ana.receive_where(|message| message["id"] == "última");
    assert_eq!(
        (&ack["duplicate"], &ack["seq"]),
        (&json!(true), &json!(304))
    );
    for (query, found) in [("jabuticabeira", json!([7])), ("xilindrozinho", json!([]))] {
        ana.send(json!({"type": "search", "room": "geral", "query": query}));
        let answer = ana.receive_where(|message| message["type"] == "found");
        let seqs = answer["entries"].as_array().unwrap().iter();
        assert_eq!(
            seqs.map(|entry| entry["seq"].clone()).collect::<Vec<_>>(),
            *found.as_array().unwrap()
        );
    }
    ana.send(
        json!({"type": "edit", "room": "geral", "id": "nova", "seq": 8, "text": "da versão nova"}),
    );
    let ack = ana.receive_where(|message| message["id"] == "nova");
    assert_eq!((&ack["type"], &ack["seq"]), (&json!("ack"), &json!(305)));

    kill(&mut server.process);
    let server = start(&mut program);
    assert!(
        !server.banner.contains("foi atualizado"),
        "{}",
        server.banner
    );
    assert_kept_whole(&history, &expected);
}

#[test]
fn log_of_the_old_program_used_again_is_kept_too() {
    let dir = TempDir::new().unwrap();
    let history = dir.path().join("historico.db");
    let port = ReservedPort::new();
    let mut program = server_on(&port, &history);
    released_log().leave_killed(&history);
    let first = exported(&history);
    start(&mut program).process.terminate();
    fs::remove_file(&history).unwrap();
    // The same log, with which the old program went on for a while.
    let mut again = released_log();
    again.say("geral", "Ana", "depois", "dito com o programa antigo");
    again.leave_killed(&history);
    let second = exported(&history);
    let mut server = start(&mut program);
    let path = PathBuf::from(format!("{}-2", kept(&history).display()));
    let told = format!("o anterior está guardado em {}", path.display());
    assert!(server.banner.contains(&told), "{}", server.banner);
    server.process.terminate();
    assert_eq!(
        (exported(&path), exported(&history)),
        (second.clone(), second)
    );
    assert_kept_whole(&history, &first);
}

#[test]
fn migration_killed_at_any_moment_goes_on_at_the_next_start() {
    let mut rng = Rng::new();
    let deadline = Deadline::within_seconds(long_or(600, 120));
    let log = released_log();
    let port = ReservedPort::new();
    let mut life = 0;
    let mut states = [0; 3];
    for cycle in 0..long_or(100, 10) {
        deadline.left();
        let dir = TempDir::new().unwrap();
        let history = dir.path().join("historico.db");
        log.leave_killed(&history);
        let expected = exported(&history);
        let mut program = server_on(&port, &history);
        let started = Instant::now();
        let mut process = program.spawn().unwrap();
        if cycle == 0 {
            process = listening(process).process;
            life = started.elapsed().as_millis() as u64;
        } else {
            // How long it lives is the experiment: no event tells of it.
            thread::sleep(rng.up_to_ms(life));
        }
        kill(&mut process);
        let was_kept = kept(&history).exists();
        let server = start(&mut program);
        let migrated_now = server.banner.contains("foi atualizado");
        states[usize::from(was_kept) + usize::from(!migrated_now)] += 1;
        assert_eq!(exported(&history), expected);
        assert_kept_whole(&history, &expected);
    }
    println!("killed before the copy, between, after the migration: {states:?}");
}

#[test]
fn half_copy_of_a_killed_migration_is_begun_again() {
    let dir = TempDir::new().unwrap();
    let history = dir.path().join("historico.db");
    released_log().leave_killed(&history);
    let expected = exported(&history);
    let half = dir.path().join("historico.db.antes-da-versao-4.copiando");
    fs::write(&half, vec![0xA5; 50_000]).unwrap();
    let _server = start(&mut server_on(&ReservedPort::new(), &history));
    assert_kept_whole(&history, &expected);
    assert!(!half.exists());
}

#[test]
fn copy_of_a_killed_migration_with_both_names_loses_one() {
    let dir = TempDir::new().unwrap();
    let history = dir.path().join("historico.db");
    let log = released_log();
    log.leave_killed(&history);
    let expected = exported(&history);
    let port = ReservedPort::new();
    drop(start(&mut server_on(&port, &history)));
    // As if it had been killed right after the copy got its name.
    let temporary = dir.path().join("historico.db.antes-da-versao-4.copiando");
    fs::hard_link(kept(&history), &temporary).unwrap();
    fs::remove_file(&history).unwrap();
    log.leave_killed(&history);
    let server = start(&mut server_on(&port, &history));
    assert!(
        server.banner.contains("foi atualizado"),
        "{}",
        server.banner
    );
    assert_kept_whole(&history, &expected);
    assert!(!temporary.exists());
}

#[test]
fn migration_without_space_leaves_the_file_as_it_was() {
    let log = released_log();
    let Some(disk) = SmallDisk::mount(8192) else {
        return;
    };
    let history = disk.file("historico.db");
    log.leave_killed(&history);
    let expected = exported(&history);
    let [before, journal] = [&*history, &*wal_of(&history)].map(|path| fs::read(path).unwrap());
    // All but a little, which is less than the copy needs.
    let ballast = disk.add_ballast(8192 - 200 - (before.len() + journal.len()) / 1024);
    let port = ReservedPort::new();
    let mut program = server_on(&port, &history);
    let (code, _, stderr) = program.run("");
    assert_eq!(code, 1);
    assert!(
        stderr.contains(
            ": faltam 1 MB no disco para atualizar o arquivo. O arquivo ficou como estava."
        ),
        "{stderr}"
    );
    assert_eq!(fs::read(&history).unwrap(), before);
    assert_eq!(fs::read(wal_of(&history)).unwrap(), journal);
    assert!(!kept(&history).exists());
    fs::remove_file(ballast).unwrap();
    let server = start(&mut program);
    assert_kept_whole(&history, &expected);
    drop(server);
}

#[test]
fn old_file_is_exported_and_copied_without_a_change() {
    let dir = TempDir::new().unwrap();
    let history = dir.path().join("historico.db");
    released_log().leave_killed(&history);
    let files = || [&*history, &*wal_of(&history)].map(|path| fs::read(path).unwrap());
    let before = files();
    let mut export = Program::server(&["exportar", "--sala", "geral", "--historico"]);
    export.command.arg(&history);
    let (code, text, stderr) = export.run("");
    assert_eq!(code, 0, "{stderr}");
    assert!(text.contains("Ana\ta jabuticabeira floriu (editada)\n"));
    assert!(text.ends_with("Ana\tsó no diário\n"), "{text}");
    let copied = dir.path().join("copia.db");
    let mut copy = Program::server(&["--copia"]);
    copy.command.arg(&copied).arg("--historico").arg(&history);
    let (code, text, stderr) = copy.run("");
    assert_eq!(
        (code, stderr.as_str()),
        (0, ""),
        "nothing but a terminal is told how far it is"
    );
    assert_eq!(
        text,
        format!("910 mensagens copiadas para {}.\n", copied.display())
    );
    assert!(files() == before, "the old file was changed");
    assert_eq!(exported(&copied), exported(&history));
}

#[test]
fn large_released_log_is_migrated_in_a_moment() {
    let entries = long_or(1_000_000, 20_000);
    let dir = TempDir::new().unwrap();
    let history = dir.path().join("historico.db");
    let mut log = Version3Log::new();
    log.begin();
    for n in 0..entries {
        let text = format!(
            "a mensagem de número {n}, com palavras {} e {}",
            n % 997,
            n % 7919
        );
        log.say(ROOMS[n % 3], "Ana", &format!("{n:032x}"), &text);
    }
    log.commit();
    log.leave_closed(&history);
    // Kept by an earlier try: the copy is not what is measured.
    fs::copy(&history, kept(&history)).unwrap();
    let size = history.metadata().unwrap().len();
    let mut program = server_on(&ReservedPort::new(), &history);
    let started = Instant::now();
    let server = start(&mut program);
    let elapsed = started.elapsed();
    println!("{entries} entries, {} MB: {elapsed:?}", size / 1_000_000);
    assert!(
        server.banner.contains("foi atualizado"),
        "{}",
        server.banner
    );
    if long_form() {
        assert!(elapsed < MAX_MIGRATION, "{elapsed:?}");
    }
}
