use crate::telemetry::{Micros, SECOND, TelemetryError};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword.
    Word(String),
    /// A number or a duration, as it stands.
    Digits(String),
    Text(String),
    /// Operators and brackets.
    Sign(&'static str),
    End,
}

const SIGNS: [&str; 22] = [
    "==", "!=", ">=", "<=", "=~", "!~", ">", "<", "=", "+", "-", "*", "/", "%", "^", "(", ")", "{",
    "}", "[", "]", ",",
];

/// Tokens with their positions in characters.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, TelemetryError> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let (start, c) = (at, chars[at]);
        if c.is_whitespace() {
            at += 1;
        } else if c == '#' {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if c.is_ascii_digit()
            || (c == '.' && chars.get(at + 1).is_some_and(char::is_ascii_digit))
        {
            at = digits(&chars, at);
            found.push((start, Token::Digits(chars[start..at].iter().collect())));
        } else if c.is_ascii_alphabetic() || c == '_' || c == ':' {
            while chars.get(at).is_some_and(|c| c.is_ascii_alphanumeric() || "_:".contains(*c)) {
                at += 1;
            }
            found.push((start, Token::Word(chars[start..at].iter().collect())));
        } else if matches!(c, '"' | '\'' | '`') {
            let (value, end) = quoted(&chars, at).map_err(|message| error(text, at, message))?;
            at = end;
            found.push((start, Token::Text(value)));
        } else {
            let rest: String = chars[at..chars.len().min(at + 2)].iter().collect();
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let Some(sign) = sign else {
                return Err(error(text, at, format!("unexpected character {c:?}")));
            };
            at += sign.len();
            found.push((start, Token::Sign(sign)));
        }
    }
    found.push((chars.len(), Token::End));
    Ok(found)
}

pub(super) fn error(text: &str, at: usize, message: impl Into<String>) -> TelemetryError {
    TelemetryError::Syntax { at, message: message.into(), text: text.to_owned() }
}

fn digits(chars: &[char], mut at: usize) -> usize {
    let start = at;
    while let Some(&c) = chars.get(at) {
        let exponent = at > start
            && matches!(c, '+' | '-')
            && matches!(chars[at - 1], 'e' | 'E')
            && !(chars[start] == '0' && matches!(chars.get(start + 1), Some('x' | 'X')));
        if !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || exponent) {
            break;
        }
        at += 1;
    }
    at
}

fn quoted(chars: &[char], start: usize) -> Result<(String, usize), String> {
    let quote = chars[start];
    let mut value = String::new();
    let mut at = start + 1;
    loop {
        let Some(&c) = chars.get(at) else { return Err("the string has no end".to_owned()) };
        at += 1;
        if c == quote {
            return Ok((value, at));
        }
        if c != '\\' || quote == '`' {
            value.push(c);
            continue;
        }
        let escaped = chars.get(at).copied();
        at += 1;
        value.push(match escaped {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some(c @ ('\\' | '"' | '\'')) => c,
            other => return Err(format!("unknown escape {other:?} in a string")),
        });
    }
}

/// `1h30m`, `5m`, `300ms`: units from large to small, each at most once.
pub(super) fn duration(text: &str) -> Option<Micros> {
    const UNITS: [(&str, Micros); 7] = [
        ("y", 365 * 86_400 * SECOND),
        ("w", 7 * 86_400 * SECOND),
        ("d", 86_400 * SECOND),
        ("h", 3600 * SECOND),
        ("m", 60 * SECOND),
        ("s", SECOND),
        ("ms", SECOND / 1000),
    ];
    let (mut rest, mut total, mut next): (_, Micros, _) = (text, 0, 0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let amount: Micros = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = UNITS.iter().position(|(unit, _)| *unit == &rest[..end])?;
        if unit < next {
            return None;
        }
        next = unit + 1;
        total = total.checked_add(amount.checked_mul(UNITS[unit].1)?)?;
        rest = &rest[end..];
    }
    (total > 0).then_some(total)
}

/// Decimal, hexadecimal, with an exponent, `Inf` or `NaN`.
pub(super) fn number(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    if let Some(hex) = lower.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(|value| value as f64);
    }
    match lower.as_str() {
        "inf" => Some(f64::INFINITY),
        "nan" => Some(f64::NAN),
        _ if lower.contains(['i', 'n', '_']) => None,
        _ => lower.parse().ok(),
    }
}
