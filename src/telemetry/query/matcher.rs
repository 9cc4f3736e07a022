use regex::Regex;

use super::lexer::{Token, error, tokens};
use crate::telemetry::{Labels, TelemetryError};

/// One condition on one label; a label that is absent has an empty value.
#[derive(Clone, Debug)]
pub struct Matcher {
    name: String,
    value: String,
    equal: bool,
    pattern: Option<Regex>,
}

impl Matcher {
    /// `sign` is `=`, `!=`, `=~` or `!~`; a regular expression must match the whole value.
    pub fn new(name: &str, sign: &str, value: &str) -> Result<Self, TelemetryError> {
        let pattern = match sign {
            "=" | "!=" => None,
            "=~" | "!~" => Some(Regex::new(&format!("^(?s:{value})$")).map_err(|error| {
                TelemetryError::Parameter(format!("pattern of {name} is wrong: {error}"))
            })?),
            _ => {
                return Err(TelemetryError::Parameter(format!(
                    "matcher must be =, !=, =~ or !~, got {sign:?}"
                )));
            }
        };
        let equal = matches!(sign, "=" | "=~");
        Ok(Self { name: name.to_owned(), value: value.to_owned(), equal, pattern })
    }

    /// Whether `value` satisfies it.
    pub fn accepts(&self, value: &str) -> bool {
        let same = match &self.pattern {
            Some(pattern) => pattern.is_match(value),
            None => value == self.value,
        };
        same == self.equal
    }

    /// Whether the label of its name satisfies it.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.accepts(labels.get(&self.name))
    }

    /// Whether it asks for a label to be there, or for a value not to be: a matcher that
    /// does neither holds for every alert without the label.
    pub fn is_selective(&self) -> bool {
        !self.equal || !self.accepts("")
    }

    /// The label.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name and value, where it demands one value.
    pub(super) fn equality(&self) -> Option<(&str, &str)> {
        (self.equal && self.pattern.is_none()).then_some((&self.name, &self.value))
    }
}

/// Reads `{a="b", c=~"d.*"}`; the braces may be left out.
pub fn parse_matchers(text: &str) -> Result<Vec<Matcher>, TelemetryError> {
    let tokens = tokens(text)?;
    let mut at = usize::from(tokens[0].1 == Token::Sign("{"));
    let close = if at == 1 { Token::Sign("}") } else { Token::End };
    let found = matchers(text, &tokens, &mut at, &close)?;
    match &tokens.get(at) {
        None | Some((_, Token::End)) => Ok(found),
        Some((position, _)) => Err(error(text, *position, "nothing may follow")),
    }
}

/// Reads up to and with `close`.
pub(super) fn matchers(
    text: &str,
    tokens: &[(usize, Token)],
    at: &mut usize,
    close: &Token,
) -> Result<Vec<Matcher>, TelemetryError> {
    let mut found = Vec::new();
    loop {
        if tokens[*at].1 == *close {
            *at += 1;
            return Ok(found);
        }
        let position = tokens[*at].0;
        let [(_, Token::Word(name)), (_, Token::Sign(sign)), (_, Token::Text(value)), next, ..] =
            &tokens[*at..]
        else {
            return Err(error(text, position, "expected a matcher such as name=\"value\""));
        };
        let matcher = Matcher::new(name, sign, value);
        found.push(matcher.map_err(|why| error(text, position, why.to_string()))?);
        *at += if next.1 == Token::Sign(",") { 4 } else { 3 };
        if next.1 != Token::Sign(",") && next.1 != *close {
            return Err(error(text, next.0, "expected a comma or the end of the matchers"));
        }
    }
}
