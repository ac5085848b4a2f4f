//! The uppermost row: the connection, the own name, the people and the rooms, as much of it as fits.

use crate::app::{ViewModel, strings};
use crate::ui::screen::style::{BOLD, DIM, PLAIN};
use crate::ui::screen::view::View;
use crate::ui::screen::wrap::{truncate, width};
use ratatui::style::Modifier;
use ratatui::text::{Line as Row, Span};

/// The connection, oneself, the company and the rooms, as much of it as fits.
pub fn status_row(view: &View, model: &ViewModel) -> Row<'static> {
    let columns = view.columns;
    if model.offline || (!model.connected && model.prompt.is_none()) {
        return Row::from(Span::styled(offline(model, columns), BOLD));
    }
    if model.prompt.is_some() {
        return Row::from(format!(" ○ {}", model.address));
    }
    let company = strings::people_count(model.online);
    let long = format!(" ● {} · {} · {company}", model.address, model.name);
    let wanted = [
        long,
        format!(" ● {} · {company}", model.name),
        format!(" ● {company}"),
        " ●".to_owned(),
    ];
    let rooms = if model.rooms.len() > 1 {
        rooms(view, model)
    } else {
        Vec::new()
    };
    let of_rooms =
        |rooms: &[Span<'_>]| rooms.iter().map(|span| width(&span.content)).sum::<usize>();
    let fits = wanted
        .iter()
        .find(|text| width(text) + of_rooms(&rooms) < columns);
    // Of many rooms those are told that matter: the one being written in, and those with something unread.
    let (text, rooms) = match fits {
        Some(text) => (text.clone(), rooms),
        None => (
            wanted[3].clone(),
            fit_rooms(
                rooms,
                model.current,
                columns.saturating_sub(width(&wanted[3])),
            ),
        ),
    };
    let mut spans = vec![Span::raw(text)];
    spans.extend(rooms);
    let used = of_rooms(&spans);
    let help = "/ajuda  F2 ";
    if used + width(help) + 2 <= columns {
        spans.push(Span::styled(
            format!("{}{help}", " ".repeat(columns - used - width(help))),
            DIM,
        ));
    }
    Row::from(spans)
}

/// `  #geral  #laboratorio(3)`: underlined where the person is, bold where something is unread, reversed where it speaks
/// to the person.
fn rooms(view: &View, model: &ViewModel) -> Vec<Span<'static>> {
    let span = |(index, name): (usize, &String)| {
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
    model.rooms.iter().enumerate().flat_map(span).collect()
}

/// Of the rooms, each a gap and a name, the current one and as many others as fit: those with something unread first.
fn fit_rooms(rooms: Vec<Span<'static>>, current: usize, columns: usize) -> Vec<Span<'static>> {
    let rooms: Vec<&[Span<'static>]> = rooms.chunks(2).collect();
    let unread = |index: &usize| rooms[*index][1].style.add_modifier.contains(Modifier::BOLD);
    let (unread_rooms, others): (Vec<usize>, Vec<usize>) = (0..rooms.len())
        .filter(|&index| index != current)
        .partition(unread);
    let more = "  …";
    let (mut left, mut shown) = (columns.saturating_sub(width(more)), Vec::new());
    for index in [current].into_iter().chain(unread_rooms).chain(others) {
        let needed = rooms[index].iter().map(|span| width(&span.content)).sum();
        let Some(rest) = left.checked_sub(needed) else {
            break;
        };
        left = rest;
        shown.push(index);
    }
    if shown.is_empty() {
        let [_, here] = rooms[current] else {
            return Vec::new();
        };
        return vec![
            Span::raw(" "),
            Span::styled(
                truncate(&here.content, columns.saturating_sub(1)),
                here.style,
            ),
        ];
    }
    shown.sort_unstable();
    shown
        .into_iter()
        .flat_map(|place| rooms[place].to_vec())
        .chain([Span::raw(more)])
        .collect()
}

fn offline(model: &ViewModel, columns: usize) -> String {
    let queue = if model.waiting > 0 {
        format!(" · {} na fila", model.waiting)
    } else {
        String::new()
    };
    let wanted = match model.retry_in.filter(|_| model.offline) {
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
    let fits = wanted
        .iter()
        .find(|text| width(text) <= columns)
        .or(wanted.last());
    fits.cloned().unwrap_or_default()
}
