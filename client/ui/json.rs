//! The server's messages as JSON, one object per line, for programs that need every field.
//!
//! Input is plain lines. The token is left out, and characters that could move a cursor are written as escapes, which
//! JSON reads as the same text. Knows streams; never knows what a message means.

use crate::app::output::{Output, Severity};
use crate::app::{AppEvent, ViewModel};
use crate::ui::plain::PlainUi;
use crate::ui::{Ui, UiInput};
use papo::protocol::ServerMessage;
use papo::text;
use serde_json::Value;
use std::io::{self, Write};

/// JSON on standard output; problems go to standard error, as with plain lines.
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
        let json = json_line(message);
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

/// The message as one line, without the token.
fn json_line(message: &ServerMessage) -> String {
    let mut value =
        serde_json::to_value(message).expect("server messages hold nothing that JSON can't say");
    if let Value::Object(fields) = &mut value {
        fields.remove("token");
    }
    let mut json = escaped(&value.to_string());
    json.push('\n');
    json
}

fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if text::is_unwanted(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_line_escapes_control_characters() {
        let raw = "{\"type\":\"whisper\",\"from\":\"Zé\",\"tag\":\"t\",\"to\":\"Ana\",\"at\":1,\"text\":\"a\u{9b}2J\u{202e}b\"}";
        let message: ServerMessage = serde_json::from_str(raw).unwrap();
        let record = json_line(&message);
        assert!(record.contains("a\\u009b2J\\u202eb"), "{record}");
        let before: Value = serde_json::from_str(raw).unwrap();
        let after: Value = serde_json::from_str(&record).unwrap();
        assert_eq!(before, after);
    }

    #[test]
    fn json_line_omits_the_token() {
        let raw = r#"{"type":"welcome","name":"Ana","tag":"t","token":"abcdefghijklmnopqrst","protocol":1,"server":"x","limits":{"text":1,"name":1,"room":1,"rate":1.0,"burst":1},"heartbeat_ms":1}"#;
        let message: ServerMessage = serde_json::from_str(raw).unwrap();
        assert!(!json_line(&message).contains("abcdef"));
    }
}
