//! The client's composed sentences: lists of people, presence changes, errors.
//!
//! Knows Portuguese; never knows when or where a sentence is shown.

use crate::app::events::Prompt;
use crate::net::address::Address;
use crate::net::connection::ConnectError;
use papo::protocol::RoomState;
use std::time::Duration;

/// Most names in one sentence; the others are only counted.
const MAX_LISTED: usize = 12;

/// `Bruno, Célia e João`; beyond a dozen `… e mais 7 pessoas`.
pub fn list<S: AsRef<str>>(items: &[S]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] if items.len() <= MAX_LISTED => format!("{} e {last}", first.join(", ")),
        [..] => format!(
            "{} e mais {}",
            items[..MAX_LISTED].join(", "),
            people_count(items.len() - MAX_LISTED)
        ),
    }
}

/// The label in front of the answer.
pub fn prompt(prompt: Prompt) -> &'static str {
    match prompt {
        Prompt::Name => "Seu nome:",
        Prompt::Password => "Senha do servidor:",
        Prompt::RoomPassword => "Senha da sala:",
    }
}

/// Follows the text of an edited message.
pub const EDITED_MARK: &str = "(editada)";
/// Replaces the text of an erased message.
pub const ERASED_MARK: &str = "(mensagem apagada)";

/// Reports an erasure of so many messages.
pub fn erased_messages(count: usize) -> String {
    if count == 1 {
        "(apagou uma mensagem)".into()
    } else {
        format!("(apagou {count} mensagens)")
    }
}

/// `1 pessoa`, `4 pessoas`.
pub fn people_count(count: usize) -> String {
    if count == 1 {
        "1 pessoa".into()
    } else {
        format!("{count} pessoas")
    }
}

/// A name in a list of people: `Ana (você) ★`.
pub fn person_entry(name: &str, me: bool, moderator: bool) -> String {
    format!(
        "{name}{}{}",
        if me { " (você)" } else { "" },
        if moderator { " ★" } else { "" }
    )
}

/// `João entrou`, `João e Célia entraram`, `João e mais 2 pessoas entraram`.
pub fn presence_sentence(names: &[String], one: &str, many: &str) -> Option<String> {
    match names {
        [] => None,
        [name] => Some(format!("{name} {one}")),
        [first, second] => Some(format!("{first} e {second} {many}")),
        [first, rest @ ..] => Some(format!(
            "{first} e mais {} {many}",
            people_count(rest.len())
        )),
    }
}

/// The other people present. `online` also counts the people that the server did not name.
pub fn others_present(others: &[String], online: usize, place: &str) -> String {
    match online.saturating_sub(1).max(others.len()) {
        0 => format!("Por enquanto só você está {place}."),
        count if others.is_empty() => format!("{} {place}.", people_count(count)),
        count => {
            let unnamed = count - others.len();
            let more = if unnamed > 0 {
                format!(" e mais {}", people_count(unnamed))
            } else {
                String::new()
            };
            format!("{} {place}: {}{more}.", people_count(count), list(others))
        }
    }
}

/// Messages that were not sent before leaving.
pub fn unsent_messages(count: usize) -> String {
    if count == 1 {
        "1 mensagem não foi enviada.".into()
    } else {
        format!("{count} mensagens não foram enviadas.")
    }
}

/// Why there is no connection, and what to do.
pub fn connect_error(error: ConnectError, address: &Address) -> String {
    match error {
        ConnectError::Refused => format!(
            "Não encontrei nenhum servidor em {address}. Ligue-o com “servidor” ou indique o endereço: \
             cliente 192.168.0.10:9000"
        ),
        ConnectError::TimedOut => format!(
            "{address} não respondeu em 5 s. Confira o endereço, a rede e o firewall do outro computador."
        ),
        ConnectError::UnknownHost => format!(
            "Não achei “{}” na rede. Confira se está escrito certo.",
            address.host()
        ),
        ConnectError::NotAChat => format!(
            "O que responde em {address} não é um servidor deste bate-papo. Confira a porta."
        ),
        ConnectError::ServerFull => "A conversa está cheia. Tente mais tarde.".into(),
        ConnectError::Rejected(status) => format!(
            "O servidor em {address} não aceitou a conexão (resposta {status}). Use o endereço que ele mostra ao ligar."
        ),
        ConnectError::NetworkUnreachable => unusual_error("a rede não chega até lá", address),
        ConnectError::PermissionDenied => {
            unusual_error("o sistema não permitiu a conexão", address)
        }
        ConnectError::NoThread => {
            unusual_error("o sistema não deu mais um fio de execução", address)
        }
        ConnectError::Other => unusual_error("a rede não respondeu como devia", address),
    }
}

fn unusual_error(cause: &str, address: &Address) -> String {
    format!("Não consegui falar com {address}: {cause}. Confira o endereço e a rede.")
}

/// A temporary refusal, and when the request is sent again.
pub fn next_try(reason: &str, delay: Duration) -> String {
    format!(
        "{reason} Nova tentativa em {} s.",
        delay.as_millis().div_ceil(1000)
    )
}

/// A script gives up entering.
pub fn entry_given_up(reason: &str) -> String {
    format!("{reason} Não entrei a tempo; tente de novo mais tarde.")
}

/// The restrictions that are in force in a room, one by one. `speak_again` tells when an own mute ends: `às 14:32`.
pub fn restrictions(state: &RoomState, speak_again: Option<&str>) -> Vec<String> {
    let slow_seconds = state.slow_ms.div_ceil(1000);
    let restrictions = [
        speak_again.map(|time| format!("você pode falar de novo {time}")),
        (state.moderators_only).then(|| "só quem organiza fala".to_owned()),
        (slow_seconds > 0).then(|| format!("modo lento: {}", short_duration(slow_seconds))),
        state.password.then(|| "sala com senha".to_owned()),
        state.locked.then(|| "conversa trancada".to_owned()),
    ];
    restrictions.into_iter().flatten().collect()
}

/// `30 s`, `1 min 30 s`, `1 h`.
fn short_duration(seconds: u64) -> String {
    let parts = [
        (seconds / 3600, "h"),
        (seconds % 3600 / 60, "min"),
        (seconds % 60, "s"),
    ];
    let parts: Vec<String> = (parts.iter())
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    parts.join(" ")
}

/// How a search ended.
pub fn search_heading(query: &str, count: usize, more: bool) -> String {
    match count {
        0 => format!("Nada encontrado para “{query}”."),
        1 => format!("1 resultado para “{query}”:"),
        _ if more => format!("Os {count} resultados mais recentes para “{query}”:"),
        _ => format!("{count} resultados para “{query}”:"),
    }
}

/// Presence changes, one sentence for each kind.
pub fn presence_sentences(
    joined: &[String],
    left: &[String],
    renamed: &[(String, String)],
) -> Vec<String> {
    let joined = presence_sentence(joined, "entrou", "entraram");
    let left = presence_sentence(left, "saiu", "saíram");
    let renamed = renamed
        .iter()
        .map(|(from, to)| format!("{from} agora é {to}"));
    joined.into_iter().chain(left).chain(renamed).collect()
}

/// `Célia está digitando…`
pub fn typing_people(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("{one} está digitando…"),
        [one, other] => format!("{one} e {other} estão digitando…"),
        _ => "Várias pessoas estão digitando…".into(),
    }
}

/// Characters left for a message, or by how many it exceeds the limit.
pub fn characters_left(left: i64) -> String {
    match left {
        1 => "Resta 1 caractere".into(),
        0.. => format!("Restam {left} caracteres"),
        -1 => "A mensagem passou 1 caractere do limite.".into(),
        _ => format!("A mensagem passou {} caracteres do limite.", -left),
    }
}

/// Entries that the server no longer has.
pub fn missing_entries(count: u64) -> String {
    match count {
        1 => "Falta 1 mensagem: ela não está mais guardada no servidor.".into(),
        _ => format!("Faltam {count} mensagens: elas não estão mais guardadas no servidor."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn list_joins_names_in_portuguese() {
        assert_eq!(list(&names(&["Bruno"])), "Bruno");
        assert_eq!(
            list(&names(&["Bruno", "Célia", "João"])),
            "Bruno, Célia e João"
        );
        let crowd: Vec<String> = (1..=20).map(|n| format!("p{n}")).collect();
        assert!(list(&crowd).ends_with("p11, p12 e mais 8 pessoas"));
    }

    #[test]
    fn room_restrictions_are_named_one_by_one() {
        let state = RoomState {
            moderators_only: true,
            slow_ms: 90_000,
            password: true,
            locked: true,
            muted_until: None,
        };
        assert_eq!(
            restrictions(&state, Some("às 14:32")).join(" · "),
            "você pode falar de novo às 14:32 · só quem organiza fala · modo lento: 1 min 30 s · sala com senha · \
             conversa trancada"
        );
        assert!(restrictions(&RoomState::default(), None).is_empty());
    }

    #[test]
    fn arrivals_are_one_sentence() {
        assert_eq!(presence_sentence(&names(&[]), "entrou", "entraram"), None);
        assert_eq!(
            presence_sentence(&names(&["João"]), "entrou", "entraram").as_deref(),
            Some("João entrou")
        );
        let two = names(&["João", "Célia"]);
        assert_eq!(
            presence_sentence(&two, "saiu", "saíram").as_deref(),
            Some("João e Célia saíram")
        );
        let three = names(&["João", "Célia", "Rita"]);
        assert_eq!(
            presence_sentence(&three, "entrou", "entraram").as_deref(),
            Some("João e mais 2 pessoas entraram")
        );
    }

    #[test]
    fn others_present_are_counted_and_named() {
        assert_eq!(
            others_present(&[], 1, "na conversa"),
            "Por enquanto só você está na conversa."
        );
        assert_eq!(
            others_present(&names(&["Bruno"]), 2, "na conversa"),
            "1 pessoa na conversa: Bruno."
        );
        let three = names(&["Bruno", "Célia", "João"]);
        assert_eq!(
            others_present(&three, 4, "na conversa"),
            "3 pessoas na conversa: Bruno, Célia e João."
        );
        assert_eq!(others_present(&[], 601, "em #lab"), "600 pessoas em #lab.");
    }
}
