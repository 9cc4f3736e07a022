//! Which names and which texts give a secret away.
//!
//! A detector, not a guarantee: it knows common names and common shapes of credentials.

/// What stands in place of a secret.
pub const HIDDEN: &str = "[redacted]";

/// Knows names whose values must not be written, and finds credentials inside texts.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    names: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Word {
    /// Gives it away wherever it stands: `password_hash`, `db_secret`.
    Secret,
    /// Only at the end: `access_token`, but `token_count` is a number.
    Token,
    /// Only after a word that makes it one: `api_key`, but `sort_key` is none.
    Key,
    Opener,
    Plain,
}

fn classify(word: &[u8]) -> Word {
    let mut lower = [0; 16];
    let Some(lower) = lower.get_mut(..word.len()) else { return Word::Plain };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    match &*lower {
        b"password" | b"passwd" | b"pwd" | b"passphrase" | b"secret" | b"secrets"
        | b"authorization" | b"cookie" | b"cookies" | b"credential" | b"credentials"
        | b"apikey" | b"privatekey" | b"secretkey" | b"accesskey" => Word::Secret,
        b"token" | b"accesstoken" | b"authtoken" | b"refreshtoken" | b"jwt" => Word::Token,
        b"key" | b"keys" => Word::Key,
        b"api" | b"private" | b"access" | b"signing" | b"encryption" | b"master" => Word::Opener,
        _ => Word::Plain,
    }
}

/// `userApiKey`, `user-api-key` and `USER_API_KEY` are the same three words.
fn words(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < name.len() && !name[at].is_ascii_alphanumeric() {
            at += 1;
        }
        let from = at;
        while at < name.len() && name[at].is_ascii_alphanumeric() {
            at += 1;
            let hump = at < name.len()
                && name[at].is_ascii_uppercase()
                && name[at - 1].is_ascii_lowercase();
            if hump {
                break;
            }
        }
        (from < at).then(|| &name[from..at])
    })
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// Bytes at which a closer look may be worth it; see `starts_secret`.
const fn triggers() -> [bool; 256] {
    let mut table = [false; 256];
    let bytes = b"=:JKBb-_";
    let mut i = 0;
    while i < bytes.len() {
        table[bytes[i] as usize] = true;
        i += 1;
    }
    table
}
const TRIGGER: [bool; 256] = triggers();

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(&byte)
}

fn run(bytes: &[u8], from: usize, of: impl Fn(u8) -> bool) -> usize {
    from + bytes[from..].iter().take_while(|&&b| of(b)).count()
}

fn word_ends(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"\"'&,;)}]<>".contains(&byte)
}

impl Redactor {
    /// Also hides fields called one of `names`, however they are spelt.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self { names: names.into_iter().map(plain).filter(|name| !name.is_empty()).collect() }
    }

    /// Whether the value of a field of this name must not be written.
    pub fn hides(&self, name: &str) -> bool {
        let mut last = Word::Plain;
        for word in words(name.as_bytes()) {
            let kind = classify(word);
            if kind == Word::Secret || (kind == Word::Key && last == Word::Opener) {
                return true;
            }
            last = kind;
        }
        last == Word::Token || (!self.names.is_empty() && self.names.contains(&plain(name)))
    }

    /// `text` without the credentials in it; `None` if there are none.
    pub fn scrub(&self, text: &str) -> Option<String> {
        let bytes = text.as_bytes();
        let mut clean: Option<String> = None;
        let (mut copied, mut at) = (0, 0);
        while at < bytes.len() {
            if TRIGGER[usize::from(bytes[at])]
                && let Some((from, to)) = self.secret_at(text, at, copied)
            {
                let clean = clean.get_or_insert_default();
                clean.push_str(&text[copied..from]);
                clean.push_str(HIDDEN);
                (copied, at) = (to, to);
            } else {
                at += 1;
            }
        }
        let mut clean = clean?;
        clean.push_str(&text[copied..]);
        Some(clean)
    }

    /// Where the secret that `text[at]` announces begins and ends. All bounds are next to
    /// ASCII bytes, so they are bounds of characters.
    fn secret_at(&self, text: &str, at: usize, least: usize) -> Option<(usize, usize)> {
        let bytes = text.as_bytes();
        let before = |what: &str| {
            at >= least + what.len()
                && bytes[at - what.len()..at].eq_ignore_ascii_case(what.as_bytes())
        };
        match bytes[at] {
            b'=' | b':' => {
                if bytes[at..].starts_with(b"://") {
                    return user_of_url(bytes, at + 3);
                }
                self.assigned(text, at, least)
            }
            b'J' if before("ey") => {
                let end = run(bytes, at, is_token_byte);
                let parts = bytes[at..end].split(|&b| b == b'.').count();
                (parts > 2 && end - at > 16).then_some((at - 2, end))
            }
            b'K' if before("A") && bytes[at..].starts_with(b"KIA") => {
                let end = run(bytes, at, |b| b.is_ascii_uppercase() || b.is_ascii_digit());
                (end - at >= 19).then_some((at - 1, end))
            }
            b'B' | b'b' => {
                let rest = &bytes[at..];
                let scheme = ["bearer ", "basic "].into_iter().find(|scheme| {
                    rest.len() > scheme.len()
                        && rest[..scheme.len()].eq_ignore_ascii_case(scheme.as_bytes())
                })?;
                let from = at + scheme.len();
                let end = run(bytes, from, is_token_byte);
                (end - from >= 12).then_some((from, end))
            }
            b'_' if ["ghp", "gho", "ghs", "ghu", "ghr", "github_pat"].iter().any(|p| before(p)) => {
                let end = run(bytes, at, is_token_byte);
                let from = bytes[..at].iter().rposition(|&b| b == b'g').filter(|&g| g >= least)?;
                let from = text[..at].rfind("github").filter(|&g| g >= least).unwrap_or(from);
                (end - at >= 20).then_some((from, end))
            }
            b'-' if before("sk") || before("xoxb") || before("xoxp") => {
                let from = at - if before("sk") { 2 } else { 4 };
                let end = run(bytes, at, is_token_byte);
                (end - at >= 16).then_some((from, end))
            }
            b'-' if bytes[at..].starts_with(b"-----BEGIN ") => {
                let head = text[at..].find("PRIVATE KEY-----")?;
                let end = text[at + head + 16..].find("-----END").map(|e| at + head + 16 + e);
                let end = end.map_or(bytes.len(), |e| {
                    let tail = text[e + 8..].find("-----").map_or(bytes.len() - e - 8, |t| t + 5);
                    e + 8 + tail
                });
                (head < 32).then_some((at, end))
            }
            _ => None,
        }
    }

    /// `password=...`, `"api_key": "..."`, `Authorization: Bearer ...`
    fn assigned(&self, text: &str, at: usize, least: usize) -> Option<(usize, usize)> {
        let bytes = text.as_bytes();
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        let mut end = at;
        while end > least && (bytes[end - 1] == b' ' || b"\"'".contains(&bytes[end - 1])) {
            end -= 1;
        }
        let from = end - bytes[least..end].iter().rev().take_while(|&&b| is_name(b)).count();
        if from == end || !self.hides(&text[from..end]) {
            return None;
        }
        let mut from = run(bytes, at + 1, |b| b == b' ');
        if text[from..].starts_with(HIDDEN) {
            return None;
        }
        let quote = bytes.get(from).copied().filter(|q| b"\"'".contains(q));
        if let Some(quote) = quote {
            let end = run(bytes, from + 1, |b| b != quote);
            return (end > from + 1).then_some((from + 1, end));
        }
        let mut end = run(bytes, from, |b| !word_ends(b));
        let scheme = &text[from..end];
        if ["bearer", "basic", "token", "digest"].iter().any(|s| scheme.eq_ignore_ascii_case(s)) {
            from = run(bytes, end, |b| b == b' ');
            end = run(bytes, from, |b| !word_ends(b));
        }
        (end > from).then_some((from, end))
    }
}

/// The password of `//user:password@host`.
fn user_of_url(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let end = run(bytes, from, |b| !b.is_ascii_whitespace() && !b"/?#\"'<>".contains(&b));
    let host = from + bytes[from..end].iter().rposition(|&b| b == b'@')?;
    let colon = from + bytes[from..host].iter().position(|&b| b == b':')?;
    (colon + 1 < host).then_some((colon + 1, host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_secrets_are_hidden_and_their_neighbours_are_not() {
        let redactor = Redactor::new(["ssn", "Blood-Type"]);
        for name in [
            "password",
            "db_password",
            "passwordHash",
            "PASSWORD",
            "client-secret",
            "api_key",
            "apiKey",
            "x-api-key",
            "access_token",
            "token",
            "authorization",
            "Set-Cookie",
            "private_key",
            "ssn",
            "SSN",
            "blood_type",
        ] {
            assert!(redactor.hides(name), "{name}");
        }
        for name in [
            "tokens_per_second",
            "token_count",
            "key",
            "sort_key",
            "user",
            "passenger",
            "secretary",
            "cookie_cutter_x"[..4].as_ref(),
            "author",
            "",
            "é",
            "session_id",
        ] {
            assert!(!redactor.hides(name), "{name}");
        }
    }

    #[test]
    fn credentials_inside_texts_are_cut_out() {
        let redactor = Redactor::default();
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
        for (text, clean) in [
            ("password=hunter2 ok", "password=[redacted] ok"),
            ("{\"api_key\": \"abc def\"}", "{\"api_key\": \"[redacted]\"}"),
            ("Authorization: Bearer abc", "Authorization: Bearer [redacted]"),
            ("postgres://u:p@ss@db/x", "postgres://u:[redacted]@db/x"),
            ("a?token=1&b=2", "a?token=[redacted]&b=2"),
            (&format!("got {jwt}."), "got [redacted]"),
            ("id AKIAIOSFODNN7EXAMPLE!", "id [redacted]!"),
            ("use bearer abcdefghijklmnop now", "use bearer [redacted] now"),
            ("t ghp_abcdefghijklmnopqrstuvwxyz0123456789", "t [redacted]"),
            ("k sk-abcdefghijklmnopqrstuvwx", "k [redacted]"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- x",
                "[redacted] x",
            ),
            ("password=a password=b", "password=[redacted] password=[redacted]"),
        ] {
            assert_eq!(redactor.scrub(text).as_deref(), Some(clean), "{text}");
        }
        for text in [
            "at 10:20:30 x=1",
            "http://host:80/a:b@c",
            "a - b",
            "basic income for all",
            "",
            "sk-learn",
            "password",
            "password=",
            "token: ",
            "n_tokens=5",
            "Bearer of news",
            "key=value",
            "eyJust.a.b",
            "ghp_short",
        ] {
            assert_eq!(redactor.scrub(text), None, "{text}");
        }
    }

    #[test]
    fn what_was_scrubbed_stays_as_it_is() {
        let redactor = Redactor::default();
        let once = redactor.scrub("password=x, token=\"y\" z://a:b@c").expect("secrets");
        assert_eq!(redactor.scrub(&once).unwrap_or(once.clone()), once);
    }

    proptest! {
        #[test]
        fn any_text_survives(text in "\\PC{0,40}([=:_\"' é-]|Bearer |://|eyJ|password){0,6}\\PC{0,40}") {
            let _ = Redactor::default().scrub(&text);
        }

        #[test]
        fn an_assigned_password_never_shows(
            head in "[a-z ]{0,10}", secret in "[A-Za-z0-9!%.]{6,20}", tail in "( [a-z]{0,5})?",
        ) {
            let text = format!("{head} password={secret}{tail}");
            let clean = Redactor::default().scrub(&text).expect("there is one");
            prop_assert!(!clean.contains(&secret), "{}", clean);
        }
    }
}
