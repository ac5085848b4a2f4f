//! Malformed and hostile JSON: each text gets its error code, and the connection goes on. Deep nesting, which could
//! overflow a small stack, is sent again and again.

use crate::harness::start_server;
use crate::support::client::WsClient;
use crate::support::process::ServerProcess;
use papo::protocol::ServerMessage;

/// Frames that make no sense before a connection is closed; each test connection says fewer.
const CASES_PER_CONN: usize = 50;

/// A text, and the code or the kind of its answer.
const CASES: &[(&str, &str)] = &[
    // Not an object, or not JSON.
    ("", "bad_json"),
    (" ", "bad_json"),
    ("null", "bad_json"),
    ("true", "bad_json"),
    ("0", "bad_json"),
    ("\"ping\"", "bad_json"),
    ("[]", "bad_json"),
    (r#"["type","ping"]"#, "bad_json"),
    ("{", "bad_json"),
    ("}", "bad_json"),
    (r#"{"type""#, "bad_json"),
    (r#"{"type":"#, "bad_json"),
    (r#"{"type":"ping""#, "bad_json"),
    (r#"{"type":"ping"}}"#, "bad_json"),
    (r#"{"type":"ping"}{"type":"ping"}"#, "bad_json"),
    (r#"{"type":"ping",}"#, "bad_json"),
    (r#"{,"type":"ping"}"#, "bad_json"),
    (r"{'type':'ping'}", "bad_json"),
    (r#"{type:"ping"}"#, "bad_json"),
    (r#"{"type":"ping"/* */}"#, "bad_json"),
    ("\u{feff}{\"type\":\"ping\"}", "bad_json"),
    ("{\"type\":\"pi\u{0}ng\"}", "bad_json"),
    ("{\"type\":\"pi\nng\"}", "bad_json"),
    // The kind.
    ("{}", "bad_field"),
    (r#"{"type":null}"#, "bad_field"),
    (r#"{"type":1}"#, "bad_field"),
    (r#"{"type":["ping"]}"#, "bad_field"),
    (r#"{"type":{"ping":1}}"#, "bad_field"),
    (r#"{"type":""}"#, "unknown_type"),
    (r#"{"type":"PING"}"#, "unknown_type"),
    (r#"{"type":"welcome"}"#, "unknown_type"),
    (r#"{"type":"__proto__"}"#, "unknown_type"),
    (r#"{"\u0074ype":"p\u0069ng"}"#, "pong"),
    ("\t\r\n {\"type\":\"ping\"} \n", "pong"),
    // Surrogates.
    (r#"{"type":"\ud800"}"#, "unknown_type"),
    (r#"{"type":"\udc00"}"#, "unknown_type"),
    (r#"{"type":"\ud800\ud800"}"#, "unknown_type"),
    (r#"{"type":"\ud83d\ude00"}"#, "unknown_type"),
    (r#"{"\ud800":1,"type":"ping"}"#, "pong"),
    (
        r#"{"type":"say","room":"geral","id":"s1","text":"\ude00\ud83d"}"#,
        "ack",
    ),
    (
        r#"{"type":"say","room":"geral","id":"s2","text":"\ud83d\ude00"}"#,
        "ack",
    ),
    (
        r#"{"type":"say","room":"geral","id":"s3","text":"\u00zz"}"#,
        "bad_json",
    ),
    (
        r#"{"type":"say","room":"geral","id":"s4","text":"\x41"}"#,
        "bad_json",
    ),
    // The same twice.
    (r#"{"type":"ping","type":"ping"}"#, "bad_field"),
    (r#"{"type":"ping","type":"rooms"}"#, "bad_field"),
    (r#"{"type":"ping","room":1,"room":2}"#, "bad_field"),
    (r#"{"type":"ping","x":1,"x":2}"#, "pong"),
    (
        r#"{"type":"say","room":"geral","id":"d1","text":"a","text":"b"}"#,
        "bad_field",
    ),
    // The id, with everything else broken.
    (r#"{"type":"ping","id":"i1"}"#, "pong"),
    (r#"{"type":"canta","id":"i2"}"#, "unknown_type"),
    (r#"{"id":"i3"}"#, "bad_field"),
    (
        r#"{"type":"rename","id":"i4","name":"<b>"}"#,
        "name_invalid",
    ),
    (r#"{"id":"i5","type":"say","text":"oi"#, "bad_json"),
    (r#"{"type":"say","text":"a "b" c","id":"i6"}"#, "bad_json"),
    ("{\"text\":\"a\nb\",\"id\":\"i7\"}", "bad_json"),
    (r#"{"id":"i8"}}"#, "bad_json"),
    (r#"{"type":"ping","x":{"id":"outro"},"id":"i9""#, "bad_json"),
    // Numbers.
    (r#"{"type":"ping","x":1e308}"#, "pong"),
    (
        r#"{"type":"ping","x":99999999999999999999999999999999999999999999}"#,
        "pong",
    ),
    (r#"{"type":"ping","x":-0.0e-999999}"#, "pong"),
    (r#"{"type":"ping","x":01}"#, "bad_json"),
    (r#"{"type":"ping","x":NaN}"#, "bad_json"),
    (r#"{"type":"ping","x":Infinity}"#, "bad_json"),
    (r#"{"type":"ping","x":0x10}"#, "bad_json"),
    (r#"{"type":"ping","x":+1}"#, "bad_json"),
    (r#"{"type":"ping","x":1.}"#, "bad_json"),
    (
        r#"{"type":"history","room":"geral","after":1e400}"#,
        "bad_json",
    ),
    (
        r#"{"type":"history","room":"geral","after":-1}"#,
        "bad_field",
    ),
    (
        r#"{"type":"history","room":"geral","after":1.5}"#,
        "bad_field",
    ),
    (
        r#"{"type":"history","room":"geral","after":1e300}"#,
        "bad_field",
    ),
    (
        r#"{"type":"history","room":"geral","after":18446744073709551616}"#,
        "bad_field",
    ),
    (
        r#"{"type":"history","room":"geral","after":18446744073709551615}"#,
        "history",
    ),
    (r#"{"type":"history","room":"geral","before":0}"#, "history"),
    (
        r#"{"type":"history","room":"geral","after":1,"before":1}"#,
        "bad_field",
    ),
    (
        r#"{"type":"history","room":"geral","limit":0}"#,
        "bad_field",
    ),
    (
        r#"{"type":"history","room":"geral","limit":18446744073709551615}"#,
        "history",
    ),
    (
        r#"{"type":"history","room":"geral","limit":"5"}"#,
        "bad_field",
    ),
    (
        r#"{"type":"say","room":"geral","id":"n1","text":"x","reply_to":18446744073709551615}"#,
        "no_such_entry",
    ),
    (
        r#"{"type":"say","room":"geral","id":"n2","text":"x","reply_to":0}"#,
        "no_such_entry",
    ),
    (
        r#"{"type":"say","room":"geral","id":1,"text":"x"}"#,
        "bad_field",
    ),
    // Fields of another form.
    (
        r#"{"type":"say","room":"geral","id":"f1","text":null}"#,
        "bad_field",
    ),
    (
        r#"{"type":"say","room":"geral","id":"f2","text":["x"]}"#,
        "bad_field",
    ),
    (
        r#"{"type":"say","room":"geral","id":"f3","text":"x","action":"true"}"#,
        "bad_field",
    ),
    (
        r#"{"type":"say","room":"geral","id":"f4","text":"\u0000\u200b\u202e"}"#,
        "text_empty",
    ),
    (
        r#"{"type":"say","room":"geral","id":"","text":"x"}"#,
        "bad_field",
    ),
    (
        r#"{"type":"say","room":"geral","id":"\u0000","text":"x"}"#,
        "bad_field",
    ),
    (
        r#"{"type":"say","room":"../../etc","id":"f5","text":"x"}"#,
        "room_invalid",
    ),
    (
        r#"{"type":"say","room":"outra","id":"f6","text":"x"}"#,
        "not_in_room",
    ),
    (
        r#"{"type":"whisper","to":"Fulano","id":"f7","text":"x"}"#,
        "no_such_person",
    ),
    (
        r#"{"type":"search","room":"geral","query":"\"*^:(){}-+ NEAR OR"}"#,
        "found",
    ),
    (r#"{"type":"enter","name":"Outra"}"#, "already_entered"),
];

/// The code of an error, or the kind of any other answer.
fn answer_code(answer: &ServerMessage) -> String {
    let json = serde_json::to_value(answer).unwrap();
    let field = if json["type"] == "error" {
        "code"
    } else {
        "type"
    };
    json[field].as_str().unwrap().to_owned()
}

/// The id of a frame of [`CASES`], a letter and a digit, if it is readable.
fn readable_id(text: &str) -> Option<&str> {
    let id = text.split(r#""id":""#).last()?.get(..2)?;
    let well_formed = id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.ends_with(|last: char| last.is_ascii_digit());
    well_formed.then_some(id)
}

/// Sends each of these, on as many connections as needed, and compares the answers.
fn check_cases<'a>(
    server: &ServerProcess,
    cases: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> usize {
    let mut person: Option<WsClient> = None;
    let mut said = 0;
    for (text, expected) in cases {
        let mut client = match person.take() {
            Some(person) if said % CASES_PER_CONN != 0 => person,
            _ => server.enter("Bia"),
        };
        client.send_text(text);
        let answer = client.receive_answer();
        let shown: String = text.chars().take(80).collect();
        assert_eq!(answer_code(&answer), expected, "{shown}");
        let answer = serde_json::to_value(&answer).unwrap();
        assert_eq!(answer["id"].as_str(), readable_id(text), "{shown}");
        person = Some(client);
        said += 1;
    }
    said
}

#[test]
fn malformed_json_gets_its_error_code() {
    let mut server = start_server(&["--ritmo", "0"]);
    let mut probe = server.enter("Zelo");
    let said = check_cases(&server, CASES.iter().copied());
    assert!(said >= 60);
    probe.ping();
    println!("json: {said} cases, each with the right answer");
    server.assert_healthy();
}

/// A recursive parser needs stack for each bracket, and a connection's thread has little. Unknown values are skipped
/// without recursion, so that even the deepest nesting that fits into a frame is no error.
#[test]
fn deep_json_nesting_is_answered_without_a_crash() {
    const DEEPEST: usize = 200;
    let mut server = start_server(&["--ritmo", "0"]);
    let forms = [("[", "]"), (r#"{"a":"#, "}"), (r#"[{"a":"#, "}]")];
    let mut cases = Vec::new();
    for depth in (1..=DEEPEST).chain([6_000]) {
        for (open, close) in forms {
            let nested = open.repeat(depth) + "1" + &close.repeat(depth);
            // Where it is skipped, where a field is expected, and never closed.
            cases.push((format!(r#"{{"type":"ping","x":{nested}}}"#), "pong"));
            cases.push((format!(r#"{{"type":"ping","text":{nested}}}"#), "pong"));
            cases.push((format!(r#"{{"type":{nested}}}"#), "bad_field"));
            cases.push((
                format!(r#"{{"type":"ping","x":{}"#, open.repeat(depth)),
                "bad_json",
            ));
        }
    }
    cases.push(("[".repeat(65_000), "bad_json"));
    cases.push((r#"{"type":"#.repeat(8_000), "bad_json"));
    let said = check_cases(
        &server,
        cases
            .iter()
            .map(|(text, expected)| (text.as_str(), *expected)),
    );
    println!(
        "nesting: {said} texts, 1 to {DEEPEST} levels, 6,000, and as many as fit into a frame"
    );
    server.assert_healthy();
}
