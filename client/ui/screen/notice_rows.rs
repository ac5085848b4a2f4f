//! The client's own words as rows of a screen: notices, tables of the help, and the results of a search.

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
    pub(super) fn notice_rows(&self, severity: Severity, text: &str, rows: &mut Vec<Row<'static>>) {
        let indent = if self.columns > self.indent() + MIN_TEXT && severity == Severity::Info {
            self.indent()
        } else {
            1
        };
        let style = style::notice(severity, self.colours);
        let columns = self.columns.saturating_sub(indent + 1);
        for line in text.split('\n') {
            let head = table_head(line);
            let hang = if columns >= width(head) + MIN_TABLE {
                width(head)
            } else {
                0
            };
            let (head, rest) = if hang > 0 {
                line.split_at(head.len())
            } else {
                ("", line)
            };
            for (number, row) in wrap(rest, columns - hang).into_iter().enumerate() {
                let head = if number == 0 {
                    head.to_owned()
                } else {
                    " ".repeat(hang)
                };
                rows.push(Row::from(vec![
                    Span::raw(" ".repeat(indent)),
                    Span::styled(head + &row, style),
                ]));
            }
        }
    }

    pub(super) fn found_rows(
        &self,
        query: &str,
        messages: &[Output],
        more: bool,
        rows: &mut Vec<Row<'static>>,
    ) {
        self.notice_rows(
            Severity::Answer,
            &strings::search_heading(query, messages.len(), more),
            rows,
        );
        for message in messages {
            if let Output::Message {
                at,
                from,
                state,
                text,
                ..
            } = message
            {
                let day = self
                    .clock
                    .day(*at)
                    .map(clock::short_date)
                    .unwrap_or_default();
                let head = format!("{day} {} ", self.clock.hour_minute(*at));
                let text = format!("{}: {}", sanitize::message(from), with_state(*state, text));
                for (number, row) in wrap(&text, self.columns.saturating_sub(width(&head) + 2))
                    .into_iter()
                    .enumerate()
                {
                    let head = if number == 0 {
                        head.clone()
                    } else {
                        " ".repeat(width(&head))
                    };
                    rows.push(Row::from(vec![
                        Span::raw(" "),
                        Span::styled(head, DIM),
                        Span::raw(row),
                    ]));
                }
            }
        }
    }
}

/// What stands before the second column of a table, with the spaces between; nothing in a line that is no table's.
fn table_head(line: &str) -> &str {
    let Some(gap) = line.find("  ") else {
        return "";
    };
    let rest = line[gap..].trim_start_matches(' ');
    &line[..line.len() - rest.len()]
}
