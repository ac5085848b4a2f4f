//! The wire's own messages, one JSON object in each line, for programs that want everything.
//!
//! What goes in are lines, as everywhere. The secret of the one who listens is left out, and whatever could move a
//! cursor is spelled as an escape, which JSON reads as the same text. Knows streams; never knows what a message means.

use crate::app::output::{Output, Severity};
use crate::app::{AppEvent, ViewModel};
use crate::ui::plain::PlainUi;
use crate::ui::{Ui, UiInput};
use papo::protocol::ServerMessage;
use papo::text;
use serde_json::Value;
use std::io::{self, Write};

/// Standard output in JSON; problems go to standard error as they do everywhere.
pub struct JsonUi {
    plain: PlainUi,
}

impl JsonUi {
    pub fn new(plain: PlainUi) -> Self {
        Self { plain }
    }
}

impl Ui for JsonUi {
    fn map_input(&mut self, input: UiInput) -> Option<AppEvent> {
        self.plain.map_input(input)
    }

    fn show(&mut self, output: &Output) -> io::Result<()> {
        match output {
            Output::Notice(Severity::Problem, _) => self.plain.show(output),
            _ => Ok(()),
        }
    }

    fn on_server_message(&mut self, message: &ServerMessage) -> io::Result<()> {
        let Some(json) = json_line(message) else {
            return Ok(());
        };
        let mut output = io::stdout().lock();
        output.write_all(json.as_bytes())?;
        output.flush()
    }

    fn restore_input(&mut self, _: &str) {}

    fn refresh(&mut self, model: &ViewModel) -> io::Result<()> {
        self.plain.refresh(model)
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One line.
fn json_line(message: &ServerMessage) -> Option<String> {
    let mut value = serde_json::to_value(message).ok()?;
    if let Value::Object(fields) = &mut value {
        fields.remove("token");
    }
    let mut json = escaped(&value.to_string());
    json.push('\n');
    Some(json)
}

fn escaped(json: &str) -> String {
    let mut harmless = String::with_capacity(json.len());
    for c in json.chars() {
        if text::is_unwanted(c) {
            let mut units = [0; 2];
            c.encode_utf16(&mut units)
                .iter()
                .for_each(|unit| harmless.push_str(&format!("\\u{unit:04x}")));
        } else {
            harmless.push(c);
        }
    }
    harmless
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_line_escapes_control_characters() {
        let raw = "{\"type\":\"whisper\",\"from\":\"Zé\",\"tag\":\"t\",\"to\":\"Ana\",\"at\":1,\"text\":\"a\u{9b}2J\u{202e}b\"}";
        let message: ServerMessage = serde_json::from_str(raw).unwrap();
        let record = json_line(&message).unwrap();
        assert!(record.contains("a\\u009b2J\\u202eb"), "{record}");
        let (was, is): (Value, Value) = (
            serde_json::from_str(raw).unwrap(),
            serde_json::from_str(&record).unwrap(),
        );
        assert_eq!(was, is);
    }

    #[test]
    fn json_line_omits_the_token() {
        let raw = r#"{"type":"welcome","name":"Ana","tag":"t","token":"abcdefghijklmnopqrst","protocol":1,"server":"x","limits":{"text":1,"name":1,"room":1,"rate":1.0,"burst":1},"heartbeat_ms":1}"#;
        let message: ServerMessage = serde_json::from_str(raw).unwrap();
        assert!(!json_line(&message).unwrap().contains("abcdef"));
    }
}
