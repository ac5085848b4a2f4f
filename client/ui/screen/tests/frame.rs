//! Around the conversation: status, rooms, people, input.

use super::*;
use papo::protocol::RoomState;

#[test]
fn status_row_shows_rooms_with_unread_counts() {
    let mut harness = ScreenHarness::new(80, 8);
    harness.model.rooms.push("laboratório".into());
    harness.say(0, "Bruno", "aqui");
    harness
        .view
        .show(&message("laboratório", NINE, "Célia", "lá"));
    harness
        .view
        .show(&message("laboratório", NINE, "Célia", "ainda lá"));
    harness.assert_screen(
        "
 ● 192.168.0.10:9000 · Ana · 4 pessoas  #geral  #laboratório(2)      /ajuda  F2



─────────────────────────── terça-feira, 3 de março ────────────────────────────
09:00    Bruno  aqui

 Ana #geral ›
",
    );
    assert_eq!(
        harness.view.next_active_room(&harness.model).as_deref(),
        Some("laboratório")
    );
    harness.view.show(&Output::RoomSwitched {
        room: "laboratório".into(),
    });
    harness.model.current = 1;
    harness.assert_screen(
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
        harness
            .view
            .adjacent_room(Direction::Forward, &harness.model)
            .as_deref(),
        Some("geral")
    );
}

#[test]
fn status_row_tells_what_holds_in_the_room() {
    let mut harness = ScreenHarness::new(80, 5);
    harness.model.state = RoomState {
        slow_ms: 30_000,
        password: true,
        ..RoomState::default()
    };
    let top = |harness: &mut ScreenHarness| harness.screen().remove(0);
    assert_eq!(
        top(&mut harness),
        " ● 192.168.0.10:9000 · Ana · 4 pessoas · modo lento: 30 s · sala com senha"
    );
    // The address gives way first.
    harness.model.state.moderators_only = true;
    assert_eq!(
        top(&mut harness),
        " ● Ana · 4 pessoas · só quem organiza fala · modo lento: 30 s · sala com senha"
    );
    harness.model.state = RoomState {
        muted_until: Some(NINE + 5 * MINUTE),
        ..RoomState::default()
    };
    assert!(top(&mut harness).contains("Ana · 4 pessoas · você pode falar de novo às 09:05"));
    // A mute ends without a word of the server.
    harness.model.state.muted_until = Some(NINE);
    assert!(!top(&mut harness).contains("de novo"));
}

#[test]
fn offline_status_counts_seconds_and_queue() {
    let mut harness = ScreenHarness::new(80, 6);
    harness.say(0, "Bruno", "oi");
    harness.model.connected = false;
    harness.model.offline = true;
    harness.model.retry_in = Some(5);
    harness.model.waiting = 2;
    harness.add_unsent("uma");
    harness.add_unsent("outra");
    harness.assert_screen(&format!(
        "
 ○ sem conexão · nova tentativa em 5 s (Enter tenta agora) · 2 na fila
09:00    Bruno  oi
{:79}⋯
{:79}⋯

 Ana ›
",
        "           Ana  uma", "                outra"
    ));
    harness.view.resize(40, 6);
    assert_eq!(
        harness.screen()[0],
        " ○ sem conexão · 5 s (Enter) · 2 na fila"
    );
}

#[test]
fn people_list_replaces_the_conversation() {
    let mut harness = conversation(40, 9);
    harness.view.people_shown = true;
    harness.model.people[2].moderator = true;
    harness.assert_screen(
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
    let mut harness = ScreenHarness::new(40, 5);
    harness.model.prompt = Some(Prompt::Password);
    harness.editor.secret = true;
    harness
        .view
        .show(&Output::problem("Esta conversa tem senha."));
    harness.editor.insert("girassol");
    harness.assert_screen(
        "
 ○ 192.168.0.10:9000

 Esta conversa tem senha.

 Senha do servidor: ••••••••
",
    );
}

#[test]
fn status_row_prefers_unread_rooms() {
    let mut harness = ScreenHarness::new(60, 6);
    harness
        .model
        .rooms
        .extend((2..=9).map(|number| format!("sala-número-{number}")));
    harness.say(0, "Bruno", "aqui");
    harness.model.current = 4;
    harness
        .view
        .show(&message("sala-número-9", NINE, "Célia", "oi, @Ana"));
    assert_eq!(
        harness.screen()[0],
        " ●  #geral  #sala-número-5  #sala-número-9(1!)  …"
    );
    harness.view.resize(30, 6);
    assert_eq!(harness.screen()[0], " ●  #sala-número-5  …");
    harness.view.resize(20, 6);
    assert_eq!(harness.screen()[0], " ● #sala-número-5");
}

#[test]
fn whisper_is_in_every_room_and_unread_in_one() {
    let mut harness = ScreenHarness::new(60, 8);
    harness.model.rooms.push("lab".into());
    harness.say(0, "Bruno", "aqui");
    harness.view.show(&message("lab", NINE, "Célia", "lá"));
    harness.view.show(&Output::Whisper {
        at: NINE,
        own: false,
        from: "Célia".into(),
        to: "você".into(),
        text: "só para você".into(),
    });
    let private = "                Célia → você: só para você";
    assert_eq!(harness.screen()[5], private);
    assert_eq!(
        harness.view.unread("lab"),
        (1, false),
        "read in one room, it is not unread in another"
    );
    harness.model.current = 1;
    assert_eq!(harness.screen()[5], private);
}

#[test]
fn people_and_help_are_shown_on_request() {
    let mut harness = conversation(80, 24);
    harness.view.show(&Output::People("Pessoas (4): …".into()));
    assert_eq!(harness.screen()[1], " Pessoas (4)");
    harness.view.on_sent();
    harness
        .view
        .show(&Output::Help(crate::app::command::help()));
    let screen = harness.screen();
    assert!(
        screen.contains(&" Comandos:".to_owned()),
        "the whole help fits in a usual window: {screen:#?}"
    );
    assert_eq!(
        screen[21],
        " F2, Ctrl+C, Ctrl+D  mostra as pessoas; apaga a linha; sai"
    );
    harness.view.resize(40, 40);
    let screen = harness.screen();
    let row = screen
        .iter()
        .position(|row| row.starts_with(" /ignorar"))
        .unwrap();
    assert_eq!(screen[row], " /ignorar NOME           esconde o que");
    assert_eq!(screen[row + 1], "                         alguém escreve");
}

#[test]
fn remaining_characters_are_shown_near_the_limit() {
    let mut harness = ScreenHarness::new(60, 6);
    let hint_with = |harness: &mut ScreenHarness, count: usize| {
        harness.editor.take();
        harness.editor.insert(&"ã".repeat(count));
        let screen = harness.screen();
        screen[screen.len() - harness.view.input_rows - 1]
            .trim()
            .to_owned()
    };
    assert_eq!(hint_with(&mut harness, 3899), "");
    assert_eq!(hint_with(&mut harness, 3900), "Restam 100 caracteres");
    assert_eq!(hint_with(&mut harness, 3999), "Resta 1 caractere");
    assert_eq!(
        hint_with(&mut harness, 4012),
        "A mensagem passou 12 caracteres do limite."
    );
}
