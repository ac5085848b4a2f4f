//! What a person sees of typing, talking, pasting, another size, other rooms, and no connection.

use crate::pty::PtyClient;
use crate::support::server::{ReservedPort, TestServer, without_rate};
use papo::auth::PasswordHash;
use serde_json::json;

#[test]
fn accents_and_emoji_are_shown_to_both_people() {
    let server = TestServer::start();
    let mut ana = PtyClient::new("Ana", server.address, 80, 24);
    ana.wait_for_text("Você entrou como Ana.");
    let mut celia = PtyClient::new("Célia", server.address, 40, 12);
    ana.wait_for_text("+Célia");
    celia.wait_for_text("1 pessoa");
    celia.type_keys("alguém revisa o hub.rs? 🙂\r");
    ana.wait_for_text("Célia  alguém revisa o hub.rs? 🙂");
    ana.type_keys("coraçao\x7f\x7fão");
    ana.wait_for_text("Ana › coração");
    celia.wait_for_text("Ana está digitando…");
    ana.type_keys("\r");
    celia.wait_for_text("Ana: coração");
    assert!(celia.is_full_screen() && celia.has_bracketed_paste());
}

#[test]
fn name_completes_without_its_accents() {
    let server = TestServer::start();
    let mut ana = PtyClient::new("Ana", server.address, 80, 24);
    ana.wait_for_text("Você entrou");
    let mut joao = PtyClient::new("João", server.address, 80, 24);
    ana.wait_for_text("+João");
    ana.type_keys("oi @joa\t");
    ana.wait_for_text("Ana › oi @João");
    ana.type_keys("\x15/aj\t");
    ana.wait_for_text("Ana › /ajuda");
    ana.type_keys("\r");
    ana.wait_for_text("/buscar TEXTO");
    joao.type_keys("\x1bOQ");
    joao.wait_for_text("João (você)");
}

#[test]
fn mention_rings_the_bell_only_when_enabled() {
    let server = TestServer::start();
    let mut ana = PtyClient::new("Ana", server.address, 80, 24);
    let mut bia = PtyClient::new("Bia", server.address, 80, 24);
    ana.wait_for_text("2 pessoas");
    bia.wait_for_text("2 pessoas");
    bia.type_keys("@ana em silêncio\r");
    ana.wait_for_text("@ana em silêncio");
    assert_eq!(ana.bells(), 0);
    ana.type_keys("/avisos sim\r");
    ana.wait_until("the bell of the answer or none", |pty| {
        pty.screen().iter().any(|row| row.contains("viso"))
    });
    let before = ana.bells();
    bia.type_keys("@ana agora\r");
    ana.wait_until("a ring", |pty| pty.bells() > before);
}

/// A hundred and twenty quick lines, because once every 256th event of the client was lost: a key, or a message.
#[test]
fn scrolling_up_loads_history_to_the_beginning() {
    let server = TestServer::start_with(without_rate);
    let mut script = PtyClient::new("Ana", server.address, 80, 24);
    script.wait_for_text("Você entrou como Ana.");
    for block in 0..6 {
        let lines: Vec<String> = (0..20)
            .map(|n| format!("/eu conta {}", block * 20 + n))
            .collect();
        for line in lines {
            script.type_keys(&format!("{line}\r"));
        }
        script.wait_for_text(&format!("conta {}", block * 20 + 19));
    }
    let mut bia = PtyClient::new("Bia", server.address, 80, 12);
    bia.wait_for_text("Você entrou como Bia.");
    let mut pages = 0;
    while !bia
        .screen()
        .iter()
        .any(|row| row.contains("Início da conversa"))
    {
        let before = bia.screen();
        // One that comes before the page that was asked for is in vain.
        bia.press_until("\x1b[5~", "another page", |pty| pty.screen() != before);
        pages += 1;
        assert!(pages < 100, "the beginning never comes");
    }
    bia.wait_for_text("conta 0");
}

#[test]
fn multiline_paste_is_sent_as_one_message() {
    let server = TestServer::start();
    let mut ana = PtyClient::new("Ana", server.address, 80, 24);
    let mut bia = PtyClient::new("Bia", server.address, 80, 24);
    ana.wait_for_text("2 pessoas");
    bia.wait_for_text("2 pessoas");
    ana.type_keys("\x1b[200~um\rdois\rtrês\x1b[201~");
    ana.wait_for_text("Colou 3 linhas. Enter envia tudo, Esc descarta.");
    ana.type_keys("\r");
    bia.wait_for_text("três");
    let screen = bia.screen();
    let first = screen
        .iter()
        .position(|row| row.ends_with("Ana  um"))
        .unwrap();
    assert_eq!(
        [screen[first + 1].trim(), screen[first + 2].trim()],
        ["dois", "três"]
    );
}

#[test]
fn resize_redraws_with_last_message_at_the_bottom() {
    let server = TestServer::start();
    let mut ana = PtyClient::new("Ana", server.address, 80, 24);
    ana.wait_for_text("Você entrou");
    ana.type_keys("a última\r");
    ana.wait_for_text("Ana  a última");
    for (columns, rows) in [(40, 12), (200, 60), (19, 4), (80, 24)] {
        ana.resize(columns, rows);
        let said = if columns < 20 { "pequena" } else { "a última" };
        ana.wait_until(said, |pty| {
            let screen = pty.screen();
            let place = if columns < 20 {
                0
            } else {
                usize::from(rows) - 3
            };
            screen[..=place].iter().any(|row| row.contains(said))
                && screen[usize::from(rows) - 1].contains('›')
        });
    }
}

#[test]
fn keys_switch_rooms_and_unread_is_counted() {
    let server = TestServer::start();
    let mut ana = PtyClient::new("Ana", server.address, 80, 24);
    ana.wait_for_text("Você entrou");
    ana.type_keys("/entrar laboratorio\r");
    ana.wait_for_text("Ana #laboratorio ›");
    let mut bia = PtyClient::new("Bia", server.address, 80, 24);
    bia.wait_for_text("Você entrou");
    bia.type_keys("oi, @ana\r");
    ana.wait_for_text("#geral(1!)");
    ana.type_keys("\x1ba");
    ana.wait_for_text("Ana #geral ›");
    ana.wait_for_text("novas mensagens");
    ana.wait_for_text("oi, @ana");
    ana.type_keys("\x0e");
    ana.wait_for_text("Ana #laboratorio ›");
    ana.type_keys("\x1b1");
    ana.wait_for_text("Ana #geral ›");
}

#[test]
fn offline_lines_are_queued_and_enter_reconnects() {
    let port = ReservedPort::new();
    let server = TestServer::start_on(port.address, |_| {});
    let mut ana = PtyClient::new("Ana", port.address, 80, 24);
    ana.wait_for_text("Você entrou");
    drop(server);
    ana.wait_for_text("○ sem conexão");
    ana.type_keys("escrita sem conexão\r");
    ana.wait_for_text("⋯");
    ana.wait_for_text("1 na fila");
    let _server = TestServer::start_on(port.address, |_| {});
    ana.type_keys("\r");
    ana.wait_for_text("Conexão restabelecida.");
    ana.wait_until("nothing waits any more", |pty| {
        !pty.screen().iter().any(|row| row.contains('⋯'))
    });
    ana.wait_for_text("escrita sem conexão");
}

#[test]
fn page_up_shows_history_and_escape_returns() {
    let server = TestServer::start();
    let mut bia = PtyClient::new("Bia", server.address, 80, 24);
    bia.wait_for_text("Você entrou");
    // Within what one person may say at once.
    for number in 0..8 {
        let lines: Vec<String> = (0..20).map(|line| format!("n{number}-{line}")).collect();
        bia.type_keys(&format!("\x1b[200~{}\x1b[201~", lines.join("\r")));
        bia.wait_for_text("Colou 20 linhas");
        bia.type_keys("\r");
        bia.wait_for_text(&format!("n{number}-19"));
    }
    bia.type_keys("\x1b[5~\x1b[5~\x1b[5~");
    bia.wait_for_text("↓ fim (End)");
    bia.type_keys("\x1b");
    bia.wait_for_text("n7-19");
}

#[test]
fn draft_stays_in_its_room() {
    let server = TestServer::start();
    let mut ana = PtyClient::new("Ana", server.address, 80, 24);
    ana.wait_for_text("Você entrou");
    ana.type_keys("/entrar laboratorio\r");
    ana.wait_for_text("Ana #laboratorio ›");
    ana.type_keys("só para cá");
    ana.wait_for_text("Ana #laboratorio › só para cá");
    ana.type_keys("\x1b1");
    ana.wait_until("an empty line", |pty| pty.screen()[23] == " Ana #geral ›");
    ana.type_keys("oi, geral\r");
    ana.wait_for_text("Ana  oi, geral");
    ana.type_keys("\x1b2");
    ana.wait_for_text("Ana #laboratorio › só para cá");
    ana.type_keys("\r");
    ana.wait_for_text("Ana  só para cá");
}

#[test]
fn whispers_are_shown_in_every_room() {
    let server = TestServer::start();
    let mut ana = PtyClient::new("Ana", server.address, 80, 24);
    ana.wait_for_text("Você entrou");
    let mut bia = PtyClient::new("Bia", server.address, 80, 24);
    ana.wait_for_text("+Bia");
    ana.type_keys("/entrar laboratorio\r");
    ana.wait_for_text("Ana #laboratorio ›");
    bia.type_keys("/msg ana só para você\r");
    ana.wait_for_text("Bia → você: só para você");
    ana.wait_for_text("Só vocês dois veem as linhas com →");
    bia.wait_for_text("você → Ana: só para você");
    ana.type_keys("\x1b1");
    ana.wait_for_text("Ana #geral ›");
    ana.wait_for_text("Bia → você: só para você");
    ana.type_keys("/r entendi\r");
    bia.wait_for_text("Ana → você: entendi");
}

#[test]
fn people_panel_opens_by_command_and_key() {
    let server = TestServer::start();
    let mut ana = PtyClient::new("Ana", server.address, 80, 24);
    ana.wait_for_text("Você entrou");
    for keys in ["/quem\r", "\x1bOQ", "/who\r"] {
        ana.type_keys(keys);
        ana.wait_for_text("F2 ou Esc volta à conversa");
        ana.type_keys("\x1bOQ");
        ana.wait_for_text("Você entrou");
    }
}

/// One message in a room in slow mode used to hold back whispers and what was said in every other room, for up to an hour.
#[test]
fn slow_room_holds_no_other_room_back() {
    let server = TestServer::start_with(|setup| {
        setup.rules.moderator_key = Some(PasswordHash::of("chave"));
    });
    let mut rita = server.connect();
    rita.enter_with("Rita", json!({"room": "lab", "moderator_key": "chave"}));
    rita.send(json!({"type": "join", "room": "geral"}));
    let slow = json!({"type": "moderate", "act": "slow", "room": "geral", "seconds": 3600});
    rita.receive_where(|message| message["type"] == "joined" && message["room"] == "geral");
    rita.send(slow);
    rita.receive_where(|message| message["type"] == "notice");
    let mut ana = PtyClient::new("Ana", server.address, 80, 24);
    ana.wait_for_text("Você entrou como Ana.");
    ana.type_keys("um\r");
    rita.wait_for_text("um");
    ana.type_keys("dois\r/msg Rita psiu\r");
    rita.receive_where(|message| message["type"] == "whisper" && message["text"] == "psiu");
    ana.type_keys("/entrar lab\rtrês\r");
    rita.wait_for_text("três");
    ana.wait_for_text("Ana  três");
}
