//! Typing, talking, pasting, another size, other rooms, no connection: what a person sees.

use crate::port::Port;
use crate::seat::Seat;
use crate::server::TestServer;

#[test]
fn two_people_talk_with_accents_and_emoji() {
    let server = TestServer::start();
    let mut ana = Seat::new("Ana", server.address, 80, 24);
    ana.sees("Você entrou como Ana.");
    let mut celia = Seat::new("Célia", server.address, 40, 12);
    ana.sees("+Célia");
    celia.sees("1 pessoa");
    celia.types("alguém revisa o hub.rs? 🙂\r");
    ana.sees("Célia  alguém revisa o hub.rs? 🙂");
    ana.types("coraçao\x7f\x7fão");
    ana.sees("Ana › coração");
    celia.sees("Ana está digitando…");
    ana.types("\r");
    celia.sees("Ana: coração");
    assert!(celia.is_full_screen() && celia.takes_pastes());
}

#[test]
fn a_name_is_completed_without_its_accents() {
    let server = TestServer::start();
    let mut ana = Seat::new("Ana", server.address, 80, 24);
    ana.sees("Você entrou");
    let mut joao = Seat::new("João", server.address, 80, 24);
    ana.sees("+João");
    ana.types("oi @joa\t");
    ana.sees("Ana › oi @João");
    ana.types("\x15/aj\t");
    ana.sees("Ana › /ajuda");
    ana.types("\r");
    ana.sees("/buscar TEXTO");
    joao.types("\x1bOQ");
    joao.sees("João (você)");
}

#[test]
fn the_bell_rings_for_a_mention_when_it_was_asked_for() {
    let server = TestServer::start();
    let mut ana = Seat::new("Ana", server.address, 80, 24);
    let mut bia = Seat::new("Bia", server.address, 80, 24);
    ana.sees("2 pessoas");
    bia.sees("2 pessoas");
    bia.types("@ana em silêncio\r");
    ana.sees("@ana em silêncio");
    assert_eq!(ana.bells(), 0);
    ana.types("/avisos sim\r");
    ana.waits("the bell of the answer or none", |seat| {
        seat.screen().iter().any(|row| row.contains("viso"))
    });
    let before = ana.bells();
    bia.types("@ana agora\r");
    ana.waits("a ring", |seat| seat.bells() > before);
}

/// Told with a hundred and twenty quick lines, because once every 256th event of the client was lost: a key, or a message.
#[test]
fn scrolling_up_fetches_what_was_said_before_until_the_beginning() {
    let server = TestServer::start_without_rate();
    let mut script = Seat::new("Ana", server.address, 80, 24);
    script.sees("Você entrou como Ana.");
    for block in 0..6 {
        let lines: Vec<String> = (0..20)
            .map(|n| format!("/eu conta {}", block * 20 + n))
            .collect();
        for line in lines {
            script.types(&format!("{line}\r"));
        }
        script.sees(&format!("conta {}", block * 20 + 19));
    }
    let mut bia = Seat::new("Bia", server.address, 80, 12);
    bia.sees("Você entrou como Bia.");
    let pages = std::cell::Cell::new(0);
    while !bia
        .screen()
        .iter()
        .any(|row| row.contains("Início da conversa"))
    {
        let before = bia.screen();
        // One that comes before the page that was asked for is in vain.
        bia.presses("\x1b[5~", "another page", |seat| seat.screen() != before);
        pages.set(pages.get() + 1);
        assert!(pages.get() < 100, "the beginning never comes");
    }
    bia.sees("conta 0");
}

#[test]
fn a_paste_of_several_lines_is_one_message() {
    let server = TestServer::start();
    let mut ana = Seat::new("Ana", server.address, 80, 24);
    let mut bia = Seat::new("Bia", server.address, 80, 24);
    ana.sees("2 pessoas");
    bia.sees("2 pessoas");
    ana.types("\x1b[200~um\rdois\rtrês\x1b[201~");
    ana.sees("Colou 3 linhas. Enter envia tudo, Esc descarta.");
    ana.types("\r");
    bia.sees("três");
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
fn another_size_is_drawn_anew_with_the_last_message_at_the_bottom() {
    let server = TestServer::start();
    let mut ana = Seat::new("Ana", server.address, 80, 24);
    ana.sees("Você entrou");
    ana.types("a última\r");
    ana.sees("Ana  a última");
    for (columns, rows) in [(40, 12), (200, 60), (19, 4), (80, 24)] {
        ana.resize(columns, rows);
        let said = if columns < 20 { "pequena" } else { "a última" };
        ana.waits(said, |seat| {
            let screen = seat.screen();
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
fn rooms_are_changed_with_keys_and_count_what_is_unread() {
    let server = TestServer::start();
    let mut ana = Seat::new("Ana", server.address, 80, 24);
    ana.sees("Você entrou");
    ana.types("/entrar laboratorio\r");
    ana.sees("Ana #laboratorio ›");
    let mut bia = Seat::new("Bia", server.address, 80, 24);
    bia.sees("Você entrou");
    bia.types("oi, @ana\r");
    ana.sees("#geral(1!)");
    ana.types("\x1ba");
    ana.sees("Ana #geral ›");
    ana.sees("novas mensagens");
    ana.sees("oi, @ana");
    ana.types("\x0e");
    ana.sees("Ana #laboratorio ›");
    ana.types("\x1b1");
    ana.sees("Ana #geral ›");
}

#[test]
fn without_connection_lines_wait_and_enter_tries_at_once() {
    let port = Port::reserve();
    let server = TestServer::start_on(port.address);
    let mut ana = Seat::new("Ana", port.address, 80, 24);
    ana.sees("Você entrou");
    drop(server);
    ana.sees("○ sem conexão");
    ana.types("escrita sem conexão\r");
    ana.sees("⋯");
    ana.sees("1 na fila");
    let _server = TestServer::start_on(port.address);
    ana.types("\r");
    ana.sees("Conexão restabelecida.");
    ana.waits("nothing waits any more", |seat| {
        !seat.screen().iter().any(|row| row.contains('⋯'))
    });
    ana.sees("escrita sem conexão");
}

#[test]
fn reading_back_fetches_what_was_said_before() {
    let server = TestServer::start();
    let mut bia = Seat::new("Bia", server.address, 80, 24);
    bia.sees("Você entrou");
    // Within what one person may say at once.
    for number in 0..8 {
        let lines: Vec<String> = (0..20).map(|line| format!("n{number}-{line}")).collect();
        bia.types(&format!("\x1b[200~{}\x1b[201~", lines.join("\r")));
        bia.sees("Colou 20 linhas");
        bia.types("\r");
        bia.sees(&format!("n{number}-19"));
    }
    bia.types("\x1b[5~\x1b[5~\x1b[5~");
    bia.sees("↓ fim (End)");
    bia.types("\x1b");
    bia.sees("n7-19");
}

#[test]
fn a_text_begun_in_one_room_is_not_sent_to_another() {
    let server = TestServer::start();
    let mut ana = Seat::new("Ana", server.address, 80, 24);
    ana.sees("Você entrou");
    ana.types("/entrar laboratorio\r");
    ana.sees("Ana #laboratorio ›");
    ana.types("só para cá");
    ana.sees("Ana #laboratorio › só para cá");
    ana.types("\x1b1");
    ana.waits("an empty line", |seat| seat.screen()[23] == " Ana #geral ›");
    ana.types("oi, geral\r");
    ana.sees("Ana  oi, geral");
    ana.types("\x1b2");
    ana.sees("Ana #laboratorio › só para cá");
    ana.types("\r");
    ana.sees("Ana  só para cá");
}

#[test]
fn private_lines_are_seen_from_every_room() {
    let server = TestServer::start();
    let mut ana = Seat::new("Ana", server.address, 80, 24);
    ana.sees("Você entrou");
    let mut bia = Seat::new("Bia", server.address, 80, 24);
    ana.sees("+Bia");
    ana.types("/entrar laboratorio\r");
    ana.sees("Ana #laboratorio ›");
    bia.types("/msg ana só para você\r");
    ana.sees("Bia → você: só para você");
    ana.sees("Só vocês dois veem as linhas com →");
    bia.sees("você → Ana: só para você");
    ana.types("\x1b1");
    ana.sees("Ana #geral ›");
    ana.sees("Bia → você: só para você");
    ana.types("/r entendi\r");
    bia.sees("Ana → você: entendi");
}

#[test]
fn the_people_are_asked_for_with_a_command_and_with_a_key() {
    let server = TestServer::start();
    let mut ana = Seat::new("Ana", server.address, 80, 24);
    ana.sees("Você entrou");
    for keys in ["/quem\r", "\x1bOQ", "/who\r"] {
        ana.types(keys);
        ana.sees("F2 ou Esc volta à conversa");
        ana.types("\x1bOQ");
        ana.sees("Você entrou");
    }
}
