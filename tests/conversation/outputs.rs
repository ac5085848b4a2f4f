//! Outputs of `servidor` that take nothing: a pipe that is not read, a full device, a closed stream, a dead reader. The
//! chat never waits for them, and the server ends as always.

use crate::support::Deadline;
use crate::support::client::WsClient;
use crate::support::process::{Program, Running, ServerProcess};
use crate::support::server::ReservedPort;
use papo::pt::group_thousands;
use rustix::fs::{FileType, Mode};
use rustix::process::Resource;
use serde_json::json;
use std::io::{BufRead, BufReader, PipeReader, Read};
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;

/// More log lines than a pipe and the queue behind it take together.
const MANY_ACTS: usize = 6000;
/// So many acts are sent before everybody reads: all must fit into an outbox.
const BATCH: usize = 100;

/// Each act is one log line, written by the thread that serves everybody.
fn act_often(moderator: &mut WsClient, others: &mut [&mut WsClient], count: usize) {
    for done in 0..count {
        moderator.send(json!({"type": "moderate", "act": "lock"}));
        if done % BATCH == BATCH - 1 {
            moderator.ping();
            others.iter_mut().for_each(|client| client.ping());
        }
    }
}

fn assert_they_talk(ana: &mut WsClient, bruno: &mut WsClient) {
    ana.say("alguém me ouve?");
    bruno.wait_for_text("alguém me ouve?");
    bruno.say("eu ouço");
    ana.wait_for_text("eu ouço");
}

/// Enters as soon as the server listens: its banner can't be read.
fn enter_when_listening(port: &ReservedPort, process: &mut Running, name: &str) -> WsClient {
    let deadline = Deadline::of_one_event();
    loop {
        if let Ok(mut client) = WsClient::connect(port.address) {
            client.enter(name);
            return client;
        }
        assert!(!deadline.is_over() && process.is_running(), "no server");
        std::thread::yield_now();
    }
}

/// A server on a known port, with its log as detailed as it gets.
fn server_on(port: &ReservedPort) -> Program {
    let port = port.address.port().to_string();
    Program::server(&["--porta", &port, "--ritmo", "0", "-vv"])
}

/// Reads a pipe up to the end of a banner.
fn read_banner(pipe: &mut BufReader<PipeReader>) -> String {
    let mut banner = String::new();
    while !banner.ends_with("Ctrl+C\n") {
        assert!(pipe.read_line(&mut banner).unwrap() > 0, "{banner}");
    }
    banner
}

/// One act of a moderator was one log line, and one log line on a full pipe stopped the chat.
#[test]
fn unread_stderr_delays_no_message_and_losses_are_counted() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut program = Program::server(&["--ritmo", "0"]);
    let process = program.spawn_with_stderr(writer).unwrap();
    let mut server = ServerProcess::wait_until_listening(process).unwrap();
    let mut bruno = server.enter("Bruno");
    let mut ana = server.enter_as_moderator("Ana");
    act_often(&mut ana, &mut [&mut bruno], MANY_ACTS);
    assert_they_talk(&mut ana, &mut bruno);
    // It ends though nobody reads; what was written before fills the pipe.
    server.process.terminate();
    drop(server);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let lines = text.lines().count();
    assert!((100..MANY_ACTS).contains(&lines), "{lines} lines");
}

#[test]
fn log_says_how_many_lines_are_missing_once_it_is_read() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut program = Program::server(&["--ritmo", "0"]);
    let process = program.spawn_with_stderr(writer).unwrap();
    let mut server = ServerProcess::wait_until_listening(process).unwrap();
    let mut ana = server.enter_as_moderator("Ana");
    act_often(&mut ana, &mut [], MANY_ACTS);
    let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
    let mut written = 0;
    let notice = loop {
        let line = lines.next().expect("a notice");
        if !line.contains("trancou a conversa") {
            break line;
        }
        written += 1;
    };
    let lost = MANY_ACTS - written;
    let count = format!(
        " [WARN] Aqui {} linhas se perderam",
        group_thousands(lost as u64)
    );
    assert!(lost > 0 && notice.contains(&count), "{notice}");
    ana.send(json!({"type": "moderate", "act": "lock"}));
    assert!(
        lines
            .next()
            .unwrap()
            .ends_with("Ana trancou a conversa: ninguém novo entra.")
    );
    server.process.terminate();
}

#[test]
fn banner_and_log_in_one_pipe_keep_their_order() {
    let (reader, writer) = std::io::pipe().unwrap();
    let port = ReservedPort::new();
    let mut program = server_on(&port);
    program.command.stdout(writer.try_clone().unwrap());
    let mut process = program.spawn_with_stderr(writer).unwrap();
    program.command.stdout(Stdio::null());
    let mut pipe = BufReader::new(reader);
    let mut text = read_banner(&mut pipe);
    assert!(text.starts_with("Papo "), "{text}");
    enter_when_listening(&port, &mut process, "Ana").leave();
    process.terminate();
    pipe.read_to_string(&mut text).unwrap();
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
    assert!(at("Ctrl+C\n") < at("A conexão 1 acabou"));
    assert!(at("A conexão 1 acabou") < at("Até logo."));
}

#[test]
fn dead_reader_of_all_output_disturbs_nobody() {
    let (reader, writer) = std::io::pipe().unwrap();
    let port = ReservedPort::new();
    let mut program = server_on(&port);
    program.command.stdout(writer.try_clone().unwrap());
    let mut process = program.spawn_with_stderr(writer).unwrap();
    program.command.stdout(Stdio::null());
    read_banner(&mut BufReader::new(reader));
    let mut ana = enter_when_listening(&port, &mut process, "Ana");
    enter_when_listening(&port, &mut process, "Célia").leave();
    let mut bruno = enter_when_listening(&port, &mut process, "Bruno");
    assert_they_talk(&mut ana, &mut bruno);
    process.terminate();
}

#[test]
fn full_or_closed_outputs_disturb_nobody() {
    for outputs in [">/dev/full 2>&1", ">&- 2>&-", "<&- >&- 2>/dev/full"] {
        let port = ReservedPort::new();
        let mut program = server_on(&port);
        program.wrap_in_shell("", outputs);
        let mut process = program.spawn().unwrap();
        let mut ana = enter_when_listening(&port, &mut process, "Ana");
        enter_when_listening(&port, &mut process, "Célia").leave();
        let mut bruno = enter_when_listening(&port, &mut process, "Bruno");
        assert_they_talk(&mut ana, &mut bruno);
        process.terminate();
    }
}

/// The system sends SIGXFSZ with such a write, and it ended the server.
#[test]
fn file_size_limit_refuses_messages_and_reads_go_on() {
    let folder = TempDir::new().unwrap();
    let history = folder.path().join("h.db");
    let options = ["--ritmo", "0", "--historico", history.to_str().unwrap()];
    let mut server = ServerProcess::start(&mut Program::server(&options));
    let mut ana = server.enter("Ana");
    ana.say_acked("antes do limite");
    let limit = largest_file(folder.path()) + 64 * 1024;
    server.process.set_limit(Resource::Fsize, Some(limit));
    let mut stored = 1;
    let refusal = loop {
        ana.say(&"~".repeat(3000));
        let answer = ana.receive();
        if answer["type"] != "ack" {
            break answer;
        }
        stored += 1;
    };
    assert_eq!(refusal["code"], "history_unavailable", "{refusal}");
    let joined = server.connect().enter("Bruno");
    assert_eq!(joined["seq"], stored, "{joined}");
    server.process.set_limit(Resource::Fsize, None);
    ana.say("depois do limite");
    let answer = ana.receive_where(|message| message["type"] != "presence");
    assert_eq!(answer["type"], "ack", "{answer}");
    server.process.terminate();
}

/// The size of the largest file in a folder, in bytes.
fn largest_file(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    let sizes = files.map(|file| file.unwrap().metadata().unwrap().len());
    sizes.max().unwrap()
}

#[test]
fn log_that_cannot_be_one_is_refused_at_once() {
    let folder = TempDir::new().unwrap();
    let history = folder.path().join("historico.db");
    let pipe = folder.path().join("tubo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        FileType::Fifo,
        Mode::RUSR | Mode::WUSR,
        0,
    )
    .unwrap();
    let journal = folder.path().join("historico.db-wal");
    for (log, reason) in [
        (&pipe, "não há ninguém do outro lado"),
        (&history, "o arquivo é do histórico"),
        (&journal, "o arquivo é do histórico"),
    ] {
        let mut program = Program::server(&["--porta", "0"]);
        program.command.arg("--historico").arg(&history);
        program.command.arg("--log").arg(log);
        let (code, _, stderr) = program.run("");
        assert!(code == 1 && stderr.contains(reason), "{stderr}");
        assert!(stderr.contains("servidor --log papo.log"), "{stderr}");
        assert!(!history.exists());
    }
}
