//! The server as people start it: the banner, the exit codes, the mistakes, and the end.

use crate::harness::{DEADLINE, WsClient, disconnected_with};
use crate::paths::new_path;
use crate::processes::folder_of;
use crate::raw;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Instant;

/// A running `servidor` that is killed if its test fails.
struct ServerProcess {
    child: Child,
    /// Where the system tells of it.
    proc_dir: PathBuf,
    stdout: BufReader<ChildStdout>,
    banner: String,
    address: SocketAddr,
}

fn server_command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_servidor"));
    command
        .args(arguments)
        .env_clear()
        .env("PAPO_HISTORICO", "nenhum")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run_server(arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = server_command(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

impl ServerProcess {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        while !banner.contains("Ctrl+C\n") {
            assert_ne!(
                stdout.read_line(&mut banner).unwrap(),
                0,
                "no banner: {banner}"
            );
        }
        let port = banner
            .split("http://localhost:")
            .nth(1)
            .and_then(|rest| rest.split('/').next())
            .unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        let proc_dir = folder_of(child.id());
        Self {
            child,
            proc_dir,
            stdout,
            banner,
            address,
        }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// The exit code, and what was printed after the banner.
    fn wait_for_exit(&mut self) -> (i32, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code().unwrap(), rest)
    }

    /// How many entries a folder of the process has: its threads or its descriptors.
    fn count_proc_entries(&self, what: &str) -> usize {
        std::fs::read_dir(self.proc_dir.join(what)).unwrap().count()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn banner_shows_real_port_and_signals_stop_in_order() {
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
        let mut server = ServerProcess::start(server_command(&["--porta", "0"]));
        assert!(
            server
                .banner
                .starts_with(&format!("Papo {} está no ar.\n", env!("CARGO_PKG_VERSION")))
        );
        let mut clients: Vec<WsClient> = (0..3)
            .map(|_| WsClient::connect(server.address).unwrap())
            .collect();
        for (n, client) in clients.iter_mut().enumerate() {
            client.enter(&format!("Pessoa {n}"));
        }
        server.signal(signal);
        for client in &mut clients {
            assert_eq!(
                client.wait_for_disconnect(),
                disconnected_with("shutdown", 1001)
            );
        }
        let (code, rest) = server.wait_for_exit();
        assert_eq!(code, 0);
        assert!(
            rest.ends_with("Encerrando… 3 pessoas avisadas. Até logo.\n"),
            "{rest}"
        );
    }
}

/// The key in the banner's line for who organizes the conversation.
fn moderator_key(banner: &str) -> &str {
    let line = banner
        .lines()
        .find(|line| line.contains("Para organizar"))
        .expect("a line with the key");
    let key = line
        .split("/#chave=")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    assert!(
        line.ends_with(&format!(
            "(vale uma vez; no terminal: cliente --chave {key})"
        )),
        "{line}"
    );
    key
}

#[test]
fn banner_key_grants_moderation_and_changes_each_start() {
    let path = new_path("host");
    let mut server = ServerProcess::start(server_command(&[
        "--porta",
        "0",
        "--log",
        path.to_str().unwrap(),
    ]));
    let key = moderator_key(&server.banner).to_owned();
    assert!(key.len() >= 32, "128 bits at least: {key}");
    let mut ana = WsClient::connect(server.address).unwrap();
    let welcome = ana.enter_with("Ana", serde_json::json!({"moderator_key": key}));
    assert_eq!(welcome["moderator"], true);
    ana.expect(&["joined geral 1"]);
    ana.send(serde_json::json!({"type": "moderate", "act": "lock"}));
    ana.expect(&["* Ana trancou a conversa: ninguém novo entra."]);
    ana.send(serde_json::json!({"type": "moderate", "act": "lock"}));
    ana.expect(&["* Ana destrancou a conversa."]);
    ana.send(serde_json::json!({"type": "moderate", "act": "announce", "text": "segredo"}));
    ana.expect(&["Ana! segredo"]);
    server.signal(rustix::process::Signal::TERM);
    server.wait_for_exit();
    let log = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    // What hosts did stands there without being asked for, once each, and nothing else does.
    let deeds: Vec<&str> = log
        .lines()
        .map(|line| line.split_once("[INFO] ").expect(line).1)
        .collect();
    let expected = [
        "Ana trancou a conversa: ninguém novo entra.",
        "Ana destrancou a conversa.",
        "Ana deu um aviso a todo mundo.",
    ];
    assert_eq!(deeds, expected);
    assert!(!log.contains("segredo") && !log.contains(&key), "{log}");
    assert_ne!(
        moderator_key(&ServerProcess::start(server_command(&["--porta", "0"])).banner),
        key
    );
}

#[test]
fn password_from_variable_is_required_and_not_shown() {
    let mut command = server_command(&["--porta", "0"]);
    command.env("PAPO_SENHA", "abre-te, sésamo");
    let server = ServerProcess::start(command);
    assert!(!server.banner.contains("sésamo"), "{}", server.banner);
    let mut ana = WsClient::connect(server.address).unwrap();
    assert_eq!(
        ana.enter_with("Ana", serde_json::json!({}))["code"],
        "password_required"
    );
    assert_eq!(
        ana.enter_with("Ana", serde_json::json!({"password": "abre-te, sésamo"}))["type"],
        "welcome"
    );
}

#[test]
fn variable_has_the_effect_of_its_option() {
    let mut command = server_command(&[]);
    command
        .env("PAPO_PORTA", "0")
        .env("PAPO_ENDERECO", "localhost");
    let server = ServerProcess::start(command);
    assert!(server.address.port() != 9000 && server.address.port() != 0);
}

#[test]
fn port_in_use_is_explained_with_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (code, stdout, stderr) = run_server(&["--porta", &port.to_string()]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    let expected = format!("Não consegui usar a porta {port}: outro programa já está nela.");
    assert!(
        stderr.starts_with(&expected) && stderr.contains("servidor --porta"),
        "{stderr}"
    );
}

#[test]
fn foreign_address_is_explained_with_exit_code_1() {
    let (code, _, stderr) = run_server(&["--porta", "0", "--endereco", "192.0.2.1"]);
    assert_eq!(code, 1);
    assert!(
        stderr.starts_with("O endereço 192.0.2.1 não pertence a este computador."),
        "{stderr}"
    );
}

#[test]
fn unknown_option_is_explained_with_exit_code_2() {
    let (code, stdout, stderr) = run_server(&["--prota", "9001"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert_eq!(
        stderr,
        "Não conheço a opção “--prota”. Você quis dizer --porta? Veja todas com: servidor --ajuda\n"
    );
}

#[test]
fn os_errors_are_explained_in_portuguese() {
    for arguments in [
        &["--porta", "0", "--historico", "/nao/existe/h.db"][..],
        &["--porta", "0", "--historico", "/tmp"],
        &["--porta", "0", "--log", "/nao/existe/papo.log"],
        &[
            "--historico",
            "/etc/hostname",
            "--copia",
            "/nao/existe/copia.db",
        ],
        &["exportar", "--historico", "/etc/hostname"],
    ] {
        let (code, _, stderr) = run_server(arguments);
        assert_eq!(code, 1, "{arguments:?}");
        assert!(
            stderr.starts_with("Não consegui"),
            "{arguments:?}: {stderr}"
        );
        for english in [
            "os error",
            "No such",
            "directory",
            "not a database",
            "unable",
        ] {
            assert!(!stderr.contains(english), "{arguments:?}: {stderr}");
        }
    }
}

#[test]
fn help_and_version_are_printed() {
    let (code, help, _) = run_server(&["--help"]);
    assert!(
        code == 0 && help.contains("Uso: servidor [OPÇÕES]"),
        "{help}"
    );
    assert_eq!(
        run_server(&["-V"]),
        (
            0,
            format!("papo {}\n", env!("CARGO_PKG_VERSION")),
            String::new()
        )
    );
}

#[test]
fn log_has_events_and_no_message_text() {
    let path = new_path("log");
    let mut server = ServerProcess::start(server_command(&[
        "--porta",
        "0",
        "-vv",
        "--log",
        path.to_str().unwrap(),
    ]));
    let mut ana = WsClient::connect(server.address).unwrap();
    ana.enter("Ana");
    ana.say("um segredo de estado");
    ana.expect(&["ack m1 1"]);
    ana.leave();
    server.signal(rustix::process::Signal::TERM);
    server.wait_for_exit();
    let log = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(log.contains("A conexão 1 acabou"), "{log}");
    let token = crate::harness::token_for("Ana");
    assert!(!log.contains("segredo") && !log.contains(&token), "{log}");
}

#[test]
fn history_survives_sigkill_and_can_be_copied_live() {
    let folder = new_path("kill");
    std::fs::create_dir(&folder).unwrap();
    let (log, copy) = (folder.join("h.db"), folder.join("c.db"));
    let (log, copy) = (log.to_str().unwrap(), copy.to_str().unwrap());
    let server = ServerProcess::start(server_command(&["--porta", "0", "--historico", log]));
    assert!(
        server.banner.contains("h.db (0 mensagens)"),
        "{}",
        server.banner
    );
    let mut ana = WsClient::connect(server.address).unwrap();
    ana.enter("Ana");
    ana.say("não me perca");
    ana.expect(&["ack m1 1"]);
    let (code, _, stderr) = run_server(&["--porta", "0", "--historico", log]);
    assert!(
        code == 1 && stderr.contains("outro servidor está usando o arquivo"),
        "{stderr}"
    );
    let (code, stdout, _) = run_server(&["--historico", log, "--copia", copy]);
    assert!(
        code == 0 && stdout.starts_with("1 mensagem copiada para "),
        "{stdout}"
    );
    // Dropping kills without a word.
    drop(server);
    let (code, text, _) = run_server(&["exportar", "--historico", log]);
    assert!(
        code == 0 && text.ends_with("\tAna\tnão me perca\n"),
        "{text}"
    );
    let server = ServerProcess::start(server_command(&["--porta", "0", "--historico", log]));
    assert!(
        server.banner.contains("h.db (1 mensagem)"),
        "{}",
        server.banner
    );
    let mut ana = WsClient::connect(server.address).unwrap();
    assert_eq!(ana.enter("Ana")["entries"][0]["text"], "não me perca");
    drop(server);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn bad_handshakes_leak_no_thread_or_descriptor() {
    let server = ServerProcess::start(server_command(&["--porta", "0"]));
    let mut ana = WsClient::connect(server.address).unwrap();
    ana.enter("Ana");
    let before = (
        server.count_proc_entries("task"),
        server.count_proc_entries("fd"),
    );
    for n in 0..1000 {
        let bytes: &[u8] = match n % 4 {
            0 => b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            1 => b"\x16\x03\x01\x00\x05hello\r\n\r\n",
            2 => b"GET / HT",
            _ => b"",
        };
        let socket = raw::send(server.address, bytes);
        if n % 4 < 2 {
            assert!(raw::read_all(socket).starts_with("HTTP/1.1 400 "));
        }
    }
    let deadline = Instant::now() + DEADLINE;
    while (
        server.count_proc_entries("task"),
        server.count_proc_entries("fd"),
    ) != before
    {
        assert!(
            Instant::now() < deadline,
            "{before:?} became {:?}",
            (
                server.count_proc_entries("task"),
                server.count_proc_entries("fd")
            )
        );
        std::thread::yield_now();
    }
    ana.expect_nothing();
}

#[test]
fn help_into_a_closed_pipe_is_no_error() {
    let mut child = server_command(&["--ajuda"]).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    let _ = std::io::stdout().flush();
}
