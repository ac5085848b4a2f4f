//! Exports a room's log as text, JSON lines or an HTML page.

use super::entries::{RoomRow, find_room, read_after};
use super::schema::{OpenError, open_to_read};
use crate::name::RoomName;
use crate::protocol::Entry;
use std::io::{self, Write};
use std::path::Path;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

/// Entries read at once.
const ENTRIES_PER_READ: usize = 1000;

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line for each message: time, name, text.
    Text,
    /// An entry of the protocol on each line.
    Json,
    /// A page to read and print.
    Html,
}

/// Writes a room's whole log and returns the number of entries written; `None` when there is no such room.
///
/// Amendments themselves are written only as JSON. Times have this offset.
///
/// # Errors
/// When the history can't be read or the output can't be written.
pub fn export(
    history: &Path,
    name: &RoomName,
    format: Format,
    offset: UtcOffset,
    out: &mut impl Write,
) -> Result<Option<u64>, OpenError> {
    let connection = open_to_read(history)?;
    let Some(room) = find_room(&connection, name)? else {
        return Ok(None);
    };
    write_header(&room, format, out)?;
    let mut after = 0;
    let mut count = 0;
    loop {
        let entries = read_after(&connection, &room, after, ENTRIES_PER_READ)?;
        let Some(last) = entries.last() else { break };
        after = last.seq;
        for entry in entries
            .iter()
            .filter(|entry| format == Format::Json || !entry.is_amendment())
        {
            count += 1;
            write_entry(entry, format, offset, out)?;
        }
    }
    if format == Format::Html {
        out.write_all(b"</ol>\n")?;
    }
    out.flush()?;
    Ok(Some(count))
}

fn write_header(room: &RoomRow, format: Format, out: &mut impl Write) -> io::Result<()> {
    if format != Format::Html {
        return Ok(());
    }
    let name = escape_html(&room.name);
    write!(
        out,
        "<!doctype html>\n<html lang=\"pt-BR\">\n<meta charset=\"utf-8\">\n<title>{name}</title>\n\
         <style>body{{max-width:45rem;margin:2rem auto;font:1rem/1.5 sans-serif}}ol{{list-style:none;padding:0}}\
         time{{color:#5c6670}}p{{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}}</style>\n<h1>{name}</h1>\n<ol>\n"
    )
}

fn write_entry(
    entry: &Entry,
    format: Format,
    offset: UtcOffset,
    out: &mut impl Write,
) -> io::Result<()> {
    if format == Format::Json {
        serde_json::to_writer(&mut *out, entry)?;
        return out.write_all(b"\n");
    }
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(entry.at) * 1_000_000)
        .ok()
        .and_then(|at| at.checked_to_offset(offset))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let rfc3339 = at
        .replace_nanosecond(0)
        .unwrap_or(at)
        .format(&Rfc3339)
        .unwrap_or_default();
    let verb = if entry.action { " " } else { ": " };
    let mark = status_label(entry);
    let space = if entry.edited { " " } else { "" };
    match format {
        Format::Html => {
            let shown = at
                .format(format_description!("[day]/[month]/[year] [hour]:[minute]"))
                .unwrap_or_default();
            let from = escape_html(&entry.from);
            let text = escape_html(&entry.text);
            let mark = if mark.is_empty() {
                String::new()
            } else {
                format!("{space}<i>{mark}</i>")
            };
            writeln!(
                out,
                "<li><p><time datetime=\"{rfc3339}\">{shown}</time> <b>{from}</b>{verb}{text}{mark}</p></li>"
            )
        }
        Format::Text | Format::Json => {
            // One message, one line.
            let text = entry
                .text
                .replace('\\', "\\\\")
                .replace('\n', "\\n")
                .replace('\t', " ");
            let from = if entry.action {
                format!("* {}", entry.from)
            } else {
                entry.from.to_string()
            };
            writeln!(out, "{rfc3339}\t{from}\t{text}{space}{mark}")
        }
    }
}

/// The mark of an edited or erased message.
fn status_label(entry: &Entry) -> &'static str {
    match (entry.erased, entry.edited) {
        (true, _) => "(mensagem apagada)",
        (false, true) => "(editada)",
        (false, false) => "",
    }
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::fixtures::append;
    use crate::history::sqlite::append::build_entry;
    use crate::history::sqlite::schema::NewRow;

    /// The last second of the year 9999 has no local time east of Greenwich: the export ended with a panic.
    #[test]
    fn entry_of_a_wrong_clock_is_exported_in_any_time_zone() {
        let offset = UtcOffset::from_hms(1, 0, 0).unwrap();
        for at in [0, 253_402_300_799_000, u64::MAX] {
            for format in [Format::Text, Format::Html, Format::Json] {
                let row = NewRow {
                    key: 1,
                    at,
                    speaker: 1,
                    fingerprint: [0; 16],
                };
                let entry = build_entry(&append("Ana", "1", "oi", at), "lab".into(), &row, &[]);
                let mut out = Vec::new();
                write_entry(&entry, format, offset, &mut out).unwrap();
                assert!(!out.is_empty());
            }
        }
    }
}
