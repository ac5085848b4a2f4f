//! What can be saved of a text that is not JSON: halves of surrogate pairs, and the id of its message.

/// Bytes of a `\u` escape.
const ESCAPE_LENGTH: usize = 6;
/// The escape of U+FFFD.
const REPLACEMENT: &str = r"\ufffd";

/// The text with every escape of a lone surrogate (`\ud83d` without its other half) as U+FFFD, which takes as many bytes;
/// `None` if there is none. Other escapes stay as they are, well-formed or not.
pub(super) fn replace_lone_surrogates(json: &str) -> Option<String> {
    let bytes = json.as_bytes();
    let mut replaced = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += match (byte, surrogate(bytes, at)) {
            (b'\\', Some(Surrogate::High)) if is_low(bytes, at + ESCAPE_LENGTH) => {
                2 * ESCAPE_LENGTH
            }
            (b'\\', Some(_)) => {
                let text = replaced.get_or_insert_with(|| json.to_owned());
                text.replace_range(at..at + ESCAPE_LENGTH, REPLACEMENT);
                ESCAPE_LENGTH
            }
            // The escaped character is no beginning of an escape, even if it is a backslash.
            (b'\\', None) => 2,
            _ => 1,
        };
    }
    replaced
}

/// One half of a pair of UTF-16 code units.
enum Surrogate {
    High,
    Low,
}

/// The surrogate whose escape begins at this backslash.
fn surrogate(bytes: &[u8], at: usize) -> Option<Surrogate> {
    let [b'\\', b'u', digits @ ..] = bytes.get(at..at + ESCAPE_LENGTH)? else {
        return None;
    };
    let [b'd' | b'D', second, third, fourth] = digits else {
        return None;
    };
    if !third.is_ascii_hexdigit() || !fourth.is_ascii_hexdigit() {
        return None;
    }
    match second {
        b'8' | b'9' | b'a' | b'b' | b'A' | b'B' => Some(Surrogate::High),
        b'c'..=b'f' | b'C'..=b'F' => Some(Surrogate::Low),
        _ => None,
    }
}

fn is_low(bytes: &[u8], at: usize) -> bool {
    matches!(surrogate(bytes, at), Some(Surrogate::Low))
}

/// The value of `id` in the outermost object of a text, if it is a string. Nothing else has to be JSON: the text may end
/// early or go on after the object, and miss commas, values and brackets.
///
/// `None` in doubt: an id between brackets that don't match, or one of two that differ, may be another message's.
pub(super) fn find_id(json: &str) -> Option<String> {
    let mut scanner = Scanner {
        json,
        at: 0,
        expected_closers: Vec::new(),
        after_colon: false,
    };
    let mut found: Option<String> = None;
    while let Some(key) = scanner.next_key() {
        if unescape(key).as_deref() != Some("id") {
            continue;
        }
        let id = scanner.string_value().and_then(unescape)?;
        if found.as_ref().is_some_and(|other| *other != id) {
            return None;
        }
        found = Some(id);
    }
    found
}

/// The text of a string with its quotes.
fn unescape(string: &str) -> Option<String> {
    serde_json::from_str(string).ok()
}

/// Reads a text that is meant to be an object, and takes every byte that it does not know for a part of a value.
struct Scanner<'a> {
    json: &'a str,
    at: usize,
    /// What closes the brackets that are open, the outermost first.
    expected_closers: Vec<u8>,
    /// Whether the last token was a colon, so that the next one is a value.
    after_colon: bool,
}

impl<'a> Scanner<'a> {
    /// The next key of the outermost object, with its quotes; leaves the scanner before the colon.
    fn next_key(&mut self) -> Option<&'a str> {
        while let Some(&byte) = self.json.as_bytes().get(self.at) {
            if byte == b'"' {
                let is_value = std::mem::take(&mut self.after_colon);
                let string = self.string()?;
                if !is_value && self.expected_closers == [b'}'] && self.peek() == Some(b':') {
                    return Some(string);
                }
                continue;
            }
            self.at += 1;
            match byte {
                b'{' => self.expected_closers.push(b'}'),
                b'[' => self.expected_closers.push(b']'),
                b'}' | b']' if self.expected_closers.last() == Some(&byte) => {
                    self.expected_closers.pop();
                    if self.expected_closers.is_empty() {
                        return None;
                    }
                }
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                self.after_colon = byte == b':';
            }
        }
        None
    }

    /// The string after a key and its colon, with its quotes.
    fn string_value(&mut self) -> Option<&'a str> {
        self.peek();
        self.at += 1;
        match self.peek() {
            Some(b'"') => self.string(),
            _ => None,
        }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.json.as_bytes().get(self.at..)?;
        let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace());
        self.at += space.count();
        self.json.as_bytes().get(self.at).copied()
    }

    /// The string that begins here, with its quotes; `None` if it does not end.
    fn string(&mut self) -> Option<&'a str> {
        let start = self.at;
        let bytes = self.json.as_bytes();
        self.at += 1;
        loop {
            match bytes.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.json.get(start..self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A JSON string of these UTF-16 code units, each of them escaped.
    fn escaped(units: &[u16]) -> String {
        let escapes = units.iter().map(|unit| format!("\\u{unit:04x}"));
        format!("\"{}\"", escapes.collect::<String>())
    }

    #[test]
    fn lone_surrogate_becomes_the_replacement_character() {
        for (json, expected) in [
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""metade \uD83D aqui""#, r#""metade \ufffd aqui""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\ud83d\\ude00""#, r#""\ufffd\\ude00""#),
            (r#"{"\ud83d":1}"#, r#"{"\ufffd":1}"#),
        ] {
            assert_eq!(
                replace_lone_surrogates(json).as_deref(),
                Some(expected),
                "{json}"
            );
        }
    }

    #[test]
    fn pairs_and_other_escapes_are_left_alone() {
        for json in [
            r#""\ud83d\ude00""#,
            r#""\\ud83d""#,
            r#""\\\\ud83d""#,
            r#""\u00e7\n\ud7ff\ue000""#,
            r#""\ud8"#,
            r#""\ud83é""#,
            r"\",
            "çá",
        ] {
            assert_eq!(replace_lone_surrogates(json), None, "{json}");
        }
    }

    #[test]
    fn id_is_found_in_broken_objects() {
        for json in [
            r#"{"id":"m1","text":"oi"#,
            r#"{"id":"m1""#,
            r#"{"id":"m1"}}"#,
            r#"{"id":"m1"} lixo {"id":"m2"}"#,
            r#"lixo {"id":"m1"}"#,
            r#"{"type":"say" "id":"m1"}"#,
            r#"{type:say,"id" : "m1"}"#,
            r#"{,"text":,"id":"m1"}"#,
            r#"{"text":],"id":"m1"}"#,
            r#"{"text":"\x","id":"m1"}"#,
            "{\"text\":\"a\nb\",\"id\":\"m1\"}",
            r#"{"text":"ele disse "oi" ali","id":"m1"}"#,
            r#"{"text":"\"id\":\"m2\"","id":"m1"}"#,
            r#"{"x":{"id":"m2"},"y":[{"id":"m3"}],"id":"m1""#,
            r#"{"text":"id","id":"m1""#,
            r#"{"\u0069d":"m\u0031",}"#,
            r#"{"id":"m1","id":"m1"}"#,
        ] {
            assert_eq!(find_id(json).as_deref(), Some("m1"), "{json}");
        }
    }

    #[test]
    fn doubtful_or_unfinished_id_is_not_found() {
        for json in [
            "",
            "id",
            r#""id":"m1""#,
            r#"[{"id":"m1"}"#,
            r#"{"id":"m1"#,
            r#"{"id":"m1\"#,
            r#"{"id":m1}"#,
            r#"{"id":5}"#,
            r#"{"id":["m1"]}"#,
            r#"{"id":"m\x31"}"#,
            r"{'id':'m1'}",
            r#"{"x":{"id":"m2"}"#,
            r#"{"x":{"y":],"id":"m2"}"#,
            r#"{"id":"m1","id":"m2"}"#,
            r#"{"id":"m1","id":2}"#,
            r#"{"text":"id":"m2"}"#,
            r#"{} {"id":"m1"}"#,
        ] {
            assert_eq!(find_id(json), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn repaired_escapes_equal_a_lossy_decoding(units in proptest::collection::vec(
            prop_oneof![any::<u16>(), 0xD7F0..0xE010_u16], 0..12,
        )) {
            let json = escaped(&units);
            let repaired = replace_lone_surrogates(&json);
            let well_formed = String::from_utf16(&units).is_ok();
            prop_assert_eq!(repaired.is_none(), well_formed);
            let text = unescape(repaired.as_ref().unwrap_or(&json));
            prop_assert_eq!(text, Some(String::from_utf16_lossy(&units)));
        }

        #[test]
        fn text_that_is_json_is_never_repaired(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(replace_lone_surrogates(&json), None);
        }

        #[test]
        fn id_is_found_wherever_its_object_breaks(
            text in any::<String>(), junk in "\\PC{0,20}", cut in any::<prop::sample::Index>(),
        ) {
            let fields = serde_json::json!({"type": "say", "text": text, "x": [{"id": "m2"}]});
            let rest = fields.to_string()[1..].to_owned();
            let cut = (0..=cut.index(rest.len() + 1)).rev().find(|at| rest.is_char_boundary(*at));
            let broken = format!(r#"{{"id":"m1",{}"#, &rest[..cut.unwrap_or(0)]);
            prop_assert_eq!(find_id(&broken), Some("m1".to_owned()));
            let _ = find_id(&format!("{broken}{junk}"));
            let _ = find_id(&junk);
        }
    }
}
