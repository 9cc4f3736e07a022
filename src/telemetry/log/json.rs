//! Strings and numbers as RFC 8259 wants them.

use std::io::Write;

const fn escapes() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
}
const ESCAPED: [bool; 256] = escapes();
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` in quotes.
pub(super) fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut clean = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if !ESCAPED[usize::from(byte)] {
            continue;
        }
        out.extend_from_slice(&bytes[clean..at]);
        clean = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(other >> 4)]);
                out.push(HEX[usize::from(other & 15)]);
            }
        }
    }
    out.extend_from_slice(&bytes[clean..]);
    out.push(b'"');
}

/// Appends a whole number.
pub(super) fn push_integer(out: &mut Vec<u8>, number: i64) {
    let mut text = [0; 20];
    let mut at = text.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&text[at..]);
}

/// Appends the shortest number that reads back as `number`; JSON has no NaN and no
/// infinity, so these become strings.
pub(super) fn push_float(out: &mut Vec<u8>, number: f64) {
    let written = if number.is_finite() {
        write!(out, "{number:?}")
    } else if number.is_nan() {
        out.write_all(b"\"NaN\"")
    } else {
        out.write_all(if number > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" })
    };
    debug_assert!(written.is_ok(), "a Vec takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(push: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn control_characters_quotes_and_backslashes_are_escaped() {
        let text = shown(|out| push_string(out, "a\"b\\c\nd\u{1}e\u{1f}é\u{7f}"));
        assert_eq!(text, "\"a\\\"b\\\\c\\nd\\u0001e\\u001fé\u{7f}\"");
    }

    #[test]
    fn numbers_read_back() {
        for number in [0, 7, -7, i64::MAX, i64::MIN] {
            assert_eq!(shown(|out| push_integer(out, number)), number.to_string());
        }
        for number in [0.1, 1.0, -0.0, 1e300, 5e-324, f64::MAX] {
            assert_eq!(shown(|out| push_float(out, number)).parse(), Ok(number));
        }
        assert_eq!(shown(|out| push_float(out, f64::NAN)), "\"NaN\"");
        assert_eq!(shown(|out| push_float(out, f64::NEG_INFINITY)), "\"-Infinity\"");
    }
}
