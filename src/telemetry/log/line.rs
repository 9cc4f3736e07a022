//! The line of one record, field by field.

use std::time::Duration;

use super::json;
use super::redact::{HIDDEN, Redactor};
use super::timestamp::push_rfc3339;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Style {
    /// One JSON object.
    Json,
    /// `2026-11-21 08:00:00.123 INFO     shop  sold  apples=3`
    Console {
        /// With ANSI colours.
        colour: bool,
    },
}

/// Names of the fields every record has; another field of that name gets a `_` behind it.
const OWN: [&str; 7] =
    ["timestamp", "level", "logger", "message", "category", "trace_id", "span_id"];

const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// A record on its way to text.
#[derive(Debug)]
pub struct Line<'a> {
    text: Vec<u8>,
    style: Style,
    redactor: &'a Redactor,
    depth: u32,
}

impl<'a> Line<'a> {
    /// Begins with what every record has. `level` is lower case.
    pub fn new(
        style: Style,
        redactor: &'a Redactor,
        since_epoch: Duration,
        level: &str,
        logger: &str,
        message: &str,
    ) -> Self {
        let mut line = Self { text: Vec::with_capacity(384), style, redactor, depth: 0 };
        match style {
            Style::Json => line.json_head(since_epoch, level, logger, message),
            Style::Console { colour } => {
                line.console_head(since_epoch, level, logger, message, colour);
            }
        }
        line
    }

    fn json_head(&mut self, since_epoch: Duration, level: &str, logger: &str, message: &str) {
        self.text.extend_from_slice(b"{\"timestamp\":\"");
        push_rfc3339(&mut self.text, since_epoch);
        self.text.extend_from_slice(b"\",\"level\":");
        json::push_string(&mut self.text, level);
        self.text.extend_from_slice(b",\"logger\":");
        json::push_string(&mut self.text, logger);
        self.text.extend_from_slice(b",\"message\":");
        self.string(message);
    }

    fn console_head(
        &mut self,
        since_epoch: Duration,
        level: &str,
        logger: &str,
        message: &str,
        colour: bool,
    ) {
        let from = self.text.len();
        push_rfc3339(&mut self.text, since_epoch);
        self.text[from + 10] = b' ';
        self.text.truncate(from + 23);
        self.text.push(b' ');
        if colour {
            self.paint(match level {
                "debug" => DIM,
                "info" => "\x1b[32m",
                "warning" => "\x1b[33m",
                _ => "\x1b[31m",
            });
        }
        for letter in level.bytes() {
            self.text.push(if letter.is_ascii_control() {
                b'?'
            } else {
                letter.to_ascii_uppercase()
            });
        }
        self.text.extend(std::iter::repeat_n(b' ', 8_usize.saturating_sub(level.len())));
        if colour {
            self.paint(PLAIN);
        }
        self.text.push(b' ');
        self.printable(logger);
        self.text.extend_from_slice(b"  ");
        if colour {
            self.paint(BOLD);
        }
        let clean = self.redactor.scrub(message);
        self.printable(clean.as_deref().unwrap_or(message));
        if colour {
            self.paint(PLAIN);
        }
        self.text.push(b' ');
    }

    fn paint(&mut self, code: &str) {
        self.text.extend_from_slice(code.as_bytes());
    }

    /// Text without what a terminal would obey.
    fn printable(&mut self, text: &str) {
        for character in text.chars() {
            if character.is_control() {
                self.text.extend(character.escape_default().to_string().bytes());
            } else {
                let mut utf8 = [0; 4];
                self.text.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
            }
        }
    }

    /// Announces a value and says whether it may follow: that of a secret is written here.
    pub fn key(&mut self, name: &str) -> bool {
        if self.is_read() && self.depth == 0 {
            self.text.push(b' ');
            let colour = self.style == Style::Console { colour: true };
            if colour {
                self.paint(DIM);
            }
            self.printable(name);
            self.text.push(b'=');
            if colour {
                self.paint(PLAIN);
            }
        } else {
            if self.text.last() != Some(&b'{') {
                self.text.push(b',');
            }
            json::push_string(&mut self.text, name);
            if self.depth == 0 && OWN.contains(&name) {
                self.text.insert(self.text.len() - 1, b'_');
            }
            self.text.push(b':');
        }
        if self.redactor.hides(name) {
            self.plain(HIDDEN);
            return false;
        }
        true
    }

    /// A field of the record itself: neither renamed nor searched for secrets.
    pub fn own(&mut self, name: &str, value: &str) {
        if self.is_read() {
            self.text.push(b' ');
            self.printable(name);
            self.text.push(b'=');
            self.plain(value);
        } else {
            self.text.extend_from_slice(b",\"");
            self.text.extend_from_slice(name.as_bytes());
            self.text.extend_from_slice(b"\":");
            json::push_string(&mut self.text, value);
        }
    }

    fn is_read(&self) -> bool {
        self.style != Style::Json
    }

    /// A text, without the credentials in it.
    pub fn string(&mut self, text: &str) {
        match self.redactor.scrub(text) {
            None => self.plain(text),
            Some(clean) => self.plain(&clean),
        }
    }

    fn plain(&mut self, text: &str) {
        let bare = |c: char| !c.is_control() && !c.is_whitespace() && c != '"' && c != '=';
        if self.is_read() && self.depth == 0 && !text.is_empty() && text.chars().all(bare) {
            self.text.extend_from_slice(text.as_bytes());
        } else {
            json::push_string(&mut self.text, text);
        }
    }

    /// A whole number.
    pub fn integer(&mut self, number: i64) {
        json::push_integer(&mut self.text, number);
    }

    /// Digits of a number too large for `integer`.
    pub fn digits(&mut self, number: &str) {
        self.text.extend_from_slice(number.as_bytes());
    }

    /// A floating-point number.
    pub fn float(&mut self, number: f64) {
        json::push_float(&mut self.text, number);
    }

    /// true or false.
    pub fn boolean(&mut self, value: bool) {
        self.text.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// null.
    pub fn null(&mut self) {
        self.text.extend_from_slice(b"null");
    }

    /// Begins a nested object: keys and values follow.
    pub fn open_object(&mut self) {
        self.depth += 1;
        self.text.push(b'{');
    }

    /// Ends it.
    pub fn close_object(&mut self) {
        self.depth -= 1;
        self.text.push(b'}');
    }

    /// Begins a list: `item` before each value.
    pub fn open_list(&mut self) {
        self.depth += 1;
        self.text.push(b'[');
    }

    /// Another value of a list.
    pub fn item(&mut self) {
        if self.text.last() != Some(&b'[') {
            self.text.push(b',');
        }
    }

    /// Ends it.
    pub fn close_list(&mut self) {
        self.depth -= 1;
        self.text.push(b']');
    }

    /// The line with its newline; in the console style `below` follows it, as a traceback.
    pub fn finish(mut self, below: Option<&str>) -> Vec<u8> {
        if self.is_read() {
            while self.text.last() == Some(&b' ') {
                self.text.pop();
            }
            if let Some(below) = below {
                let clean = self.redactor.scrub(below);
                for row in clean.as_deref().unwrap_or(below).lines() {
                    self.text.extend_from_slice(b"\n  ");
                    self.printable(row);
                }
            }
        } else {
            self.text.push(b'}');
        }
        self.text.push(b'\n');
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(style: Style) -> String {
        let redactor = Redactor::default();
        let moment = Duration::new(951_782_400, 123_456_000);
        let mut line = Line::new(style, &redactor, moment, "info", "shop", "sold\n\x1b[31m");
        line.own("trace_id", "4bf9");
        for (name, value) in [("fruit", "red apple"), ("level", "3"), ("password", "x")] {
            if line.key(name) {
                line.string(value);
            }
        }
        if line.key("nested") {
            line.open_object();
            if line.key("level") {
                line.open_list();
                line.item();
                line.integer(1);
                line.item();
                line.float(0.5);
                line.close_list();
            }
            assert!(!line.key("api_key"));
            line.close_object();
        }
        String::from_utf8(line.finish(Some("a\nb"))).expect("UTF-8")
    }

    #[test]
    fn a_record_is_one_object_and_its_own_names_are_not_taken() {
        assert_eq!(
            shown(Style::Json),
            concat!(
                r#"{"timestamp":"2000-02-29T00:00:00.123456Z","level":"info","logger":"shop","#,
                r#""message":"sold\n\u001b[31m","trace_id":"4bf9","fruit":"red apple","#,
                r#""level_":"3","password":"[redacted]","#,
                r#""nested":{"level":[1,0.5],"api_key":"[redacted]"}}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_console_line_can_be_read_and_commands_nothing() {
        assert_eq!(
            shown(Style::Console { colour: false }),
            concat!(
                "2000-02-29 00:00:00.123 INFO     shop  sold\\n\\u{1b}[31m  trace_id=4bf9 ",
                r#"fruit="red apple" level=3 password=[redacted] "#,
                r#"nested={"level":[1,0.5],"api_key":"[redacted]"}"#,
                "\n  a\n  b\n"
            )
        );
        assert!(shown(Style::Console { colour: true }).contains("\x1b[32mINFO"));
    }
}
