//! A server that can't let anybody in now, or answers nothing: people come in by themselves, and a script always ends.

use crate::pty::PtyClient;
use crate::support::Deadline;
use crate::support::fake_server::{FakeConnection, FakeServer};
use crate::support::process::Program;
use crate::support::server::{ReservedPort, TestServer};
use papo::auth::PasswordHash;
use serde_json::{Value, json};
use std::time::Duration;

/// Far beyond the half minute that a script asks, for a busy machine.
const LONG: Duration = Duration::from_secs(80);

const BUSY: &str = "O servidor não conseguiu ler o histórico desta sala.";

fn busy() -> Value {
    json!({"type": "error", "code": "history_unavailable", "text": BUSY})
}

/// What a server does with each connection, given its `enter`.
type Serve = fn(&mut FakeConnection, &Value);

/// Runs a script against a server that serves each connection like this; gives back its exit code and stderr.
fn run_script(serve: Serve, input: &str) -> (i32, String) {
    let fake_server = FakeServer::listen();
    let address = fake_server.address.to_string();
    std::thread::spawn(move || {
        loop {
            let mut conn = fake_server.handshake();
            if let Some(enter) = conn.receive("enter") {
                serve(&mut conn, &enter);
            }
        }
    });
    let mut script = Program::client(&["--nome", "robô", &address]);
    let deadline = Deadline::within_seconds(LONG.as_secs());
    let (code, _, stderr) = script.run(input);
    assert!(!deadline.is_over(), "{stderr}");
    (code, stderr)
}

/// Answers each message of this kind with that, until the client has gone.
fn answer_each(conn: &mut FakeConnection, kind: &str, answer: &Value) {
    while conn.receive(kind).is_some() {
        conn.send(answer.clone());
    }
}

/// Answers nothing more.
fn stay_silent(conn: &mut FakeConnection) {
    while conn.receive("nothing").is_some() {}
}

/// A way to serve a script, and what the script must make of it.
struct Case {
    what: &'static str,
    serve: Serve,
    input: &'static str,
    code: i32,
    reason: &'static str,
}

const CASES: [Case; 7] = [
    Case {
        what: "enter is never answered",
        serve: |conn, _| stay_silent(conn),
        input: "oi\n",
        code: 3,
        reason: "não é um servidor deste bate-papo",
    },
    Case {
        what: "enter is always refused",
        serve: |conn, _| {
            conn.send(busy());
            answer_each(conn, "enter", &busy());
        },
        input: "oi\n",
        code: 3,
        reason: BUSY,
    },
    Case {
        what: "joined never comes",
        serve: |conn, enter| {
            conn.welcome(enter);
            stay_silent(conn);
        },
        input: "oi\n",
        code: 3,
        reason: "O servidor não abriu a sala a tempo.",
    },
    Case {
        what: "the join of a room is always refused",
        serve: |conn, enter| {
            conn.admit(enter, json!({}));
            answer_each(conn, "join", &busy());
        },
        input: "/entrar lab\noi\n",
        code: 3,
        reason: BUSY,
    },
    Case {
        what: "the join of a room is never answered",
        serve: |conn, enter| {
            conn.admit(enter, json!({}));
            stay_silent(conn);
        },
        input: "/entrar lab\noi\n",
        code: 5,
        reason: "O servidor não respondeu em 30 s.",
    },
    Case {
        what: "a message is never confirmed",
        serve: |conn, enter| {
            conn.admit(enter, json!({}));
            stay_silent(conn);
        },
        input: "oi\n",
        code: 5,
        reason: "1 mensagem não foi enviada.",
    },
    Case {
        what: "a room needs a password",
        serve: |conn, enter| {
            conn.admit(enter, json!({}));
            let refusal = json!({"type": "error", "code": "password_required", "room": "cofre",
                "text": "A sala tem senha."});
            answer_each(conn, "join", &refusal);
        },
        input: "/entrar cofre\no segredo é 42\n",
        code: 4,
        reason: "A sala tem senha.",
    },
];

#[test]
fn script_ends_whatever_the_server_answers() {
    // One after the other, they would take minutes.
    let running = CASES.map(|case| {
        let script = std::thread::spawn(move || run_script(case.serve, case.input));
        (case, script)
    });
    for (case, script) in running {
        let (code, stderr) = script.join().expect(case.what);
        assert_eq!(code, case.code, "{}: {stderr}", case.what);
        assert!(stderr.contains(case.reason), "{}: {stderr}", case.what);
    }
}

#[test]
fn script_enters_once_the_server_is_ready() {
    let fake_server = FakeServer::listen();
    let address = fake_server.address.to_string();
    let server = std::thread::spawn(move || {
        let mut conn = fake_server.handshake();
        for _ in 0..2 {
            conn.receive("enter").unwrap();
            conn.send(busy());
        }
        let enter = conn.receive("enter").unwrap();
        conn.admit(&enter, json!({}));
        let say = conn.receive("say").unwrap();
        conn.send(json!({"type": "ack", "id": say["id"], "room": "geral", "seq": 1, "at": 1_772_557_500_000_u64}));
    });
    let (code, _, stderr) = Program::client(&["--nome", "robô", &address]).run("backup pronto\n");
    server.join().unwrap();
    assert_eq!(
        (code, stderr),
        (0, format!("{BUSY} Nova tentativa em 1 s.\n"))
    );
}

/// A refusal whose code the client did not know was no refusal to it: the message stayed in the queue, and the script
/// blamed a server that had answered.
#[test]
fn refusal_with_an_unknown_code_refuses_its_message() {
    let fake_server = FakeServer::listen();
    let address = fake_server.address.to_string();
    let server = std::thread::spawn(move || {
        let mut conn = fake_server.accept(json!({}));
        let refused = conn.receive("say").unwrap();
        conn.send(json!({"type": "error", "code": "of_a_later_version", "text": "Hoje não.", "id": refused["id"]}));
        let taken = conn.receive("say").unwrap();
        conn.send(json!({"type": "ack", "id": taken["id"], "room": "geral", "seq": 1, "at": 1_772_557_500_000_u64}));
    });
    let (code, output, stderr) = Program::client(&["--nome", "robô", &address]).run("um\ndois\n");
    server.join().unwrap();
    assert_eq!(
        (code, stderr.as_str()),
        (4, "Hoje não. Não enviada: “um”\n")
    );
    assert!(output.ends_with("\tdois\n"), "{output}");
}

/// What was meant for the closed room used to be said in the one before.
#[test]
fn script_says_nothing_elsewhere_when_a_room_is_refused() {
    let server = TestServer::start();
    let mut rita = server.enter("Rita");
    rita.send(json!({"type": "join", "room": "cofre"}));
    rita.receive_where(|message| message["type"] == "joined");
    rita.send(json!({"type": "room_password", "room": "cofre", "password": "abacate"}));
    rita.receive_where(|message| message["type"] == "notice");
    let address = server.address.to_string();
    let lines = "/entrar cofre\no segredo é 42\n";
    let (code, output, stderr) = Program::client(&["--nome", "robô", &address]).run(lines);
    assert_eq!((code, output.as_str()), (4, ""));
    assert!(stderr.contains("A sala “cofre” tem senha."), "{stderr}");
    rita.say_acked("fim");
    rita.send(json!({"type": "history", "room": "geral", "after": 0}));
    let log = rita.receive_where(|message| message["type"] == "history");
    assert_eq!(log["entries"].as_array().unwrap().len(), 1, "{log}");
}

/// The organizer alone was thrown out when the server restarted, with what was queued.
#[test]
fn moderator_comes_back_as_a_guest_after_a_restart() {
    let port = ReservedPort::new();
    let start = |key: &str| {
        TestServer::start_on(port.address, |setup| {
            setup.rules.moderator_key = Some(PasswordHash::of(key));
        })
    };
    let server = start("chave-antiga");
    let address = port.address.to_string();
    let options = ["--nome", "Ana", "--chave", "chave-antiga", &address];
    let mut ana = PtyClient::with_options(&options, 100, 24);
    ana.wait_for_text("Você entrou como Ana.");
    server.stop();
    ana.wait_for_text("sem conexão");
    ana.type_keys("na fila de quem organiza\r");
    let _server = start("chave-nova");
    ana.wait_for_text("O servidor foi religado: para organizar, use a chave nova.");
    ana.wait_for_text("Ana  na fila de quem organiza");
    ana.type_keys("\x04");
    assert_eq!(ana.wait_for_exit(), 0);
}
