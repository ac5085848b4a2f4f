//! The screen as cells: the status row, the conversation, the hint row and the input rows.
//!
//! Draws into a buffer and does no I/O, so that a test can compare the buffer with a drawn box. Knows the places on the
//! screen; never knows what changes their content.

use crate::app::{ViewModel, strings};
use crate::ui::editor::Editor;
use crate::ui::screen::layout::Layout;
use crate::ui::screen::status::status_row;
use crate::ui::screen::style;
use crate::ui::screen::style::{BOLD, DIM, PLAIN};
use crate::ui::screen::view::View;
use crate::ui::screen::wrap::{truncate, width, wrap};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line as Row, Span};
use std::time::Instant;

/// Smaller windows show no conversation.
const MIN_COLUMNS: u16 = 20;
const MIN_ROWS: u16 = 5;
/// Most rows of the input.
const MAX_INPUT_ROWS: usize = 6;

/// Draws everything; returns the cursor's position.
pub fn draw(
    buffer: &mut Buffer,
    view: &mut View,
    model: &ViewModel,
    editor: &Editor,
    now: Instant,
) -> Position {
    let area = buffer.area;
    if area.width == 0 || area.height == 0 {
        return Position::default();
    }
    if area.width < MIN_COLUMNS || area.height < MIN_ROWS {
        view.input_rows = 1;
        return draw_tiny(buffer, editor);
    }
    let label = input_label(model, area.width.into());
    let text_columns = usize::from(area.width).saturating_sub(width(&label));
    let max_rows = MAX_INPUT_ROWS.min(usize::from(area.height) / 3).max(1);
    view.input_rows = editor.rows(text_columns, max_rows).0.len();
    put_row(buffer, 0, &status_row(view, model));
    let height = view.height();
    let rows = if view.people_shown {
        people(view, model, height)
    } else {
        conversation(view, model, height, now)
    };
    // The list of people is aligned to the top, the conversation to the bottom.
    let free = if view.people_shown {
        0
    } else {
        height - rows.len()
    };
    for (y, row) in rows.iter().enumerate() {
        put_row(buffer, 1 + free + y, row);
    }
    put_row(buffer, 1 + height, &hint_row(view, model, editor));
    let style = if model.prompt.is_some() {
        BOLD
    } else {
        style::name(&model.name, true, false, view.colours)
    };
    draw_input(buffer, &label, style, editor, view.input_rows)
}

/// A window too small for the conversation still has its input row.
fn draw_tiny(buffer: &mut Buffer, editor: &Editor) -> Position {
    let area = buffer.area;
    let sentence = "A janela é pequena demais para mostrar a conversa.";
    let rows = wrap(sentence, area.width.into());
    for (y, row) in rows
        .into_iter()
        .take(usize::from(area.height - 1))
        .enumerate()
    {
        put_row(buffer, y, &Row::from(Span::styled(row, DIM)));
    }
    draw_input(buffer, "› ", PLAIN, editor, 1)
}

/// Puts a row, cut at the width of the screen.
fn put_row(buffer: &mut Buffer, y: usize, row: &Row<'_>) {
    let columns = buffer.area.width;
    if let Some(y) = u16::try_from(y).ok().filter(|&y| y < buffer.area.height) {
        buffer.set_line(0, y, row, columns);
        buffer.set_style(Rect::new(0, y, columns, 1), row.style);
    }
}

fn conversation(view: &View, model: &ViewModel, height: usize, now: Instant) -> Vec<Row<'static>> {
    Layout::new(view.room(), model, view.row_style(model), now).page(view.room().top, height)
}

/// The people in the room, in as many columns as fit.
fn people(view: &View, model: &ViewModel, height: usize) -> Vec<Row<'static>> {
    let names: Vec<String> = model
        .people
        .iter()
        .map(|person| strings::person_entry(&person.name, person.me, person.moderator))
        .collect();
    let column_width = names.iter().map(|name| width(name)).max().unwrap_or(0) + 3;
    let columns = (view.columns.saturating_sub(1) / column_width).max(1);
    let room = model
        .room_label()
        .map(|room| format!(" em {room}"))
        .unwrap_or_default();
    let title = format!(" Pessoas{room} ({})", model.online);
    let mut rows = vec![Row::from(Span::styled(title, BOLD)), Row::default()];
    let lines = names.len().div_ceil(columns).max(1);
    let shown = lines.min(height.saturating_sub(4).max(1));
    for line in 0..shown {
        let mut spans = vec![Span::raw(" ")];
        for index in (line..names.len()).step_by(lines) {
            let person = &model.people[index];
            let style = style::name(&person.name, person.me, false, view.colours);
            let gap = column_width.saturating_sub(width(&names[index]));
            spans.push(Span::styled(names[index].clone(), style));
            spans.push(Span::raw(" ".repeat(gap)));
        }
        rows.push(Row::from(spans));
    }
    let named = if shown < lines {
        shown * columns
    } else {
        names.len()
    };
    let unnamed = model.online.saturating_sub(named);
    if unnamed > 0 {
        let more = strings::people_count(unnamed);
        rows.push(Row::from(format!(" e mais {more}")));
    }
    rows.push(Row::from(Span::styled(" F2 ou Esc volta à conversa", DIM)));
    rows.truncate(height);
    rows
}

/// Below the conversation: the people typing or a hint, and how many messages are below the visible ones.
fn hint_row(view: &View, model: &ViewModel, editor: &Editor) -> Row<'static> {
    let room = view.room();
    let below = match (room.top.is_some(), room.new_below) {
        (false, _) => String::new(),
        (true, 0) => "↓ fim (End)".into(),
        (true, 1) => "↓ 1 nova (End)".into(),
        (true, count) => format!("↓ {count} novas (End)"),
    };
    let (left, style) = match &view.hint {
        _ if model.confirming_exit && editor.is_empty() => {
            ("Sair? Tecle Ctrl+C de novo.".into(), BOLD)
        }
        _ if model.leaving => ("saindo…".into(), DIM),
        Some(hint) => (hint.clone(), PLAIN),
        None => match characters_left(model, editor) {
            Some(left) => (strings::characters_left(left), PLAIN),
            None => (strings::typing_people(&model.typing), DIM),
        },
    };
    let left = truncate(&left, view.columns.saturating_sub(width(&below) + 3));
    let free = view
        .columns
        .saturating_sub(width(&left) + width(&below) + 2);
    Row::from(vec![
        Span::raw(" "),
        Span::styled(left, style),
        Span::raw(" ".repeat(free)),
        Span::styled(below, BOLD),
    ])
}

/// How many characters are left for the message, once it is near the limit.
fn characters_left(model: &ViewModel, editor: &Editor) -> Option<i64> {
    /// Characters below the limit from which the count is shown.
    const NEAR: usize = 100;
    let near = model.prompt.is_none() && editor.text().len() + NEAR >= model.max_text;
    let count = if near {
        editor.text().trim_end().chars().count()
    } else {
        0
    };
    (near && count + NEAR >= model.max_text).then(|| model.max_text as i64 - count as i64)
}

/// The label in front of the input: as long as half of the row is left for typing.
fn input_label(model: &ViewModel, columns: usize) -> String {
    if let Some(prompt) = model.prompt {
        return format!(" {} ", strings::prompt(prompt));
    }
    let room = model
        .room_label()
        .map(|room| format!(" {room}"))
        .unwrap_or_default();
    let labels = [
        format!(" {}{room} › ", model.name),
        format!("{room} › "),
        format!(" {} › ", model.name),
    ];
    labels
        .into_iter()
        .find(|label| label.trim() != "›" && width(label) <= columns / 2)
        .unwrap_or_else(|| " › ".into())
}

/// The input in the last rows; returns the cursor's position.
fn draw_input(
    buffer: &mut Buffer,
    label: &str,
    style: Style,
    editor: &Editor,
    max_rows: usize,
) -> Position {
    let area = buffer.area;
    let indent = width(label);
    let columns = usize::from(area.width).saturating_sub(indent);
    let (rows, (row, column)) = editor.rows(columns, max_rows);
    let first = usize::from(area.height).saturating_sub(rows.len());
    for (number, text) in rows.into_iter().enumerate() {
        let before = if number == 0 {
            Span::styled(label.to_owned(), style)
        } else {
            Span::raw(" ".repeat(indent))
        };
        put_row(
            buffer,
            first + number,
            &Row::from(vec![before, Span::raw(text)]),
        );
    }
    let x = u16::try_from(indent + column).unwrap_or(u16::MAX);
    let y = u16::try_from(first + row).unwrap_or(u16::MAX);
    Position::new(x.min(area.width.saturating_sub(1)), y.min(area.height - 1))
}
