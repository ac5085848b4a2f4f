//! The client's own text as rows of a screen: notices, the tables of the help, and search results.

use crate::app::output::{Output, Severity};
use crate::app::{sanitize, strings};
use crate::ui::clock;
use crate::ui::screen::rows::{RowStyle, with_state};
use crate::ui::screen::style;
use crate::ui::screen::style::DIM;
use crate::ui::screen::wrap::{width, wrap};
use ratatui::text::{Line as Row, Span};

/// Notices are indented like messages only where this much of the row is left.
const MIN_TEXT: usize = 20;
/// The second column of a table is kept only where this much of the row is left.
const MIN_TABLE: usize = 14;

impl RowStyle {
    pub(super) fn notice_rows(&self, severity: Severity, text: &str) -> Vec<Row<'static>> {
        let indent = if self.columns > self.indent() + MIN_TEXT && severity == Severity::Info {
            self.indent()
        } else {
            1
        };
        let style = style::notice(severity, self.colours);
        let columns = self.columns.saturating_sub(indent + 1);
        let mut rows = Vec::new();
        for line in text.split('\n') {
            let table_head = table_head(line);
            let hang = if columns >= width(table_head) + MIN_TABLE {
                width(table_head)
            } else {
                0
            };
            let (head, rest) = if hang > 0 {
                line.split_at(table_head.len())
            } else {
                ("", line)
            };
            for row in hanging_rows(head, rest, columns) {
                rows.push(Row::from(vec![
                    Span::raw(" ".repeat(indent)),
                    Span::styled(row.concat(), style),
                ]));
            }
        }
        rows
    }

    pub(super) fn found_rows(
        &self,
        query: &str,
        messages: &[Output],
        more: bool,
    ) -> Vec<Row<'static>> {
        let heading = strings::search_heading(query, messages.len(), more);
        let mut rows = self.notice_rows(Severity::Answer, &heading);
        for message in messages {
            let Output::Message {
                at,
                from,
                state,
                text,
                ..
            } = message
            else {
                continue;
            };
            let day = self
                .clock
                .day(*at)
                .map(clock::short_date)
                .unwrap_or_default();
            let head = format!("{day} {} ", self.clock.hour_minute(*at));
            let text = format!("{}: {}", sanitize::message(from), with_state(*state, text));
            for [head, text] in hanging_rows(&head, &text, self.columns.saturating_sub(2)) {
                rows.push(Row::from(vec![
                    Span::raw(" "),
                    Span::styled(head, DIM),
                    Span::raw(text),
                ]));
            }
        }
        rows
    }
}

/// A text beside its head, wrapped; below the head further rows are indented. Each row is a head and a text.
fn hanging_rows(head: &str, text: &str, columns: usize) -> Vec<[String; 2]> {
    let indent = " ".repeat(width(head));
    let rows = wrap(text, columns.saturating_sub(width(head)));
    let mut rows: Vec<[String; 2]> = rows.into_iter().map(|row| [indent.clone(), row]).collect();
    head.clone_into(&mut rows[0][0]);
    rows
}

/// The first column of a table row with the spaces behind it; empty for any other line.
fn table_head(line: &str) -> &str {
    let Some(gap) = line.find("  ") else {
        return "";
    };
    let rest = line[gap..].trim_start_matches(' ');
    &line[..line.len() - rest.len()]
}
