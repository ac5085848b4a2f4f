//! `cliente` in pipes: what scripts see, and the codes it ends with.

use crate::harness::TestServer;
use crate::paths::new_path;
use crate::port::Port;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// A folder for the client's token, removed with the test.
struct ClientProgram(PathBuf);

impl ClientProgram {
    fn new() -> Self {
        let path = new_path("cliente");
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cliente"));
        command
            .args(arguments)
            .env_clear()
            .env("XDG_STATE_HOME", &self.0)
            .env("TZ", "UTC");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the client with this input; gives back its code and what it wrote.
    fn run(&self, arguments: &[&str], input: &str) -> (i32, String, String) {
        let mut child = self.command(arguments).spawn().unwrap();
        // A client that refuses its options may be gone before it reads.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }
}

impl Drop for ClientProgram {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A client that stays and listens.
struct ListeningClient(Child, BufReader<ChildStdout>);

impl ListeningClient {
    fn start(home: &ClientProgram, name: &str, address: &str) -> Self {
        let mut child = home
            .command(&["--nome", name, "--ficar", address])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self(child, stdout)
    }

    /// The next line, without its time.
    fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        line.split_once('\t')
            .map_or(line.clone(), |(_, rest)| rest.trim_end().to_owned())
    }
}

impl Drop for ListeningClient {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn piped_client_exits_when_all_lines_are_acked() {
    let (server, home) = (TestServer::start(), ClientProgram::new());
    let mut ana = server.enter("Ana");
    let (code, _, stderr) = home.run(
        &["--nome", "robô", &server.address.to_string()],
        "backup pronto\nduas linhas\n",
    );
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
    let (server, first, second) = (
        TestServer::start(),
        ClientProgram::new(),
        ClientProgram::new(),
    );
    let address = server.address.to_string();
    let mut ana = server.enter("Ana");
    let mut listeners = [
        ListeningClient::start(&first, "Bia", &address),
        ListeningClient::start(&second, "Caio", &address),
    ];
    for _ in &listeners {
        assert_eq!(ana.receive()["type"], "presence");
    }
    ana.say("uma\nlinha só, com \u{1b}[31mcor");
    for listener in &mut listeners {
        assert_eq!(listener.next_line(), "Ana\tuma\\nlinha só, com [31mcor");
    }
}

#[test]
fn closed_stdout_ends_the_client_quietly() {
    let (server, home) = (TestServer::start(), ClientProgram::new());
    let mut ana = server.enter("Ana");
    let arguments = ["--nome", "Bia", "--ficar", &server.address.to_string()];
    let mut child = home
        .command(&arguments)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    ana.expect(&["2 online +Bia"]);
    drop(child.stdout.take());
    ana.say("ninguém mais lê");
    ana.expect(&["ack m1 1", "1 online -Bia"]);
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    assert_eq!(
        (status.code(), String::from_utf8_lossy(&stderr).as_ref()),
        (Some(0), "")
    );
}

#[test]
fn unreachable_server_exits_with_code_3() {
    let nobody = Port::reserve();
    let (code, _, stderr) =
        ClientProgram::new().run(&["--nome", "Ana", &nobody.address.to_string()], "oi\n");
    assert_eq!(code, 3);
    assert!(
        stderr.contains(&format!(
            "Não encontrei nenhum servidor em {}.",
            nobody.address
        )),
        "{stderr}"
    );
}

#[test]
fn missing_server_is_reported_before_missing_name() {
    let (nobody, home) = (Port::reserve(), ClientProgram::new());
    let (code, _, stderr) = home.run(&[&nobody.address.to_string()], "");
    assert_eq!(code, 3, "{stderr}");
    assert!(
        stderr.starts_with(&format!(
            "Não encontrei nenhum servidor em {}.",
            nobody.address
        )),
        "{stderr}"
    );
    let server = TestServer::start();
    let (code, _, stderr) = home.run(&[&server.address.to_string()], "");
    assert_eq!(
        (code, stderr.as_str()),
        (2, "Falta o nome. Escreva assim: cliente --nome Ana\n")
    );
}

#[test]
fn taken_name_exits_with_code_4() {
    let (server, home) = (TestServer::start(), ClientProgram::new());
    let _ana = server.enter("Ana");
    let (code, _, stderr) = home.run(&["--nome", "ana", &server.address.to_string()], "oi\n");
    assert_eq!(code, 4);
    assert!(stderr.contains("já está em uso nesta conversa"), "{stderr}");
}

#[test]
fn unknown_option_exits_with_code_2() {
    let (code, stdout, stderr) = ClientProgram::new().run(&["--nomo", "Ana"], "");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.starts_with("Não conheço a opção “--nomo”. Você quis dizer --nome?"),
        "{stderr}"
    );
}

#[test]
fn token_file_is_private_and_keeps_the_identity() {
    use std::os::unix::fs::PermissionsExt;
    let (server, home) = (TestServer::start(), ClientProgram::new());
    let mut ana = server.enter("Ana");
    for text in ["um", "dois"] {
        assert_eq!(
            home.run(&["--nome", "Bia", &server.address.to_string()], text)
                .0,
            0
        );
    }
    let tags: Vec<String> = (0..6)
        .map(|_| ana.receive())
        .filter(|message| message["type"] == "message")
        .map(|message| message["tag"].to_string())
        .collect();
    assert!(tags.len() == 2 && tags[0] == tags[1], "{tags:?}");
    let file = home.0.join("papo/token");
    assert_eq!(
        std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );
}
