//! Copies that are put back, and files that can't be used, by the real program.

use crate::full_disk::SmallDisk;
use crate::harness::{kill, listening, server_on};
use crate::log_harness::{LogHarness, say_times, texts_in, wait_for_stderr};
use crate::support::long_or;
use crate::support::process::Program;
use crate::support::rng::Rng;
use rustix::fs::{FileType, Mode};
use std::fs;
use std::path::Path;

#[test]
fn restore_is_refused_beside_a_server_and_keeps_the_old_log() {
    let harness = LogHarness::new();
    let copy = harness.other("copia.db");
    let mut server = harness.start();
    let mut ana = server.enter("Ana");
    let mut texts = say_times(&mut ana, "antes", 10);
    harness.run("copiar", &copy);
    let old_texts = [texts.clone(), say_times(&mut ana, "depois", 10)].concat();
    let (code, _, stderr) = harness.program("restaurar", &copy).run("");
    assert!(code == 1 && stderr.contains("Encerre-o antes"), "{stderr}");
    kill(&mut server.process);
    let said = harness.run("restaurar", &copy);
    assert!(said.starts_with("10 mensagens restauradas em "), "{said}");
    let kept = said.trim_end().rsplit(' ').next().unwrap();
    assert!(kept.contains(".antes-de-restaurar-20"), "{kept}");
    assert_eq!(texts_in(Path::new(kept)), old_texts);
    let mut server = harness.start();
    server.enter("Rita").say_acked("de volta");
    server.process.terminate();
    assert!(!server.process.stderr().contains("ATENÇÃO"));
    texts.push("de volta".into());
    assert_eq!(harness.texts(), texts);
}

#[test]
fn restore_killed_at_any_moment_leaves_a_whole_log() {
    let mut rng = Rng::new();
    let harness = LogHarness::new();
    let copy = harness.other("copia.db");
    let mut server = harness.start();
    let mut ana = server.enter("Ana");
    let new = say_times(&mut ana, "antes", 40);
    harness.run("copiar", &copy);
    let mut old = [new.clone(), say_times(&mut ana, "depois", 40)].concat();
    kill(&mut server.process);
    let cycles = long_or(200, 20);
    let mut restored = 0;
    let mut cycle = 0;
    while cycle < cycles || restored == 0 {
        cycle += 1;
        let mut process = harness.program("restaurar", &copy).spawn().unwrap();
        // When it is killed is the experiment. Later and later, until one was fast enough.
        std::thread::sleep(rng.up_to_ms(10 + 5 * cycle));
        process.kill();
        let texts = harness.texts();
        if texts == new {
            restored += 1;
        } else {
            assert_eq!(texts, old, "neither the old log nor the new one");
        }
        // The next start takes the log as it finds it.
        let mut server = harness.start();
        let text = format!("volta {cycle}");
        server.enter(&format!("Pessoa {cycle}")).say_acked(&text);
        kill(&mut server.process);
        old = [texts, vec![text]].concat();
        assert_eq!(harness.texts(), old);
    }
    println!("{cycle} kills, {restored} restored");
}

#[test]
fn foreign_file_is_refused_and_not_renamed() {
    let harness = LogHarness::new();
    let list = "caju\numbu\nfarinha\n".repeat(100);
    fs::write(harness.log(""), &list).unwrap();
    let (code, _, stderr) = server_on(&harness.port, &harness.log("")).run("");
    assert_eq!(code, 1);
    assert!(stderr.contains("não é um histórico do Papo"), "{stderr}");
    for word in ["copiar", "exportar"] {
        let (code, _, stderr) = if word == "copiar" {
            harness.program(word, &harness.other("c.db")).run("")
        } else {
            let mut program = Program::server(&[word, "--historico"]);
            program.command.arg(harness.log(""));
            program.run("")
        };
        assert_eq!(code, 1);
        assert!(stderr.contains("não é um histórico do Papo"), "{stderr}");
    }
    assert_eq!(fs::read_to_string(harness.log("")).unwrap(), list);
    assert_eq!(fs::read_dir(harness.folder()).unwrap().count(), 1);
    fs::write(harness.log(""), "").unwrap();
    let mut program = Program::server(&["exportar", "--historico"]);
    program.command.arg(harness.log(""));
    let (code, _, stderr) = program.run("");
    assert!(code == 1 && stderr.contains("está vazio"), "{stderr}");
}

#[test]
fn copy_is_not_put_in_the_place_of_a_foreign_file() {
    let harness = LogHarness::new();
    let copy = harness.other("copia.db");
    let mut server = harness.start();
    server.enter("Ana").say_acked("oi");
    harness.run("copiar", &copy);
    server.process.terminate();
    let other_database = fs::read(harness.log("")).unwrap();
    // Its header names another program.
    let other_database = [&other_database[..68], &[0; 4], &other_database[72..]].concat();
    for content in [&b"caju\numbu\n"[..], &other_database] {
        fs::remove_dir_all(harness.folder()).unwrap();
        fs::create_dir(harness.folder()).unwrap();
        fs::write(harness.log(""), content).unwrap();
        let (code, _, stderr) = harness.program("restaurar", &copy).run("");
        assert!(
            code == 1 && stderr.contains("não é um histórico do Papo, e nada nele foi mudado"),
            "{stderr}"
        );
        assert_eq!(fs::read(harness.log("")).unwrap(), content);
        assert_eq!(fs::read_dir(harness.folder()).unwrap().count(), 1);
    }
}

#[test]
fn named_pipe_is_no_history_and_nothing_waits_for_it() {
    let harness = LogHarness::new();
    let pipe = harness.other("tubo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        FileType::Fifo,
        Mode::RUSR | Mode::WUSR,
        0,
    )
    .unwrap();
    for mut program in [
        server_on(&harness.port, &pipe),
        harness.program("restaurar", &pipe),
    ] {
        let (code, _, stderr) = program.run("");
        assert!(
            code == 1 && stderr.contains("não é um histórico do Papo"),
            "{stderr}"
        );
    }
}

#[test]
fn history_on_a_read_only_disk_is_exported_and_copied() {
    let Some(disk) = SmallDisk::mount(4096) else {
        return;
    };
    let harness = LogHarness::new();
    let mut server = harness.start();
    let texts = say_times(&mut server.enter("Ana"), "guardada", 10);
    server.process.terminate();
    // As on a memory stick with its switch on.
    fs::copy(harness.log(""), disk.file("historico.db")).unwrap();
    disk.remount_read_only();
    assert_eq!(texts_in(&disk.file("historico.db")), texts);
    let said = harness.run("restaurar", &disk.file("historico.db"));
    assert!(said.starts_with("10 mensagens restauradas"), "{said}");
}

#[test]
fn damaged_history_says_how_to_get_at_it() {
    let harness = LogHarness::new();
    let mut server = harness.start();
    say_times(&mut server.enter("Ana"), "antes", 300);
    server.process.terminate();
    let mut bytes = fs::read(harness.log("")).unwrap();
    let middle = (bytes.len() / 2) & !4095;
    bytes[middle..middle + 8192].fill(0xA5);
    fs::write(harness.log(""), &bytes).unwrap();
    let server = harness.start();
    let said = wait_for_stderr(&server, ".recover | sqlite3 recuperado.db");
    assert!(said.contains("servidor restaurar recuperado.db"), "{said}");
    let aside = fs::read_dir(harness.folder())
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
        let harness = LogHarness::new();
        let name = Path::new(std::ffi::OsStr::from_bytes(name));
        let program = || {
            let mut program = Program::server(&["--historico"]);
            program.command.arg(name).current_dir(harness.folder());
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
            .current_dir(harness.folder());
        assert_eq!(copying.run("").0, 0);
        drop(server);
        assert_eq!(texts_in(&harness.folder().join(name)), ["oi"]);
        assert_eq!(
            texts_in(&harness.folder().join(name.with_extension("copia"))),
            ["oi"]
        );
    }
}
