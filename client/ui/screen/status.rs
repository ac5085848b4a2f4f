//! The status row: the connection, the own name, the people and the rooms, as much of it as fits.

use crate::app::{ViewModel, strings};
use crate::ui::screen::style::{BOLD, DIM, PLAIN};
use crate::ui::screen::view::View;
use crate::ui::screen::wrap::{truncate, width};
use ratatui::style::Modifier;
use ratatui::text::{Line as Row, Span};

/// Renders the status row, with the longest text that fits.
pub fn status_row(view: &View, model: &ViewModel) -> Row<'static> {
    let columns = view.columns;
    if model.offline || (!model.connected && model.prompt.is_none()) {
        return Row::from(Span::styled(offline(model, columns), BOLD));
    }
    if model.prompt.is_some() {
        return Row::from(format!(" ○ {}", model.address));
    }
    let people = strings::people_count(model.online);
    let shortest = " ●".to_owned();
    // The room's restrictions matter more than the address and the own name.
    let restrictions = restrictions(view, model);
    let mut texts = Vec::new();
    for restrictions in [restrictions.as_str(), ""] {
        texts.push(format!(
            " ● {} · {} · {people}{restrictions}",
            model.address, model.name
        ));
        texts.push(format!(" ● {} · {people}{restrictions}", model.name));
        texts.push(format!(" ● {people}{restrictions}"));
        if let Some(restrictions) = restrictions.strip_prefix(" ·") {
            texts.push(format!(" ●{restrictions}"));
        }
    }
    texts.push(shortest.clone());
    let rooms = if model.rooms.len() > 1 {
        rooms(view, model)
    } else {
        Vec::new()
    };
    let room_columns = spans_width(&rooms);
    let fitting = texts
        .into_iter()
        .find(|text| width(text) + room_columns < columns);
    let mut spans;
    if let Some(text) = fitting {
        spans = vec![Span::raw(text)];
        spans.extend(rooms);
    } else {
        let free = columns.saturating_sub(width(&shortest));
        spans = vec![Span::raw(shortest)];
        spans.extend(fit_rooms(rooms, model.current, free));
    }
    let used = spans_width(&spans);
    let help = "/ajuda  F2 ";
    if used + width(help) + 2 <= columns {
        spans.push(Span::styled(
            format!("{}{help}", " ".repeat(columns - used - width(help))),
            DIM,
        ));
    }
    Row::from(spans)
}

/// ` · só quem organiza fala · modo lento: 30 s`
fn restrictions(view: &View, model: &ViewModel) -> String {
    let mute_end = model.state.muted_until;
    let mute_end = mute_end.and_then(|until| view.clock.mute_end(until));
    let restrictions = strings::restrictions(&model.state, mute_end.as_deref());
    let restrictions = restrictions.iter().map(|text| format!(" · {text}"));
    restrictions.collect()
}

fn spans_width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| width(&span.content)).sum()
}

/// `  #geral  #laboratorio(3)`: the current room is underlined, rooms with unread messages are bold, those with mentions
/// reversed.
fn rooms(view: &View, model: &ViewModel) -> Vec<Span<'static>> {
    let room_spans = |(index, name): (usize, &String)| {
        let (unread, mentioned) = if index == model.current {
            (0, false)
        } else {
            view.unread(name)
        };
        let mark = match (unread, mentioned) {
            (0, _) => String::new(),
            (count, false) => format!("({count})"),
            (count, true) => format!("({count}!)"),
        };
        let mut style = PLAIN;
        if index == model.current {
            style = style.add_modifier(Modifier::UNDERLINED);
        }
        if unread > 0 {
            style = style.add_modifier(Modifier::BOLD);
        }
        if mentioned {
            style = style.add_modifier(Modifier::REVERSED);
        }
        [
            Span::raw("  "),
            Span::styled(format!("#{}{mark}", truncate(name, 20)), style),
        ]
    };
    model
        .rooms
        .iter()
        .enumerate()
        .flat_map(room_spans)
        .collect()
}

/// The current room and as many others as fit, those with unread messages first. Each room is two spans: a gap and a name.
fn fit_rooms(rooms: Vec<Span<'static>>, current: usize, columns: usize) -> Vec<Span<'static>> {
    let rooms: Vec<&[Span<'static>]> = rooms.chunks(2).collect();
    let (unread_rooms, others): (Vec<usize>, Vec<usize>) = (0..rooms.len())
        .filter(|&index| index != current)
        .partition(|&index| rooms[index][1].style.add_modifier.contains(Modifier::BOLD));
    let more = "  …";
    let mut left = columns.saturating_sub(width(more));
    let mut shown = Vec::new();
    for index in [current].into_iter().chain(unread_rooms).chain(others) {
        let Some(rest) = left.checked_sub(spans_width(rooms[index])) else {
            break;
        };
        left = rest;
        shown.push(index);
    }
    if shown.is_empty() {
        let current_name = &rooms[current][1];
        return vec![
            Span::raw(" "),
            Span::styled(
                truncate(&current_name.content, columns.saturating_sub(1)),
                current_name.style,
            ),
        ];
    }
    shown.sort_unstable();
    shown
        .into_iter()
        .flat_map(|index| rooms[index].to_vec())
        .chain([Span::raw(more)])
        .collect()
}

fn offline(model: &ViewModel, columns: usize) -> String {
    let queue = match model.waiting {
        0 => String::new(),
        count => format!(" · {count} na fila"),
    };
    let texts = match model.retry_in.filter(|_| model.offline) {
        None if model.offline => {
            vec![
                format!(" ○ sem conexão · tentando agora…{queue}"),
                format!(" ○ sem conexão{queue}"),
            ]
        }
        None => vec![
            format!(" ○ {} · conectando…", model.address),
            " ○ conectando…".into(),
        ],
        Some(seconds) => vec![
            format!(" ○ sem conexão · nova tentativa em {seconds} s (Enter tenta agora){queue}"),
            format!(" ○ sem conexão · {seconds} s (Enter){queue}"),
            format!(" ○ sem conexão{queue}"),
        ],
    };
    texts
        .iter()
        .find(|text| width(text) <= columns)
        .or(texts.last())
        .cloned()
        .unwrap_or_default()
}
