//! `cliente` in pipes: what scripts see, and its exit codes.

use crate::support::process::{Program, Running};
use crate::support::server::{ReservedPort, TestServer};

/// A client that stays and listens.
fn listening_client(name: &str, address: &str) -> Running {
    Program::client(&["--nome", name, "--ficar", address])
        .spawn()
        .unwrap()
}

#[test]
fn piped_client_exits_when_all_lines_are_acked() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    let (code, _, stderr) = Program::client(&["--nome", "robô", &server.address.to_string()])
        .run("backup pronto\nduas linhas\n");
    assert_eq!((code, stderr.as_str()), (0, ""));
    ana.expect(&[
        "2 online +robô",
        "1 robô: backup pronto",
        "2 robô: duas linhas",
        "1 online -robô",
    ]);
}

#[test]
fn two_piped_clients_print_the_same_text() {
    let server = TestServer::start();
    let address = server.address.to_string();
    let mut ana = server.enter("Ana");
    let mut listeners = ["Bia", "Caio"].map(|name| listening_client(name, &address));
    for _ in &listeners {
        assert_eq!(ana.receive()["type"], "presence");
    }
    ana.say("uma\nlinha só, com \u{1b}[31mcor");
    for listener in &mut listeners {
        let line = listener.next_line();
        let (_, without_time) = line.split_once('\t').expect(&line);
        assert_eq!(without_time, "Ana\tuma\\nlinha só, com [31mcor");
    }
}

#[test]
fn closed_stdout_ends_the_client_quietly() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    let mut bia = listening_client("Bia", &server.address.to_string());
    ana.expect(&["2 online +Bia"]);
    bia.close_stdout();
    ana.say("ninguém mais lê");
    ana.expect(&["ack m1 1", "1 online -Bia"]);
    let (code, _) = bia.wait();
    assert_eq!((code, bia.stderr().as_str()), (0, ""));
}

#[test]
fn unreachable_server_exits_with_code_3() {
    let port = ReservedPort::new();
    let (code, _, stderr) =
        Program::client(&["--nome", "Ana", &port.address.to_string()]).run("oi\n");
    assert_eq!(code, 3);
    assert!(
        stderr.contains(&format!(
            "Não encontrei nenhum servidor em {}.",
            port.address
        )),
        "{stderr}"
    );
}

#[test]
fn missing_server_is_reported_before_missing_name() {
    let port = ReservedPort::new();
    let (code, _, stderr) = Program::client(&[&port.address.to_string()]).run("");
    assert_eq!(code, 3, "{stderr}");
    assert!(
        stderr.starts_with(&format!(
            "Não encontrei nenhum servidor em {}.",
            port.address
        )),
        "{stderr}"
    );
    let server = TestServer::start();
    let (code, _, stderr) = Program::client(&[&server.address.to_string()]).run("");
    assert_eq!(
        (code, stderr.as_str()),
        (2, "Falta o nome. Escreva assim: cliente --nome Ana\n")
    );
}

#[test]
fn taken_name_exits_with_code_4() {
    let server = TestServer::start();
    let _ana = server.enter("Ana");
    let (code, _, stderr) =
        Program::client(&["--nome", "ana", &server.address.to_string()]).run("oi\n");
    assert_eq!(code, 4);
    assert!(stderr.contains("já está em uso nesta conversa"), "{stderr}");
}

#[test]
fn unknown_option_exits_with_code_2() {
    let (code, stdout, stderr) = Program::client(&["--nomo", "Ana"]).run("");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.starts_with("Não conheço a opção “--nomo”. Você quis dizer --nome?"),
        "{stderr}"
    );
}

#[test]
fn token_file_is_private_and_keeps_the_identity() {
    use std::os::unix::fs::PermissionsExt;
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    let mut bia = Program::client(&["--nome", "Bia", &server.address.to_string()]);
    for text in ["um", "dois"] {
        assert_eq!(bia.run(text).0, 0);
    }
    let tags = [(); 2].map(|()| {
        let message = ana.receive_where(|message| message["type"] == "message");
        message["tag"].to_string()
    });
    assert_eq!(tags[0], tags[1]);
    let file = bia.dir().join("papo/token");
    assert_eq!(
        std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );
}
