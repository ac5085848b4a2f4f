//! What stands around the conversation: status, rooms, people.

use super::*;

#[test]
fn status_row_shows_rooms_with_unread_counts() {
    let mut desk = ScreenHarness::new(80, 8);
    desk.model.rooms.push("laboratório".into());
    desk.model.room_label = Some("#geral".into());
    desk.say(0, "Bruno", "aqui");
    desk.view.show(&message("laboratório", NINE, "Célia", "lá"));
    desk.view
        .show(&message("laboratório", NINE, "Célia", "ainda lá"));
    desk.assert_screen(
        "
 ● 192.168.0.10:9000 · Ana · 4 pessoas  #geral  #laboratório(2)      /ajuda  F2



─────────────────────────── terça-feira, 3 de março ────────────────────────────
09:00    Bruno  aqui

 Ana #geral ›
",
    );
    assert_eq!(
        desk.view.next_active_room(&desk.model).as_deref(),
        Some("laboratório")
    );
    desk.view.show(&Output::RoomSwitched {
        room: "laboratório".into(),
    });
    (desk.model.current, desk.model.room_label) = (1, Some("#laboratório".into()));
    desk.assert_screen(
        "
 ● 192.168.0.10:9000 · Ana · 4 pessoas  #geral  #laboratório         /ajuda  F2

─────────────────────────── terça-feira, 3 de março ────────────────────────────
─────────────────────────────── novas mensagens ────────────────────────────────
09:00    Célia  lá
                ainda lá

 Ana #laboratório ›
",
    );
    assert_eq!(
        desk.view
            .adjacent_room(Direction::Forward, &desk.model)
            .as_deref(),
        Some("geral")
    );
}

#[test]
fn offline_status_counts_seconds_and_queue() {
    let mut desk = ScreenHarness::new(80, 6);
    desk.say(0, "Bruno", "oi");
    (desk.model.connected, desk.model.offline) = (false, true);
    (desk.model.retry_in, desk.model.waiting) = (Some(5), 2);
    desk.add_unsent("uma");
    desk.add_unsent("outra");
    desk.assert_screen(&format!(
        "
 ○ sem conexão · nova tentativa em 5 s (Enter tenta agora) · 2 na fila
09:00    Bruno  oi
{:79}⋯
{:79}⋯

 Ana ›
",
        "           Ana  uma", "                outra"
    ));
    desk.view.resize(40, 6);
    assert_eq!(desk.screen()[0], " ○ sem conexão · 5 s (Enter) · 2 na fila");
}

#[test]
fn people_list_replaces_the_conversation() {
    let mut desk = conversation(40, 9);
    desk.view.people_shown = true;
    desk.model.people[2].moderator = true;
    desk.assert_screen(
        "
 ● 192.168.0.10:9000 · Ana · 4 pessoas
 Pessoas (4)

 Ana (você)   Célia ★
 Bruno        João
 F2 ou Esc volta à conversa

 Célia está digitando…
 Ana › estou revisando
",
    );
}

#[test]
fn password_prompt_is_in_the_input_row() {
    let mut desk = ScreenHarness::new(40, 5);
    (desk.model.prompt, desk.editor.secret) = (Some(Prompt::Password), true);
    desk.view.show(&Output::problem("Esta conversa tem senha."));
    desk.editor.insert("girassol");
    desk.assert_screen(
        "
 ○ 192.168.0.10:9000

 Esta conversa tem senha.

 Senha do servidor: ••••••••
",
    );
}

#[test]
fn status_row_prefers_unread_rooms() {
    let mut desk = ScreenHarness::new(60, 6);
    desk.model
        .rooms
        .extend((2..=9).map(|number| format!("sala-número-{number}")));
    desk.say(0, "Bruno", "aqui");
    (desk.model.current, desk.model.room_label) = (4, Some("#sala-número-5".into()));
    desk.view
        .show(&message("sala-número-9", NINE, "Célia", "oi, @Ana"));
    assert_eq!(
        desk.screen()[0],
        " ●  #geral  #sala-número-5  #sala-número-9(1!)  …"
    );
    desk.view.resize(30, 6);
    assert_eq!(desk.screen()[0], " ●  #sala-número-5  …");
    desk.view.resize(20, 6);
    assert_eq!(desk.screen()[0], " ● #sala-número-5");
}

#[test]
fn whisper_is_in_every_room_and_unread_in_one() {
    let mut desk = ScreenHarness::new(60, 8);
    desk.model.rooms.push("lab".into());
    desk.say(0, "Bruno", "aqui");
    desk.view.show(&message("lab", NINE, "Célia", "lá"));
    let (from, to, text) = ("Célia".into(), "você".into(), "só para você".into());
    desk.view.show(&Output::Whisper {
        at: NINE,
        own: false,
        from,
        to,
        text,
    });
    let private = "                Célia → você: só para você";
    assert_eq!(desk.screen()[5], private);
    assert_eq!(
        desk.view.unread("lab"),
        (1, false),
        "what was read here is not announced there"
    );
    desk.model.current = 1;
    assert_eq!(desk.screen()[5], private);
}

#[test]
fn people_and_help_are_shown_on_request() {
    let mut desk = conversation(80, 24);
    desk.view.show(&Output::People("Pessoas (4): …".into()));
    assert_eq!(desk.screen()[1], " Pessoas (4)");
    desk.view.on_sent();
    desk.view.show(&Output::Help(crate::app::command::help()));
    let screen = desk.screen();
    assert!(
        screen.contains(&" Comandos:".to_owned()),
        "the whole help fits in a usual window: {screen:#?}"
    );
    assert_eq!(
        screen[21],
        " F2, Ctrl+C, Ctrl+D  mostra as pessoas; apaga a linha; sai"
    );
    desk.view.resize(40, 40);
    let screen = desk.screen();
    let row = screen
        .iter()
        .position(|row| row.starts_with(" /ignorar"))
        .unwrap();
    assert_eq!(screen[row], " /ignorar NOME           esconde o que");
    assert_eq!(screen[row + 1], "                         alguém escreve");
}

#[test]
fn remaining_characters_are_shown_near_the_limit() {
    let mut desk = ScreenHarness::new(60, 6);
    let news = |desk: &mut ScreenHarness, count: usize| {
        desk.editor.take();
        desk.editor.insert(&"ã".repeat(count));
        let screen = desk.screen();
        screen[screen.len() - desk.view.input_rows - 1]
            .trim()
            .to_owned()
    };
    assert_eq!(news(&mut desk, 3899), "");
    assert_eq!(news(&mut desk, 3900), "Restam 100 caracteres");
    assert_eq!(news(&mut desk, 3999), "Resta 1 caractere");
    assert_eq!(
        news(&mut desk, 4012),
        "A mensagem passou 12 caracteres do limite."
    );
}
