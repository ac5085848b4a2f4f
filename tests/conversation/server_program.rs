//! `servidor` as a process: the banner, the exit codes, the explained mistakes, and the end.

use crate::support::Deadline;
use crate::support::client::disconnected_with;
use crate::support::process::{Program, ServerProcess, moderator_key};
use crate::support::raw::{self, token_for};
use rustix::process::Signal;
use std::net::TcpListener;
use tempfile::TempDir;

fn start_server(options: &[&str]) -> ServerProcess {
    ServerProcess::start(&mut Program::server(options))
}

fn run_server(options: &[&str]) -> (i32, String, String) {
    Program::server(options).run("")
}

#[test]
fn banner_shows_real_port_and_signals_stop_in_order() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut server = start_server(&["--porta", "0"]);
        assert!(
            server
                .banner
                .starts_with(&format!("Papo {} está no ar.\n", env!("CARGO_PKG_VERSION")))
        );
        let clients: Vec<_> = (0..3)
            .map(|n| server.enter(&format!("Pessoa {n}")))
            .collect();
        server.process.signal(signal);
        for mut client in clients {
            assert_eq!(
                client.wait_for_disconnect(),
                disconnected_with("shutdown", 1001)
            );
        }
        let (code, rest) = server.process.wait();
        assert_eq!(code, 0);
        assert!(
            rest.ends_with("Encerrando… 3 pessoas avisadas. Até logo.\n"),
            "{rest}"
        );
    }
}

#[test]
fn banner_key_grants_moderation_and_changes_each_start() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("papo.log");
    let mut server = start_server(&["--log", path.to_str().unwrap()]);
    let key = moderator_key(&server.banner).to_owned();
    assert!(key.len() >= 32, "128 bits at least: {key}");
    let hint = format!("(vale uma vez; no terminal: cliente --chave {key})\n");
    assert!(server.banner.contains(&hint), "{}", server.banner);
    let mut ana = server.connect();
    let welcome = ana.enter_with("Ana", serde_json::json!({"moderator_key": key}));
    assert_eq!(welcome["moderator"], true);
    ana.expect(&["joined geral 1"]);
    ana.send(serde_json::json!({"type": "moderate", "act": "lock"}));
    ana.expect(&["* Ana trancou a conversa: ninguém novo entra."]);
    ana.send(serde_json::json!({"type": "moderate", "act": "lock"}));
    ana.expect(&["* Ana destrancou a conversa."]);
    ana.send(serde_json::json!({"type": "moderate", "act": "announce", "text": "segredo"}));
    ana.expect(&["Ana! segredo"]);
    server.process.terminate();
    let log = std::fs::read_to_string(&path).unwrap();
    // Each act of a moderator is logged once without being asked for, and nothing else is.
    let acts: Vec<&str> = log
        .lines()
        .map(|line| line.split_once("[INFO] ").expect(line).1)
        .collect();
    let expected = [
        "Ana trancou a conversa: ninguém novo entra.",
        "Ana destrancou a conversa.",
        "Ana deu um aviso a todo mundo.",
    ];
    assert_eq!(acts, expected);
    assert!(!log.contains("segredo") && !log.contains(&key), "{log}");
    assert_ne!(moderator_key(&start_server(&[]).banner), key);
}

#[test]
fn password_from_variable_is_required_and_not_shown() {
    let mut program = Program::server(&[]).env("PAPO_SENHA", "abre-te, sésamo");
    let server = ServerProcess::start(&mut program);
    assert!(!server.banner.contains("sésamo"), "{}", server.banner);
    let mut ana = server.connect();
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
    let mut program = Program::server(&[])
        .env("PAPO_PORTA", "0")
        .env("PAPO_ENDERECO", "localhost");
    let server = ServerProcess::start(&mut program);
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
    for options in [
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
        let (code, _, stderr) = run_server(options);
        assert_eq!(code, 1, "{options:?}");
        assert!(stderr.starts_with("Não consegui"), "{options:?}: {stderr}");
        for english in [
            "os error",
            "No such",
            "directory",
            "not a database",
            "unable",
        ] {
            assert!(!stderr.contains(english), "{options:?}: {stderr}");
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
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("papo.log");
    let mut server = start_server(&["-vv", "--log", path.to_str().unwrap()]);
    let mut ana = server.enter("Ana");
    ana.say("um segredo de estado");
    ana.expect(&["ack m1 1"]);
    ana.leave();
    server.process.terminate();
    let log = std::fs::read_to_string(&path).unwrap();
    assert!(log.contains("A conexão 1 acabou"), "{log}");
    assert!(
        !log.contains("segredo") && !log.contains(&token_for("Ana")),
        "{log}"
    );
}

#[test]
fn history_survives_sigkill_and_can_be_copied_live() {
    let dir = TempDir::new().unwrap();
    let log = dir.path().join("h.db");
    let log = log.to_str().unwrap();
    let copy = dir.path().join("c.db");
    let copy = copy.to_str().unwrap();
    let server = start_server(&["--historico", log]);
    assert!(
        server.banner.contains("h.db (0 mensagens)"),
        "{}",
        server.banner
    );
    let mut ana = server.enter("Ana");
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
    // Dropping it is SIGKILL.
    drop(server);
    let (code, text, _) = run_server(&["exportar", "--historico", log]);
    assert!(
        code == 0 && text.ends_with("\tAna\tnão me perca\n"),
        "{text}"
    );
    let server = start_server(&["--historico", log]);
    assert!(
        server.banner.contains("h.db (1 mensagem)"),
        "{}",
        server.banner
    );
    let mut ana = server.connect();
    assert_eq!(ana.enter("Ana")["entries"][0]["text"], "não me perca");
}

#[test]
fn banner_says_where_the_history_is_and_for_how_long() {
    let mut program = Program::server(&["--historico", "h.db", "--guardar", "30"]);
    let dir = program.dir().canonicalize().unwrap();
    program.command.current_dir(&dir);
    let server = ServerProcess::start(&mut program);
    let expected = format!(
        "  Histórico: {} (0 mensagens; cada uma fica por 30 dias)        ",
        dir.join("h.db").display()
    );
    assert!(server.banner.contains(&expected), "{}", server.banner);
}

#[test]
fn bad_handshakes_leak_no_thread_or_descriptor() {
    let server = start_server(&[]);
    let mut ana = server.enter("Ana");
    let counts = || {
        let stats = server.stats();
        (stats.threads, stats.descriptors)
    };
    let before = counts();
    for n in 0..1000 {
        let bytes: &[u8] = match n % 4 {
            0 => b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            1 => b"\x16\x03\x01\x00\x05hello\r\n\r\n",
            2 => b"GET / HT",
            _ => b"",
        };
        let socket = raw::send(server.address, bytes);
        if n % 4 < 2 {
            assert!(raw::read_all(socket).starts_with(b"HTTP/1.1 400 "));
        }
    }
    let deadline = Deadline::of_one_event();
    while counts() != before {
        assert!(!deadline.is_over(), "{before:?} became {:?}", counts());
        std::thread::yield_now();
    }
    ana.expect_nothing();
}

#[test]
fn help_into_a_closed_pipe_is_no_error() {
    let mut process = Program::server(&["--ajuda"]).spawn().unwrap();
    process.close_stdout();
    assert_eq!(process.wait().0, 0);
}
